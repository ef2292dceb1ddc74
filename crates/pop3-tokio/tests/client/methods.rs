//! Each method of authentication, octet by octet.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use pop3_tokio::client::{Client, Credentials, Error, ErrorKind, LoginError, Method, SaslError};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};

use crate::harness::{cleartext, endpoint, with, with_on_loopback};

pub(crate) fn base64(octets: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(octets)
}

fn decode(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).unwrap()
}

fn password() -> Credentials {
    Credentials::password("tim", "tanstaaftanstaaf")
}

fn token() -> Credentials {
    Credentials::oauth_token("tim@example.org", "vF9dft4qmT")
}

const GREETING: &str = "+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n";
const SASL: &str = "+OK\r\n\
    SASL PLAIN LOGIN CRAM-MD5 NTLM SCRAM-SHA-256 XOAUTH2 OAUTHBEARER\r\n.\r\n";

/// Logs in by a method; the server announces all methods.
async fn login(
    method: Method,
    credentials: &Credentials,
    dialogue: &[(&str, &str)],
) -> Result<(), Error> {
    let mut steps = vec![("", GREETING), ("CAPA\r\n", SASL)];
    for step in dialogue {
        if *step == NOOP {
            steps.push(("CAPA\r\n", SASL));
        }
        steps.push(*step);
    }
    let mut settings = cleartext();
    settings.dangerous_apop_in_cleartext = true;
    let session = async |mut client: Client| {
        let result = client.login_by(method, credentials).await;
        if result.is_ok() {
            client.noop().await?;
        }
        result
    };
    match method.takes_token() {
        true => with_on_loopback(settings, &steps, session).await,
        false => with(settings, &steps, session).await,
    }
}

const NOOP: (&str, &str) = ("NOOP\r\n", "+OK\r\n");

#[tokio::test]
async fn user_and_pass() {
    let dialogue = [
        ("USER tim\r\n", "+OK\r\n"),
        ("PASS tanstaaftanstaaf\r\n", "+OK\r\n"),
        NOOP,
    ];
    login(Method::UserPass, &password(), &dialogue)
        .await
        .unwrap();
}

#[tokio::test]
async fn apop() {
    // RFC 1939 §7.
    let credentials = Credentials::password("mrose", "tanstaaf");
    let line = "APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n";
    login(Method::Apop, &credentials, &[(line, "+OK\r\n"), NOOP])
        .await
        .unwrap();
}

#[tokio::test]
async fn plain() {
    let line = format!("AUTH PLAIN {}\r\n", base64("\0tim\0tanstaaftanstaaf"));
    login(Method::Plain, &password(), &[(&line, "+OK\r\n"), NOOP])
        .await
        .unwrap();
}

#[tokio::test]
async fn sends_plain_in_two_steps_if_the_line_would_be_too_long() {
    let long = "x".repeat(200);
    let message = format!("{}\r\n", base64(format!("\0tim\0{long}")));
    assert!("AUTH PLAIN ".len() + message.len() > 255);
    let dialogue = [("AUTH PLAIN\r\n", "+ \r\n"), (&message, "+OK\r\n"), NOOP];
    let credentials = Credentials::password("tim", long);
    login(Method::Plain, &credentials, &dialogue).await.unwrap();
}

#[tokio::test]
async fn login_with_any_prompts() {
    let (user, secret) = (base64("tim"), base64("tanstaaftanstaaf"));
    for prompts in [
        ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"],
        ["", ""],
        ["User Name", "Password?"],
    ] {
        let dialogue = [
            ("AUTH LOGIN\r\n", &*format!("+ {}\r\n", prompts[0])),
            (&*format!("{user}\r\n"), &*format!("+ {}\r\n", prompts[1])),
            (&*format!("{secret}\r\n"), "+OK\r\n"),
            NOOP,
        ];
        login(Method::Login, &password(), &dialogue).await.unwrap();
    }
}

#[tokio::test]
async fn cram_md5() {
    // RFC 2195 §2.
    let challenge = base64("<1896.697170952@postoffice.reston.mci.net>");
    let answer = base64("tim b913a602c7eda7a495b4e6e7334d3890");
    let dialogue = [
        ("AUTH CRAM-MD5\r\n", &*format!("+ {challenge}\r\n")),
        (&*format!("{answer}\r\n"), "+OK\r\n"),
        NOOP,
    ];
    login(Method::CramMd5, &password(), &dialogue)
        .await
        .unwrap();
}

#[tokio::test]
async fn cancels_after_a_challenge_that_is_not_base64() {
    let dialogue = [
        ("AUTH CRAM-MD5\r\n", "+ what?\r\n"),
        ("*\r\n", "-ERR canceled\r\n"),
    ];
    let error = login(Method::CramMd5, &password(), &dialogue)
        .await
        .unwrap_err();
    let expected = LoginError::Exchange {
        method: Method::CramMd5,
        error: SaslError::NoBase64,
    };
    assert!(
        matches!(&error, Error::Login(login) if *login == expected),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

/// Exchange refuses `AUTH XOAUTH2` with an initial response, however short.
#[tokio::test]
async fn sends_xoauth2_always_in_two_steps() {
    let message = base64("user=tim@example.org\x01auth=Bearer vF9dft4qmT\x01\x01");
    let dialogue = [
        ("AUTH XOAUTH2\r\n", "+ \r\n"),
        (&*format!("{message}\r\n"), "+OK\r\n"),
        NOOP,
    ];
    login(Method::XOAuth2, &token(), &dialogue).await.unwrap();
}

#[tokio::test]
async fn oauthbearer() {
    let message = base64("n,a=tim@example.org,\x01auth=Bearer vF9dft4qmT\x01\x01");
    let line = format!("AUTH OAUTHBEARER {message}\r\n");
    login(Method::OAuthBearer, &token(), &[(&line, "+OK\r\n"), NOOP])
        .await
        .unwrap();
}

#[tokio::test]
async fn sends_a_long_token() {
    let long = "t".repeat(4000);
    let message = base64(format!("n,a=tim,\x01auth=Bearer {long}\x01\x01"));
    let dialogue = [
        ("AUTH OAUTHBEARER\r\n", "+ \r\n"),
        (&*format!("{message}\r\n"), "+OK\r\n"),
        NOOP,
    ];
    let credentials = Credentials::oauth_token("tim", long);
    login(Method::OAuthBearer, &credentials, &dialogue)
        .await
        .unwrap();
}

#[tokio::test]
async fn reports_what_the_server_says_about_a_token() {
    let complaint = |json| format!("+ {}\r\n", base64(json));
    let xoauth2 = base64("user=tim@example.org\x01auth=Bearer vF9dft4qmT\x01\x01");
    let bearer = base64("n,a=tim@example.org,\x01auth=Bearer vF9dft4qmT\x01\x01");
    for (method, dialogue, status) in [
        (
            Method::XOAuth2,
            [
                ("AUTH XOAUTH2\r\n".to_owned(), "+\r\n".to_owned()),
                (
                    format!("{xoauth2}\r\n"),
                    complaint(r#"{"status":"401","schemes":"bearer"}"#),
                ),
                ("\r\n".to_owned(), "-ERR no\r\n".to_owned()),
            ],
            "401",
        ),
        (
            Method::OAuthBearer,
            [
                (
                    format!("AUTH OAUTHBEARER {bearer}\r\n"),
                    complaint(r#"{"status":"invalid_token"}"#),
                ),
                ("AQ==\r\n".to_owned(), "-ERR no\r\n".to_owned()),
                (String::new(), String::new()),
            ],
            "invalid_token",
        ),
        (
            Method::OAuthBearer,
            [
                (
                    format!("AUTH OAUTHBEARER {bearer}\r\n"),
                    complaint(r#"{"status":400}"#),
                ),
                ("AQ==\r\n".to_owned(), "-ERR no\r\n".to_owned()),
                (String::new(), String::new()),
            ],
            "400",
        ),
        (
            Method::OAuthBearer,
            [
                (
                    format!("AUTH OAUTHBEARER {bearer}\r\n"),
                    complaint("no json"),
                ),
                ("AQ==\r\n".to_owned(), "-ERR no\r\n".to_owned()),
                (String::new(), String::new()),
            ],
            "",
        ),
    ] {
        let dialogue: Vec<_> = dialogue
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let error = login(method, &token(), &dialogue).await.unwrap_err();
        let Error::Login(LoginError::Refused { token_status, .. }) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(token_status.as_ref().unwrap().as_str(), status);
        assert_eq!(error.kind(), ErrorKind::Authentication);
        let said = format!(": no (token: {status})");
        assert!(error.to_string().ends_with(&said), "{error}");
    }
}

#[tokio::test]
async fn fails_at_a_second_complaint_about_a_token() {
    let bearer = base64("n,a=tim@example.org,\x01auth=Bearer vF9dft4qmT\x01\x01");
    let complaint = format!("+ {}\r\n", base64(r#"{"status":"401"}"#));
    let dialogue = [
        (&*format!("AUTH OAUTHBEARER {bearer}\r\n"), &*complaint),
        ("AQ==\r\n", &complaint),
        ("*\r\n", "-ERR no\r\n"),
    ];
    let error = login(Method::OAuthBearer, &token(), &dialogue).await;
    let expected = LoginError::Exchange {
        method: Method::OAuthBearer,
        error: SaslError::OneMore,
    };
    assert!(
        matches!(&error, Err(Error::Login(login)) if *login == expected),
        "{error:?}"
    );
}

/// The octet that separates the parts of the message must not occur in a part.
#[tokio::test]
async fn does_not_send_an_invalid_name_or_token() {
    for (user, token) in [
        ("", "vF9dft4qmT"),
        ("tim", ""),
        ("ti\x01m", "vF9dft4qmT"),
        ("tim", "t\x01auth=Bearer u"),
    ] {
        for method in [Method::XOAuth2, Method::OAuthBearer] {
            let credentials = Credentials::oauth_token(user, token);
            let error = login(method, &credentials, &[]).await.unwrap_err();
            let expected = LoginError::Exchange {
                method,
                error: SaslError::Credentials,
            };
            assert!(
                matches!(&error, Error::Login(login) if *login == expected),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn ntlm_with_either_first_challenge() {
    // The example of MS-NLMP §4.2.4.3, except for its target name.
    let mut challenge = b"NTLMSSP\0\x02\0\0\0".to_vec();
    challenge.extend_from_slice(&[0; 8]);
    challenge.extend_from_slice(&[0x33, 0x82, 0x8a, 0xe2]);
    challenge.extend_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
    challenge.extend_from_slice(&[0; 8]);
    challenge.extend_from_slice(&[4, 0, 4, 0, 48, 0, 0, 0]);
    challenge.extend_from_slice(&[0; 4]);
    for first in ["+ ", "+OK", "+"] {
        let (near, far) = duplex(4096);
        let client = async {
            let url = endpoint("pop3://mail.example.org");
            let mut client = Client::on(near, &url, &cleartext()).await.unwrap();
            client
                .login_by(
                    Method::Ntlm,
                    &Credentials::password("EXAMPLE\\tim", "secret"),
                )
                .await
        };
        let server = async {
            let mut server = Server::new(far).await;
            assert_eq!(server.ask(first).await, "AUTH NTLM");
            let negotiate = decode(&server.hear().await);
            assert_eq!(negotiate[..12], *b"NTLMSSP\0\x01\0\0\0");
            server.say(&format!("+ {}", base64(&challenge))).await;
            let answer = decode(&server.hear().await);
            assert_eq!(answer[..12], *b"NTLMSSP\0\x03\0\0\0");
            let field = |at: usize| {
                let start = usize::from(answer[at + 4]) + 256 * usize::from(answer[at + 5]);
                &answer[start..start + usize::from(answer[at])]
            };
            let utf16 = |text: &str| {
                text.encode_utf16()
                    .flat_map(u16::to_le_bytes)
                    .collect::<Vec<_>>()
            };
            assert_eq!(field(28), utf16("EXAMPLE"));
            assert_eq!(field(36), utf16("tim"));
            // HMAC-MD5 of 16 octets, then the blob with a time, 8 octets of the
            // client, and the server's target information.
            assert_eq!(field(20).len(), 16 + 28 + 4 + 4);
            server.say("+OK").await;
            assert_eq!(server.ask("-ERR").await, "CAPA");
        };
        let (result, ()) = tokio::join!(client, server);
        result.unwrap();
    }
}

/// The server's side for unpredictable dialogues, line by line.
struct Server(BufReader<DuplexStream>);

impl Server {
    /// Sends a greeting and announces SASL.
    async fn new(stream: DuplexStream) -> Self {
        let mut server = Self(BufReader::new(stream));
        server.say("+OK").await;
        assert_eq!(server.ask(SASL.trim_end()).await, "CAPA");
        server
    }

    async fn say(&mut self, line: &str) {
        let line = format!("{line}\r\n");
        self.0.write_all(line.as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line.trim_end_matches("\r\n").to_owned()
    }

    /// Reads a line and answers it.
    async fn ask(&mut self, answer: &str) -> String {
        let line = self.hear().await;
        self.say(answer).await;
        line
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// How the server of a SCRAM test ends the exchange.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum End {
    Signature,
    /// A wrong signature, followed at once by these octets.
    Forged(&'static str),
    OkWithoutSignature,
    Error,
}

/// The server's side of SCRAM-SHA-256, written from RFC 5802 §3: the server knows a
/// stored key, and computes the client's key from the proof.
pub(crate) async fn scram(far: DuplexStream, known: &str, end: End) -> Option<bool> {
    let mut server = Server::new(far).await;
    let line = server.hear().await;
    let first = decode(line.strip_prefix("AUTH SCRAM-SHA-256 ")?);
    let first = String::from_utf8(first).unwrap();
    let bare = first.strip_prefix("n,,")?;
    let nonce = bare.split_once(",r=")?.1;
    let salt = b"salt of 16 octet";
    let server_first = format!("r={nonce}server,s={},i=4096", base64(salt));
    server.say(&format!("+ {}", base64(&server_first))).await;

    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(known.as_bytes(), salt, 4096, &mut salted);
    let stored = Sha256::digest(hmac(&salted, b"Client Key"));
    let last = String::from_utf8(decode(&server.hear().await)).unwrap();
    let (without_proof, proof) = last.split_once(",p=")?;
    assert_eq!(without_proof, format!("c=biws,r={nonce}server"));
    let message = format!("{bare},{server_first},{without_proof}");
    let signature = hmac(&stored, message.as_bytes());
    let key: Vec<u8> = decode(proof)
        .iter()
        .zip(&signature)
        .map(|(a, b)| a ^ b)
        .collect();
    let right = Sha256::digest(&key) == stored;
    if !right {
        server.say("-ERR [AUTH] no").await;
        return Some(false);
    }
    let mut own = hmac(&hmac(&salted, b"Server Key"), message.as_bytes());
    match end {
        End::OkWithoutSignature => {
            server.say("+OK").await;
            return Some(true);
        }
        End::Error => {
            server.say(&format!("+ {}", base64("e=other-error"))).await;
            assert_eq!(server.hear().await, "*");
            server.say("-ERR").await;
            return Some(true);
        }
        End::Forged(_) => own[0] ^= 1,
        End::Signature => {}
    }
    let last = format!("v={}", base64(own));
    let more = match end {
        End::Forged(more) => more,
        _ => "",
    };
    server.say(&format!("+ {}{more}", base64(last))).await;
    match end {
        // Sends the rest without waiting for the client.
        End::Forged(_) => {
            assert_eq!(server.hear().await, "*");
            assert_eq!(server.hear().await, "");
        }
        _ => {
            assert_eq!(server.ask("+OK").await, "");
            assert_eq!(server.ask("-ERR").await, "CAPA");
        }
    }
    Some(right)
}

#[tokio::test]
async fn logs_in_with_scram_and_rejects_a_false_server() {
    for (known, end, expected) in [
        ("pencil", End::Signature, None),
        ("pencil", End::Forged(""), Some(SaslError::WrongSignature)),
        (
            "pencil",
            End::OkWithoutSignature,
            Some(SaslError::NoSignature),
        ),
        ("pencil", End::Error, Some(SaslError::ErrorOfServer)),
    ] {
        let (near, far) = duplex(4096);
        let client = async {
            let url = endpoint("pop3://mail.example.org");
            let mut client = Client::on(near, &url, &cleartext()).await.unwrap();
            let credentials = Credentials::password("user", "pencil");
            let result = client.login_by(Method::ScramSha256, &credentials).await;
            // The client sends nothing more to a server that could not prove
            // itself.
            if matches!(
                expected,
                Some(SaslError::NoSignature | SaslError::WrongSignature)
            ) {
                assert!(matches!(client.stat().await, Err(Error::Interrupted)));
            }
            result
        };
        let (result, right) = tokio::join!(client, scram(far, known, end));
        assert_eq!(right, Some(true));
        match expected {
            None => result.unwrap(),
            Some(error) => {
                let expected = LoginError::Exchange {
                    method: Method::ScramSha256,
                    error,
                };
                let got = result.unwrap_err();
                assert!(
                    matches!(&got, Error::Login(login) if *login == expected),
                    "{got}"
                );
                assert_eq!(got.kind(), ErrorKind::Authentication);
            }
        }
    }
}

#[tokio::test]
async fn refuses_scram_with_a_wrong_password() {
    let (near, far) = duplex(4096);
    let client = async {
        let url = endpoint("pop3://mail.example.org");
        let mut client = Client::on(near, &url, &cleartext()).await.unwrap();
        let credentials = Credentials::password("user", "pencil");
        client.login_by(Method::ScramSha256, &credentials).await
    };
    let (result, right) = tokio::join!(client, scram(far, "another", End::Signature));
    assert_eq!(right, Some(false));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Authentication);
}

/// The next challenge of a server of these mechanisms after the client's last
/// response, `told`. The server accepts any response.
fn challenge(method: Method, told: &str) -> String {
    let octets = match method {
        Method::CramMd5 => b"<1896.697170952@postoffice.reston.mci.net>".to_vec(),
        Method::Ntlm if told.is_empty() => Vec::new(),
        Method::Ntlm => {
            let mut octets = b"NTLMSSP\0\x02\0\0\0".to_vec();
            octets.extend_from_slice(&[0; 8]);
            octets.extend_from_slice(&[0x33, 0x82, 0x8a, 0xe2]);
            octets.extend_from_slice(&[7; 8]);
            octets
        }
        Method::ScramSha1 | Method::ScramSha256 => {
            let first = String::from_utf8(decode(told)).unwrap();
            let nonce = first.split_once(",r=").unwrap().1;
            format!("r={nonce}server,s=c2FsdA==,i=4096").into_bytes()
        }
        _ => Vec::new(),
    };
    base64(octets)
}

/// Logs in with the best method to a server that offers only `method`, sends a
/// number of challenges, and then replies `last`. Also returns what the server
/// received after that.
async fn ended(method: Method, challenges: usize, last: &str) -> (Result<Method, Error>, String) {
    let (near, far) = duplex(4096);
    let client = async {
        let url = endpoint("pop3://mail.example.org");
        let mut client = Client::on(near, &url, &cleartext()).await.unwrap();
        client.login(&password()).await
    };
    let server = async {
        let mut server = Server(BufReader::new(far));
        server.say("+OK").await;
        let offer = format!("+OK\r\nSASL {method}\r\n.");
        assert_eq!(server.ask(&offer).await, "CAPA");
        let line = server.hear().await;
        let line = line.strip_prefix("AUTH ").unwrap();
        let mut told = line.strip_prefix(method.name()).unwrap().trim().to_owned();
        for _ in 0..challenges {
            server.say(&format!("+ {}", challenge(method, &told))).await;
            told = server.hear().await;
        }
        server.say(last).await;
        let mut next = server.hear().await;
        if next == "*" {
            // If the client does not trust the server, it has already closed the
            // connection.
            let _ = server.0.write_all(b"-ERR cancelled\r\n").await;
            next = server.hear().await;
        }
        next
    };
    tokio::join!(client, server)
}

/// Methods with a challenge, and the number of challenges before the client sends
/// the password or a proof of it.
const CHALLENGED: [(Method, usize); 5] = [
    (Method::Login, 2),
    (Method::CramMd5, 1),
    (Method::Ntlm, 2),
    (Method::ScramSha1, 1),
    (Method::ScramSha256, 1),
];

#[tokio::test]
async fn tries_the_next_method_only_if_no_proof_was_shown() {
    for (method, challenges) in CHALLENGED {
        let (result, next) = ended(method, 0, "-ERR not this one").await;
        assert_eq!(next, "USER tim", "{method}");
        assert!(result.is_err());
        let (result, next) = ended(method, challenges, "-ERR wrong").await;
        assert_eq!(next, "", "{method}");
        let Err(Error::Login(LoginError::Refused { method: by, .. })) = result else {
            panic!("{method}: {result:?}");
        };
        assert_eq!(by, method);
    }
}

#[tokio::test]
async fn fails_at_a_challenge_after_the_proof() {
    for (method, challenges) in &CHALLENGED[..3] {
        let (result, next) = ended(*method, *challenges, "+ bW9yZQ==").await;
        let expected = LoginError::Exchange {
            method: *method,
            error: SaslError::OneMore,
        };
        assert!(
            matches!(&result, Err(Error::Login(login)) if *login == expected),
            "{method}: {result:?}"
        );
        assert_eq!(next, "", "{method}");
    }
}

/// A server that reports success of a SCRAM login must have proved that it knows
/// the password, whichever step it is in.
#[tokio::test]
async fn rejects_success_of_scram_without_a_proof() {
    for method in [Method::ScramSha1, Method::ScramSha256] {
        for challenges in 0..2 {
            let (result, next) = ended(method, challenges, "+OK welcome").await;
            let expected = LoginError::Exchange {
                method,
                error: SaslError::NoSignature,
            };
            assert!(
                matches!(&result, Err(Error::Login(login)) if *login == expected),
                "{method}: {result:?}"
            );
            assert_eq!(next, "", "{method}");
        }
    }
}

#[tokio::test]
async fn refuses_a_token_or_password_with_a_method_for_the_other() {
    for (method, credentials) in [(Method::Plain, token()), (Method::XOAuth2, password())] {
        let steps = [("", GREETING), ("CAPA\r\n", SASL)];
        let error = with(cleartext(), &steps, async |mut client| {
            client.login_by(method, &credentials).await.unwrap_err()
        });
        assert_eq!(error.await.kind(), ErrorKind::Usage);
    }
}
