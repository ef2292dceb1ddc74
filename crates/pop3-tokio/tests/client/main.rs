//! The client against scripted servers and against our own session.

mod dialing;
mod dialogue;
mod echoes;
mod harness;
mod login;
mod methods;
mod replies;
mod retrieval;
mod security;
mod tls;
mod waiting;
