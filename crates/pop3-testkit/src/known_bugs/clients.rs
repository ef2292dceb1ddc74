//! Faulty clients: the session of pop3-proto, with one call replaced by a faulty
//! one.

mod calls;
mod input;
mod meaning;

use pop3_proto::client::{Request, State, Transport};

use self::{
    calls::{Inlines, Patient, Remembers},
    input::{Late, Rewrites, Waits, cut_unique_id, wrap_number},
    meaning::{Believes, Deletes, Ends, Repeats, Stuck, Updates},
};
use super::{KnownBug, Role};
use crate::view::{ClientEvent, ClientSession, Clients};

/// A name, the software with the bug, and the faulty client.
type Row = (&'static str, &'static str, Clients);

const CLIENTS: [Row; 16] = [
    (
        "plaintext-behind-stls-is-kept",
        "CVE-2021-22947: curl took replies from before the handshake for protected ones",
        |config, now| {
            Box::new(Late::new(config, now, |session| {
                session.state() == State::Handshake
            }))
        },
    ),
    (
        "unsolicited-replies-are-kept",
        "poplib, mpop and others leave what follows a reply for the next command",
        |config, now| {
            Box::new(Late::new(config, now, |session| {
                session.is_idle()
                    && matches!(session.state(), State::Authorization | State::Transaction)
            }))
        },
    ),
    (
        "capabilities-outlive-stls",
        "CVE-2026-41319: what MailKit learnt before TLS held after it",
        |config, now| {
            Box::new(Remembers {
                inner: ClientSession::new(config, now),
                before: None,
            })
        },
    ),
    (
        "goes-on-in-the-clear",
        "CVE-2021-22946: curl, where TLS was required and CAPA refused",
        |mut config, now| {
            if config.transport == Transport::StlsRequired {
                config.transport = Transport::Cleartext;
            }
            Box::new(ClientSession::new(config, now))
        },
    ),
    (
        "ok-within-auth-is-success",
        "MailKit#171, MailKit#391: servers say +OK where a challenge is due",
        |config, now| Box::new(Believes::new(config, now, false)),
    ),
    (
        "success-after-cancel-is-success",
        "curl tests 876 to 878: the exchange was given up",
        |config, now| Box::new(Believes::new(config, now, true)),
    ),
    (
        "deletes-before-the-end-of-the-message",
        "fetchmail 6.4.37: DELE after a mail that was cut",
        |config, now| {
            Box::new(Deletes {
                inner: ClientSession::new(config, now),
                begun: None,
            })
        },
    ),
    (
        "end-of-file-ends-the-message",
        "curl 7.88.1, poplib: what came is taken for the whole",
        |config, now| {
            Box::new(Ends {
                inner: ClientSession::new(config, now),
                within: false,
            })
        },
    ),
    (
        "one-listing-waits-for-a-dot",
        "curl#14677: LIST with a number",
        |config, now| {
            Box::new(Waits {
                inner: ClientSession::new(config, now),
                held: None,
                line: Vec::new(),
            })
        },
    ),
    (
        "takes-a-number-twice",
        "fetchmail ignores what does not fit; mpop had to learn to look",
        |config, now| {
            Box::new(Repeats {
                inner: ClientSession::new(config, now),
                seen: Default::default(),
            })
        },
    ),
    (
        "cuts-unique-ids-in-a-listing",
        "CVE-2005-2335: in fetchmail two long unique-ids became one",
        |config, now| Box::new(Rewrites::new(config, now, cut_unique_id)),
    ),
    (
        "numbers-in-a-listing-wrap",
        "clients that count messages in 32 bits (MailKit#872)",
        |config, now| Box::new(Rewrites::new(config, now, wrap_number)),
    ),
    (
        "a-malformed-line-stays-in-front-of-the-queue",
        "async-pop 1.1.3: the queue of commands is not advanced after an error",
        |config, now| {
            Box::new(Stuck {
                inner: ClientSession::new(config, now),
                front: None,
            })
        },
    ),
    (
        "initial-response-of-any-length",
        "getmail6#256, MailKit#1948: AUTH with a long token in one line",
        |config, now| {
            Box::new(Inlines {
                inner: ClientSession::new(config, now),
                line: None,
            })
        },
    ),
    (
        "waits-for-ever-for-tls",
        "CVE-2011-1947: fetchmail had no timeout during STLS",
        |config, now| Box::new(Patient(ClientSession::new(config, now))),
    ),
    (
        "any-quit-is-the-update",
        "yam#210: unique-ids were recorded though nothing was deleted",
        |config, now| {
            Box::new(Updates {
                inner: ClientSession::new(config, now),
                quit: false,
            })
        },
    ),
];

pub(super) fn all() -> Vec<KnownBug> {
    let bug = |(name, source, clients)| KnownBug {
        name,
        source,
        role: Role::Client(clients),
    };
    CLIENTS.map(bug).into()
}

fn positive(said: &ClientEvent) -> Option<Request> {
    match said {
        ClientEvent::Status(request, true, ..) => Some(*request),
        _ => None,
    }
}
