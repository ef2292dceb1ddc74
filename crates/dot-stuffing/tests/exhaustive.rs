//! Every block over the octets that matter, split in every way, under every
//! policy that changes framing, through every view, against the oracle.
//!
//! Up to seven octets by default, and blocks of eight octets through the views that the
//! others are made of. `POP3_EXHAUSTIVE_LENGTH=9` adds blocks of nine octets, each split
//! in eight random ways, through every view.

use std::{env, thread};

use dot_stuffing_testkit::{
    check, chunk,
    oracle::{self, Newline, Rules},
    view,
};

const ALPHABET: [u8; 4] = [b'\r', b'\n', b'.', b'a'];

/// The views that the others are made of: spans, slices and `feed`.
const CORE: usize = 3;

/// The string of `length` octets with this number.
fn string(length: u32, number: u32) -> Vec<u8> {
    let octet = |at| ALPHABET[(number >> (2 * at) & 3) as usize];
    (0..length).map(octet).collect()
}

/// The longest strings, and how many ways to split them: all if `None`.
fn depth() -> (u32, Option<u32>) {
    match env::var("POP3_EXHAUSTIVE_LENGTH").map(|length| length.parse()) {
        Ok(length) => (length.expect("POP3_EXHAUSTIVE_LENGTH is a number"), Some(8)),
        Err(_) => (8, None),
    }
}

/// Runs `test` on every string; the processors share the strings.
fn every_string(test: impl Fn(&[u8]) + Sync) {
    let (longest, sample) = depth();
    let shortest = if sample.is_some() { longest } else { 0 };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for worker in 0..workers {
            let test = &test;
            scope.spawn(move || {
                for length in shortest..=longest {
                    for number in (worker as u32..1 << (2 * length)).step_by(workers) {
                        test(&string(length, number));
                    }
                }
            });
        }
    });
}

fn every_cut(input: &[u8], mut test: impl FnMut(&[&[u8]])) {
    let all = 1 << input.len().saturating_sub(1);
    match depth().1 {
        None => (0..all).for_each(|mask| test(&chunk::masked(input, mask))),
        Some(sample) => (0..sample).for_each(|draw| {
            let mask = chunk::hash(&[chunk::seed(input), u64::from(draw)]) as u32 % all;
            test(&chunk::masked(input, mask));
        }),
    }
}

fn decode_by(rules: Rules) {
    let all = view::decoders();
    every_string(|wire| {
        let views = match depth() {
            (longest, None) if wire.len() == longest as usize => &all[..CORE],
            _ => all,
        };
        let expected = oracle::decode(&rules, wire);
        every_cut(wire, |chunks| {
            check::block(views, &rules, wire, chunks, &expected);
        });
    });
}

#[test]
fn decode_by_rfc_1939() {
    decode_by(Rules::framing()[0]);
}

#[test]
fn decode_rejecting_bare_cr() {
    decode_by(Rules::framing()[1]);
}

#[test]
fn decode_rejecting_bare_lf() {
    decode_by(Rules::framing()[2]);
}

#[test]
fn decode_rejecting_unstuffed_dots() {
    decode_by(Rules::framing()[3]);
}

#[test]
fn decode_where_lf_terminates() {
    decode_by(Rules::framing()[4]);
}

#[test]
fn decode_where_a_dot_line_ends() {
    decode_by(Rules::framing()[5]);
}

#[test]
fn decode_rejecting_bare_cr_and_bare_lf() {
    decode_by(Rules::framing()[6]);
}

#[test]
fn inspect() {
    every_string(|wire| {
        let expected = oracle::inspect(wire);
        every_cut(wire, |chunks| {
            check::inspection(&[chunks.to_vec()], &expected);
        });
    });
}

#[test]
fn encode() {
    every_string(|message| {
        for newline in Newline::ALL {
            let expected = oracle::encode(newline, message);
            every_cut(message, |chunks| {
                for view in view::encoders() {
                    let wire = view.encode(newline, chunks);
                    assert_eq!(wire, expected, "{} of {chunks:?}", view.name());
                }
            });
        }
    });
}
