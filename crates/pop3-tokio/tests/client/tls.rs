//! TLS: which certificates are trusted, and the session inside TLS.

use std::{fs, path::PathBuf, sync::Arc};

use pop3_proto::Profile;
use pop3_tokio::client::{Client, Credentials, Endpoint, Error, ErrorKind, Method, Settings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, CertifiedKey, IsCa, KeyPair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufWriter, duplex},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer,
        server::WebPkiClientVerifier,
    },
    server::TlsStream,
};

use crate::{
    harness::{Steps, endpoint, play},
    methods::base64,
};

/// Creates a server's certificate for a name, and a file with its authority.
fn certificate(name: &str) -> (TlsAcceptor, PathBuf) {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let file = std::env::temp_dir().join(format!("pop3-tokio-{}-{name}.pem", std::process::id()));
    fs::write(&file, authority.pem()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"pop3".to_vec()];
    (TlsAcceptor::from(Arc::new(config)), file)
}

fn settings() -> Settings {
    Settings::new(Profile::RFC1939)
}

/// The server's side: cleartext steps, if any, then TLS, and steps inside it.
/// Returns what was sent before TLS, and whether the handshake succeeded.
async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    cleartext: Steps<'_>,
    under_tls: Steps<'_>,
) -> (Vec<u8>, bool) {
    let mut stream = listener.accept().await.unwrap().0;
    let mut before = Vec::new();
    for (wanted, answer) in cleartext {
        let mut got = vec![0; wanted.len()];
        stream.read_exact(&mut got).await.unwrap();
        assert_eq!(got, wanted.as_bytes());
        before.extend_from_slice(&got);
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    let accepted: Result<TlsStream<TcpStream>, _> = acceptor.accept(stream).await;
    match accepted {
        Ok(stream) => {
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"pop3"[..]));
            play(stream, under_tls).await;
            (before, true)
        }
        Err(_) => (before, false),
    }
}

/// Connects a client of `host` to a server whose certificate is for `name`.
async fn connect<T>(
    url: &str,
    name: &str,
    change: impl FnOnce(&mut Settings, PathBuf),
    [cleartext, under_tls]: [Steps<'_>; 2],
    client: impl AsyncFnOnce(Client) -> T,
) -> (Result<T, Error>, Vec<u8>) {
    let (acceptor, file) = certificate(name);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings();
    settings.addresses = vec![listener.local_addr().unwrap()];
    change(&mut settings, file.clone());
    let connected = async {
        let endpoint: Endpoint = url.parse().unwrap();
        match Client::connect(&endpoint, &settings).await {
            Ok(connected) => Ok(client(connected).await),
            Err(error) => Err(error),
        }
    };
    let (result, (before, _)) =
        tokio::join!(connected, serve(listener, acceptor, cleartext, under_tls));
    let _ = fs::remove_file(file);
    (result, before)
}

fn trust(settings: &mut Settings, file: PathBuf) {
    settings.tls.ca_files.push(file);
}

const STLS: Steps<'_> = &[
    ("", "+OK\r\n"),
    (
        "CAPA\r\n",
        "+OK\r\nSTLS\r\nSASL CRAM-MD5\r\nPIPELINING\r\n.\r\n",
    ),
    ("STLS\r\n", "+OK\r\n"),
];

#[tokio::test]
async fn forgets_all_that_was_learnt_before_stls() {
    let plain = format!("AUTH PLAIN {}\r\n", base64("\0tim\0tanstaaf"));
    let under_tls = [
        ("CAPA\r\n", "+OK\r\nSASL CRAM-MD5 PLAIN\r\n.\r\n"),
        (&plain, "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\n.\r\n"),
        ("STAT\r\n", "+OK 3 4\r\n"),
        ("QUIT\r\n", "+OK\r\n"),
    ];
    let steps = [STLS, &under_tls];
    let (result, before) = connect(
        "pop3://a.example.org",
        "a.example.org",
        trust,
        steps,
        async |mut client: Client| {
            assert!(client.is_under_tls() && !client.announced().is_known());
            // Under TLS, PLAIN comes before CRAM-MD5.
            let credentials = Credentials::password("tim", "tanstaaf");
            assert_eq!(client.login(&credentials).await.unwrap(), Method::Plain);
            assert_eq!(client.stat().await.unwrap().messages, 3);
            client.quit().await.unwrap();
        },
    )
    .await;
    result.unwrap();
    assert_eq!(before, b"CAPA\r\nSTLS\r\n");
}

/// RFC 2595 §4: the client forgets everything learnt before TLS, including a
/// refusal.
#[tokio::test]
async fn repeats_capa_under_tls_even_if_it_was_refused_before() {
    let before = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "-ERR\r\n"),
        ("STLS\r\n", "+OK\r\n"),
    ];
    let plain = format!("AUTH PLAIN {}\r\n", base64("\0tim\0tanstaaf"));
    let under_tls = [
        ("CAPA\r\n", "+OK\r\nSASL PLAIN\r\n.\r\n"),
        (&plain, "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\n.\r\n"),
    ];
    let (result, _) = connect(
        "pop3://e.example.org",
        "e.example.org",
        |settings: &mut Settings, file| {
            trust(settings, file);
            settings.require_tls = true;
        },
        [&before, &under_tls],
        async |mut client: Client| {
            let credentials = Credentials::password("tim", "tanstaaf");
            client.login(&credentials).await.unwrap()
        },
    )
    .await;
    assert_eq!(result.unwrap(), Method::Plain);
}

/// A stream may buffer what is written until it is flushed.
#[tokio::test]
async fn flushes_what_it_sends_with_and_without_tls() {
    let steps = [("", "+OK\r\n"), ("CAPA\r\n", "-ERR\r\n")];
    let (near, far) = duplex(1 << 16);
    let mut cleartext = settings();
    cleartext.insecure_plaintext = true;
    let url = endpoint("pop3://g.example.org");
    let client = Client::on(BufWriter::new(near), &url, &cleartext);
    let (client, _) = tokio::join!(async { client.await.map(drop) }, play(far, &steps));
    client.unwrap();

    let (acceptor, file) = certificate("g.example.org");
    let (near, far) = duplex(1 << 16);
    let mut under_tls = settings();
    under_tls.tls.ca_files.push(file.clone());
    let url = endpoint("pop3s://g.example.org");
    let client = async {
        let client = Client::on(BufWriter::new(near), &url, &under_tls).await?;
        client.quit().await
    };
    let server = async {
        let mut stream = acceptor.accept(far).await.unwrap();
        stream.write_all(b"+OK\r\n").await.unwrap();
        stream.read_exact(&mut [0; 6]).await.unwrap();
        stream.write_all(b"+OK\r\n").await.unwrap();
        stream.read_to_end(&mut Vec::new()).await
    };
    let (client, ended) = tokio::join!(client, server);
    fs::remove_file(file).unwrap();
    client.unwrap();
    assert_eq!(ended.unwrap(), 0);
}

/// Many servers close without close_notify. The session knows whether a reply is
/// missing.
#[tokio::test]
async fn takes_an_end_of_tls_without_close_notify_as_an_end() {
    let (acceptor, file) = certificate("i.example.org");
    let (near, far) = duplex(1 << 16);
    let mut settings = settings();
    settings.tls.ca_files.push(file.clone());
    let url = endpoint("pop3s://i.example.org");
    let client = async {
        let mut client = Client::on(near, &url, &settings).await?;
        client.capabilities(|_| {}).await
    };
    let server = async {
        let mut stream = acceptor.accept(far).await.unwrap();
        stream.write_all(b"+OK\r\n").await.unwrap();
        stream.flush().await.unwrap();
        stream.read_exact(&mut [0; 6]).await.unwrap();
    };
    let (client, ()) = tokio::join!(client, server);
    fs::remove_file(file).unwrap();
    let error = client.unwrap_err();
    assert!(matches!(error, Error::Session(_)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Temporary);
}

/// RFC 8446 §6.2: the alert tells the server's log why the client closed the
/// connection.
#[tokio::test]
async fn tells_the_server_why_it_is_not_trusted() {
    let (acceptor, file) = certificate("j.example.org");
    fs::remove_file(file).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings();
    settings.addresses = vec![listener.local_addr().unwrap()];
    let url = endpoint("pop3s://j.example.org");
    let client = async { Client::connect(&url, &settings).await.map(drop) };
    let server = async {
        let stream = listener.accept().await.unwrap().0;
        acceptor.accept(stream).await.map(drop)
    };
    let (client, accepted) = tokio::join!(client, server);
    assert!(matches!(client.unwrap_err(), Error::Certificate { .. }));
    let error = accepted.unwrap_err();
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    assert!(
        matches!(inner, Some(rustls::Error::AlertReceived(_))),
        "{error:?}"
    );
}

/// RFC 8446 §6.1: without close_notify, the server cannot tell the end from a
/// connection that was cut.
#[tokio::test]
async fn sends_close_notify() {
    for by_quit in [true, false] {
        let (acceptor, file) = certificate("f.example.org");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut settings = settings();
        settings.addresses = vec![listener.local_addr().unwrap()];
        settings.tls.ca_files = vec![file.clone()];
        let server = async {
            let stream = listener.accept().await.unwrap().0;
            let mut stream = acceptor.accept(stream).await.unwrap();
            stream.write_all(b"+OK\r\n").await.unwrap();
            if by_quit {
                stream.read_exact(&mut [0; 6]).await.unwrap();
                stream.write_all(b"+OK\r\n").await.unwrap();
            }
            // The end of a stream without close_notify is an error.
            stream.read_to_end(&mut Vec::new()).await
        };
        let client = async {
            let endpoint: Endpoint = "pop3s://f.example.org".parse().unwrap();
            let client = Client::connect(&endpoint, &settings).await.unwrap();
            match by_quit {
                true => client.quit().await.unwrap(),
                false => client.close().await,
            }
        };
        let (ended, ()) = tokio::join!(server, client);
        fs::remove_file(file).unwrap();
        assert_eq!(ended.unwrap(), 0);
    }
}

#[tokio::test]
async fn implicit_tls() {
    let digest = {
        use md5::Digest;
        let digest = md5::Md5::digest(b"<1.2@b.example.org>tanstaaf");
        digest
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect::<String>()
    };
    let apop = format!("APOP tim {digest}\r\n");
    let under_tls = [
        ("", "+OK <1.2@b.example.org>\r\n"),
        ("CAPA\r\n", "-ERR\r\n"),
        (&apop, "+OK\r\n"),
    ];
    let (result, _) = connect(
        "pop3s://b.example.org",
        "b.example.org",
        trust,
        [&[], &under_tls],
        async |mut client: Client| {
            assert!(client.is_under_tls());
            let credentials = Credentials::password("tim", "tanstaaf");
            client.login_by(Method::Apop, &credentials).await.unwrap();
        },
    )
    .await;
    result.unwrap();
}

/// The file has the chain and the key, as of `cat cert.pem key.pem`.
#[tokio::test]
async fn presents_its_certificate_to_a_server_that_asks_for_one() {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([String::from("me")]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let own = tempfile::NamedTempFile::new().unwrap();
    fs::write(own.path(), leaf.pem() + &key.serialize_pem()).unwrap();

    let mut clients = rustls::RootCertStore::empty();
    clients.add(authority.der().clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(clients), provider.clone());
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([String::from("k.example.org")]).unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(
            vec![cert.der().clone()],
            PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"pop3".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let trusted = tempfile::NamedTempFile::new().unwrap();
    fs::write(trusted.path(), cert.pem()).unwrap();
    let url = endpoint("pop3s://k.example.org");
    for is_presented in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut settings = settings();
        settings.addresses = vec![listener.local_addr().unwrap()];
        settings.tls.ca_files.push(trusted.path().to_owned());
        settings.tls.client_certificate = is_presented.then(|| own.path().to_owned());
        let under_tls = [("", "+OK\r\n")];
        let (connected, (_, accepted)) = tokio::join!(
            async { Client::connect(&url, &settings).await.is_ok() },
            serve(listener, acceptor.clone(), &[], &under_tls)
        );
        assert_eq!((connected, accepted), (is_presented, is_presented));
    }
    // The key is missing.
    let mut settings = settings();
    fs::write(own.path(), leaf.pem()).unwrap();
    settings.tls.client_certificate = Some(own.path().to_owned());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    settings.addresses = vec![listener.local_addr().unwrap()];
    let error = Client::connect(&url, &settings).await.unwrap_err();
    assert!(matches!(&error, Error::PemFile(_)), "{error}");
    assert!(
        error.to_string().contains(own.path().to_str().unwrap()),
        "{error}"
    );
}

/// The client uses and checks an announced STLS on loopback too.
#[tokio::test]
async fn refuses_an_untrusted_certificate() {
    for (url, cleartext) in [
        ("pop3s://c.example.org", &[][..]),
        ("pop3://c.example.org", STLS),
    ] {
        let no_change = |_: &mut Settings, _| {};
        let (result, _) = connect(
            url,
            "c.example.org",
            no_change,
            [cleartext, &[]],
            async |_| {},
        )
        .await;
        let error = result.unwrap_err();
        assert!(
            matches!(&error, Error::Certificate { host, .. } if host == "c.example.org"),
            "{error:?}"
        );
        assert_eq!(error.kind(), ErrorKind::Unavailable);

        // The authority is trusted, but the name is another one.
        let (result, _) =
            connect(url, "d.example.org", trust, [cleartext, &[]], async |_| {}).await;
        let error = result.unwrap_err();
        assert!(matches!(&error, Error::Certificate { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn checks_a_certificate_for_an_address() {
    let steps: [Steps<'_>; 2] = [&[], &[("", "+OK\r\n")]];
    let (result, _) = connect("pop3s://127.0.0.1", "127.0.0.1", trust, steps, async |_| {}).await;
    result.unwrap();
    let (result, _) = connect("pop3s://127.0.0.2", "127.0.0.1", trust, steps, async |_| {}).await;
    assert!(matches!(result.unwrap_err(), Error::Certificate { .. }));
}

#[tokio::test]
async fn accepts_any_certificate_on_request() {
    let dangerous = |settings: &mut Settings, _| settings.tls.dangerous_accept_invalid_certs = true;
    let steps: [Steps<'_>; 2] = [&[], &[("", "+OK\r\n")]];
    let (result, _) = connect(
        "pop3s://e.example.org",
        "f.example.org",
        dangerous,
        steps,
        async |client: Client| {
            assert!(client.is_under_tls());
        },
    )
    .await;
    result.unwrap();
}

/// Allowing plaintext does not mean that the client prefers it.
#[tokio::test]
async fn insecure_plaintext_uses_stls_if_it_works() {
    let change = |settings: &mut Settings, file| {
        settings.insecure_plaintext = true;
        trust(settings, file);
    };
    let (result, _) = connect(
        "pop3://j.example.org",
        "j.example.org",
        change,
        [STLS, &[]],
        async |client: Client| assert!(client.is_under_tls()),
    )
    .await;
    result.unwrap();
}

#[tokio::test]
async fn insecure_plaintext_accepts_no_invalid_certificate() {
    let change = |settings: &mut Settings, _| settings.insecure_plaintext = true;
    let (result, before) = connect(
        "pop3://k.example.org",
        "k.example.org",
        change,
        [STLS, &[]],
        async |_| {},
    )
    .await;
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error}");
    assert_eq!(before, b"CAPA\r\nSTLS\r\n");
}

#[tokio::test]
async fn insecure_plaintext_goes_on_if_stls_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings();
    settings.insecure_plaintext = true;
    settings.addresses = vec![listener.local_addr().unwrap()];
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nSTLS\r\nUSER\r\n.\r\n"),
        ("STLS\r\n", "-ERR not today\r\n"),
        ("USER tim\r\n", "+OK\r\n"),
        ("PASS x\r\n", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\n.\r\n"),
    ];
    let server = async { play(listener.accept().await.unwrap().0, &steps).await };
    let client = async {
        let endpoint: Endpoint = "pop3://g.example.org".parse().unwrap();
        let mut client = Client::connect(&endpoint, &settings).await.unwrap();
        client
            .login(&Credentials::password("tim", "x"))
            .await
            .unwrap();
        assert!(!client.is_under_tls());
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn refuses_an_invalid_certificate_file() {
    for (content, word) in [
        (Some(""), "no certificate"),
        (Some("junk"), "no certificate"),
        (None, ""),
    ] {
        let file = std::env::temp_dir().join(format!("pop3-tokio-{}-none.pem", std::process::id()));
        match content {
            Some(content) => fs::write(&file, content).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let change = |settings: &mut Settings, _| trust(settings, file.clone());
        let (result, _) = connect(
            "pop3s://h.example.org",
            "h.example.org",
            change,
            [&[], &[]],
            async |_| {},
        )
        .await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(
            error.to_string().contains(word) && error.to_string().contains("none.pem"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_end_before_any_octet_of_tls_is_not_a_cleartext_reply() {
    let (near, far) = duplex(4096);
    let client = async {
        let url = endpoint("pop3s://k.example.org");
        Client::on(near, &url, &settings()).await.map(drop)
    };
    let server = async {
        let mut far = far;
        let _ = far.read(&mut [0; 4096]).await;
    };
    let (client, ()) = tokio::join!(client, server);
    let error = client.unwrap_err();
    assert!(matches!(error, Error::Tls { came: None, .. }), "{error:?}");
}

/// A server that does not speak TLS.
#[tokio::test]
async fn reports_a_server_that_does_not_speak_tls() {
    let (near, mut far) = duplex(4096);
    far.write_all(b"+OK this is not TLS\r\n").await.unwrap();
    let endpoint: Endpoint = "pop3s://i.example.org".parse().unwrap();
    let error = Client::on(near, &endpoint, &settings()).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }));
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn uses_the_cryptography_provider_of_the_settings() {
    let without_suites = |settings: &mut Settings, file| {
        trust(settings, file);
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites.clear();
        settings.tls.provider = Some(Arc::new(provider));
    };
    let url = "pop3s://localhost";
    let (result, _) = connect(url, "localhost", without_suites, [&[], &[]], async |_| ()).await;
    assert!(matches!(result, Err(Error::Tls { .. })), "{result:?}");
}
