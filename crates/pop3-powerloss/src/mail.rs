//! The messages of the server, and what a mailbox may contain before a fetch.

use std::{fmt::Write as _, sync::Arc};

use crate::{random::Random, server::Message};

/// The message that another program delivered before the fetch.
pub(crate) const FOREIGN: &str = "Subject: from another program\n\nIt was here before.\n";

/// Creates a message whose unique-id contains `number`.
fn message(number: usize, octets: usize) -> Arc<Message> {
    let mut text = format!(
        "Subject: message {number}\nMessage-ID: <{number}@example.org>\n\n\
         From here on there are lines that an mbox quotes.\n>From this one, too\n.\n..\n\n"
    );
    let mut line = 0;
    while text.len() < octets {
        line += 1;
        let _ = writeln!(
            text,
            "{number}: line {line} of a message of {octets} octets or a few more"
        );
    }
    Arc::new(Message {
        unique_id: format!("unique-id-{number}"),
        octets: text.into_bytes(),
    })
}

/// Draws some messages. The number of the first one is `first`.
pub(crate) fn draw(random: &mut Random, first: usize, large: bool) -> Vec<Arc<Message>> {
    // The program syncs a few messages in another way than many.
    let small = match random.below(3) {
        0 => 1 + random.below(4),
        1 => 5 + random.below(20),
        _ => 30 + random.below(33),
    };
    let large = if large { 1 + random.below(2) } else { 0 };
    let place = random.below(small);
    let mut messages = Vec::new();
    for number in 0..small + large {
        let octets = match (place..place + large).contains(&number) {
            true => (9 << 20) + random.below(4 << 20),
            false => match random.below(8) {
                0 => random.below(40_000),
                _ => random.below(6_000),
            },
        };
        messages.push(message(first + number, octets));
    }
    messages
}

/// Returns a message in the form it has in an mbox, without the lines before and
/// after it.
pub(crate) fn quoted(message: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(message.len() + 16);
    for line in message.split_inclusive(|&octet| octet == b'\n') {
        let bare = line.iter().position(|&octet| octet != b'>');
        if bare.is_some_and(|at| line[at..].starts_with(b"From ")) {
            quoted.push(b'>');
        }
        quoted.extend_from_slice(line);
    }
    quoted
}
