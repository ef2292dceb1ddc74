//! `skip_to_end` ends where the block ends, whatever was refused before, wherever the
//! skipping begins, and however the input is split.

use dot_stuffing::{Config, DecodeError, ErrorKind, LineEndings, MultilineDecoder, Policy};
use dot_stuffing_testkit::{
    chunk::hash,
    generate::cases,
    oracle::{self, Outcome, Rules},
};

const ALPHABET: [u8; 4] = [b'\r', b'\n', b'.', b'a'];
const LONGEST: u32 = 6;

fn config(rules: &Rules) -> Config {
    let policy = |reject| match reject {
        true => Policy::Reject,
        false => Policy::Accept,
    };
    let line_endings = LineEndings::new()
        .bare_cr(policy(rules.reject_bare_cr))
        .bare_lf(policy(rules.reject_bare_lf))
        .dangerous_lf_terminates(rules.lf_terminates);
    Config::new()
        .line_endings(line_endings)
        .unstuffed_dot(policy(rules.reject_unstuffed_dot))
        .dot_line_ends(rules.dot_line_ends)
        .max_octets(rules.max_octets as u64)
        .max_line_octets(rules.max_line_octets as u64)
}

/// Decodes the octets before `from` in pieces of `decoded` octets, and skips the
/// rest in pieces of `skipped` octets.
fn check(rules: &Rules, wire: &[u8], from: usize, decoded: usize, skipped: usize) {
    let mut decoder = MultilineDecoder::with_config(config(rules));
    let mut consumed = 0;
    for mut piece in wire[..from].chunks(decoded) {
        let before = piece.len();
        let failed = decoder.feed(&mut piece).any(|data| data.is_err());
        consumed += before - piece.len();
        if failed || decoder.is_complete() {
            break;
        }
    }
    let mut ended = decoder.is_complete();
    for mut piece in wire[consumed..].chunks(skipped) {
        if ended {
            break;
        }
        let before = piece.len();
        ended = decoder.skip_to_end(&mut piece);
        assert!(ended || piece.is_empty());
        consumed += before - piece.len();
    }
    let case = || format!("{} from {from} by {rules:?}", wire.escape_ascii());
    let end = match oracle::decode(&rules.without_refusals(), wire).outcome {
        Outcome::Ended { consumed, .. } => Some(consumed),
        _ => None,
    };
    assert_eq!(ended.then_some(consumed), end, "the end of {}", case());
    assert_eq!(decoder.wire_octets(), consumed as u64, "{}", case());
    let outcome = match oracle::decode(rules, wire).outcome {
        Outcome::Ended { consumed, .. } => Ok(consumed as u64),
        Outcome::Truncated(offset) | Outcome::Failed(_, offset) => Err(offset as u64),
        Outcome::Hung => unreachable!("the oracle ends"),
    };
    let finish = decoder.finish();
    assert_eq!(
        finish
            .map(|complete| complete.wire_octets)
            .map_err(DecodeError::offset),
        outcome,
        "the proof of {}",
        case()
    );
}

fn every_rules() -> Vec<Rules> {
    let mut all = Vec::new();
    for mut rules in Rules::framing() {
        all.push(rules);
        rules.reject_bare_cr = true;
        rules.reject_bare_lf = true;
        all.push(rules);
        for limit in [0, 1, 3] {
            let mut limited = rules;
            limited.max_octets = limit;
            all.push(limited);
            limited.max_line_octets = limit;
            all.push(limited);
        }
    }
    all
}

#[test]
fn ends_where_every_short_block_ends() {
    let rules = every_rules();
    for length in 0..=LONGEST {
        for number in 0..1_u32 << (2 * length) {
            let octet = |at| ALPHABET[(number >> (2 * at) & 3) as usize];
            let mut wire: Vec<u8> = (0..length).map(octet).collect();
            wire.extend_from_slice(b"\r\n.\r\n.\r\n");
            for rules in &rules {
                for from in 0..=length as usize + 2 {
                    check(rules, &wire, from, 1, 1);
                    check(rules, &wire, from, usize::MAX, usize::MAX);
                }
            }
        }
    }
}

#[test]
fn ends_where_a_block_ends() {
    for (number, wire) in (0..).zip(cases(2000)) {
        let wire = wire.0;
        let drawn = |what, most: usize| (hash(&[number, what]) % most as u64) as usize;
        let rules = Rules::drawn(hash(&[number]));
        let from = drawn(0, wire.len() + 1);
        let (decoded, skipped) = (1 + drawn(1, 20_000), 1 + drawn(2, 20_000));
        check(&rules, &wire, from, decoded, skipped);
        check(&rules, &wire, from, 1, 2);
        let max_octets = drawn(3, wire.len() + 2);
        let limited = Rules {
            max_octets,
            ..rules
        };
        check(&limited, &wire, from, decoded, skipped);
    }
}

#[test]
fn octets_after_the_end_are_not_skipped() {
    let mut decoder = MultilineDecoder::new();
    let mut input = &b".\r\n.\r\n"[..];
    assert!(decoder.skip_to_end(&mut input));
    assert!(decoder.skip_to_end(&mut input));
    assert_eq!(input, b".\r\n");
    let error = decoder.decode(input).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AfterEnd);
    assert_eq!(decoder.finish(), Err(error), "there is no proof any more");
    assert!(decoder.skip_to_end(&mut input));
    assert_eq!((input, decoder.wire_octets()), (&b".\r\n"[..], 3));
    decoder.reset();
    assert!(decoder.skip_to_end(&mut input));
    assert_eq!(decoder.finish().map(|complete| complete.wire_octets), Ok(3));
}

#[test]
fn presets_follow_their_protocol() {
    let kind = |config, wire: &[u8]| {
        let mut decoder = MultilineDecoder::with_config(config);
        decoder.feed(&mut &wire[..]).for_each(drop);
        decoder.finish().map(|_| ()).map_err(DecodeError::kind)
    };
    for (wire, pop3, strict) in [
        (&b"a\r.\r\n.\r\n"[..], Ok(()), Err(ErrorKind::BareCr)),
        (b"a\n.\n\r\n.\r\n", Ok(()), Err(ErrorKind::BareLf)),
        (b".a\r\n.\r\n", Ok(()), Ok(())),
        (b"a\n.\n", Err(ErrorKind::Truncated), Err(ErrorKind::BareLf)),
    ] {
        assert_eq!(kind(Config::pop3(), wire), pop3);
        assert_eq!(kind(Config::smtp(), wire), strict);
        assert_eq!(kind(Config::nntp(), wire), strict);
    }
    let long = [&vec![b'x'; 5000][..], b"\r\n.\r\n"].concat();
    assert_eq!(
        kind(Config::smtp(), &long),
        Ok(()),
        "RFC 5321 section 4.5.3.1"
    );
}

#[test]
fn an_empty_block_passes_every_limit() {
    for yes in [false, true] {
        let config = Config::new()
            .dot_line_ends(yes)
            .max_line_octets(0)
            .max_octets(0);
        let mut decoder = MultilineDecoder::with_config(config);
        assert!(decoder.skip_to_end(&mut &b".\r\n"[..]));
        assert!(decoder.is_complete());
    }
}
