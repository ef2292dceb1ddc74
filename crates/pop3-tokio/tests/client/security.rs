//! Nothing secret in the clear, nor in any output.

use pop3_proto::Profile;
use pop3_tokio::client::{Client, Credentials, Error, ErrorKind, Method, Settings};

use crate::harness::{cleartext, endpoint, fails, with};

const HOST: &str = "pop3://tim@mail.example.org";

fn default() -> Settings {
    Settings::new(Profile::RFC1939)
}

/// CVE-2021-22946, CVE-2021-39272: whatever is done to CAPA and STLS, the
/// client says nothing but these.
#[tokio::test]
async fn stls_stripped() {
    for (capa, stls) in [
        ("-ERR unknown\r\n", "-ERR unknown\r\n"),
        ("+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n", "-ERR not here\r\n"),
        ("+OK\r\nSTLS\r\nUSER\r\n.\r\n", "-ERR [SYS/TEMP] broken\r\n"),
    ] {
        let steps = [("", "+OK\r\n"), ("CAPA\r\n", capa), ("STLS\r\n", stls)];
        let (error, sent) = fails(HOST, default(), &steps).await;
        assert!(matches!(error, Error::StlsRefused(_)), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(sent, b"CAPA\r\nSTLS\r\n");
    }
}

/// What listens on loopback may be a tunnel.
#[tokio::test]
async fn loopback_is_no_exception_where_tls_is_required() {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("pop3://tim@{}", listener.local_addr().unwrap());
    let mut settings = default();
    settings.require_tls = true;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"+OK\r\n").await.unwrap();
        let mut sent = vec![0; 6];
        stream.read_exact(&mut sent).await.unwrap();
        stream.write_all(b"+OK\r\nUSER\r\n.\r\n").await.unwrap();
        stream.read_exact(&mut sent).await.unwrap();
        stream.write_all(b"-ERR unknown\r\n").await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        sent
    };
    let endpoint = url.parse().unwrap();
    let client = Client::connect(&endpoint, &settings);
    let (sent, error) = tokio::join!(server, async { client.await.unwrap_err() });
    assert_eq!(sent, b"STLS\r\n");
    assert!(matches!(error, Error::StlsRefused(_)), "{error}");
}

/// CVE-2021-22947: what comes with the answer to STLS may be anybody's.
#[tokio::test]
async fn octets_injected_after_stls() {
    for answer in ["+OK\r\n+OK injected\r\n", "+OK\r\n-ERR\r\n", "+OK\r\n\x16"] {
        let steps = [
            ("", "+OK\r\n"),
            ("CAPA\r\n", "+OK\r\nSTLS\r\n.\r\n"),
            ("STLS\r\n", answer),
        ];
        let (error, sent) = fails(HOST, default(), &steps).await;
        assert!(matches!(error, Error::Session(_)), "{error}");
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert_eq!(sent, b"CAPA\r\nSTLS\r\n");
    }
}

/// fetchmail CVE-2021-39272: an odd greeting changes nothing.
#[tokio::test]
async fn odd_greetings() {
    for (greeting, kind) in [
        ("+OK already logged in\r\n-ERR\r\n", ErrorKind::Protocol),
        ("-ERR [SYS/TEMP] too busy\r\n", ErrorKind::Temporary),
        ("-ERR go away\r\n", ErrorKind::Unavailable),
        ("* PREAUTH imap\r\n", ErrorKind::Protocol),
        ("HTTP/1.0 400 Bad Request\r\n", ErrorKind::Protocol),
    ] {
        let (error, sent) = fails(HOST, default(), &[("", greeting)]).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(sent.is_empty() || sent == b"CAPA\r\n");
    }
}

#[tokio::test]
async fn no_secret_in_any_output() {
    const SECRET: &str = "tanstaaf";
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "-ERR\r\n"),
        ("USER tim\r\n", "+OK\r\n"),
        ("PASS tanstaaf\r\n", "-ERR wrong password: tanstaaf\r\n"),
    ];
    let credentials = Credentials::password("tim", SECRET);
    let token = Credentials::oauth_token("tim", SECRET);
    let outputs = with(cleartext(), &steps, async |mut client: Client| {
        let error = client
            .login_by(Method::UserPass, &credentials)
            .await
            .unwrap_err();
        let mut outputs = vec![format!("{client:?}"), format!("{error} {error:?}")];
        outputs.push(format!("{credentials:?} {token:?} {:?}", cleartext()));
        outputs
    });
    for output in outputs.await {
        assert!(!output.contains(SECRET), "{output}");
    }
}

#[tokio::test]
async fn what_a_server_says_cannot_write_on_a_terminal() {
    let steps = [("", "-ERR \x1b[31mred\x07\r\n")];
    let (error, _) = fails(HOST, default(), &steps).await;
    assert!(
        error.to_string().is_ascii() && !error.to_string().contains('\x1b'),
        "{error}"
    );
}

/// A stream that is handed over is never taken for loopback, whatever the URL
/// says: who knows where it leads.
#[tokio::test]
async fn the_name_localhost_proves_nothing() {
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nUSER\r\n.\r\n"),
        ("STLS\r\n", "-ERR\r\n"),
    ];
    let (error, _) = fails("pop3://localhost", default(), &steps).await;
    assert!(matches!(error, Error::StlsRefused(_)));
    assert_eq!(endpoint("pop3://localhost").port, 110);
}

#[tokio::test]
async fn apop_only_on_request_and_under_tls() {
    let greeting = "+OK <1.2@example.org>\r\n";
    let credentials = Credentials::password("tim", "tanstaaf");
    // Not chosen although it is offered.
    let steps = [
        ("", greeting),
        ("CAPA\r\n", "-ERR\r\n"),
        ("USER tim\r\n", "-ERR\r\n"),
    ];
    let error = with(cleartext(), &steps, async |mut client: Client| {
        client.login(&credentials).await.unwrap_err()
    });
    assert!(matches!(error.await, Error::Login(_)));
    // Not in the clear, not without a timestamp, not with a forged one.
    for greeting in [greeting, "+OK\r\n", "+OK <<<not a message-id>\r\n"] {
        let steps = [("", greeting), ("CAPA\r\n", "-ERR\r\n")];
        let error = with(cleartext(), &steps, async |mut client: Client| {
            client
                .login_by(Method::Apop, &credentials)
                .await
                .unwrap_err()
        });
        assert!(matches!(error.await, Error::Command(_)));
    }
}
