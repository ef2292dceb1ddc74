//! Certificates that the user names or pins: certificates made by `openssl req
//! -x509`, over TLS.

use std::{path::Path, process::Command};

use pop3_proto::Profile;
use pop3_tokio::{
    client::{Client, Endpoint, Error, ErrorKind, Fingerprint, Settings},
    server::tls_config_from_files,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::harness::play;

/// A server's certificate and key in files.
struct Made(TempDir);

impl Made {
    /// Made by `openssl req -x509`, which marks the certificate as an authority
    /// (CA:TRUE).
    fn by_openssl(arguments: &[&str]) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let output = Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            ])
            .args(arguments)
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(directory.path())
            .output()
            .ok()?;
        assert!(output.status.success(), "{output:?}");
        Some(Self(directory))
    }

    /// Made by rcgen, and also marked as an authority.
    fn by_rcgen(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut parameters);
        let key = KeyPair::generate().unwrap();
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("key.pem"), key.serialize_pem()).unwrap();
        let issuer = CertifiedIssuer::self_signed(parameters, key).unwrap();
        std::fs::write(directory.path().join("cert.pem"), issuer.pem()).unwrap();
        Self(directory)
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn fingerprint(&self) -> Fingerprint {
        let certificates = pop3_tokio::tls::certificates(&self.file("cert.pem")).unwrap();
        Fingerprint::of(&certificates[0])
    }

    fn named(&self) -> Settings {
        let mut settings = settings();
        settings.tls.ca_files.push(self.file("cert.pem"));
        settings
    }
}

fn settings() -> Settings {
    Settings::new(Profile::RFC1939)
}

fn pinned(fingerprint: Fingerprint) -> Settings {
    let mut settings = settings();
    settings.tls.fingerprint = Some(fingerprint);
    settings
}

/// Connects to `host`, at a server that has this certificate.
async fn connect(host: &str, made: &Made, mut settings: Settings) -> Result<(), Error> {
    let config = tls_config_from_files(&made.file("cert.pem"), &made.file("key.pem")).unwrap();
    let acceptor = TlsAcceptor::from(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    settings.addresses = vec![listener.local_addr().unwrap()];
    let endpoint: Endpoint = format!("pop3s://{host}").parse().unwrap();
    let server = async {
        let stream = listener.accept().await.unwrap().0;
        if let Ok(stream) = acceptor.accept(stream).await {
            play(stream, &[("", "+OK\r\n"), ("QUIT\r\n", "+OK\r\n")]).await;
        }
    };
    let client = async { Client::connect(&endpoint, &settings).await?.quit().await };
    tokio::join!(client, server).0
}

fn reason(result: Result<(), Error>) -> String {
    match result.unwrap_err() {
        Error::Certificate { reason, .. } => reason.to_string(),
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn trusts_the_certificate_of_openssl_req_that_the_user_names() {
    let names = "subjectAltName=DNS:mail.example.org,IP:192.0.2.1";
    let made = Made::by_openssl(&["-subj", "/CN=other.example.org", "-addext", names])
        .unwrap_or_else(|| Made::by_rcgen(&["mail.example.org", "192.0.2.1"], |_| {}));
    for host in ["mail.example.org", "MAIL.example.org", "192.0.2.1"] {
        connect(host, &made, made.named()).await.unwrap();
    }
    // The common name counts only without alternative names (RFC 6125 §6.4.4).
    for host in ["other.example.org", "192.0.2.2"] {
        let reason = reason(connect(host, &made, made.named()).await);
        assert!(
            reason.contains("it is for mail.example.org, 192.0.2.1"),
            "{reason}"
        );
    }
    // A certificate that the user does not name is not trusted.
    reason(connect("mail.example.org", &made, settings()).await);
}

#[tokio::test]
async fn trusts_a_named_certificate_for_its_common_name_if_it_has_no_other() {
    let common_name = |parameters: &mut CertificateParams| {
        let name = &mut parameters.distinguished_name;
        name.push(DnType::OrganizationName, "10.0.0.1");
        name.push(DnType::CommonName, "mail.example.org");
    };
    let subject = ["-subj", "/O=10.0.0.1/CN=mail.example.org"];
    let made = Made::by_openssl(&subject).unwrap_or_else(|| Made::by_rcgen(&[], common_name));
    connect("mail.example.org", &made, made.named())
        .await
        .unwrap();
    for host in ["example.org", "10.0.0.1"] {
        reason(connect(host, &made, made.named()).await);
    }
}

/// Another certificate with the same name and key is not the named one.
#[tokio::test]
async fn a_named_certificate_does_not_make_others_trusted() {
    let made = Made::by_rcgen(&["mail.example.org"], |_| {});
    let other = Made::by_rcgen(&["mail.example.org"], |_| {});
    reason(connect("mail.example.org", &other, made.named()).await);
}

#[tokio::test]
async fn refuses_a_named_certificate_outside_its_dates() {
    let expired = Made::by_rcgen(&["mail.example.org"], |parameters| {
        parameters.not_before = date_time_ymd(1990, 1, 1);
        parameters.not_after = date_time_ymd(2020, 2, 29);
    });
    let result = connect("mail.example.org", &expired, expired.named()).await;
    assert_eq!(reason(result), "it expired on 2020-02-29");

    let future = Made::by_rcgen(&["mail.example.org"], |parameters| {
        parameters.not_before = date_time_ymd(2090, 3, 1);
    });
    let result = connect("mail.example.org", &future, future.named()).await;
    assert_eq!(reason(result), "it is not valid before 2090-03-01");

    for made in [expired, future] {
        let settings = pinned(made.fingerprint());
        connect("mail.example.org", &made, settings).await.unwrap();
    }
}

#[tokio::test]
async fn a_pinned_certificate_needs_neither_authority_nor_name() {
    let made = Made::by_openssl(&["-subj", "/CN=x"]).unwrap_or_else(|| Made::by_rcgen(&[], |_| {}));
    connect("mail.example.org", &made, pinned(made.fingerprint()))
        .await
        .unwrap();
}

#[tokio::test]
async fn refuses_every_certificate_but_the_pinned_one() {
    let made = Made::by_rcgen(&["mail.example.org"], |_| {});
    let mut settings = made.named();
    settings.tls.fingerprint = Some(Fingerprint::of(b"another"));
    settings.tls.dangerous_accept_invalid_certs = true;
    let error = connect("mail.example.org", &made, settings)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let pin = format!("--fingerprint {}", made.fingerprint());
    assert!(error.to_string().contains(&pin), "{error}");
}

/// This holds on loopback too, and whatever else the settings allow.
#[tokio::test]
async fn a_fingerprint_requires_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = pinned(Fingerprint::of(b"any"));
    settings.addresses = vec![listener.local_addr().unwrap()];
    settings.insecure_plaintext = true;
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nUSER\r\n.\r\n"),
        ("STLS\r\n", "-ERR\r\n"),
    ];
    let server = async { play(listener.accept().await.unwrap().0, &steps).await };
    let endpoint: Endpoint = "pop3://mail.example.org".parse().unwrap();
    // The server's side ends when there is no client.
    let client = async { Client::connect(&endpoint, &settings).await.map(drop) };
    let (result, _) = tokio::join!(client, server);
    assert!(matches!(result.unwrap_err(), Error::StlsRefused(_)));
}

/// The fingerprint is the one that openssl prints.
#[test]
fn reads_the_fingerprint_that_openssl_prints() {
    let made = Made::by_rcgen(&["mail.example.org"], |_| {});
    let Some(printed) = openssl_fingerprint(&made.file("cert.pem")) else {
        return;
    };
    assert_eq!(
        printed,
        format!("sha256 Fingerprint={}\n", made.fingerprint())
    );
}

fn openssl_fingerprint(certificate: &Path) -> Option<String> {
    let output = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(certificate)
        .output()
        .ok()?;
    Some(String::from_utf8(output.stdout).unwrap())
}
