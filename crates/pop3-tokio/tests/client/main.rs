//! The client against scripted servers and against our own session.

mod dialing;
mod dialogue;
mod echoes;
mod ends;
mod errors;
mod harness;
mod international;
mod login;
mod methods;
mod proxy;
mod replies;
mod retrieval;
mod security;
mod tls;
mod trust;
mod waiting;
