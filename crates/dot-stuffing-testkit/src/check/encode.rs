//! Every view of the encoder agrees with the oracle, however the input is cut. Its
//! output decodes to the message, and no reader sees an earlier end in it.

use crate::{
    chunk,
    oracle::{self, Newline, Outcome, Rules},
    view::Encode,
};

/// Encodes a message by every view and decodes it again, on every plan.
pub fn multiline_roundtrip(views: &[&dyn Encode], message: &[u8]) {
    let plans = chunk::plans(message, chunk::seed(message));
    for newline in Newline::ALL {
        message_by(views, newline, message, &plans);
    }
}

/// Checks one plan, view and newline setting of [`multiline_roundtrip`], for a
/// fuzzer that calls this often.
pub fn multiline_roundtrip_sampled(views: &[&dyn Encode], message: &[u8]) {
    let seed = chunk::seed(message);
    let draw = |what| chunk::hash(&[seed, what]) as usize;
    let view = &views[draw(1) % views.len()..][..1];
    let plan = chunk::drawn_plan(message, seed);
    message_by(view, Newline::ALL[draw(2) % 3], message, &[plan]);
}

fn message_by(views: &[&dyn Encode], newline: Newline, message: &[u8], plans: &[Vec<&[u8]>]) {
    let expected = oracle::encode(newline, message);
    for view in views.iter().filter(|view| view.follows(newline)) {
        for plan in plans {
            let wire = view.encode(newline, plan);
            assert_eq!(wire, expected, "{} of {plan:?}", view.name());
            if let Ok(wire) = wire {
                sound(newline, message, &wire);
            }
        }
    }
}

/// Checks the properties of every encoded message that need no model.
fn sound(newline: Newline, message: &[u8], wire: &[u8]) {
    assert!(wire.len() <= 2 * message.len() + 5, "at most 2n + 5 octets");
    let decoded = oracle::decode(&Rules::RFC1939, wire);
    assert_eq!(
        decoded.data,
        oracle::canonical(newline, message).expect("it was encoded"),
        "decode(encode(message)) is the message"
    );
    assert!(
        matches!(decoded.outcome, Outcome::Ended { consumed, .. } if consumed == wire.len()),
        "the block ends where the encoder ended it"
    );
    if newline == Newline::Canonicalize {
        assert_eq!(
            oracle::first_end_for_any_reader(wire),
            Some(wire.len()),
            "no reader sees an end that the message forged"
        );
    }
}
