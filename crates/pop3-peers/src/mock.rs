//! A small POP3 client that fetches all mail into a Maildir, deletes it and
//! quits. As a program it tests `pop3 audit`. A journal tells it what earlier
//! runs have stored. It is correct and strict unless it gets a [`Flaw`].

mod block;
mod fetch;
mod flaw;
mod journal;
mod listing;
mod session;
mod wire;

use std::fmt;

pub use flaw::{Flaw, FlawRow, flaws};

use flaw::Moment;
use session::Session;

/// Why the client stopped.
#[derive(Debug)]
pub enum Failure {
    /// The server closed the connection.
    Closed,
    /// The server's answers do not match the commands.
    OutOfStep,
    /// Anything else.
    Said(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the server closed the connection"),
            Self::OutOfStep => f.write_str("the session is out of step"),
            Self::Said(what) => f.write_str(what),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Said(error.to_string())
    }
}

impl From<&str> for Failure {
    fn from(what: &str) -> Self {
        Self::Said(what.to_owned())
    }
}

/// The arguments of the command line.
#[derive(Clone, Debug)]
struct Orders {
    host: String,
    port: u16,
    user: String,
    password: String,
    maildir: std::path::PathBuf,
    cafile: Option<std::path::PathBuf>,
    flaw: Option<Flaw>,
}

/// Runs the client: `HOST PORT USER PASSWORD MAILDIR [--stls CAFILE] [--flaw NAME]`.
///
/// # Errors
///
/// If it cannot fetch all mail.
pub fn run(arguments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let orders = orders(arguments).ok_or("HOST PORT USER PASSWORD MAILDIR")?;
    let flaw = orders.flaw;
    match Session::run(&orders) {
        Err(Failure::Closed) if flaw == Some(Flaw::ClosedIsDone) => Ok(()),
        // It has quit before the login and starts again.
        Err(Failure::Closed) if matches!(flaw, Some(Flaw::Says(Moment::BeforeLogin, _))) => {
            Session::run(&Orders {
                flaw: None,
                ..orders
            })
        }
        Err(_) if flaw == Some(Flaw::ReconnectsInTheClear) && orders.cafile.is_some() => {
            Session::run(&Orders {
                cafile: None,
                ..orders
            })
        }
        done => done,
    }
}

fn orders(mut arguments: impl Iterator<Item = String>) -> Option<Orders> {
    let mut orders = Orders {
        host: arguments.next()?,
        port: arguments.next()?.parse().ok()?,
        user: arguments.next()?,
        password: arguments.next()?,
        maildir: arguments.next()?.into(),
        cafile: None,
        flaw: None,
    };
    while let Some(option) = arguments.next() {
        match option.as_str() {
            "--stls" => orders.cafile = Some(arguments.next()?.into()),
            "--flaw" => orders.flaw = Some(flaw::by_name(&arguments.next()?)?),
            _ => return None,
        }
    }
    Some(orders)
}
