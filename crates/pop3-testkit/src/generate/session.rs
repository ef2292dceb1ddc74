//! Generates the octets of hostile servers and clients: usually what is expected,
//! sometimes something else.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

use crate::check::{self, Due};

const REPLIES: [&[u8]; 13] = [
    b"+OK\r\n",
    b"+OK <1.2@host>\r\n",
    b"+OK 2 320\r\n",
    b"+OK\r\n",
    b"+OK 2 abc\r\n",
    b"-ERR\r\n",
    b"-ERR [IN-USE] locked\r\n",
    b"+\r\n",
    b"+ YWJj\r\n",
    b"+ok\r\n",
    b"OK\r\n",
    b"+OK",
    b"\x86\r\n",
];

const BLOCKS: [&[u8]; 17] = [
    b".\r\n",
    b".\r\n",
    b"1 120\r\n2 200\r\n.\r\n",
    b"1 a\r\n1 b\r\n.\r\n",
    b"1 5\r\n1 6\r\n.\r\n",
    b"1 1\r\n2 2\r\n3 3\r\n.\r\n",
    b"en English\r\n.\r\n",
    b"4294967297 10\r\n.\r\n",
    b"1 18446744073709551616\r\n.\r\n",
    b"1 \x82\r\n2 \x83\r\n.\r\n",
    b"1 \r\n0 a\r\n.\r\n",
    b".x\r\n",
    b"mail\r\n..\r\n.\r\n",
    b"STLS\r\nPIPELINING\r\n.\r\n",
    b"mail\r\n.",
    b"mail\r\n",
    b"\r\n.\r",
];

/// Generates the octets of a server, as fuzz input of `client_session`: mostly
/// replies of the expected kind.
pub fn client_sessions() -> impl Strategy<Value = Vec<u8>> {
    // A wary client seldom gets far.
    let header = any::<[u8; 2]>();
    let header = (header, 0..4_u8).prop_map(|([header, drawn], wary)| match wary {
        0 => [header | 8, drawn],
        _ => [header & !8, drawn],
    });
    let draws = vec((0..10_u8, any::<[Index; 2]>()), 16);
    // There are mostly as many replies as expected, because a reply after that to
    // QUIT is an error.
    let length = prop_oneof![2 => Just(None), 1 => (0..17_usize).prop_map(Some)];
    (header, draws, length).prop_map(|(header, draws, length)| {
        let due = check::due_replies(header[0], header[1]);
        let length = length.unwrap_or(due.len());
        let due = due.into_iter().chain(std::iter::repeat(Due::Line));
        let mut input = header.to_vec();
        for (due, (kind, [one, other])) in due.zip(draws).take(length) {
            let (line, block) = (*one.get(&REPLIES), *other.get(&BLOCKS));
            match (due, kind) {
                (_, 0) => input.extend(line),
                (Due::Stls, 1) => input.extend(b"-ERR\r\n"),
                // The session does not learn whether TLS can begin.
                (Due::Stls, 2..4) => {
                    input.extend(b"+OK\r\n");
                    break;
                }
                (Due::Stls, _) => input.extend(b"+OK\r\n\x01"),
                (Due::Block, _) => input.extend([b"+OK\r\n", block].concat()),
                (Due::Line, 1..3) => input.extend(line),
                (Due::Line, _) => input.extend(one.get(&REPLIES[..3]).iter()),
            }
            if kind < 9 {
                input.push(1);
            }
        }
        input
    })
}

const COMMANDS: [&[u8]; 53] = [
    b"USER mrose\r\n",
    b"PASS secret\r\n",
    b"PASS no\r\n",
    b"PASS in-use\r\n",
    b"PASS login-delay\r\n",
    b"PASS sys-temp\r\n",
    b"PASS sys-perm\r\n",
    b"USER m\xC3\xA9\r\nPASS \xC3\xA9\r\n",
    b"APOP mrose digest\r\n",
    b"APOP mrose no\r\n",
    b"UTF8\r\n",
    b"USER a\r\nPASS b\r\n",
    b"CAPA\r\n",
    b"STLS\r\n",
    b"STLS\r\n",
    b"STLS\r\nNOOP\r\n\x01",
    b"STLS\r\n\x01PASS b\r\n",
    b"AUTH\r\n",
    b"LANG\r\n",
    b"LANG EN-gb\r\n",
    b"LANG de\r\n",
    b"AUTH PLAIN\r\n",
    b"AUTH plain =\r\n",
    b"AUTH CRAM-MD5 bW9yZQ==\r\n",
    b"AUTH CRAM-MD5\r\nbW9yZQ==\r\n",
    b"bW9yZQ==\r\n",
    b"bm8=\r\n",
    b"YWJj\r\n",
    b"*\r\n",
    b"STAT\r\n",
    b"LIST\r\n",
    b"LIST 2\r\n",
    b"UIDL\r\n",
    b"UIDL 3\r\n",
    b"RETR 1\r\n",
    b"RETR 2\r\n",
    b"RETR 3\r\n",
    b"RETR 4\r\n",
    b"TOP 3 0\r\n",
    b"TOP 3 1\r\n",
    b"TOP 4 0\r\n",
    b"DELE 1\r\n",
    b"DELE 1\r\nRETR 1\r\n",
    b"DELE 2\r\nRSET\r\nLIST\r\n",
    b"DELE 2\r\nQUIT\r\n",
    b"DELE 3\r\n",
    b"DELE 4\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"QUIT\r\n",
    b"\x84\r\n",
    b"\x83QUIT\r\n",
    b"NOOP\nQUIT\r\n",
];

/// Generates the octets of a client, as fuzz input of `server_session`.
pub fn server_sessions() -> impl Strategy<Value = Vec<u8>> {
    let command = select(&COMMANDS[..]).prop_map(<[u8]>::to_vec);
    let other = prop_oneof![Just(vec![1]), any::<u8>().prop_map(|octet| vec![octet])];
    let piece = prop_oneof![8 => command, 1 => other];
    let header = prop_oneof![0..4_u8, 0..64_u8];
    (header, vec(piece, 0..14))
        .prop_map(|(header, pieces)| [&[header], &pieces.concat()[..]].concat())
}
