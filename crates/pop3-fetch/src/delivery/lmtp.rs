//! Delivery to an LMTP server (RFC 2033).
//!
//! After the octets of a message, the server answers for each recipient. A message
//! counts as delivered only when all have accepted it. The journal records those
//! that accepted it before the others, so that the next run gives it to the others
//! only.
//!
//! One connection serves a group. A connection that ends in a message defers that
//! message; the next one gets a new connection.

use std::path::Path;

use super::{
    Form, Sealed,
    handover::{Answer, HandOver, Verdict},
    spool::{Spool, Spooled},
};
use crate::{
    disk::{Directory, Disk, File},
    failure::{Failure, Kind},
};
use connection::{Broken, Connection, Limits};
use reply::Reply;

pub use address::{Address, LmtpServer};

mod address;
mod connection;
mod reply;

/// An LMTP server, and the envelope of the messages for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lmtp {
    server: LmtpServer,
    sender: Option<Address>,
    recipients: Vec<Address>,
}

impl Lmtp {
    /// A server, without recipients so far.
    #[must_use]
    pub const fn new(server: LmtpServer) -> Self {
        Self {
            server,
            sender: None,
            recipients: Vec::new(),
        }
    }

    /// The server for messages from `sender` to `recipients`. Without a sender, the
    /// reverse-path is empty (`<>`), so that nothing is ever bounced.
    #[must_use]
    pub fn between(self, sender: Option<Address>, recipients: &[Address]) -> Self {
        let mut once: Vec<Address> = Vec::new();
        for recipient in recipients {
            if !once.contains(recipient) {
                once.push(recipient.clone());
            }
        }
        Self {
            sender,
            recipients: once,
            ..self
        }
    }

    /// Returns the server.
    #[must_use]
    pub const fn server(&self) -> &LmtpServer {
        &self.server
    }

    /// Returns the recipients.
    #[must_use]
    pub fn recipients(&self) -> &[Address] {
        &self.recipients
    }

    /// Connects and says LHLO.
    fn connect(&self) -> Result<Connection, Failure> {
        Connection::open(&self.server, Limits::STANDARD).map_err(|broken| self.failure(&broken))
    }

    fn failure(&self, broken: &Broken) -> Failure {
        let kind = match broken {
            Broken::Closed(_) | Broken::TimedOut(_) => Kind::Temporary,
            Broken::Refused { reply, .. } if reply.is_temporary() => Kind::Temporary,
            Broken::Refused { .. } | Broken::Unreachable(_) => Kind::Unavailable,
            Broken::Malformed(_) => Kind::Protocol,
            Broken::Spool(_) => Kind::Io,
        };
        Failure::new(kind, format_args!("lmtp:{}: {broken}", self.server))
    }
}

pub(crate) fn open<D: Disk>(
    disk: &D,
    lmtp: &Lmtp,
    spool: &Path,
) -> Result<Spool<<D::Directory as Directory>::File>, Failure> {
    if lmtp.recipients.is_empty() {
        return Err(Failure::new(
            Kind::CannotCreate,
            format_args!("lmtp:{}: no recipient is given", lmtp.server),
        ));
    }
    // An error should come before the first group is fetched.
    lmtp.connect()?;
    let lmtp = lmtp.clone();
    Spool::open(disk, spool, Form::Raw, move |spooled| {
        Sealed::Singly(Box::new(Transactions {
            lmtp: lmtp.clone(),
            spooled,
            connection: None,
        }))
    })
}

/// A group whose messages are given to the server one by one.
struct Transactions<F> {
    lmtp: Lmtp,
    spooled: Spooled<F>,
    /// Open and between two messages.
    connection: Option<Connection>,
}

/// The recipients that did not accept a message, each with the command that the
/// reply was for.
#[derive(Default)]
struct Declined(Vec<(String, Reply)>);

impl<F: File> HandOver for Transactions<F> {
    fn hand_over(
        &mut self,
        index: usize,
        earlier: &[String],
        accepted: &mut Vec<String>,
    ) -> Result<Answer, Failure> {
        let recipients = self.lmtp.recipients.iter();
        let due: Vec<&Address> = recipients
            .filter(|recipient| !earlier.iter().any(|name| name == recipient.as_str()))
            .collect();
        if due.is_empty() {
            return Ok(Answer::accepted());
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.lmtp.connect()?,
        };
        let mut declined = Declined::default();
        let message = self.spooled.messages().nth(index).unwrap_or_default();
        let message = connection::Message {
            spool: &*self.spooled.file,
            octets: message,
        };
        let sender = self.lmtp.sender.as_ref();
        match transact(
            &mut connection,
            sender,
            &due,
            &message,
            accepted,
            &mut declined,
        ) {
            Ok(()) => {
                self.connection = Some(connection).filter(Connection::is_between);
                Ok(declined.answer(due.len()))
            }
            Err(Broken::Closed(why)) => {
                let how = format!("the LMTP server closed the connection after {}", why.after);
                Ok(Answer::new(Verdict::Deferred, how, &why.words))
            }
            Err(broken) => Err(self.lmtp.failure(&broken)),
        }
    }
}

/// Gives one message to the server.
fn transact<F: File>(
    connection: &mut Connection,
    sender: Option<&Address>,
    due: &[&Address],
    message: &connection::Message<'_, F>,
    accepted: &mut Vec<String>,
    declined: &mut Declined,
) -> Result<(), Broken> {
    let mail = connection.mail(sender, message)?;
    if !mail.is_positive() {
        declined.0.push((String::from("MAIL"), mail));
        return Ok(());
    }
    let mut taking = Vec::new();
    for recipient in due {
        let reply = connection.rcpt(recipient)?;
        match reply.is_positive() {
            true => taking.push(*recipient),
            false => declined.0.push((format!("RCPT TO:<{recipient}>"), reply)),
        }
    }
    if taking.is_empty() {
        connection.reset();
        return Ok(());
    }
    let data = connection.data()?;
    if !data.is_go_ahead() {
        declined.0.push((String::from("DATA"), data));
        connection.reset();
        return Ok(());
    }
    connection.send(message)?;
    // RFC 2033 §4.2: one reply for each accepted RCPT, in that order.
    for recipient in taking {
        let reply = connection.outcome()?;
        match reply.is_positive() {
            true => accepted.push(recipient.as_str().to_owned()),
            false => {
                let what = format!("the message for <{recipient}>");
                declined.0.push((what, reply));
            }
        }
    }
    Ok(())
}

impl Declined {
    /// The answer for a message that was due to `due` recipients.
    fn answer(&self, due: usize) -> Answer {
        let Some((what, reply)) = self.0.first() else {
            return Answer::accepted();
        };
        let is_temporary = self.0.iter().all(|(_, reply)| reply.is_temporary());
        let (verdict, verb) = match is_temporary {
            true => (Verdict::Deferred, "defers"),
            false => (Verdict::Refused, "refuses"),
        };
        let more = match (self.0.len(), due) {
            (1, _) => String::new(),
            (declined, due) => format!(" (and so for {declined} of {due} recipients)"),
        };
        let how = format!("the LMTP server {verb} {what}{more}");
        Answer::new(verdict, how, reply.line())
    }
}

#[cfg(test)]
mod tests;
