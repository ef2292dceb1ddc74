//! All sessions of a limited number of events from a small alphabet. A session that
//! is over is not continued.

use crate::{
    check,
    generate::Script,
    view::{Clients, Servers},
};

/// The events of a hostile server. The octet 1 ends a flight, and with it a
/// handshake.
const SERVER_SAYS: [&[u8]; 8] = [
    b"+OK\r\n",
    b"-ERR\r\n",
    b"+OK 2 320\r\n",
    b"+ YWJj\r\n",
    b"2 5\r\n",
    b".x\r\n",
    b".\r\n",
    b"\x01",
];

/// The events of a hostile client before and after its login, and with other
/// configurations of the server. The number is the first octet of the input of
/// `check::server_session`.
const CLIENT_SAYS: [(u8, &[&[u8]]); 6] = [
    (
        0b00_0000,
        &[
            b"USER mrose\r\n",
            b"PASS tanstaaf\r\n",
            b"PASS no\r\n",
            b"AUTH PLAIN\r\n",
            b"YWJj\r\n",
            b"*\r\n",
            b"STLS\r\n",
            b"\x01",
            b"CAPA\r\n",
            b"STAT\r\n",
            b"QUIT\r\n",
        ],
    ),
    (
        0b00_0001,
        &[
            b"STAT\r\n",
            b"LIST\r\n",
            b"UIDL 2\r\n",
            b"RETR 1\r\n",
            b"TOP 3 0\r\n",
            b"DELE 1\r\n",
            b"DELE 3\r\n",
            b"RSET\r\n",
            b"CAPA\r\n",
            b"USER mrose\r\n",
            b"X\r\n",
            b"QUIT\r\n",
        ],
    ),
    // The server offers everything that it can.
    (
        0b00_0100,
        &[
            b"UTF8\r\n",
            b"USER m\xC3\xA9\r\n",
            b"PASS \xC3\xA9\r\n",
            b"PASS in-use\r\n",
            b"APOP mrose digest\r\n",
            b"APOP mrose no\r\n",
            b"STLS\r\n",
            b"\x01",
            b"CAPA\r\n",
            b"RETR 4\r\n",
            b"QUIT\r\n",
        ],
    ),
    // The maildrop is in trouble.
    (
        0b00_1001,
        &[
            b"STAT\r\n",
            b"RETR 1\r\n",
            b"TOP 2 0\r\n",
            b"RETR 3\r\n",
            b"DELE 1\r\n",
            b"DELE 3\r\n",
            b"RSET\r\n",
            b"QUIT\r\n",
        ],
    ),
    // Passwords need TLS, which is offered or not.
    (
        0b01_0000,
        &[
            b"USER mrose\r\n",
            b"PASS tanstaaf\r\n",
            b"AUTH\r\n",
            b"AUTH PLAIN\r\n",
            b"AUTH CRAM-MD5\r\n",
            b"YWJj\r\n",
            b"bW9yZQ==\r\n",
            b"STLS\r\n",
            b"\x01",
            b"CAPA\r\n",
            b"QUIT\r\n",
        ],
    ),
    (
        0b11_0000,
        &[
            b"USER mrose\r\n",
            b"PASS tanstaaf\r\n",
            b"AUTH PLAIN YWJj\r\n",
            b"AUTH CRAM-MD5 bm8=\r\n",
            b"AUTH CRAM-MD5 YWJj\r\n",
            b"STLS\r\n",
            b"\x01",
            b"CAPA\r\n",
            b"QUIT\r\n",
        ],
    ),
];

/// The events when both sides are ours, as in [`generate::Op`]: around a login, and
/// after one.
///
/// [`generate::Op`]: crate::generate::Op
const BOTH_DO: [(&[u8], &[&[u8]]); 2] = [
    (
        b"",
        &[
            b"u", b"p", b"P", b"a", b"g", b"+", b"*", b"c", b"s", b"m", b";", b"W", b"q", b"x",
        ],
    ),
    (
        b";a;c;",
        &[
            b"s", b"l", b"R1", b"T11", b"D1", b"d1", b"D2", b"z", b"m", b";", b"/", b"W", b"q",
            b"qX",
        ],
    ),
];

/// Runs a client with each script against every server of up to `events` events.
/// Returns the number of sessions.
pub fn client_sessions(clients: Clients, events: u32) -> u64 {
    let mut sessions = 0;
    for header in 0..=u8::MAX {
        // The scripts: see `check::client_session`.
        for script in 0..5 {
            every_word(
                &mut vec![header, script],
                &SERVER_SAYS,
                events,
                &mut |input| {
                    sessions += 1;
                    check::client_session(clients, input);
                    !check::client_is_over(input)
                },
            );
        }
    }
    sessions
}

/// Runs a server against every client of up to `events` events: one that stays to
/// the end, and one that falls silent or leaves before it. Returns the number of
/// sessions.
pub fn server_sessions(servers: Servers, events: u32) -> u64 {
    let mut sessions = 0;
    for (setting, says) in CLIENT_SAYS {
        for end in [0b00, 0b10] {
            every_word(&mut vec![setting | end], says, events, &mut |input| {
                sessions += 1;
                check::server_session(servers, input);
                !check::server_is_over(input)
            });
        }
    }
    sessions
}

/// Runs both our sides with two messages and every script of up to `events` events:
/// by RFC 1939 and as a release of Outlook, pipelined or not. Returns the number of
/// scripts.
pub fn joined_sessions(events: u32) -> u64 {
    let mut scripts = 0;
    for config in [0x00, 0x10, 0x15, 0x50] {
        for (prologue, does) in BOTH_DO {
            let mut word = vec![config, 0];
            word.extend(prologue);
            every_word(&mut word, does, events, &mut |input| {
                scripts += 1;
                let messages = b"\xFF.\n\xFFa: b\r\n\r\n.c";
                check::duplex(&Script::read(&[input, messages].concat()));
                true
            });
        }
    }
    scripts
}

/// Visits every word of up to `events` events, prefixes first. `visit` returns
/// whether to visit longer words with that prefix.
fn every_word(
    word: &mut Vec<u8>,
    alphabet: &[&[u8]],
    events: u32,
    visit: &mut impl FnMut(&[u8]) -> bool,
) {
    if !visit(word) || events == 0 {
        return;
    }
    let length = word.len();
    for event in alphabet {
        word.extend_from_slice(event);
        every_word(word, alphabet, events - 1, visit);
        word.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use super::every_word;

    #[test]
    fn visits_each_word_once_and_none_beyond_an_end() {
        let mut words = Vec::new();
        every_word(&mut Vec::new(), &[b"a", b"b"], 2, &mut |word| {
            words.push(String::from_utf8_lossy(word).into_owned());
            word != b"b"
        });
        assert_eq!(words, ["", "a", "aa", "ab", "b"]);
    }
}
