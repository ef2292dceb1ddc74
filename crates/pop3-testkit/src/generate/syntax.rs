//! Generates command lines, reply lines and streams of replies, most of them almost
//! valid.

use proptest::{collection::vec, prelude::*, sample::select, strategy::Union};

/// Generates one of these words.
fn word(words: &'static [&'static str]) -> BoxedStrategy<Vec<u8>> {
    select(words)
        .prop_map(|word| word.as_bytes().to_vec())
        .boxed()
}

/// Generates numbers, often at the limits of their types.
fn number() -> BoxedStrategy<Vec<u8>> {
    let edge = word(&[
        "0",
        "1",
        "2",
        "007",
        "-5",
        "+5",
        "4294967295",
        "4294967296",
        "18446744073709551615",
        "18446744073709551616",
    ]);
    let wide = any::<u64>().prop_map(|number| number.to_string().into_bytes());
    let narrow = any::<u32>().prop_map(|number| number.to_string().into_bytes());
    prop_oneof![4 => edge, 1 => wide, 1 => narrow].boxed()
}

/// Generates names, passwords and unique-ids.
fn text() -> BoxedStrategy<Vec<u8>> {
    let edge = word(&[
        "", "mrose", "a b", "a/b@c", "a\nb", "a\0b", "\u{e9}", "PLAIN", "=", "*", "en-GB", "abc",
    ]);
    let long = select(&[69_usize, 70, 71, 128, 244, 249, 250, 600][..]);
    let long = long.prop_map(|octets| vec![b'x'; octets]);
    let any_octet = any::<u8>().prop_map(|octet| vec![octet]);
    prop_oneof![4 => edge, 2 => long, 1 => any_octet].boxed()
}

/// Generates what separates fields: mostly one space.
fn blank() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![6 => word(&[" "]), 1 => word(&["  ", "\t", " \t ", ""])].boxed()
}

fn one_of(strategies: &[&BoxedStrategy<Vec<u8>>]) -> BoxedStrategy<Vec<u8>> {
    Union::new(strategies.iter().map(|&strategy| strategy.clone())).boxed()
}

/// Generates fields with a blank between them, and sometimes a blank after the
/// last.
fn fields(first: BoxedStrategy<Vec<u8>>, others: BoxedStrategy<Vec<u8>>) -> BoxedStrategy<Vec<u8>> {
    let other = (blank(), others).prop_map(|(blank, field)| [blank, field].concat());
    let trailing = prop_oneof![4 => word(&[""]), 1 => blank()];
    (first, vec(other, 0..4), trailing)
        .prop_map(|(first, others, trailing)| [first, others.concat(), trailing].concat())
        .boxed()
}

/// Generates valid and almost valid command lines.
pub fn command_lines() -> impl Strategy<Value = Vec<u8>> {
    let keyword = word(&[
        "APOP", "AUTH", "CAPA", "DELE", "LANG", "LIST", "NOOP", "PASS", "QUIT", "RETR", "RSET",
        "STAT", "STLS", "TOP", "UIDL", "USER", "UTF8", "retr", "Pass", "XTND",
    ]);
    let with_arguments = fields(keyword.clone(), one_of(&[&number(), &text()]));
    let with_numbers = fields(word(&["DELE", "LIST", "RETR", "TOP", "UIDL"]), number());
    prop_oneof![1 => keyword, 2 => with_numbers, 3 => with_arguments]
}

/// Generates valid and almost valid reply lines.
pub fn reply_lines() -> impl Strategy<Value = Vec<u8>> {
    let status = word(&["+OK", "-ERR", "+ok", "+", "-", "+OKAY", "xx +OK", "OK", ""]);
    let tag = word(&[
        "SASL",
        "EXPIRE",
        "LOGIN-DELAY",
        "IMPLEMENTATION",
        "UTF8",
        "TOP",
        ".foo",
    ]);
    let word = word(&[
        "[IN-USE]",
        "[SYS/TEMP]",
        "[",
        "]",
        "[]",
        "<1@b>",
        "<a b@c>",
        "<1b>",
        "<<1@b>",
        "NEVER",
        "USER",
    ]);
    let others = one_of(&[&number(), &text(), &word]);
    prop_oneof![
        2 => fields(number(), others.clone()),
        2 => fields(number(), number()),
        2 => fields(status, others.clone()),
        1 => fields(tag, others),
    ]
}

/// Generates an octet that says what is awaited, and a stream of replies.
pub fn responses() -> impl Strategy<Value = Vec<u8>> {
    let line = fields(word(&["+OK", "-ERR", "+ok", "+", "+ YWJj"]), text());
    let line = line.prop_map(|line| [&line, &b"\r\n"[..]].concat()).boxed();
    let block = word(&[
        ".\r\n",
        "abc\r\n.\r\n",
        "1 120\r\n2 200\r\n.\r\n",
        "..\r\n.\r\n",
        ".foo\r\n.\r\n",
        "a\r\n.",
        "\n",
        "\r",
    ]);
    let stream = vec(one_of(&[&line, &line, &block]), 0..8);
    (any::<u8>(), stream).prop_map(|(header, stream)| [&[header], &stream.concat()[..]].concat())
}
