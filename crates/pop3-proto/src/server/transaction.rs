//! Commands of the TRANSACTION state (RFC 1939 §§5 and 7), and UPDATE.

use core::{fmt, mem};
use std::io;

use super::{Closed, Maildrop, Session, maildrop::Marked, session::Phase};
use crate::{Command, MessageNumber};

impl<M: Maildrop> Session<M> {
    pub(super) fn transaction(&mut self, command: Command<'_>) {
        let Phase::Transaction(marked) = &mut self.phase else {
            return;
        };
        let reply = &mut self.reply;
        // MS-STANOPOP3 C0026: no command accepts the number of a deleted message.
        let named = match command {
            Command::Dele(number) | Command::Retr(number) | Command::Top(number, _) => Some(number),
            Command::List(number) | Command::Uidl(number) => number,
            _ => None,
        };
        if named.is_some_and(|number| !marked.holds(number)) {
            return self.refuse("no such message");
        }
        match command {
            Command::Capa => self.capabilities(),
            Command::LangList => self.languages(),
            Command::Lang(range) => self.language(range),
            Command::Dele(number) => {
                marked.delete(number);
                reply.line(format_args!("+OK message {number} deleted"));
            }
            Command::List(None) => {
                reply.line(format_args!("+OK {}", Summary(marked)));
                reply.scan_listings();
            }
            Command::List(Some(number)) => {
                let octets = marked.maildrop.octets(number);
                reply.line(format_args!("+OK {number} {octets}"));
            }
            Command::Noop => self.ok(),
            Command::Quit => self.update(),
            Command::Retr(number) => self.message(number, None),
            Command::Rset => {
                marked.reset();
                reply.line(format_args!("+OK {}", Summary(marked)));
            }
            Command::Stat => {
                let (messages, octets) = marked.totals();
                reply.line(format_args!("+OK {messages} {octets}"));
            }
            Command::Top(number, lines) => self.message(number, Some(lines)),
            Command::Uidl(None) => {
                self.ok();
                self.reply.unique_id_listings();
            }
            Command::Uidl(Some(number)) => {
                let unique_id = marked.maildrop.unique_id(number);
                reply.line(format_args!("+OK {number} {unique_id}"));
            }
            _ => self.refuse("not a command of the TRANSACTION state"),
        }
    }

    fn message(&mut self, number: MessageNumber, lines: Option<u32>) {
        let Phase::Transaction(marked) = &mut self.phase else {
            return;
        };
        if !self.utf8 && marked.maildrop.needs_utf8(number) {
            return self.refuse("[UTF8] the message is for clients that ask for UTF8");
        }
        match marked.maildrop.open(number) {
            Ok(message) => {
                match lines {
                    None => {
                        let octets = marked.maildrop.octets(number);
                        self.reply.line(format_args!("+OK {octets} octets"));
                    }
                    Some(_) => self.reply.line("+OK"),
                }
                self.reply.message(message, lines);
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.refuse("[SYS/PERM] the message is damaged");
            }
            Err(_) => self.refuse("[SYS/TEMP] the message cannot be read now"),
        }
    }

    /// The UPDATE state (RFC 1939 §6). It releases the lock before the reply.
    fn update(&mut self) {
        let Phase::Transaction(marked) = mem::replace(&mut self.phase, Phase::Over) else {
            return;
        };
        match marked.commit() {
            Ok(()) => {
                self.reply.line("+OK goodbye");
                self.end(Closed::Updated);
            }
            Err(_) => {
                self.refuse("[SYS/TEMP] some deleted messages are not removed");
                self.end(Closed::UpdateFailed);
            }
        }
    }
}

/// The text that RFC 1939 shows after the indicator in replies to LIST and RSET.
struct Summary<'a, M>(&'a Marked<M>);

impl<M: Maildrop> fmt::Display for Summary<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (messages, octets) = self.0.totals();
        write!(f, "{messages} messages ({octets} octets)")
    }
}
