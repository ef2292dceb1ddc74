//! Sections 2.2.4 to 2.2.11, on RFC 1939 §§5 and 6.

use super::{all, row};
use crate::{
    Id,
    Party::{Client, Server},
    Section, Statement,
    Strength::{Fact, May, Must, MustNot, Should},
};

pub(super) const ROWS: [Statement; 22] = [
    row(
        Id::C(13),
        Section::Transaction,
        (Client, &[Fact]),
        &[all(
            "Commands of the TRANSACTION state can be sent again and again; the RFC's permission is not read as a MAY of RFC 2119.",
        )],
    ),
    row(
        Id::C(14),
        Section::Transaction,
        (Server, &[Must, Fact]),
        &[all(
            "Every command is answered; where the answer is missing, Outlook's synchronization hangs.",
        )],
    ),
    row(
        Id::C(15),
        Section::Stat,
        (Client, &[MustNot]),
        &[all("STAT goes without arguments.")],
    ),
    row(
        Id::C(16),
        Section::Stat,
        (Client, &[Should]),
        &[all(
            "STAT belongs in the TRANSACTION state; the client sends it in no other.",
        )],
    ),
    row(
        Id::C(17),
        Section::Stat,
        (Server, &[Must, May]),
        &[all(
            "A positive answer to STAT is `+OK`, the number of messages and the octets of the maildrop, with spaces or TABs, one or more, between them; anything may follow.",
        )],
    ),
    row(
        Id::V(3),
        Section::List,
        (Client, &[May, Fact]),
        &[all(
            "LIST can ask about one message by its number; Outlook never does that.",
        )],
    ),
    row(
        Id::C(18),
        Section::List,
        (Client, &[Should]),
        &[all(
            "LIST belongs in the TRANSACTION state; the client sends it in no other.",
        )],
    ),
    row(
        Id::C(19),
        Section::List,
        (Server, &[Must, Fact]),
        &[all(
            "LIST with a message-number, if it succeeds, gets one positive line with the scan listing of that message; Outlook never asks so.",
        )],
    ),
    row(
        Id::C(20),
        Section::List,
        (Server, &[Must]),
        &[all(
            "LIST alone, if it succeeds, gets a multi-line reply: `+OK`, then a line with a scan listing for each message of the maildrop.",
        )],
    ),
    row(
        Id::C(21),
        Section::List,
        (Server, &[Must, May]),
        &[all(
            "A scan listing is the message-number and the exact octets of the message, with spaces or TABs, one or more, between them; anything may follow.",
        )],
    ),
    row(
        Id::V(4),
        Section::Retr,
        (Client, &[Must]),
        &[all(
            "RETR carries the number of the message that it asks for.",
        )],
    ),
    row(
        Id::V(5),
        Section::Retr,
        (Client, &[Should]),
        &[all(
            "RETR belongs in the TRANSACTION state; the client sends it in no other.",
        )],
    ),
    row(
        Id::C(22),
        Section::Retr,
        (Server, &[Must]),
        &[all("A positive answer to RETR is a multi-line reply.")],
    ),
    row(
        Id::C(23),
        Section::Retr,
        (Server, &[Must]),
        &[all(
            "What a positive answer to RETR carries is the message whose number was sent.",
        )],
    ),
    row(
        Id::C(24),
        Section::Dele,
        (Client, &[Must]),
        &[all(
            "DELE carries the number of the message that it deletes.",
        )],
    ),
    row(
        Id::C(25),
        Section::Dele,
        (Client, &[Should]),
        &[all(
            "DELE belongs in the TRANSACTION state; the client sends it in no other.",
        )],
    ),
    row(
        Id::C(26),
        Section::Dele,
        (Server, &[Must]),
        &[all(
            "Once a message is marked as deleted, every command that names its number fails.",
        )],
    ),
    row(
        Id::C(27),
        Section::Noop,
        (Client, &[MustNot]),
        &[all("NOOP goes without arguments.")],
    ),
    row(
        Id::C(28),
        Section::Noop,
        (Client, &[Should]),
        &[all(
            "NOOP belongs in the TRANSACTION state; the client sends it in no other.",
        )],
    ),
    row(
        Id::C(29),
        Section::Noop,
        (Server, &[Must]),
        &[all("The answer to NOOP is positive.")],
    ),
    row(
        Id::V(6),
        Section::Rset,
        (Client, &[Fact]),
        &[all(
            "Outlook never sends RSET, though RFC 1939 requires it of servers.",
        )],
    ),
    row(
        Id::C(30),
        Section::QuitInTransaction,
        (Client, &[MustNot]),
        &[all("QUIT goes without arguments after login too.")],
    ),
];
