//! `pop3 check` against hostile servers, and `pop3 audit` against hostile clients. The
//! fuzz targets build the modules.

mod audit_client;
mod check_server;

use self::{audit_client::audit_client, check_server::check_server};
use dot_stuffing_testkit::generate::Octets;
use pop3_conformance::audit;
use pop3_testkit::{corpus, generate};
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
fn check_server_corpus() {
    let inputs = corpus::inputs("check_server");
    assert!(!inputs.is_empty(), "there is a corpus");
    for (name, input) in inputs {
        println!("{name}");
        check_server(&input);
    }
}

#[test]
fn audit_client_corpus() {
    let inputs = corpus::inputs("audit_client");
    assert!(!inputs.is_empty(), "there is a corpus for audit_client");
    for (name, input) in inputs {
        println!("{name}");
        audit_client(&Octets::expand(&input).0);
    }
}

#[test]
fn every_scenario_ends_with_a_client_that_asks_for_everything() {
    let session = b"STLS\r\nCAPA\r\nUSER mrose\r\nPASS tanstaaf\r\nSTAT\r\nLIST\r\nUIDL\r\n\
        LIST 1\r\nUIDL 1\r\nTOP 1 1\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\nRSET\r\nNOOP\r\nAPOP a b\r\nQUIT\r\n";
    for at in 0..audit::scenarios().len() {
        let chosen = u16::try_from(at).unwrap().to_be_bytes();
        audit_client(&[&chosen[..], session].concat());
    }
}

proptest! {
    #[test]
    fn any_octets(input in vec(any::<u8>(), 0..200)) {
        check_server(&input);
    }

    #[test]
    fn texts_of_servers(
        how in any::<u8>(),
        at_once in any::<u8>(),
        pieces in vec(select(&PIECES[..]), 0..120),
    ) {
        check_server(&[&[how, at_once], &pieces.concat()[..]].concat());
    }

    /// Sends replies in step with the commands, so that sessions get far.
    #[test]
    fn a_reply_for_each_command(
        how in any::<u8>(),
        pieces in vec(select(&PIECES[..20]), 0..120),
    ) {
        let script = pieces.join(&b"\x01"[..]);
        check_server(&[&[how, 0], &b"+OK\r\n\x01"[..], &script[..]].concat());
    }

    #[test]
    fn arbitrary_clients(mut input in generate::server_sessions(), chosen: [u8; 2]) {
        input.splice(..0, chosen);
        audit_client(&Octets::expand(&input).0);
    }
}
