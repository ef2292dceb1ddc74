//! The errors of `pop3 list` when a server fails: the command, what the server
//! sent, and what to try.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::ChildStderr,
    thread,
};

use pop3_peers::{Listening, make_maildir};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

use crate::{Run, pop3};

/// What a scripted server does after its last answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Close,
    /// Close with unread octets, so that the client gets a reset.
    Reset,
    Wait,
}

/// A server that sends a greeting, answers commands by their first word as
/// scripted, and does `then` after the last answer. Returns its address.
fn serve(
    greeting: &'static str,
    answers: &'static [(&'static str, &'static str)],
    then: Then,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || converse(&stream, greeting, answers, then));
        }
    });
    address
}

fn converse(
    mut stream: &TcpStream,
    greeting: &str,
    answers: &[(&str, &str)],
    then: Then,
) -> Option<()> {
    stream.write_all(greeting.as_bytes()).ok()?;
    let mut answers = answers.iter().peekable();
    let mut lines = BufReader::new(stream);
    while answers.peek().is_some() {
        let mut line = String::new();
        // A TLS handshake is not text.
        lines.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let word = line.trim_end().split(' ').next()?;
        let answer = match answers.next_if(|(wanted, _)| *wanted == word) {
            Some((_, answer)) => answer,
            None if word == "CAPA" => "-ERR\r\n",
            None => "+OK 1 9\r\n",
        };
        stream.write_all(answer.as_bytes()).ok()?;
    }
    match then {
        Then::Close => stream.shutdown(std::net::Shutdown::Write).ok()?,
        Then::Reset => {
            // One octet of the next command arrives and stays unread.
            stream.peek(&mut [0]).ok()?;
            return None;
        }
        Then::Wait => {}
    }
    let _ = stream.read_to_end(&mut Vec::new());
    None
}

fn list(url: &str, options: &[&str]) -> Run {
    let output = pop3(["list", url])
        .args(options)
        .env("POP3_PASSWORD", "tanstaaf")
        .output()
        .unwrap();
    Run::from(output)
}

/// The error about a server, without the command and the account.
#[track_caller]
fn said(scheme: &str, address: &str, options: &[&str], status: i32) -> String {
    let run = list(&format!("{scheme}://me@{address}"), options);
    assert_eq!(run.status, Some(status), "{}", run.stderr);
    assert_eq!(run.stdout, b"");
    let account = format!("pop3 list: me@{address}: ");
    let said = run.stderr.strip_prefix(&account).unwrap();
    said.trim_end().replace(address, "HOST")
}

const LOGIN: (&str, &str) = ("PASS", "+OK\r\n");

#[test]
fn a_server_that_closes_at_once() {
    let address = serve("", &[], Then::Close);
    assert_eq!(
        said("pop3", &address, &[], 75),
        "the server closed the connection instead of sending the greeting; check that this is \
         the port of a POP3 server, or try again later"
    );
}

#[test]
fn a_server_that_refuses_the_connection() {
    let address = serve(
        "-ERR Can't serve you: too many connections\r\n",
        &[],
        Then::Close,
    );
    assert_eq!(
        said("pop3", &address, &[], 69),
        "the server refuses the connection: Can't serve you: too many connections"
    );
}

#[test]
fn a_server_that_ends_lines_with_lf_alone() {
    let said_of =
        |then, options: &[&str]| said("pop3", &serve("+OK ready\n", &[], then), options, 75);
    let waited = said_of(Then::Wait, &["--timeout", "1"]);
    let closed = said_of(Then::Close, &[]);
    assert_eq!(
        waited,
        r"waited too long for the rest of the greeting: `+OK ready\n`; the server ends lines with LF alone, not CRLF; RFC 1939 §3 requires CRLF: the server must be fixed"
    );
    assert_eq!(
        closed,
        r"the server closed the connection instead of sending the rest of the greeting: `+OK ready\n`; the server ends lines with LF alone, not CRLF; RFC 1939 §3 requires CRLF: the server must be fixed"
    );
}

#[test]
fn names_the_protocol_of_another_server() {
    let other_port = "POP3 has another port, usually 995 for pop3s:// and 110 for pop3://";
    for (banner, kind) in [
        ("220 mail ESMTP", "this is an SMTP or FTP server"),
        ("* OK IMAP4rev1", "this is an IMAP server"),
        ("SSH-2.0-OpenSSH_9.2", "this is an SSH server"),
        ("HTTP/1.0 400 Bad", "this is a web server"),
        ("<!DOCTYPE HTML>", "this is a web server"),
    ] {
        let greeting: &'static str = format!("{banner}\r\n").leak();
        let address = serve(greeting, &[], Then::Wait);
        assert_eq!(
            said("pop3", &address, &[], 69),
            format!("the server refuses the connection: {banner}; {kind}; {other_port}")
        );
        assert_eq!(
            said("pop3", &address, &["--profile", "rfc1939"], 76),
            format!(
                r"the greeting begins with neither +OK nor -ERR: `{banner}\r\n`; {kind}; {other_port}"
            )
        );
        assert_eq!(
            said("pop3s", &serve(greeting, &[], Then::Wait), &[], 76),
            format!(
                r"127.0.0.1 answers the TLS handshake without TLS: `{banner}\r\n`; {kind}; {other_port}"
            )
        );
    }
    let garbage = "\u{1}\u{2}caf\u{e9}\\\"\r\n";
    assert_eq!(
        said(
            "pop3",
            &serve(garbage, &[], Then::Wait),
            &["--profile", "rfc1939"],
            76
        ),
        r#"the greeting begins with neither +OK nor -ERR: `\x01\x02caf\xc3\xa9\\"\r\n`; check that this is the port of a POP3 server"#
    );
}

#[test]
fn a_server_that_waits_for_the_client() {
    let address = serve("", &[], Then::Wait);
    assert_eq!(
        said("pop3", &address, &["--timeout", "1"], 75),
        "waited too long for the greeting; check that this is the port of a POP3 server (if it \
         is a port for TLS, use pop3s://me@HOST); --timeout SECONDS allows a longer wait"
    );
}

#[test]
fn tls_on_a_plain_port_names_the_other_scheme() {
    let address = serve("+OK Dovecot ready.\r\n", &[], Then::Wait);
    assert_eq!(
        said("pop3s", &address, &[], 76),
        r"127.0.0.1 answers the TLS handshake without TLS: `+OK Dovecot ready.\r\n`; use pop3://me@HOST"
    );
}

#[test]
fn a_server_that_stops_in_the_middle_of_unique_ids() {
    const ANSWERS: &[(&str, &str)] = &[
        LOGIN,
        ("LIST", "+OK\r\n1 9\r\n.\r\n"),
        ("UIDL", "+OK\r\n1 whqtswO0"),
    ];
    assert_eq!(
        said("pop3", &serve("+OK\r\n", ANSWERS, Then::Close), &[], 75),
        "the server closed the connection instead of sending the rest of the reply to UIDL \
         (10 octets came); try again later"
    );
    let address = serve("+OK\r\n", ANSWERS, Then::Wait);
    assert_eq!(
        said("pop3", &address, &["--timeout", "1"], 75),
        "waited too long for the rest of the reply to UIDL (10 octets came); --timeout \
         SECONDS allows a longer wait"
    );
}

#[test]
fn a_malformed_reply() {
    let address = serve(
        "+OK\r\n",
        &[LOGIN, ("STAT", "+OK many 'n more\r\n")],
        Then::Wait,
    );
    assert_eq!(
        said("pop3", &address, &[], 76),
        "the reply to STAT is malformed: no number of messages at octet 0 of the line: \
         `+OK many 'n more`"
    );
}

#[test]
fn an_unsolicited_reply() {
    let address = serve(
        "+OK\r\n",
        &[LOGIN, ("STAT", "+OK 0 0\r\n+OK 0 0\r\n")],
        Then::Wait,
    );
    assert_eq!(
        said("pop3", &address, &[], 76),
        r"the server sent more than the reply to STAT: `+OK 0 0\r\n`; if it happens again, try --no-pipelining"
    );
}

/// The text of a refused command names no protocol.
#[test]
fn a_refusal_that_begins_like_another_protocol() {
    let answers = &[LOGIN, ("STAT", "-ERR 220 days are over\r\n")];
    let said = said("pop3", &serve("+OK\r\n", answers, Then::Close), &[], 69);
    assert_eq!(said, "the server refuses STAT: 220 days are over");
}

/// The reason is reported whether the connection is closed or reset.
#[test]
fn a_server_that_says_why_it_closes() {
    for then in [Then::Close, Then::Reset] {
        let answers = &[LOGIN, ("STAT", "+OK 0 0\r\n-ERR Autologout\r\n")];
        assert_eq!(
            said("pop3", &serve("+OK\r\n", answers, then), &[], 76),
            r"the server ended the session after the reply to STAT: `-ERR Autologout\r\n`; try again later"
        );
    }
}

/// A server's text between the login and the next reply may contain the
/// password.
#[test]
fn shows_nothing_of_the_login() {
    for answers in [
        &[("PASS", "what is tanstaaf?\r\n")][..],
        &[("PASS", "+OK\r\nwhat is tanstaaf?\r\n")],
    ] {
        let said = said(
            "pop3",
            &serve("+OK\r\n", answers, Then::Close),
            &["--profile", "rfc1939"],
            76,
        );
        assert!(said.contains("the reply to PASS"), "{said}");
        assert!(!said.contains("tanstaaf"), "{said}");
    }
}

/// A TLS server with a certificate.
struct Secure {
    address: String,
    _server: Listening,
    log: BufReader<ChildStderr>,
    _directory: TempDir,
}

/// The signer of the certificate.
#[derive(Clone, Copy)]
enum Signer {
    Itself,
    Authority,
}

impl Secure {
    fn new(name: &str, signer: Signer, change: impl Fn(&mut CertificateParams)) -> Self {
        let directory = TempDir::new().unwrap();
        let path = |name: &str| directory.path().join(name);
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut parameters);
        let certificate = match signer {
            Signer::Itself => parameters.self_signed(&key).unwrap(),
            Signer::Authority => {
                let mut authority = CertificateParams::new([]).unwrap();
                authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                let name = &mut authority.distinguished_name;
                name.push(rcgen::DnType::CommonName, "An authority");
                let key_of_authority = KeyPair::generate().unwrap();
                let authority = CertifiedIssuer::self_signed(authority, key_of_authority).unwrap();
                fs::write(path("authority.pem"), authority.pem()).unwrap();
                parameters.signed_by(&key, &authority).unwrap()
            }
        };
        fs::write(path("cert.pem"), certificate.pem()).unwrap();
        fs::write(path("key.pem"), key.serialize_pem()).unwrap();
        make_maildir(&path("Mail")).unwrap();
        let mut command = pop3(["serve", "--tls-listen", "127.0.0.1:0", "--user", "me"]);
        command
            .args([
                "--maildir",
                "Mail",
                "--tls-cert",
                "cert.pem",
                "--tls-key",
                "key.pem",
            ])
            .current_dir(&directory)
            .env("POP3_PASSWORD", "tanstaaf");
        let mut server = Listening::start(&mut command).unwrap();
        let log = BufReader::new(server.child.stderr.take().unwrap());
        Self {
            address: server.address.clone(),
            _server: server,
            log,
            _directory: directory,
        }
    }

    /// The authority's certificate.
    fn authority(&self) -> String {
        let path = self._directory.path().join("authority.pem");
        path.to_str().unwrap().to_owned()
    }

    /// The server's log up to the first line that contains `wanted`.
    fn log_up_to(&mut self, wanted: &str) -> String {
        let mut log = String::new();
        while !log.contains(wanted) {
            let octets = self.log.read_line(&mut log).unwrap();
            assert!(octets > 0, "{log}");
        }
        log
    }
}

#[test]
fn cleartext_on_a_tls_port_names_the_other_scheme() {
    let server = Secure::new("127.0.0.1", Signer::Itself, |_| {});
    let port = server.address.rsplit_once(':').unwrap().1;
    assert_eq!(
        said("pop3", &server.address, &["--timeout", "60"], 76),
        format!(
            "127.0.0.1 expects TLS on port {port}, and sends no greeting without it; use \
             pop3s://me@HOST"
        )
    );
}

#[test]
fn a_self_signed_certificate() {
    // A certificate as `openssl req -x509` makes it: it may sign others.
    let authority = Secure::new("127.0.0.1", Signer::Itself, |parameters| {
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    let mut server = Secure::new("127.0.0.1", Signer::Itself, |_| {});
    for server in [&authority, &server] {
        assert_eq!(
            said("pop3s", &server.address, &[], 69),
            "the certificate of 127.0.0.1 is not trusted: it is self-signed; if it is your \
             server's, trust it with --ca-file FILE or --fingerprint SHA256"
        );
    }
    // The server's own log has no Rust type names either.
    let log = server.log_up_to("the TLS handshake failed: the other side aborted");
    assert!(
        !log.contains("docs.rs") && !log.contains("Certificate"),
        "{log}"
    );
}

#[test]
fn a_certificate_of_an_unknown_authority() {
    let server = Secure::new("127.0.0.1", Signer::Authority, |_| {});
    assert_eq!(
        said("pop3s", &server.address, &[], 69),
        "the certificate of 127.0.0.1 is not trusted: the authority that signed it is unknown; \
         if you know the authority, trust it with --ca-file FILE"
    );
}

#[test]
fn an_expired_or_not_yet_valid_certificate() {
    let expired = Secure::new("127.0.0.1", Signer::Authority, |parameters| {
        parameters.not_before = date_time_ymd(1990, 1, 1);
        parameters.not_after = date_time_ymd(2020, 2, 29);
    });
    assert_eq!(
        said(
            "pop3s",
            &expired.address,
            &["--ca-file", &expired.authority()],
            69
        ),
        "the certificate of 127.0.0.1 is not trusted: it expired on 2020-02-29; the server \
         needs a new one; if you know this one, --fingerprint SHA256 trusts it alone"
    );
    let future = Secure::new("127.0.0.1", Signer::Authority, |parameters| {
        parameters.not_before = date_time_ymd(2090, 3, 1);
    });
    assert_eq!(
        said(
            "pop3s",
            &future.address,
            &["--ca-file", &future.authority()],
            69
        ),
        "the certificate of 127.0.0.1 is not trusted: it is not valid before 2090-03-01; check \
         this computer's clock"
    );
}

#[test]
fn a_certificate_for_another_name() {
    let server = Secure::new("mail.example.org", Signer::Authority, |_| {});
    assert_eq!(
        said(
            "pop3s",
            &server.address,
            &["--ca-file", &server.authority()],
            69
        ),
        "the certificate of 127.0.0.1 is not trusted: it is for mail.example.org; use a name \
         from the certificate in the URL; if you know the certificate, --fingerprint SHA256 \
         trusts it alone"
    );
}
