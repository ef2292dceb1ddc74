//! STLS (RFC 2595 §4).

use pop3_proto::server::{Config, Tls};

use crate::drive::{Server, store};

fn offered() -> Server {
    Server::new(Config::new().tls(Tls::Offered).utf8(true), &store(&[b"x"]))
}

#[test]
fn the_handshake_begins_after_the_last_octet_of_the_reply() {
    let mut server = offered();
    server.run(b"");
    assert_eq!(server.session.handle_input(server.now, b"STLS\r\n"), 6);
    let octets = server.session.poll_transmit().unwrap().len();
    server.session.handle_transmitted(server.now, octets - 1);
    assert_eq!(server.session.poll_event(), None);
    // This is too early: the reply is not sent yet.
    server.session.handle_tls(server.now);
    assert_eq!(server.session.handle_input(server.now, b"NOOP\r\n"), 6);
    server.session.handle_transmitted(server.now, 1);
    server.pump();
    assert_eq!(server.events, ["StartTls"]);
}
