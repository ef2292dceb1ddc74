//! Section 2.2.1, on RFC 1939 §3.

use super::{all, row};
use crate::{
    Id,
    Party::{Client, Server},
    Section, Statement,
    Strength::{Fact, Must},
};

pub(super) const ROWS: [Statement; 9] = [
    row(
        Id::C(1),
        Section::BasicOperation,
        (Client, &[Must]),
        &[all(
            "Each session runs over a TCP connection that the client opens to the server.",
        )],
    ),
    row(
        Id::C(2),
        Section::BasicOperation,
        (Server, &[Must, Fact]),
        &[all(
            "On a new connection the server begins, with a greeting; without one, Outlook's synchronization hangs.",
        )],
    ),
    row(
        Id::C(3),
        Section::BasicOperation,
        (Client, &[Must]),
        &[all(
            "A command holds nothing but printable ASCII, and CRLF ends it.",
        )],
    ),
    row(
        Id::C(4),
        Section::BasicOperation,
        (Client, &[Must]),
        &[all(
            "The client sends one space before each argument; in what it reads, any run of spaces and TABs separates fields.",
        )],
    ),
    row(
        Id::C(5),
        Section::BasicOperation,
        (Server, &[Must, Fact]),
        &[all(
            "CRLF ends a reply; where it is missing, Outlook's synchronization hangs.",
        )],
    ),
    row(
        Id::V(1),
        Section::BasicOperation,
        (Client, &[Fact]),
        &[all(
            "Outlook reads a reply whose first octet is `+` as positive and every other as negative, in upper or lower case.",
        )],
    ),
    row(
        Id::C(6),
        Section::BasicOperation,
        (Server, &[Must, Fact]),
        &[all(
            "In a multi-line reply CRLF ends each line, the last of which is a lone dot; where its CRLF is missing, Outlook's synchronization hangs.",
        )],
    ),
    row(
        Id::V(2),
        Section::BasicOperation,
        (Client, &[Must, Fact]),
        &[all(
            "A dot at the start of a line is removed if more than CRLF follows it; in answers to LIST, UIDL and CAPA, Outlook looks no further than the dot.",
        )],
    ),
    row(
        Id::C(7),
        Section::BasicOperation,
        (Client, &[Must]),
        &[all("Once greeted, the client says who it is.")],
    ),
];
