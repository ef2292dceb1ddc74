//! The parsers against the oracles: on generated lines, and on the corpus.

use pop3_testkit::{check, corpus};
use proptest::{collection::vec, prelude::*, sample::select};

fn replay(target: &str, check: fn(&[u8])) {
    let inputs = corpus::inputs(target);
    assert!(!inputs.is_empty(), "there is a corpus for {target}");
    for (name, input) in inputs {
        println!("{name}");
        check(&input);
    }
}

#[test]
fn command_corpus() {
    replay("command", check::command);
}

#[test]
fn reply_corpus() {
    replay("reply", check::reply);
}

#[test]
fn response_corpus() {
    replay("response", check::response);
}

/// Words that mean something in a line, and octets that mean nothing.
fn line(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        8 => select(words).prop_map(|word| word.as_bytes().to_vec()),
        2 => any::<u32>().prop_map(|number| number.to_string().into_bytes()),
        1 => any::<u64>().prop_map(|number| number.to_string().into_bytes()),
        2 => any::<u8>().prop_map(|octet| vec![octet]),
        1 => (1_usize..300).prop_map(|octets| vec![b'x'; octets]),
    ];
    vec(word, 0..8).prop_map(|words| words.concat())
}

const COMMANDS: &[&str] = &[
    "APOP", "AUTH", "CAPA", "DELE", "LANG", "LIST", "NOOP", "PASS", "QUIT", "RETR", "RSET", "STAT",
    "STLS", "TOP", "UIDL", "USER", "UTF8", "retr", "Top", " ", " ", " ", " ", "  ", "\t", "1", "0",
    "PLAIN", "=", "*", "en", "a/b@c",
];

const REPLIES: &[&str] = &[
    "+OK",
    "-ERR",
    "+ok",
    "+",
    "-",
    " ",
    " ",
    " ",
    "\t",
    "[IN-USE]",
    "[SYS/TEMP]",
    "[",
    "]",
    "/",
    "<",
    ">",
    "@",
    "<1@b>",
    "1",
    "0",
    "120",
    "SASL",
    "EXPIRE",
    "NEVER",
    "USER",
    "UTF8",
    "LOGIN-DELAY",
    "IMPLEMENTATION",
    ".",
    "uid",
];

const STREAM: &[&str] = &[
    "+OK",
    "-ERR",
    "+ok",
    "+",
    "+ ",
    "YWJj",
    " ",
    "\r\n",
    "\r\n",
    "\r\n",
    "\r\n.\r\n",
    "\r\n..",
    ".",
    ".x",
    "1 120",
    "\r",
    "\n",
    "+OK\r\n",
    "-ERR no\r\n",
    "+OK\r\nabc\r\n.\r\n",
];

proptest! {
    #[test]
    fn commands(line in line(COMMANDS)) {
        check::command(&line);
    }

    #[test]
    fn replies(line in line(REPLIES)) {
        check::reply(&line);
    }

    #[test]
    fn responses(header in any::<u8>(), stream in line(STREAM)) {
        check::response(&[&[header], &stream[..]].concat());
    }
}
