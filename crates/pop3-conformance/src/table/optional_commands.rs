//! Sections 2.2.12 to 2.2.18, on RFC 1939 §§7 and 8.

use super::{all, numbered, of, row};
use crate::{
    Id,
    Party::{Client, Server},
    Release, Releases, Section, Statement,
    Strength::{Fact, May, Must, Should, ShouldNot},
};

pub(super) const ROWS: [Statement; 20] = [
    row(
        Id::C(31),
        Section::OptionalCommands,
        (Server, &[Must]),
        &[all(
            "No server leaves out a command that RFC 1939 brings before its section 7.",
        )],
    ),
    row(
        Id::C(32),
        Section::Top,
        (Client, &[Must]),
        &[all(
            "TOP carries two arguments: a message-number, then a number of lines, 0 or more.",
        )],
    ),
    row(
        Id::C(33),
        Section::Top,
        (Client, &[Should]),
        &[all(
            "TOP belongs in the TRANSACTION state; the client sends it in no other.",
        )],
    ),
    row(
        Id::C(34),
        Section::Top,
        (Server, &[Must]),
        &[all(
            "A positive answer to TOP is a multi-line reply: `+OK`, the header of the message, the blank line below it, and as much of the body as the number of lines asks for.",
        )],
    ),
    row(
        Id::V(7),
        Section::Uidl,
        (Client, &[May, Fact]),
        &[all(
            "UIDL can ask about one message by its number; Outlook never does that.",
        )],
    ),
    row(
        Id::C(35),
        Section::Uidl,
        (Client, &[Should]),
        &[all(
            "UIDL belongs in the TRANSACTION state; the client sends it in no other.",
        )],
    ),
    row(
        Id::C(36),
        Section::Uidl,
        (Server, &[Must, Fact]),
        &[all(
            "UIDL with a message-number, if it succeeds, gets one positive line with the unique-id listing of that message; Outlook never asks so.",
        )],
    ),
    row(
        Id::C(37),
        Section::Uidl,
        (Server, &[Must]),
        &[all(
            "UIDL alone, if it succeeds, gets a multi-line reply: `+OK`, then a line with a unique-id listing for each message of the maildrop.",
        )],
    ),
    row(
        Id::C(38),
        Section::Uidl,
        (Server, &[Must, May]),
        &[numbered(
            "A unique-id listing is the message-number and the unique-id, with spaces or TABs, one or more, between them; anything may follow.",
        )],
    ),
    row(
        Id::C(39),
        Section::Uidl,
        (Server, &[Must]),
        &[numbered(
            "A unique-id has 1 to 70 octets, from 0x2E to 0x7E by this document and from 0x21 by RFC 1939, which we follow; in later sessions it still names the same message.",
        )],
    ),
    row(
        Id::C(40),
        Section::Uidl,
        (Server, &[ShouldNot]),
        &[numbered(
            "A unique-id is not given out again as long as what holds it exists: what is meant for one message could befall another.",
        )],
    ),
    row(
        Id::C(41),
        Section::Uidl,
        (Client, &[Should, Fact]),
        &[numbered(
            "The client copes with two identical copies of a message under one unique-id; Outlook may act on either, whichever the user chose.",
        )],
    ),
    row(
        Id::C(42),
        Section::User,
        (Client, &[Must]),
        &[all("USER carries one argument.")],
    ),
    row(
        Id::C(43),
        Section::User,
        (Client, &[Should]),
        &[all(
            "USER belongs in the AUTHORIZATION state or before the greeting has come; the client sends it at no other time.",
        )],
    ),
    row(
        Id::C(44),
        Section::User,
        (Client, &[Must]),
        &[all("A login by USER and PASS begins with USER.")],
    ),
    row(
        Id::C(45),
        Section::User,
        (Client, &[Should]),
        &[all(
            "After a positive answer to USER the client sends PASS or QUIT; after a negative one it begins another login or sends QUIT.",
        )],
    ),
    row(
        Id::C(46),
        Section::Pass,
        (Client, &[Must]),
        &[all("PASS carries one argument.")],
    ),
    row(
        Id::C(47),
        Section::Pass,
        (Client, &[Should]),
        &[all(
            "PASS belongs in the AUTHORIZATION state, as the very next command after a USER that succeeded; the client sends it at no other time.",
        )],
    ),
    row(
        Id::V(8),
        Section::Apop,
        (Client, &[Fact]),
        &[all("Outlook has no APOP.")],
    ),
    row(
        Id::C(48),
        Section::Operation,
        (Client, &[Fact]),
        &[
            of(
                Releases::between(Release::Outlook2007, Release::Outlook2016),
                "Unless told otherwise, the client deletes mail from the server once it has synchronized.",
            ),
            of(
                Releases::between(Release::Outlook2019, Release::NewOutlook),
                "Unless told otherwise, the client leaves mail on the server once it has synchronized.",
            ),
        ],
    ),
];
