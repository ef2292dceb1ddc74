//! Views: one trait for each kind of code under test. Each way to use pop3-proto is
//! a view, and so is each known bug.

mod client;
mod server;
mod syntax;

pub use client::{Client, ClientEvent, ClientSession, ClientStep, Clients, client};
pub use server::{MemoryMaildrop, Server, ServerSession, Servers, server};
pub use syntax::{Commands, REPLY_LINES, Replies, ReplyLines, commands, replies};
