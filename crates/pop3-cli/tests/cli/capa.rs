//! CAPA is sent when nothing is known yet, after STLS, and after the login
//! (RFC 2449 §5, RFC 2595 §4).

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use pop3_tokio::{client::Fingerprint, server::tls_config};
use tempfile::TempDir;
use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer},
};

use crate::pop3;

#[derive(Clone, Copy, PartialEq)]
enum Tls {
    None,
    Stls,
    Implicit,
}

/// Answers one client; returns the keywords of its commands.
fn serve(mut stream: TcpStream, tls: Tls, sasl: bool, config: Arc<ServerConfig>) -> Vec<String> {
    let mut keywords = Vec::new();
    if tls != Tls::Implicit {
        stream.write_all(b"+OK\r\n").unwrap();
        if !talk(&mut stream, tls == Tls::Stls, sasl, &mut keywords) {
            return keywords;
        }
    }
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    if tls == Tls::Implicit {
        stream.write_all(b"+OK\r\n").unwrap();
    }
    talk(&mut stream, false, sasl, &mut keywords);
    keywords
}

/// Answers commands until STLS (returns true) or QUIT (returns false).
fn talk(
    stream: &mut (impl Read + Write),
    stls: bool,
    sasl: bool,
    keywords: &mut Vec<String>,
) -> bool {
    loop {
        let mut line = Vec::new();
        let mut octet = [0];
        while !line.ends_with(b"\r\n") {
            if stream.read(&mut octet).unwrap_or(0) == 0 {
                return false;
            }
            line.push(octet[0]);
        }
        let line = String::from_utf8(line).unwrap();
        let keyword = line.split([' ', '\r']).next().unwrap().to_owned();
        let reply = match keyword.as_str() {
            "CAPA" => format!(
                "+OK\r\n{}{}USER\r\nUIDL\r\n.\r\n",
                if stls { "STLS\r\n" } else { "" },
                if sasl { "SASL PLAIN\r\n" } else { "" },
            ),
            "STAT" => String::from("+OK 0 0\r\n"),
            "LIST" | "UIDL" => String::from("+OK\r\n.\r\n"),
            _ => String::from("+OK\r\n"),
        };
        stream.write_all(reply.as_bytes()).unwrap();
        keywords.push(keyword);
        match keywords.last().map(String::as_str) {
            Some("STLS") => return true,
            Some("QUIT") => return false,
            _ => {}
        }
    }
}

#[test]
fn capabilities_are_asked_for_once_in_each_state() {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = certified.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let fingerprint = Fingerprint::of(&certificate).to_string();
    let config = tls_config(vec![certificate], key).unwrap();
    let directory = TempDir::new().unwrap();
    for (tls, before) in [
        (Tls::None, &["CAPA"][..]),
        (Tls::Stls, &["CAPA", "STLS", "CAPA"]),
        (Tls::Implicit, &["CAPA"]),
    ] {
        for (sasl, login) in [(true, &["AUTH"][..]), (false, &["USER", "PASS"])] {
            for command in [
                &["list"][..],
                &["fetch", "--to", "maildir:Mail", "--journal", "journal"],
            ] {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = listener.local_addr().unwrap();
                let config = Arc::clone(&config);
                let server =
                    thread::spawn(move || serve(listener.accept().unwrap().0, tls, sasl, config));
                let scheme = if tls == Tls::Implicit {
                    "pop3s"
                } else {
                    "pop3"
                };
                let mut client = pop3(command);
                client.arg(format!("{scheme}://me@{address}"));
                if tls != Tls::None {
                    client.args(["--fingerprint", &fingerprint]);
                }
                let output = client
                    .current_dir(&directory)
                    .env("POP3_PASSWORD", "tanstaaf")
                    .output()
                    .unwrap();
                assert!(output.status.success(), "{output:?}");
                let mut keywords = server.join().unwrap();
                let lists = ["STAT", "LIST", "UIDL", "QUIT"];
                keywords.retain(|keyword| !lists.contains(&keyword.as_str()));
                assert_eq!(keywords, [before, login, &["CAPA"]].concat(), "{command:?}");
            }
        }
    }
}
