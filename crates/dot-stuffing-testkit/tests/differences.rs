//! The search for differences finds each known bug, explains it with a short input, and
//! finds none in a sound codec.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dot_stuffing_testkit::{
    check,
    differences::{self, Difference},
    known_bugs::{self, Role},
    oracle::{self, Lines, Newline, Refusal, Rules, Transcript},
    view::{self, Decode, Encode, SplitLines},
};

fn of(role: &Role) -> Vec<Difference> {
    match role {
        Role::Decoder(bug) => differences::decode(&**bug),
        Role::Encoder(bug) => differences::encode(&**bug),
        Role::LineSplitter(bug) => differences::split_lines(&**bug),
    }
}

#[test]
fn finds_every_known_bug() {
    for bug in known_bugs::all() {
        assert!(!of(&bug.role).is_empty(), "{}", bug.name);
    }
}

#[test]
fn finds_nothing_in_our_codec() {
    // A view that gets empty pieces, too.
    let feed = view::decoders().iter().find(|view| view.name() == "feed");
    check::decode(*feed.expect("a view"));
    for encoder in view::encoders() {
        check::encode(*encoder);
    }
    for splitter in view::line_splitters() {
        check::split_lines(*splitter);
    }
}

/// Panics unless a known bug has a difference that is so described, with this input in
/// these pieces.
fn assert_found(bug: &str, what: &str, input: &[u8], pieces: &[usize]) {
    let known = known_bugs::all().iter().find(|known| known.name == bug);
    let found = of(&known.expect(bug).role);
    let difference = found.iter().find(|difference| difference.what == what);
    let difference = difference.unwrap_or_else(|| panic!("{bug} {what}: {found:?}"));
    assert_eq!(
        (&difference.input[..], &difference.pieces[..]),
        (input, pieces),
        "{bug}"
    );
}

#[test]
fn explains_what_a_decoder_does_wrong_with_the_shortest_input() {
    let cut = "ends before the terminator, depending on where the input is cut";
    for (bug, what, input, pieces) in [
        (
            "ends-where-a-read-ends-with-dot",
            cut,
            &b".\r\n"[..],
            &[1, 2][..],
        ),
        (
            "end-of-file-after-dot-cr-is-success",
            "ends without a terminator",
            b".\r",
            &[2],
        ),
        (
            "empty-block-never-ends",
            "does not recognize the terminator",
            b".\r\n",
            &[3],
        ),
        (
            "empty-block-never-ends",
            "goes on after the terminator",
            b".\r\n.\r\n",
            &[6],
        ),
        (
            "loses-the-final-crlf",
            "returns other octets than those of the message",
            b"\r\n.\r\n",
            &[5],
        ),
        (
            "makes-crlf-lf",
            "returns other octets than those of the message",
            b"\r\n",
            &[2],
        ),
        ("endless-at-end-of-file", "never returns", b"", &[0]),
    ] {
        assert_found(bug, what, input, pieces);
    }
}

#[test]
fn explains_what_an_encoder_does_wrong_with_the_shortest_message() {
    for (bug, what, message) in [
        (
            "never-stuffs",
            "ends the block before the end of the message",
            &b"."[..],
        ),
        (
            "stuffs-before-mending-newlines",
            "writes a block that decodes to another message",
            b"\r",
        ),
        (
            "no-crlf-before-the-terminator",
            "writes no terminator",
            b"\r",
        ),
        ("nul-cuts-a-line", "accepts what the rules refuse", b"\0\r"),
        ("nul-cuts-a-line", "refuses for another reason", b"\0\n\r"),
    ] {
        assert_found(bug, what, message, &[message.len()]);
    }
}

#[test]
fn explains_what_a_line_splitter_does_wrong_with_the_shortest_stream() {
    for (bug, what, stream) in [
        (
            "lf-ends-a-line",
            "ends a line where the rules see no line end",
            &b"\n"[..],
        ),
        ("lf-ends-a-line", "returns another line", b"\n\r\n"),
        (
            "end-of-file-ends-a-line",
            "takes the end of the stream for the end of a line",
            b"\r",
        ),
        (
            "end-of-file-ends-a-line",
            "does not say that the stream stops within a line",
            &[b'x'; 16],
        ),
    ] {
        assert_found(bug, what, stream, &[stream.len()]);
    }
}

/// The model, by other rules than those that are asked for.
struct Misled(fn(Rules) -> Rules);

impl Decode for Misled {
    fn name(&self) -> &'static str {
        "misled"
    }

    fn follows(&self, rules: &Rules) -> bool {
        Rules::framing().contains(rules)
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        *transcript = oracle::decode(&(self.0)(*rules), &chunks.concat());
    }
}

#[test]
fn compares_what_is_refused() {
    let found = |misled: fn(Rules) -> Rules| -> Vec<(String, Vec<u8>)> {
        let found = differences::decode(&Misled(misled));
        let found = found.into_iter();
        found.map(|found| (found.what, found.input)).collect()
    };
    let accepts = found(|rules| Rules {
        reject_bare_lf: false,
        ..rules
    });
    assert_eq!(
        accepts[0],
        ("accepts what the rules refuse".to_owned(), b"\n".to_vec())
    );
    let refuses = found(|rules| Rules {
        reject_unstuffed_dot: true,
        ..rules
    });
    assert_eq!(refuses[0].0, "refuses what the rules accept");
    let another = found(|rules| Rules {
        reject_bare_lf: rules.reject_bare_lf || rules.reject_bare_cr,
        ..rules
    });
    let reason = "refuses for another reason".to_owned();
    assert!(
        another.contains(&(reason, b"\n\r\r".to_vec())),
        "{another:?}"
    );
    assert_eq!(found(|rules| rules), []);
}

/// An encoder that can only refuse bare CR and LF, and panics where it should.
struct Panics;

impl Encode for Panics {
    fn name(&self) -> &'static str {
        "panics"
    }

    fn follows(&self, newline: Newline) -> bool {
        newline == Newline::Reject
    }

    fn encode(&self, newline: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        assert_eq!(newline, Newline::Reject);
        Ok(oracle::encode(newline, &chunks.concat()).expect("only CRLF"))
    }
}

#[test]
fn says_on_which_input_a_codec_panics() {
    let [panic] = &differences::encode(&Panics)[..] else {
        panic!("a panic ends the search");
    };
    assert_eq!((&panic.what[..], &panic.input[..]), ("panics", &b"\r"[..]));
    assert!(
        panic.returned.starts_with("only CRLF"),
        "{}",
        panic.returned
    );
}

#[test]
fn a_check_panics_with_each_difference() {
    let bugs = known_bugs::all().iter();
    let bugs = bugs.filter(|bug| bug.name == "ends-where-a-read-ends-with-dot");
    for bug in bugs {
        let Role::Decoder(decoder) = &bug.role else {
            panic!("it is a decoder");
        };
        let panic = catch_unwind(AssertUnwindSafe(|| check::decode(&**decoder))).unwrap_err();
        let text = panic.downcast_ref::<String>().expect("a text");
        let found = differences::decode(&**decoder);
        assert!(found.len() > 1);
        for difference in found {
            assert!(text.contains(&difference.to_string()), "{text}");
        }
        let last = "  input     `.\\r\\n`, in pieces of [1, 2] octets\n  rules     RFC 1939\n  \
            expected  ``, end before octet 3\n  returned  ``, end before octet 1";
        assert!(text.ends_with(last), "{text}");
    }
}

/// A decoder for one set of rules, and a splitter for it that loses every line.
struct Only(Rules);

impl Decode for Only {
    fn name(&self) -> &'static str {
        "only"
    }

    fn follows(&self, rules: &Rules) -> bool {
        *rules == self.0
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        *transcript = oracle::decode(rules, &chunks.concat());
    }
}

impl SplitLines for Only {
    fn name(&self) -> &'static str {
        "only"
    }

    fn follows(&self, rules: &Rules) -> bool {
        *rules == self.0
    }

    fn lines(&self, _: &Rules, _: &[&[u8]]) -> Lines {
        Lines {
            events: vec![],
            whole: true,
        }
    }
}

#[test]
fn a_codec_that_follows_none_of_the_rules_does_not_pass() {
    let limited = Only(Rules {
        max_octets: 1000,
        ..Rules::RFC1939
    });
    let checks: [&dyn Fn(); 2] = [&|| check::decode(&limited), &|| {
        check::split_lines(&limited);
    }];
    for check in checks {
        let panic = catch_unwind(AssertUnwindSafe(check)).unwrap_err();
        let text = panic.downcast_ref::<String>().expect("a text");
        assert!(text.starts_with("only follows none of the rules"), "{text}");
    }
    check::decode(&Only(Rules::SMTP));
}

#[test]
fn checks_a_splitter_that_follows_only_the_rules_of_smtp() {
    let found = differences::split_lines(&Only(Rules::SMTP));
    let setting = "RFC 1939, and bare CR is refused, and bare LF is refused";
    assert_eq!(found[0].setting, setting);
}

/// A codec that is right until it gets certain pieces.
struct Trap<'a>(&'a (dyn Fn(&[&[u8]]) -> bool + Sync));

impl Decode for Trap<'_> {
    fn name(&self) -> &'static str {
        "trap"
    }

    fn follows(&self, rules: &Rules) -> bool {
        *rules == Rules::RFC1939
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        if !self.0(chunks) {
            *transcript = oracle::decode(rules, &chunks.concat());
        }
    }
}

impl Encode for Trap<'_> {
    fn name(&self) -> &'static str {
        "trap"
    }

    fn follows(&self, newline: Newline) -> bool {
        newline == Newline::Verbatim
    }

    fn encode(&self, newline: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        match self.0(chunks) {
            true => Err(Refusal::BareCr(0)),
            false => oracle::encode(newline, &chunks.concat()),
        }
    }
}

impl SplitLines for Trap<'_> {
    fn name(&self) -> &'static str {
        "trap"
    }

    fn follows(&self, rules: &Rules) -> bool {
        *rules == Rules::RFC1939
    }

    fn lines(&self, rules: &Rules, chunks: &[&[u8]]) -> Lines {
        match self.0(chunks) {
            true => Lines::default(),
            false => oracle::lines(rules, view::MAX_LINE, &chunks.concat()),
        }
    }
}

/// Whether there is a cut with at least `least` octets before it in its piece, the last
/// of which are `before`, and `after` at the start of the next.
fn has_cut(chunks: &[&[u8]], least: usize, before: &[u8], after: &[u8]) -> bool {
    chunks.windows(2).any(|pair| {
        pair[0].len() >= least && pair[0].ends_with(before) && pair[1].starts_with(after)
    })
}

#[test]
fn reaches_the_places_where_software_fails() {
    let right = Trap(&|_| false);
    check::decode(&right);
    check::encode(&right);
    check::split_lines(&right);
    for least in [64, 8192, 65_536] {
        for (before, after) in [
            (&b"x"[..], &b"\r\n."[..]),
            (b"x\r", b"\n."),
            (b"x\r\n", b"."),
            (b"\r\n.", b"\r\n"),
            (b"\r\n.", b"."),
            (b"\r\n.\r", b"\n"),
        ] {
            let full = Trap(&|chunks| has_cut(chunks, least, before, after));
            assert!(
                !differences::decode(&full).is_empty(),
                "{least} {before:?} {after:?}"
            );
        }
        for (before, after) in [(&b"\r"[..], &b"\n"[..]), (b"\r\n", b".")] {
            let full = Trap(&|chunks| has_cut(chunks, least, before, after));
            assert!(
                !differences::encode(&full).is_empty(),
                "{least} {before:?} {after:?}"
            );
        }
    }
    let empty_piece = |chunks: &[&[u8]]| {
        chunks.windows(3).any(|three| {
            three[0].ends_with(b"\r\n") && three[1].is_empty() && three[2].starts_with(b".")
        })
    };
    for trap in [Trap(&empty_piece), Trap(&|chunks| chunks.is_empty())] {
        assert!(!differences::decode(&trap).is_empty());
        assert!(!differences::encode(&trap).is_empty());
    }
    for octet in [0, b'\t', b' ', 0x85, 0xff] {
        let line = Trap(&|chunks| chunks.concat().starts_with(&[b'.', octet, b'\r', b'\n']));
        assert!(!differences::decode(&line).is_empty(), "{octet:?}");
    }
    let at_the_limit = Trap(&|chunks| {
        chunks
            .windows(2)
            .any(|pair| pair[0].len() == view::MAX_LINE && has_cut(pair, 0, b"\r", b"\n"))
    });
    assert!(!differences::split_lines(&at_the_limit).is_empty());
}
