//! The client shows no secret in cleartext or in any output.

use std::{
    cell::Cell,
    net::{Ipv4Addr, SocketAddr},
};

use pop3_proto::Profile;
use pop3_tokio::client::{
    Client, Credentials, Error, ErrorKind, LoginError, Method, SaslError, Settings,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, duplex},
    net::TcpListener,
    task::yield_now,
};

use crate::{
    harness::{cleartext, endpoint, fails, play, with},
    methods::{End, base64, scram},
};

const HOST: &str = "pop3://tim@mail.example.org";

fn default() -> Settings {
    Settings::new(Profile::RFC1939)
}

/// CVE-2021-22946, CVE-2021-39272: however the server changes CAPA and STLS, the
/// client sends only these two commands.
#[tokio::test]
async fn sends_no_secret_if_stls_is_stripped() {
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

/// A tunnel to another host may listen on loopback.
#[tokio::test]
async fn requires_tls_on_loopback_too() {
    use tokio::io::AsyncReadExt as _;
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

/// Refusing an announced STLS counts as stripping it, on loopback as well.
#[tokio::test]
async fn a_refused_stls_ends_the_connection_on_loopback() {
    use tokio::io::AsyncReadExt as _;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("pop3://tim@{}", listener.local_addr().unwrap());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"+OK\r\n").await.unwrap();
        let mut sent = vec![0; 6];
        stream.read_exact(&mut sent).await.unwrap();
        stream
            .write_all(b"+OK\r\nSTLS\r\nUSER\r\n.\r\n")
            .await
            .unwrap();
        stream.read_exact(&mut sent).await.unwrap();
        stream.write_all(b"-ERR not now\r\n").await.unwrap();
        let mut more = Vec::new();
        stream.read_to_end(&mut more).await.unwrap();
        (sent, more)
    };
    let endpoint = url.parse().unwrap();
    let client = async {
        let connected = Client::connect(&endpoint, &default()).await;
        connected.map(drop).unwrap_err()
    };
    let ((sent, more), error) = tokio::join!(server, client);
    assert_eq!((&sent[..], &more[..]), (&b"STLS\r\n"[..], &b""[..]));
    assert!(matches!(error, Error::StlsRefused(_)), "{error}");
}

/// The address of the connection counts, not the name.
#[tokio::test]
async fn a_host_named_localhost_elsewhere_is_not_loopback() {
    use tokio::io::AsyncReadExt as _;
    // Sends no packet; finds an address of this machine that is not loopback.
    // Without one, the test cannot tell anything.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let Ok(outward) = socket
        .connect("192.0.2.1:9")
        .and_then(|()| socket.local_addr())
    else {
        return;
    };
    let listener = TcpListener::bind((outward.ip(), 0)).await.unwrap();
    let mut settings = default();
    settings.addresses = vec![listener.local_addr().unwrap()];
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let answers = [
            ("CAPA\r\n", "+OK\r\nUSER\r\n.\r\n"),
            ("STLS\r\n", "-ERR\r\n"),
        ];
        stream.write_all(b"+OK\r\n").await.unwrap();
        for (command, answer) in answers {
            let mut sent = vec![0; command.len()];
            // If the client does not ask for STLS, the script ends too early.
            if stream.read_exact(&mut sent).await.is_err() {
                return;
            }
            assert_eq!(sent, command.as_bytes());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    };
    let endpoint = "pop3://tim@localhost".parse().unwrap();
    let client = async {
        let connected = Client::connect(&endpoint, &settings).await;
        connected.map(drop).unwrap_err()
    };
    let ((), error) = tokio::join!(server, client);
    assert!(matches!(error, Error::StlsRefused(_)), "{error}");
}

/// CVE-2021-22947: octets that arrive with the reply to STLS may come from anyone.
#[tokio::test]
async fn refuses_octets_injected_after_stls() {
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

/// fetchmail CVE-2021-39272: the client sends no login after an odd greeting.
#[tokio::test]
async fn refuses_odd_greetings() {
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
async fn escapes_control_characters_from_a_server() {
    let steps = [("", "-ERR \x1b[31mred\x07\r\n")];
    let (error, _) = fails(HOST, default(), &steps).await;
    assert!(
        error.to_string().is_ascii() && !error.to_string().contains('\x1b'),
        "{error}"
    );
}

/// The client never treats a stream from the caller as loopback, whatever the URL
/// says: the stream may lead anywhere.
#[tokio::test]
async fn does_not_trust_the_name_localhost() {
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
async fn uses_apop_only_on_request_and_under_tls() {
    let greeting = "+OK <1.2@example.org>\r\n";
    let credentials = Credentials::password("tim", "tanstaaf");
    // The client does not choose APOP by itself, even if the server offers it.
    let steps = [
        ("", greeting),
        ("CAPA\r\n", "-ERR\r\n"),
        ("USER tim\r\n", "-ERR\r\n"),
    ];
    let error = with(cleartext(), &steps, async |mut client: Client| {
        client.login(&credentials).await.unwrap_err()
    });
    assert!(matches!(error.await, Error::Login(_)));
    // The client uses no APOP in cleartext, without a timestamp, or with a forged
    // one.
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

const TOKENS: &str = "+OK\r\nSASL XOAUTH2 OAUTHBEARER\r\n.\r\n";

/// RFC 7628 §3.
#[tokio::test]
async fn sends_no_token_without_tls() {
    let token = Credentials::oauth_token("tim", "vF9dft4qmT");
    let steps = [("", "+OK\r\n"), ("CAPA\r\n", TOKENS)];
    let refused = async |mut client: Client| {
        for method in [Method::XOAuth2, Method::OAuthBearer] {
            let error = client.login_by(method, &token).await.unwrap_err();
            assert!(
                matches!(error, Error::Login(LoginError::TokenNeedsTls)),
                "{error}"
            );
        }
        let error = client.login(&token).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
        let said = error.to_string();
        assert!(said.contains("--dangerous-token-in-cleartext"), "{said}");
    };
    // The client refuses although plaintext is allowed. Permission to send a token
    // on loopback is valid only there.
    for dangerous in [false, true] {
        let mut settings = cleartext();
        settings.dangerous_token_in_cleartext = dangerous;
        with(settings, &steps, refused).await;
    }
    // The client refuses on loopback too, without that permission.
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
    let listener = listener.unwrap();
    let url = endpoint(&format!("pop3://{}", listener.local_addr().unwrap()));
    let settings = default();
    let client = async { refused(Client::connect(&url, &settings).await.unwrap()).await };
    let server = async { play(listener.accept().await.unwrap().0, &steps).await };
    let ((), sent) = tokio::join!(client, server);
    assert_eq!(sent, b"CAPA\r\n");
}

/// RFC 4616 §2, RFC 2195 §2, RFC 5802 §5.1: the client sends only CAPA.
#[tokio::test]
async fn does_not_send_what_a_mechanism_cannot_carry() {
    const SASL: &str = "+OK\r\nSASL PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256\r\n.\r\n";
    const PLAIN: &[Method] = &[Method::Plain, Method::Login];
    const SCRAM: &[Method] = &[Method::ScramSha1, Method::ScramSha256];
    for (methods, user, secret) in [
        (PLAIN, "", "x"),
        (PLAIN, "tim", ""),
        (PLAIN, "ti\0m", "x"),
        (PLAIN, "tim", "x\0y"),
        (&[Method::CramMd5], "", "x"),
        (&[Method::CramMd5], "ti\rm", "x"),
        (&[Method::CramMd5], "ti\nm", "x"),
        (&[Method::CramMd5], "ti\0m", "x"),
        (SCRAM, "", "x"),
        (SCRAM, "\u{ad}", "x"),
        (SCRAM, "tim", "\u{ad}"),
        (SCRAM, "ti\u{fffd}m", "x"),
    ] {
        for &method in methods {
            let steps = [("", "+OK\r\n"), ("CAPA\r\n", SASL)];
            let error = with(cleartext(), &steps, async |mut client: Client| {
                let credentials = Credentials::password(user, secret);
                client.login_by(method, &credentials).await.unwrap_err()
            });
            let expected = LoginError::Exchange {
                method,
                error: SaslError::Credentials,
            };
            let error = error.await;
            assert!(
                matches!(&error, Error::Login(login) if *login == expected),
                "{method} {user:?}: {error}"
            );
            assert_eq!(error.kind(), ErrorKind::Usage);
        }
    }
}

/// Whatever a server without knowledge of the password says, the error is the same,
/// and the client sends nothing more.
#[tokio::test]
async fn a_forged_signature_ends_the_connection() {
    for more in [
        "",
        "\r\n+OK",
        "\r\n-ERR [SYS/TEMP] try PLAIN",
        "\r\n+ AAAA",
        "\r\n\x16 no POP3",
        "\r\n+OK\r\n+OK\r\n+OK",
    ] {
        let (near, far) = duplex(4096);
        let client = async {
            let url = endpoint("pop3://mail.example.org");
            let mut client = Client::on(near, &url, &cleartext()).await.unwrap();
            let credentials = Credentials::password("user", "pencil");
            let error = client.login(&credentials).await.unwrap_err();
            assert_eq!(
                error.to_string(),
                "login with SCRAM-SHA-256: the server does not know the password: it may not be \
                 the server that you expect"
            );
            for method in [Method::Plain, Method::UserPass, Method::ScramSha256] {
                let later = client.login_by(method, &credentials).await;
                assert!(matches!(later, Err(Error::Interrupted)), "{later:?}");
            }
            let later = client.login(&credentials).await;
            assert!(matches!(later, Err(Error::Interrupted)), "{later:?}");
            client
        };
        let (_client, proven) = tokio::join!(client, scram(far, "pencil", End::Forged(more)));
        assert_eq!(proven, Some(true));
    }
}

/// On the only thread, other tasks run while the client computes a million
/// iterations.
#[tokio::test(flavor = "current_thread")]
async fn iterations_do_not_block_other_tasks() {
    let (near, far) = duplex(4096);
    let (ticks, done) = (Cell::new(0_u64), Cell::new(false));
    let ticker = async {
        while !done.get() {
            ticks.set(ticks.get() + 1);
            yield_now().await;
        }
    };
    let client = async {
        let url = endpoint("pop3://mail.example.org");
        let mut client = Client::on(near, &url, &cleartext()).await.unwrap();
        let credentials = Credentials::password("user", "pencil");
        let error = client.login(&credentials).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
    };
    let server = async {
        let mut server = BufReader::new(far);
        server.write_all(b"+OK\r\n").await.unwrap();
        let mut lines = Vec::new();
        let mut before = 0;
        for answer in ["+OK\r\nSASL SCRAM-SHA-256\r\n.\r\n", "", "-ERR no\r\n"] {
            let mut line = String::new();
            server.read_line(&mut line).await.unwrap();
            let ticks = ticks.get();
            let answer = match answer {
                "" => {
                    let first = line.trim_end().rsplit(' ').next().unwrap();
                    let first = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, first);
                    let first = String::from_utf8(first.unwrap()).unwrap();
                    let nonce = first.split_once(",r=").unwrap().1;
                    before = ticks;
                    let first = format!("r={nonce}x,s=c2FsdA==,i=1000000");
                    format!("+ {}\r\n", base64(first))
                }
                answer => answer.to_owned(),
            };
            lines.push(ticks);
            server.write_all(answer.as_bytes()).await.unwrap();
        }
        let computing = lines[2] - before;
        assert!(computing > 100, "{computing} ticks");
        done.set(true);
    };
    tokio::join!(ticker, client, server);
}

/// A login, with its computations on other threads, can run as a task of its own.
#[test]
fn a_login_can_be_spawned() {
    fn is_send(_: &impl Send) {}
    let _ = |mut client: Client, credentials: Credentials| {
        is_send(&async move { client.login(&credentials).await.map(drop) });
    };
}

/// Covers text from the server at any time after the login: as evidence in an
/// error, and as text that a caller wants to show.
#[tokio::test(start_paused = true)]
async fn no_evidence_repeats_what_was_sent() {
    let written = "dGFuc3RhYWY=";
    for answer in [
        format!("{written}\r\n"),
        format!("+OK {written}\r\n"),
        format!("+OK 1 1\r\n{written}\r\n"),
        format!("-ERR {written}\r\n"),
        format!("-ERR {written}\n"),
    ] {
        let steps = [
            ("", "+OK\r\n"),
            ("CAPA\r\n", "-ERR\r\n"),
            ("USER tim\r\n", "+OK\r\n"),
            ("PASS tanstaaf\r\n", "+OK\r\n"),
            ("STAT\r\n", &answer),
        ];
        with(cleartext(), &steps, async |mut client: Client| {
            let credentials = Credentials::password("tim", "tanstaaf");
            client.login(&credentials).await.unwrap();
            let error = match client.stat().await {
                Err(error) => error,
                Ok(_) => client.stat().await.unwrap_err(),
            };
            let said = format!("{error} {error:?} {:?}", client.redactor());
            assert!(said.contains("not shown"), "{said}");
            assert!(!said.contains("dGFuc3"), "{said}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_redactor_shows_text_that_repeats_nothing() {
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "-ERR\r\n"),
        ("USER tim\r\n", "+OK\r\n"),
        ("PASS tanstaaf\r\n", "+OK\r\n"),
    ];
    with(cleartext(), &steps, async |mut client: Client| {
        let before = client.redactor();
        assert_eq!(before.shown(b"tanstaaf"), "tanstaaf");
        let credentials = Credentials::password("tim", "tanstaaf");
        client.login(&credentials).await.unwrap();
        let redactor = client.redactor();
        assert_eq!(redactor.shown(b"no\tmail"), r"no\tmail");
        let remark = "(not shown: it repeats what was sent to log in)";
        assert_eq!(redactor.shown(b"is dGFuc3RhYWY= right?"), remark);
    })
    .await;
}
