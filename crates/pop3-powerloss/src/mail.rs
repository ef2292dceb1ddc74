//! The messages of the server, and what a place for mail may contain before.

use std::{fmt::Write as _, sync::Arc};

use crate::{random::Random, server::Message};

/// What another program has delivered before.
pub(crate) const FOREIGN: &str = "Subject: from another program\n\nIt was here before.\n";

/// `number` is that of the message, and so its unique-id.
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

/// Draws some messages, the first with this number.
pub(crate) fn draw(random: &mut Random, first: usize, large: bool) -> Vec<Arc<Message>> {
    // Few are secured in another way than many.
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

/// A message as an mbox has it, without the line before it and the one after.
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
