//! The two models of a multi-line block agree: the one that knows every policy, and
//! the one that follows RFC 1939 §3 line by line.

use dot_stuffing_testkit::{
    generate::cases,
    oracle::{self, Newline, Outcome, Rules},
};

/// Panics unless both models return the same block.
fn agree(wire: &[u8]) {
    let by_policy = oracle::decode(&Rules::RFC1939, wire);
    match oracle::rfc1939(wire) {
        Some((data, consumed)) => {
            assert_eq!(by_policy.data, data);
            let ended =
                |outcome| matches!(outcome, Outcome::Ended { consumed: at, .. } if at == consumed);
            assert!(ended(by_policy.outcome), "{:?}", by_policy.outcome);
        }
        None => assert_eq!(by_policy.outcome, Outcome::Truncated(wire.len())),
    }
}

#[test]
fn models_agree_on_every_block_of_up_to_seven_octets() {
    const ALPHABET: &[u8; 4] = b".\r\na";
    for length in 0..=7_u32 {
        for number in 0..ALPHABET.len().pow(length) {
            let octet = |place| ALPHABET[number / ALPHABET.len().pow(place) % ALPHABET.len()];
            let wire: Vec<u8> = (0..length).map(octet).collect();
            agree(&wire);
            agree(&[&wire[..], b"\r\n.\r\n"].concat());
        }
    }
}

#[test]
fn models_agree_on_any_block() {
    for wire in cases(500) {
        agree(&wire.0);
    }
}

#[test]
fn one_model_decodes_what_the_other_encodes() {
    for message in cases(500) {
        for newline in [Newline::Canonicalize, Newline::Verbatim] {
            let wire = oracle::encode(newline, &message.0).expect("nothing is refused");
            let text = oracle::canonical(newline, &message.0).expect("nothing is refused");
            assert_eq!(oracle::rfc1939(&wire), Some((text, wire.len())));
        }
    }
}
