use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

fn takes(field: &str, contains: &str, header: &str) -> bool {
    let rule = Match::new(field, contains, "maildir:m").unwrap();
    rule.takes(header.as_bytes())
}

#[test]
fn a_field_contains_a_text_in_any_case() {
    let header = "To: me@example.org\r\nlist-ID : The Rust\r\n\tUsers\r\n <rust-users.example.org>\r\n\
        Subject: =?iso-8859-1?Q?Caf=E9?= =?utf-8?B?IMOJVMOJ?= STRASSE\r\nTo: You <you@example.org>\r\n\r\n";
    for header in [header.to_owned(), header.replace("\r\n", "\n")] {
        for (field, contains, is_taken) in [
            ("List-Id", "rust-users", true),
            ("LIST-ID", "RUST-USERS.EXAMPLE", true),
            ("List-Id", "the rust users <rust", true),
            ("List-Id", "  the  rust ", true),
            ("List-Id", "therust", false),
            ("List", "rust", false),
            ("ist-Id", "rust", false),
            ("List-Id", "", true),
            ("Reply-To", "", false),
            ("To", "me@", true),
            ("To", "you@", true),
            ("To", "rust", false),
            ("Subject", "café été", true),
            ("Subject", "CAFÉ ÉTÉ", true),
            ("Subject", "straße", true),
            ("Subject", "=?utf-8", false),
        ] {
            assert_eq!(
                takes(field, contains, &header),
                is_taken,
                "{field}: {contains}"
            );
        }
    }
}

#[test]
fn a_malformed_header_is_searched_as_far_as_it_goes() {
    for (header, is_taken) in [
        ("", false),
        ("S", false),
        ("S:", false),
        ("S:x", true),
        ("S: =?utf-8?B?eA", false),
        ("S: =?utf-8?B?eA==?=", true),
        (" S: x\n", false),
        ("S\n: x\n", false),
        ("S\n : x\n", false),
        ("From a: b\n>S: x\nS \t: \n\n x", false),
        ("From a: b\n>S: x\nS \t: \n \n x", true),
        ("a\nS: \0x\rx\n", true),
    ] {
        assert_eq!(takes("S", "x", header), is_taken, "{header:?}");
    }
}

#[test]
fn a_rule_is_written_on_one_line() {
    let rule = |text: &str| text.parse::<Match>();
    let wanted = Match::new("List-Id", "rust", "maildir:Mail/rust").unwrap();
    for text in [
        "List-Id: rust => maildir:Mail/rust",
        "List-Id:rust=>maildir:Mail/rust",
        " List-Id : RUST  =>  maildir:Mail/rust ",
    ] {
        assert_eq!(rule(text), Ok(wanted.clone()), "{text}");
    }
    let arrow = Match::new("Subject", "a: b => c", "maildir:a:b").unwrap();
    assert_eq!(rule("Subject: a: b => c => maildir:a:b"), Ok(arrow));
    for (text, said) in [
        ("", "write 'FIELD: TEXT => maildir:DIRECTORY'"),
        ("List-Id: rust", "write 'FIELD: TEXT => maildir:DIRECTORY'"),
        ("List-Id => maildir:a", "write 'FIELD: TEXT =>"),
        (": rust => maildir:a", "field: `` is not the name"),
        (
            "List Id: a => maildir:a",
            "field: `List Id` is not the name",
        ),
        (
            "Betreff\u{e9}: a => maildir:a",
            "field: `Betreff\u{e9}` is not",
        ),
        ("List-Id: a => Mail", "to: `Mail` is not a Maildir"),
        ("List-Id: a => mbox:a", "to: `mbox:a` is not a Maildir"),
        ("List-Id: a =>", "to: `` is not a Maildir"),
        ("List-Id: a => maildir:", "to: `maildir:` is not a Maildir"),
    ] {
        let error = rule(text).unwrap_err();
        assert!(error.starts_with(said), "{text}: {error}");
    }
}

/// A word of a field, and whether it is written as an encoded word.
type Word = (String, bool);

/// A header field: its name, its words, and what is between them.
fn field() -> impl Strategy<Value = (String, Vec<Word>, String)> {
    let name = select(vec![
        "Subject",
        "SUBJECT",
        "subject",
        "List-Id",
        "X-Subject",
    ]);
    let word = ("[a-cA-CéÉ]{1,3}", any::<bool>());
    let between = select(vec![" ", "  ", "\n ", "\n\t", " \n \n  "]);
    (name, vec(word, 0..4), between)
        .prop_map(|(name, words, between)| (name.to_owned(), words, between.to_owned()))
}

/// The field as it is written.
fn written((name, words, between): &(String, Vec<Word>, String)) -> String {
    let words = words.iter().map(|(word, is_encoded)| match is_encoded {
        true => format!("=?utf-8?b?{}?=", STANDARD.encode(word)),
        false => word.clone(),
    });
    let words: Vec<_> = words.collect();
    format!("{name}:{between}{}\n", words.join(between))
}

/// What a reader sees of the field. White space between encoded words is not part of
/// the text (RFC 2047 §6.2).
fn read((_, words, _): &(String, Vec<Word>, String)) -> String {
    let mut text = String::new();
    let mut was_encoded = true;
    for (word, is_encoded) in words {
        if !(was_encoded && *is_encoded || text.is_empty()) {
            text.push(' ');
        }
        text.push_str(word);
        was_encoded = *is_encoded;
    }
    text.to_lowercase()
}

proptest! {
    /// The oracle knows the fields from which the header was written.
    #[test]
    fn finds_what_was_written(
        fields in vec(field(), 0..5),
        contains in "[a-cA-CéÉ ]{0,3}",
        crlf in any::<bool>(),
    ) {
        let mut header: String = fields.iter().map(written).collect();
        header.push('\n');
        if crlf {
            header = header.replace('\n', "\r\n");
        }
        let words: Vec<_> = contains.split(' ').filter(|word| !word.is_empty()).collect();
        let text = words.join(" ").to_lowercase();
        let is_there = fields
            .iter()
            .filter(|(name, ..)| name.eq_ignore_ascii_case("subject"))
            .any(|field| read(field).contains(&text));
        prop_assert_eq!(takes("Subject", &contains, &header), is_there, "{:?}", header);
    }

    /// The oracle unfolds the whole header first, and then looks at each line. A mark
    /// shows where a line was folded, because the colon is on the first one.
    #[test]
    fn finds_fields_as_in_the_unfolded_header(header in "[Sx: \t\r\n]{0,24}") {
        let unfolded = header.replace("\n ", "| ").replace("\n\t", "| ");
        let has_x = unfolded.lines().any(|line| {
            let rest = line.strip_prefix(['S', 's']);
            let rest = rest.map(|rest| rest.trim_start_matches([' ', '\t']));
            let value = rest.and_then(|rest| rest.strip_prefix(':'));
            value.is_some_and(|value| value.contains('x'))
        });
        prop_assert_eq!(takes("S", "x", &header), has_x, "{:?}", header);
    }

    #[test]
    fn no_octets_make_it_panic(header in vec(any::<u8>(), 0..200), tail in "[=?qb8\n -]{0,40}") {
        let rule = Match::new("S", "x", "maildir:m").unwrap();
        let header = [b"S: ".to_vec(), tail.into_bytes(), b"\nS: =?utf-8?q?".to_vec(), header];
        rule.takes(&header.concat());
    }
}
