//! Parsing of endpoints, and TCP connections to them.

use std::net::SocketAddr;

use pop3_proto::Profile;
use pop3_tokio::client::{
    Client, Credentials, Endpoint, EndpointError, Error, ErrorKind, Scheme, Settings,
};
use tokio::net::TcpListener;

use crate::harness::{endpoint, play};

#[test]
fn urls() {
    for (url, scheme, user, host, port) in [
        ("pop3://h", Scheme::Pop3, None, "h", 110),
        ("POP3S://h/", Scheme::Pop3s, None, "h", 995),
        (
            "pop3://mail.example.org:1110",
            Scheme::Pop3,
            None,
            "mail.example.org",
            1110,
        ),
        (
            "pop3s://me@192.0.2.1",
            Scheme::Pop3s,
            Some("me"),
            "192.0.2.1",
            995,
        ),
        (
            "pop3://me@[2001:db8::1]",
            Scheme::Pop3,
            Some("me"),
            "2001:db8::1",
            110,
        ),
        ("pop3://[::1]:7", Scheme::Pop3, None, "::1", 7),
        ("pop3://a%40b@h", Scheme::Pop3, Some("a@b"), "h", 110),
        ("pop3://a@b@h", Scheme::Pop3, Some("a@b"), "h", 110),
        (
            "pop3://%C3%BC%3a%2f@h",
            Scheme::Pop3,
            Some("\u{fc}:/"),
            "h",
            110,
        ),
    ] {
        let parsed: Endpoint = url.parse().unwrap();
        let expected = Endpoint {
            scheme,
            user: user.map(Into::into),
            host: host.into(),
            port,
        };
        assert_eq!(parsed, expected, "{url}");
        assert_eq!(parsed.to_string().parse(), Ok(expected), "{parsed}");
    }
}

#[test]
fn escapes_a_name_only_where_needed() {
    let url = "pop3://a-Z_0.9~%40%3A@h:110";
    assert_eq!(endpoint(url).to_string(), url);
}

#[test]
fn refuses_an_invalid_url() {
    for (url, error) in [
        ("imap://h", EndpointError::Scheme),
        ("h", EndpointError::Scheme),
        ("pop3:h", EndpointError::Scheme),
        ("pop3://me:secret@h", EndpointError::Password),
        ("pop3://me:@h", EndpointError::Password),
        ("pop3://me:p/w@h", EndpointError::Password),
        ("pop3://@h", EndpointError::User),
        ("pop3://me%2@h", EndpointError::User),
        ("pop3://me%0d%0a@h", EndpointError::User),
        ("pop3://me%ff@h", EndpointError::User),
        ("pop3://me;AUTH=PLAIN@h", EndpointError::User),
        ("pop3://", EndpointError::Host),
        ("pop3://h/INBOX", EndpointError::Host),
        ("pop3://h?x", EndpointError::Host),
        ("pop3://a b", EndpointError::Host),
        ("pop3://256.0.0.1", EndpointError::Host),
        ("pop3://127.1", EndpointError::Host),
        ("pop3://127.1.", EndpointError::Host),
        ("pop3://[::1", EndpointError::Host),
        ("pop3://[::1]x", EndpointError::Host),
        ("pop3://[h]", EndpointError::Host),
        ("pop3://::1", EndpointError::Brackets),
        ("pop3://h:", EndpointError::Port),
        ("pop3://h:0", EndpointError::Port),
        ("pop3://h:+1", EndpointError::Port),
        ("pop3://h:65536", EndpointError::Port),
    ] {
        let refused = url.parse::<Endpoint>().unwrap_err();
        assert_eq!(refused, error, "{url}");
        assert!(!refused.to_string().contains("secret"));
    }
}

async fn listener(address: &str) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Cleartext is allowed to loopback; the address of the connection decides.
#[tokio::test]
async fn connects_over_both_families_and_in_cleartext_on_loopback() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let (listener, address) = listener(address).await;
        let steps = [
            ("", "+OK\r\n"),
            ("CAPA\r\n", "-ERR\r\n"),
            ("USER tim\r\n", "+OK\r\n"),
            ("PASS x\r\n", "+OK\r\n"),
            ("QUIT\r\n", "+OK\r\n"),
        ];
        let server = async { play(listener.accept().await.unwrap().0, &steps).await };
        let client = async {
            let endpoint = Endpoint::at(Scheme::Pop3, address);
            let settings = Settings::new(Profile::RFC1939);
            let mut client = Client::connect(&endpoint, &settings).await.unwrap();
            assert!(!client.is_under_tls());
            client
                .login(&Credentials::password("tim", "x"))
                .await
                .unwrap();
            client.quit().await.unwrap();
        };
        tokio::join!(server, client);
    }
}

#[tokio::test]
async fn tries_the_next_address_if_one_refuses() {
    // Nothing listens on a port that was free a moment ago.
    let (gone, refusing) = listener("[::1]:0").await;
    drop(gone);
    let (listener, address) = listener("127.0.0.1:0").await;
    let mut settings = Settings::new(Profile::RFC1939);
    settings.addresses = vec![refusing, refusing, address];
    let steps = [("", "+OK\r\n"), ("CAPA\r\n", "-ERR\r\n")];
    let server = async { play(listener.accept().await.unwrap().0, &steps).await };
    let client = async {
        let url = endpoint("pop3://mail.example.org");
        drop(Client::connect(&url, &settings).await.unwrap());
    };
    tokio::join!(server, client);

    settings.addresses = vec![refusing];
    let url = endpoint("pop3://mail.example.org:1");
    let error = Client::connect(&url, &settings).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }));
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("mail.example.org:1"), "{error}");
}
