//! The server on a socket.

use std::{
    io::{BufRead as _, BufReader},
    sync::mpsc::Receiver,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::{super::identity::Identities, *};
use crate::audit::MAX_FLOOD;

/// A server in a scenario, and a client that has read the greeting.
fn connected(text: &str) -> (Serving, TcpStream, Receiver<Event>, String) {
    let text = format!("why = 'a test'\n{text}");
    let scenario = Scenario::parse("test", &text).unwrap().remove(0);
    let identities = Identities::new().unwrap();
    let tls = identities.config(scenario.certificate);
    let listener = Listener::bind(&scenario, tls).unwrap();
    let (events, inbox) = channel();
    let serving = listener.serve(events).unwrap();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut greeting = [0; 11];
    stream.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"+OK ready\r\n");
    (serving, stream, inbox, identities.pem)
}

/// Sends a line, and reads one.
fn say(stream: &mut (impl Read + Write), line: &str) -> String {
    stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::with_capacity(1, stream)
        .read_line(&mut answer)
        .unwrap();
    answer.trim_end().to_owned()
}

#[test]
fn stops_although_a_client_keeps_its_connection() {
    let (serving, mut stream, _inbox, _) = connected("");
    assert_eq!(say(&mut stream, "NOOP"), "+OK nothing done");
    let logs = serving.stop();
    assert_eq!(logs.len(), 1);
    assert_eq!(logs[0].commands().count(), 1);
}

#[test]
fn says_once_that_it_owes_octets() {
    let (serving, mut stream, inbox, _) = connected("[[reply]]\nto = 'NOOP'\nthen = 'owe'");
    assert_eq!(say(&mut stream, "NOOP"), "+OK nothing done");
    assert!(matches!(inbox.recv().unwrap(), Event::Moved));
    assert!(matches!(inbox.recv().unwrap(), Event::Owes(_)));
    assert_eq!(say(&mut stream, "NOOP"), "+OK nothing done");
    assert!(matches!(inbox.recv().unwrap(), Event::Moved));
    drop(stream);
    serving.stop();
    assert!(inbox.recv().is_err());
}

#[test]
fn says_once_that_the_client_took_the_flood() {
    let (serving, mut stream, inbox, _) =
        connected("[[reply]]\nto = 'NOOP'\nsend = ''\nthen = 'flood'");
    stream.write_all(b"NOOP\r\n").unwrap();
    assert!(matches!(inbox.recv().unwrap(), Event::Moved));
    assert!(matches!(inbox.recv().unwrap(), Event::Owes(_)));
    let mut flood = (&mut stream).take(MAX_FLOOD as u64);
    assert_eq!(
        io::copy(&mut flood, &mut io::sink()).unwrap(),
        MAX_FLOOD as u64
    );
    let events = || inbox.recv().unwrap();
    let pieces = std::iter::from_fn(|| Some(events()));
    assert!(
        pieces
            .take_while(|event| matches!(event, Event::Moved))
            .count()
            > 1
    );
    stream.write_all(b"NOOP\r\n").unwrap();
    assert!(matches!(inbox.recv().unwrap(), Event::Moved));
    drop(stream);
    serving.stop();
    assert!(inbox.recv().is_err());
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// The log of a client that has begun TLS, and then does this.
fn logged(then: fn(&mut Tls)) -> Vec<String> {
    let (serving, mut stream, _inbox, pem) = connected("transport = 'stls'");
    assert_eq!(say(&mut stream, "STLS"), "+OK begin TLS");
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut tls = StreamOwned::new(connection, stream);
    assert_eq!(say(&mut tls, "NOOP"), "+OK nothing done");
    then(&mut tls);
    drop(tls);
    let logs = serving.stop();
    logs[0].lines()[3..].to_vec()
}

#[test]
fn a_client_under_tls_may_close_without_notice_but_not_break_it() {
    let noop = ["TLS begins", "C: NOOP", r"S: +OK nothing done\r\n"];
    let closed = [&noop[..], &["the client closes"]].concat();
    assert_eq!(logged(|_| {}), closed);
    assert_eq!(logged(|tls| tls.conn.send_close_notify()), closed);
    assert_eq!(logged(|tls| tls.sock.write_all(b"no TLS").unwrap()), noop);
    let quit = logged(|tls| {
        assert_eq!(say(tls, "QUIT"), "+OK bye");
        assert_eq!(tls.read_to_end(&mut Vec::new()).unwrap(), 0);
    });
    assert_eq!(quit[5], "the server closes");
}

#[test]
fn closes_after_a_handshake_that_fails() {
    let (serving, mut stream, _inbox, _) = connected("transport = 'stls'");
    assert_eq!(say(&mut stream, "STLS"), "+OK begin TLS");
    stream.write_all(b"this is no handshake\r\n").unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    let log = serving.stop().remove(0);
    let lines = log.lines();
    assert_eq!(
        lines[3..5],
        ["the TLS handshake fails", "the server closes"]
    );
}
