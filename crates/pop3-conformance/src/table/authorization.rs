//! Sections 2.2.2 and 2.2.3, on RFC 1939 §4.

use super::{all, numbered, row};
use crate::{
    Id,
    Party::{Both, Client, Server},
    Section, Statement,
    Strength::{Fact, Must, MustNot},
};

pub(super) const ROWS: [Statement; 5] = [
    row(
        Id::C(8),
        Section::Authorization,
        (Client, &[Must]),
        &[all(
            "In the AUTHORIZATION state the client names itself and proves it.",
        )],
    ),
    row(
        Id::C(9),
        Section::Authorization,
        (Server, &[Must, Fact]),
        &[all(
            "A server has at least one way to authenticate, whichever it is; Outlook gets in only by one that it knows too.",
        )],
    ),
    row(
        Id::C(10),
        Section::Authorization,
        (Both, &[Fact]),
        &[numbered(
            "After a refused login the server is free to close; if it does not, the client can try another login or QUIT, as it likes.",
        )],
    ),
    row(
        Id::C(11),
        Section::Authorization,
        (Server, &[Must]),
        &[all(
            "Message-numbers count from 1 without a gap: message n of the maildrop has the number n.",
        )],
    ),
    row(
        Id::C(12),
        Section::QuitInAuthorization,
        (Client, &[MustNot]),
        &[all("QUIT goes without arguments before login.")],
    ),
];
