//! STLS, TLS from the start, and what comes before the handshake.

use std::{sync::Arc, time::Duration};

use pop3_tokio::server::{Listener, Server, tls_config, tls_config_from_files};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, ServerName},
    },
};

use crate::drive::{Client, Running, accounts, settings, store};

fn certified() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

async fn running(handshake_timeout: Duration) -> (Running, TlsConnector) {
    let (config, tls) = both_sides();
    let mut settings = settings();
    settings.handshake_timeout = handshake_timeout;
    let server = Server::new(store(&[b"."]), accounts())
        .settings(settings)
        .tls(config);
    (Running::with(server, true).await, tls)
}

/// A new certificate of a server, and a client that trusts no other.
fn both_sides() -> (Arc<ServerConfig>, TlsConnector) {
    let CertifiedKey { cert, signing_key } = certified();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = tls_config(vec![cert.der().clone()], key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (config, Arc::new(client).into())
}

async fn secure(tls: &TlsConnector, stream: TcpStream) -> Client<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    Client(tls.connect(name, stream).await.unwrap())
}

#[tokio::test]
async fn stls_protects_the_rest() {
    let (server, tls) = running(Duration::from_secs(30)).await;
    let mut client = server.client().await;
    assert!(client.block("CAPA").await.ends_with(b"\r\nSTLS\r\n"));
    assert_eq!(client.ask("STLS").await, "+OK begin TLS");
    let mut client = secure(&tls, client.0).await;
    let offered = String::from_utf8(client.block("CAPA").await).unwrap();
    assert!(!offered.contains("STLS"), "{offered}");
    client.log_in().await;
    assert_eq!(client.block("RETR 1").await, b"..\r\n");
    client.quit().await;
}

#[tokio::test]
async fn serves_on_sockets_that_listen_already() {
    let [plain, implicit] = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let (config, tls) = both_sides();
    let server = Server::new(store(&[b"."]), accounts()).tls(config);
    let listeners = vec![
        Listener::from_std(plain).unwrap(),
        Listener::from_std_tls(implicit).unwrap(),
    ];
    let server = Running::on(Arc::new(server), listeners);
    server.client().await.quit().await;
    let stream = TcpStream::connect(server.tls_address.unwrap()).await;
    let mut client = secure(&tls, stream.unwrap()).await;
    assert_eq!(client.line().await, "+OK POP3 ready");
}

/// RFC 2595 §4: octets injected before the handshake are not commands after it.
#[tokio::test]
async fn discards_commands_pipelined_after_stls() {
    let (server, tls) = running(Duration::from_secs(30)).await;
    let mut client = server.client().await;
    client.ask("USER mrose").await;
    client.send("STLS\r\nUSER mrose\r\nNO").await;
    assert_eq!(client.line().await, "+OK begin TLS");
    let mut client = secure(&tls, client.0).await;
    // The server does not remember USER, and does not take "NO" for the start of
    // "NOOP".
    assert_eq!(
        client.ask("PASS tan staaf").await,
        "-ERR PASS comes right after USER"
    );
    client.log_in().await;
}

#[tokio::test]
async fn tells_a_remote_client_to_send_stls() {
    let CertifiedKey { cert, signing_key } = certified();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = tls_config(vec![cert.der().clone()], key).unwrap();
    let server = Server::new(store(&[]), accounts()).tls(config);
    let (near, far) = tokio::io::duplex(4096);
    let talk = async {
        let mut client = Client(near);
        client.line().await;
        let answer = client.ask("USER mrose").await;
        assert_eq!(
            answer,
            "-ERR no password is taken without TLS: send STLS first"
        );
        client.quit().await;
    };
    tokio::join!(server.attend(far, "192.0.2.1".parse().unwrap()), talk);
}

#[tokio::test]
async fn tls_from_the_start() {
    let (server, tls) = running(Duration::from_secs(30)).await;
    let stream = TcpStream::connect(server.tls_address.unwrap())
        .await
        .unwrap();
    let mut client = secure(&tls, stream).await;
    assert_eq!(client.line().await, "+OK POP3 ready");
    let offered = String::from_utf8(client.block("CAPA").await).unwrap();
    assert!(!offered.contains("STLS"), "{offered}");
    assert_eq!(client.ask("STLS").await, "-ERR TLS is active");
    client.log_in().await;
    client.quit().await;
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_ends_the_connection() {
    let (server, _) = running(Duration::from_millis(20)).await;
    let mut client = server.client().await;
    assert_eq!(client.ask("STLS").await, "+OK begin TLS");
    assert_eq!(client.rest().await, b"");
    let stream = TcpStream::connect(server.tls_address.unwrap())
        .await
        .unwrap();
    assert_eq!(Client(stream).rest().await, b"");
}

#[tokio::test]
async fn without_a_certificate_there_is_no_tls() {
    let server = Running::new(Server::new(store(&[]), accounts())).await;
    let mut client = server.client().await;
    assert_eq!(client.ask("STLS").await, "-ERR STLS is not offered");
}

#[test]
fn certificates_come_from_files() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (
        directory.path().join("cert.pem"),
        directory.path().join("key.pem"),
    );
    let CertifiedKey { cert, signing_key } = certified();
    std::fs::write(&certificate, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    assert!(tls_config_from_files(&certificate, &key).is_ok());
    std::fs::write(&key, certified().signing_key.serialize_pem()).unwrap();
    let none = directory.path().join("none");
    let missing = format!("none for TLS: {}", std::fs::read(&none).unwrap_err());
    for (certificate, key, named) in [
        (&certificate, &key, "key.pem for TLS: the private key"),
        (&key, &key, "key.pem for TLS: it contains no certificate"),
        (&certificate, &certificate, "cert.pem for TLS: "),
        (&none, &key, &missing),
    ] {
        let error = tls_config_from_files(certificate, key)
            .unwrap_err()
            .to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections() {
    let ((config, tls), (new_config, new_tls)) = (both_sides(), both_sides());
    let server = Arc::new(Server::new(store(&[b"."]), accounts()).tls(config));
    let running = Running::of(Arc::clone(&server), true).await;
    let connect = async || {
        let address = running.tls_address.unwrap();
        TcpStream::connect(address).await.unwrap()
    };
    let mut before = secure(&tls, connect().await).await;
    before.line().await;
    let mut plain = running.client().await;
    server.replace_tls(new_config);
    before.log_in().await;
    before.quit().await;
    assert_eq!(plain.ask("STLS").await, "+OK begin TLS");
    secure(&new_tls, plain.0).await.log_in().await;
    secure(&new_tls, connect().await).await.line().await;
    let name = ServerName::try_from("localhost").unwrap();
    let error = tls.connect(name, connect().await).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}
