//! The choice of a method, when the client tries another, and the meaning of
//! refusals.

use pop3_tokio::client::{
    Client, Code, Credentials, Error, ErrorKind, LoginError, Method, SaslError,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, duplex};

use crate::{
    harness::{Steps, cleartext, endpoint, with, with_on_loopback},
    methods::base64,
};

fn password() -> Credentials {
    Credentials::password("tim", "tanstaaf")
}

/// Logs in to a server that accepts USER and PASS.
pub(crate) async fn log_in(client: &mut Client) {
    client.login(&password()).await.unwrap();
}

async fn login(steps: Steps<'_>, credentials: &Credentials) -> Result<Method, Error> {
    with(cleartext(), steps, async |mut client: Client| {
        client.login(credentials).await
    })
    .await
}

#[tokio::test]
async fn chooses_the_best_method_that_is_offered() {
    let plain = format!("AUTH PLAIN {}\r\n", base64("\0tim\0tanstaaf"));
    let cases: [(&str, &str, Method); 4] = [
        ("SASL PLAIN LOGIN", &plain, Method::Plain),
        ("SASL KERBEROS_V4 plain", &plain, Method::Plain),
        ("SASL GSSAPI", "USER tim\r\n", Method::UserPass),
        ("TOP", "USER tim\r\n", Method::UserPass),
    ];
    for (offered, line, method) in cases {
        let capabilities = format!("+OK\r\n{offered}\r\n.\r\n");
        let mut steps = vec![
            ("", "+OK\r\n"),
            ("CAPA\r\n", &capabilities),
            (line, "+OK\r\n"),
        ];
        if method == Method::UserPass {
            steps.push(("PASS tanstaaf\r\n", "+OK\r\n"));
        }
        // The server's capabilities may have changed after the login.
        steps.push(("CAPA\r\n", "+OK\r\nPIPELINING\r\n.\r\n"));
        let chosen = with(cleartext(), &steps, async |mut client: Client| {
            let chosen = client.login(&password()).await.unwrap();
            assert!(client.announced().is_current() && client.announced().pipelining());
            chosen
        });
        assert_eq!(chosen.await, method);
    }
}

/// Anyone may read cleartext, so a method that does not show the password comes
/// first.
#[tokio::test]
async fn prefers_a_challenge_to_plain_in_cleartext() {
    let steps = [
        ("", "+OK\r\n"),
        (
            "CAPA\r\n",
            "+OK\r\nSASL PLAIN LOGIN CRAM-MD5\r\nAUTH-RESP-CODE\r\n.\r\n",
        ),
        ("AUTH CRAM-MD5\r\n", "-ERR [AUTH] no\r\n"),
    ];
    let error = login(&steps, &password()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
}

#[tokio::test]
async fn tries_the_next_method_if_the_server_refuses_the_first() {
    let plain = format!("AUTH PLAIN {}\r\n", base64("\0tim\0tanstaaf"));
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nSASL PLAIN CRAM-MD5\r\n.\r\n"),
        ("AUTH CRAM-MD5\r\n", "-ERR not for you\r\n"),
        (&plain, "+OK\r\n"),
        ("CAPA\r\n", "-ERR\r\n"),
    ];
    assert_eq!(login(&steps, &password()).await.unwrap(), Method::Plain);
}

/// After the client has sent the password, or a proof of it, it tries no other
/// method: the script has no steps for one.
#[tokio::test]
async fn tries_no_other_method_if_the_password_is_refused() {
    let plain = format!("AUTH PLAIN {}\r\n", base64("\0tim\0tanstaaf"));
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nSASL PLAIN LOGIN\r\n.\r\n"),
        (&plain, "-ERR no\r\n"),
    ];
    let error = login(&steps, &password()).await.unwrap_err();
    assert!(matches!(
        error,
        Error::Login(LoginError::Refused {
            method: Method::Plain,
            ..
        })
    ));
    assert_eq!(error.kind(), ErrorKind::Authentication);
}

#[tokio::test]
async fn chooses_no_password_method_for_a_token() {
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nSASL PLAIN\r\nUSER\r\n.\r\n"),
    ];
    let token = Credentials::oauth_token("tim", "t");
    let error = with_on_loopback(cleartext(), &steps, async |mut client: Client| {
        client.login(&token).await.unwrap_err()
    });
    let error = error.await;
    assert!(matches!(
        &error,
        Error::Login(LoginError::NothingOffered { offered }) if offered == "PLAIN"
    ));
}

#[tokio::test]
async fn interprets_response_codes() {
    const CODES: &str = "+OK\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n";
    const NONE: &str = "+OK\r\nTOP\r\n.\r\n";
    for (capabilities, answer, code, exit) in [
        (CODES, "-ERR [IN-USE] busy\r\n", Some(Code::InUse), 75),
        (CODES, "-ERR [in-use/now] busy\r\n", Some(Code::InUse), 75),
        (
            CODES,
            "-ERR [LOGIN-DELAY] wait\r\n",
            Some(Code::LoginDelay),
            75,
        ),
        (CODES, "-ERR [SYS/TEMP] later\r\n", Some(Code::SysTemp), 75),
        (CODES, "-ERR [SYS/PERM] never\r\n", Some(Code::SysPerm), 69),
        (CODES, "-ERR [AUTH] wrong\r\n", Some(Code::Auth), 77),
        (
            CODES,
            "-ERR [X-OWN] hm\r\n",
            Some(Code::Other("X-OWN".into())),
            77,
        ),
        (CODES, "-ERR no\r\n", None, 77),
        // Without the RESP-CODES capability, a bracket is ordinary text.
        (NONE, "-ERR [IN-USE] busy\r\n", None, 77),
        (NONE, "-ERR [SYS/TEMP] later\r\n", None, 77),
    ] {
        let steps = [
            ("", "+OK\r\n"),
            ("CAPA\r\n", capabilities),
            ("USER tim\r\n", "+OK\r\n"),
            ("PASS tanstaaf\r\n", answer),
        ];
        let error = login(&steps, &password()).await.unwrap_err();
        assert_eq!(error.kind().sysexit(), exit, "{answer}");
        let Error::Login(LoginError::Refused { refusal, .. }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(refusal.code, code, "{answer}");
    }
}

/// With such a code, the server would refuse the next method as well.
#[tokio::test]
async fn tries_no_other_method_after_a_code_about_the_maildrop() {
    let steps = [
        ("", "+OK\r\n"),
        (
            "CAPA\r\n",
            "+OK\r\nSASL PLAIN CRAM-MD5\r\nRESP-CODES\r\n.\r\n",
        ),
        ("AUTH CRAM-MD5\r\n", "-ERR [IN-USE] busy\r\n"),
    ];
    assert_eq!(
        login(&steps, &password()).await.unwrap_err().kind(),
        ErrorKind::Temporary
    );
}

#[tokio::test]
async fn sends_a_name_with_slashes_unchanged() {
    // MS-OXPOP3 §2.2.2.
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "-ERR\r\n"),
        ("USER contoso/assistant/boss@contoso.example\r\n", "+OK\r\n"),
        ("PASS two words\r\n", "+OK\r\n"),
    ];
    let credentials = Credentials::password("contoso/assistant/boss@contoso.example", "two words");
    login(&steps, &credentials).await.unwrap();
}

#[tokio::test]
async fn refuses_names_and_passwords_that_cannot_be_sent() {
    for (user, secret) in [
        ("ti\rm", "x"),
        ("tim", "x\r\nDELE 1"),
        ("", "x"),
        ("tim", ""),
    ] {
        let steps = [("", "+OK\r\n"), ("CAPA\r\n", "-ERR\r\n")];
        let error = login(&steps, &Credentials::password(user, secret))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
}

/// SCRAM cannot use a password that SASLprep forbids, but PLAIN can.
#[tokio::test]
async fn tries_the_next_method_after_a_saslprep_error() {
    let plain = format!("AUTH PLAIN {}\r\n", base64("\0tim\0x\u{fffd}"));
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nSASL SCRAM-SHA-256 PLAIN\r\n.\r\n"),
        (&plain, "+OK\r\n"),
        ("CAPA\r\n", "-ERR\r\n"),
    ];
    let credentials = Credentials::password("tim", "x\u{fffd}");
    assert_eq!(login(&steps, &credentials).await.unwrap(), Method::Plain);
}

/// The server's side of SCRAM-SHA-256 up to `iterations`, and then of PLAIN.
async fn after_iterations(iterations: u32, answer: &str) -> Result<Method, Error> {
    let (near, far) = duplex(4096);
    let client = async {
        let url = endpoint("pop3://mail.example.org");
        let mut client = Client::on(near, &url, &cleartext()).await.unwrap();
        client.login(&password()).await
    };
    let server = async {
        let mut server = BufReader::new(far);
        let mut said = String::from("+OK\r\n");
        let plain = format!("AUTH PLAIN {}", base64("\0tim\0tanstaaf"));
        for wanted in ["CAPA", "AUTH SCRAM-SHA-256 ", "*", &plain, "CAPA"] {
            server.write_all(said.as_bytes()).await.unwrap();
            let mut line = String::new();
            if server.read_line(&mut line).await.unwrap() == 0 {
                return;
            }
            assert!(line.starts_with(wanted), "{line}");
            said = match wanted {
                "CAPA" => "+OK\r\nSASL SCRAM-SHA-256 PLAIN\r\n.\r\n".to_owned(),
                "*" => "-ERR canceled\r\n".to_owned(),
                _ if wanted == plain => answer.to_owned(),
                _ => {
                    let first = line.trim_end().rsplit(' ').next().unwrap();
                    let first = BASE64_STANDARD.decode(first).unwrap();
                    let first = String::from_utf8(first).unwrap();
                    let nonce = first.split_once(",r=").unwrap().1;
                    let challenge = format!("r={nonce}x,s=c2FsdA==,i={iterations}");
                    format!("+ {}\r\n", base64(challenge))
                }
            };
        }
        let _ = server.write_all(said.as_bytes()).await;
    };
    tokio::join!(client, server).0
}

#[tokio::test]
async fn tries_the_next_method_after_too_many_or_too_few_iterations() {
    for iterations in [4095, 1_000_001] {
        let method = after_iterations(iterations, "+OK\r\n").await.unwrap();
        assert_eq!(method, Method::Plain);
    }
}

#[tokio::test]
async fn reports_all_reasons_if_no_method_works() {
    let error = after_iterations(4095, "-ERR wrong\r\n").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "login with SCRAM-SHA-256: the server asks for fewer than 4096 or more than 1000000 \
         iterations; login with PLAIN: the server refuses AUTH: wrong"
    );
    assert_eq!(error.kind(), ErrorKind::Authentication);
    let Error::Login(LoginError::NoneWorked(reasons)) = error else {
        panic!("{error}");
    };
    let iterations = LoginError::Exchange {
        method: Method::ScramSha256,
        error: SaslError::Iterations,
    };
    assert_eq!((reasons.len(), &reasons[0]), (2, &iterations));
    // Each method alone.
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nSASL SCRAM-SHA-256 PLAIN\r\n.\r\n"),
    ];
    let error = login(&steps, &Credentials::password("tim", "a\0\u{e9}"))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "login with SCRAM-SHA-256: this method cannot send this name or password; login with \
         PLAIN: this method cannot send this name or password; login with USER: this method \
         cannot send this name or password"
    );
    assert_eq!(error.kind(), ErrorKind::Usage);
}

/// RFC 5034 §3: if the server does not announce the mechanism, the client sends its
/// response after a challenge.
#[tokio::test]
async fn sends_no_initial_response_unless_the_mechanism_is_announced() {
    let response = format!("{}\r\n", base64("\0tim\0tanstaaf"));
    for capabilities in [
        "-ERR unknown\r\n",
        "+OK\r\nTOP\r\n.\r\n",
        "+OK\r\nSASL\r\n.\r\n",
        "+OK\r\nSASL LOGIN\r\n.\r\n",
    ] {
        for challenge in ["+ \r\n", "+\r\n", "+OK\r\n"] {
            let steps = [
                ("", "+OK\r\n"),
                ("CAPA\r\n", capabilities),
                ("AUTH PLAIN\r\n", challenge),
                (&response, "-ERR no\r\n"),
            ];
            let error = with(cleartext(), &steps, async |mut client: Client| {
                client
                    .login_by(Method::Plain, &password())
                    .await
                    .unwrap_err()
            });
            let said = error.await.to_string();
            assert_eq!(said, "login with PLAIN: the server refuses AUTH: no");
        }
    }
}

/// curl's test 865 and Thunderbird's test server ask for a response that they have
/// already received.
#[tokio::test]
async fn repeats_an_ignored_initial_response_once() {
    let response = base64("\0tim\0tanstaaf");
    let (first, again) = (
        format!("AUTH PLAIN {response}\r\n"),
        format!("{response}\r\n"),
    );
    for challenge in ["+\r\n", "+ \r\n"] {
        let steps = [
            ("", "+OK\r\n"),
            ("CAPA\r\n", "+OK\r\nSASL PLAIN\r\n.\r\n"),
            (&first, challenge),
            (&again, "+OK\r\n"),
            ("CAPA\r\n", "-ERR\r\n"),
        ];
        assert_eq!(login(&steps, &password()).await.unwrap(), Method::Plain);
    }
    // The client repeats it only once, and only after an empty challenge.
    for challenges in [&["+ \r\n", "+ \r\n"][..], &["+ cGFzc3dvcmQ/\r\n"]] {
        let mut steps = vec![("", "+OK\r\n"), ("CAPA\r\n", "+OK\r\nSASL PLAIN\r\n.\r\n")];
        steps.push((&first, challenges[0]));
        steps.extend(
            challenges[1..]
                .iter()
                .map(|challenge| (&*again, *challenge)),
        );
        steps.push(("*\r\n", "-ERR\r\n"));
        let error = login(&steps, &password()).await.unwrap_err();
        let expected = LoginError::Exchange {
            method: Method::Plain,
            error: SaslError::OneMore,
        };
        assert!(
            matches!(&error, Error::Login(login) if *login == expected),
            "{error}"
        );
    }
}

/// A command that may not be sent ends the search. The error still says why the
/// methods before it failed.
#[tokio::test]
async fn reports_a_method_that_cannot_be_sent_among_the_reasons() {
    let credentials = Credentials::password("m\u{e9}", "tanstaaf");
    let offers = |sasl| [("", "+OK\r\n"), ("CAPA\r\n", sasl)];
    let mut steps = offers("+OK\r\nSASL CRAM-MD5\r\n.\r\n").to_vec();
    steps.push(("AUTH CRAM-MD5\r\n", "-ERR not for you\r\n"));
    let error = login(&steps, &credentials).await.unwrap_err();
    let Error::Login(LoginError::NoneWorked(reasons)) = &error else {
        panic!("{error:?}");
    };
    assert!(matches!(
        &reasons[..],
        [
            LoginError::Refused {
                method: Method::CramMd5,
                ..
            },
            LoginError::Command {
                method: Method::UserPass,
                ..
            }
        ]
    ));
    // Alone it is an error of the command.
    let steps = offers("+OK\r\nTOP\r\n.\r\n");
    let error = login(&steps, &credentials).await.unwrap_err();
    assert!(matches!(error, Error::Command(_)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Usage);
}
