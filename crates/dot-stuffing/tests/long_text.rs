//! Every short string inside longer text, through every view, against the oracle:
//! the fast paths look at many octets at once and begin only in long input.

use dot_stuffing_testkit::{
    check,
    oracle::{self, Newline, Rules},
    view,
};

/// All strings of `length` octets over `alphabet`.
fn strings(alphabet: &[u8], length: u32) -> impl Iterator<Item = Vec<u8>> + '_ {
    let octets = alphabet.len();
    (0..octets.pow(length)).map(move |number| {
        let octet = |place| alphabet[number / octets.pow(place) % octets];
        (0..length).map(octet).collect()
    })
}

/// Lines of `line` octets, `length` octets in all.
fn lines(line: usize, length: usize) -> Vec<u8> {
    let mut text = vec![b'x'; length];
    for end in (line..=length).step_by(line) {
        text[end - 2..end].copy_from_slice(b"\r\n");
    }
    text
}

#[test]
fn inspects_what_is_at_the_edges_of_checked_blocks() {
    // The first check begins at the third octet. It has 256 if there is a dot before it.
    for before in (250..=262).chain([510, 514, 16_384, 16_386]) {
        for string in strings(b"\r\n.\0a", 4) {
            for (line, second) in [(2, b'\n'), (2, b'.'), (78, b'x'), (78, b'.')] {
                let mut wire = [lines(line, before), string.clone(), lines(78, 400)].concat();
                wire[1] = second;
                let cut = wire.split_at(before + 2);
                let plans = [vec![&wire[..]], vec![cut.0, cut.1]];
                check::inspection(&plans, &oracle::inspect(&wire));
            }
        }
    }
}

#[test]
fn inspects_lines_of_all_lengths() {
    for first in [2, 5, 79, 300, 700] {
        for second in 2..300 {
            let bare = [&lines(9, 27)[..], b"x\nx\r", &lines(second, 700)].concat();
            for rest in [lines(second, 900), lines(900, second + 700), bare] {
                let wire = [lines(first, 2 * first), rest, lines(77, 400)].concat();
                let cuts = wire.chunks(513).collect();
                check::inspection(&[vec![&wire[..]], cuts], &oracle::inspect(&wire));
            }
        }
    }
}

#[test]
fn inspects_a_long_line_that_begins_and_ends_between_checked_blocks() {
    for length in [16_384, 20_000, 40_000] {
        for before in [2, 255, 256, 258, 300] {
            let wire = [
                lines(before, before),
                lines(length, length),
                lines(40, 4000),
            ]
            .concat();
            let reads = wire.chunks(16_384).collect();
            check::inspection(&[vec![&wire[..]], reads], &oracle::inspect(&wire));
        }
    }
}

/// Text before and after a short string, such that the searches of nearby octets
/// and the searches of distant ones both meet it.
fn around(string: &[u8], mut test: impl FnMut(&[u8])) {
    for before in (0..=12).chain([98, 99, 100, 101, 102, 600]) {
        for start in ["", ".", "\r\n..a\r\n."] {
            let text = [
                start.as_bytes(),
                &vec![b'x'; before],
                string,
                b"x.x",
                &[b'x'; 120],
            ];
            test(&text.concat());
        }
    }
}

#[test]
fn decodes_every_short_string_near_and_far_from_a_stuffed_line() {
    for rules in [Rules::RFC1939, Rules::SMTP] {
        for string in strings(b"\r\n.a", 5) {
            around(&string, |wire| {
                let expected = oracle::decode(&rules, wire);
                check::block(view::decoders(), &rules, wire, &[wire], &expected);
            });
        }
    }
}

#[test]
fn encodes_every_short_string_near_and_far_from_a_stuffed_line() {
    for string in strings(b"\r\n.a", 5) {
        around(&string, |message| {
            for newline in Newline::ALL {
                let expected = oracle::encode(newline, message);
                for view in view::encoders() {
                    let wire = view.encode(newline, &[message]);
                    assert_eq!(wire, expected, "{}", view.name());
                }
            }
        });
    }
}

#[test]
fn encodes_a_long_message_written_in_pieces_of_any_size() {
    let line = |number: usize| match number % 97 {
        0 => lines(30_000, 30_000),
        1 => b".x\r\n".repeat(5000),
        short => [b".", &lines(short, short)[..]].concat(),
    };
    let message: Vec<u8> = (2..300).flat_map(line).collect();
    let expected = oracle::encode(Newline::Canonicalize, &message);
    for size in [message.len(), 65_536, 16_385, 16_384, 8191, 100] {
        let pieces: Vec<_> = message.chunks(size).collect();
        for view in view::encoders() {
            let wire = view.encode(Newline::Canonicalize, &pieces);
            assert!(wire == expected, "{} of {size}", view.name());
        }
    }
}

#[test]
fn decodes_many_short_stuffed_lines_among_others() {
    for (rules, second) in [
        (Rules::RFC1939, &b".\r.\r\n.y\r\n"[..]),
        (Rules::SMTP, b"....\r\n.y\r\n"),
    ] {
        let line = |number: usize| match number % 97 {
            0 => lines(3000, 3000),
            1 => b"..x\r\n".repeat(5000),
            2 => second.to_vec(),
            short => [b"..", &lines(short, short)[..]].concat(),
        };
        let mut wire: Vec<u8> = (2..300).flat_map(line).collect();
        wire.extend_from_slice(b".\r\n+OK");
        let expected = oracle::decode(&rules, &wire);
        for size in [wire.len(), 16_384, 4096, 100] {
            let reads: Vec<_> = wire.chunks(size).collect();
            check::block(view::decoders(), &rules, &wire, &reads, &expected);
        }
    }
}
