//! `pop3 check` against hostile servers.

use pop3_testkit::{check, corpus};
use proptest::{collection::vec, prelude::*, sample::select};

/// Texts from servers, some of them wrong, and the marks of the script.
const PIECES: [&[u8]; 28] = [
    b"+OK\r\n",
    b"+OK ready\r\n",
    b"-ERR\r\n",
    b"+OK 2 320\r\n",
    b"+OK 1 120\r\n",
    b"+OK 1 id-1\r\n",
    b"+OK\r\n1 4\r\n2 5\r\n.\r\n",
    b"+OK\r\n1 a\r\n2 b\r\n.\r\n",
    b"+OK\r\nUSER\r\nSTLS\r\nPIPELINING\r\n.\r\n",
    b"+OK\r\nUSER\r\nTOP\r\nUIDL\r\nIMPLEMENTATION Tanstaaf\r\n.\r\n",
    b"+OK\r\n..a\r\n.\r\n",
    b"+OK\r\n.a\r\n.\r\n",
    b"+OK\r\n4294967295 18446744073709551615\r\n.\r\n",
    b"+OK Tanstaaf\r\n",
    b"+OK\r\n1 Tanstaaf\r\n.\r\n",
    b"+OK 4294967295 18446744073709551615\r\n",
    b".\r\n",
    b"\n",
    b"\r",
    b"+ \r\n",
    b"\x1b[2J\xff\0\r\n",
    b"\x01",
    b"\x01",
    b"\x01",
    b"\x01",
    b"\x01",
    b"\x02",
    b"\x02",
];

#[test]
fn corpus() {
    let inputs = corpus::inputs("check_server");
    assert!(!inputs.is_empty(), "there is a corpus");
    for (name, input) in inputs {
        println!("{name}");
        check::check_server(&input);
    }
}

proptest! {
    #[test]
    fn any_octets(input in vec(any::<u8>(), 0..200)) {
        check::check_server(&input);
    }

    #[test]
    fn texts_of_servers(
        how in any::<u8>(),
        at_once in any::<u8>(),
        pieces in vec(select(&PIECES[..]), 0..120),
    ) {
        check::check_server(&[&[how, at_once], &pieces.concat()[..]].concat());
    }

    /// Sends replies in step with the commands, so that sessions get far.
    #[test]
    fn a_reply_for_each_command(
        how in any::<u8>(),
        pieces in vec(select(&PIECES[..20]), 0..120),
    ) {
        let script = pieces.join(&b"\x01"[..]);
        check::check_server(&[&[how, 0], &b"+OK\r\n\x01"[..], &script[..]].concat());
    }
}
