//! Every limit is exact, at each position in a block and however the input is
//! split.

use dot_stuffing_testkit::{
    check, chunk,
    oracle::{self, Rules},
    view,
};

/// Prefixes that lead to each state of the decoder, and to its fast path for
/// stuffed lines, which checks eight octets at once.
const PIECES: [&[u8]; 6] = [b"\r", b"\n.", b".", b"\r\n..", b"ab", b"\r\n.cdefghijk"];

fn every_block(mut test: impl FnMut(&[u8])) {
    for one in PIECES {
        for two in PIECES {
            for three in PIECES {
                test(&[one, two, three, b"\r\n.\r\n"].concat());
            }
        }
    }
}

fn every_limit(limit: fn(&mut Rules, usize)) {
    every_block(|wire| {
        for most in 0..wire.len() {
            for mut rules in [Rules::RFC1939, Rules::framing()[4], Rules::framing()[5]] {
                limit(&mut rules, most);
                let expected = oracle::decode(&rules, wire);
                let octets: Vec<_> = (1..wire.len()).collect();
                for cuts in [&octets[..], &[], &[most]] {
                    let chunks = chunk::cut(wire, cuts);
                    check::block(view::decoders(), &rules, wire, &chunks, &expected);
                }
            }
        }
    });
}

#[test]
fn the_message_limit_is_exact() {
    every_limit(|rules, most| rules.max_octets = most);
}

#[test]
fn the_line_limit_is_exact() {
    every_limit(|rules, most| rules.max_line_octets = most);
}

/// Where one octet exceeds both limits, the error is that of the line.
#[test]
fn both_limits_are_exact() {
    every_limit(|rules, most| {
        rules.max_octets = most;
        rules.max_line_octets = most;
    });
}
