//! Which method is chosen, when another is tried, what refusals mean.

use pop3_tokio::client::{Client, Code, Credentials, Error, ErrorKind, LoginError, Method};

use crate::{
    harness::{Steps, cleartext, with, with_on_loopback},
    methods::base64,
};

fn password() -> Credentials {
    Credentials::password("tim", "tanstaaf")
}

async fn login(steps: Steps<'_>, credentials: &Credentials) -> Result<Method, Error> {
    with(cleartext(), steps, async |mut client: Client| {
        client.login(credentials).await
    })
    .await
}

#[tokio::test]
async fn the_best_that_is_offered() {
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
        // What the server can do may be another now.
        steps.push(("CAPA\r\n", "+OK\r\nPIPELINING\r\n.\r\n"));
        let chosen = with(cleartext(), &steps, async |mut client: Client| {
            let chosen = client.login(&password()).await.unwrap();
            assert!(client.announced().is_current() && client.announced().pipelining());
            chosen
        });
        assert_eq!(chosen.await, method);
    }
}

/// Where anyone may listen, what does not show the password comes first.
#[tokio::test]
async fn in_cleartext_a_challenge_is_better_than_plain() {
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
async fn the_next_method_if_the_server_refuses_the_first() {
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

/// After the password was shown, or a proof of it, no other method is tried:
/// the steps would not fit.
#[tokio::test]
async fn no_other_method_if_the_password_is_refused() {
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
async fn a_token_is_for_no_method_of_passwords() {
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
async fn what_response_codes_mean() {
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
        // Without the capability a bracket is a bracket.
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

/// With such a code the next method would be refused as well.
#[tokio::test]
async fn no_other_method_at_a_code_that_is_about_the_maildrop() {
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
async fn a_name_with_slashes_passes_untouched() {
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
async fn what_cannot_be_sent_is_not() {
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
