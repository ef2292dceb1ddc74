//! UTF8 and LANG (RFC 6856).

use pop3_proto::{LanguageRange, client::ClientError};
use pop3_tokio::client::{Client, Credentials, Error, Method};

use crate::harness::{cleartext, with};

#[tokio::test]
async fn utf8_allows_a_name_and_password_beyond_ascii() {
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nUTF8 USER\r\nUSER\r\n.\r\n"),
        ("UTF8\r\n", "+OK\r\n"),
        ("USER m\u{e9}\r\n", "+OK\r\n"),
        ("PASS \u{e8}\r\n", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\n.\r\n"),
    ];
    with(cleartext(), &steps, async |mut client: Client| {
        assert_eq!(client.announced().utf8(), Some(true));
        client.utf8().await.unwrap();
        let credentials = Credentials::password("m\u{e9}", "\u{e8}");
        client
            .login_by(Method::UserPass, &credentials)
            .await
            .unwrap();
        // RFC 6856 §2: not in the TRANSACTION state.
        let late = client.utf8().await.unwrap_err();
        assert!(
            matches!(
                late,
                Error::Command(ClientError::WrongState {
                    keyword: "UTF8",
                    ..
                })
            ),
            "{late:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn languages_are_listed_and_chosen_in_both_states() {
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "-ERR\r\n"),
        ("LANG\r\n", "+OK\r\nen English\r\nfr Fran\u{e7}ais\r\n.\r\n"),
        ("LANG fr\r\n", "+OK fr La langue\r\n"),
        ("LANG uga\r\n", "-ERR pas de langue\r\n"),
        ("USER me\r\n", "+OK\r\n"),
        ("PASS x\r\n", "+OK\r\n"),
        ("LANG *\r\n", "+OK en the default\r\n"),
    ];
    with(cleartext(), &steps, async |mut client: Client| {
        let mut lines = Vec::new();
        let listed = client
            .languages(|line| lines.push(String::from_utf8(line.to_vec()).unwrap()))
            .await
            .unwrap();
        assert_eq!(lines, ["en English", "fr Fran\u{e7}ais"]);
        assert_eq!(listed.entries, 2);
        let range = |range| LanguageRange::new(range).unwrap();
        client.language(range("fr")).await.unwrap();
        let refused = client.language(range("uga")).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(_)), "{refused:?}");
        client
            .login(&Credentials::password("me", "x"))
            .await
            .unwrap();
        client.language(range("*")).await.unwrap();
    })
    .await;
}

/// The reply confirms QUIT, whatever the server sends after it.
#[tokio::test]
async fn quit_succeeds_though_octets_follow_its_reply() {
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "-ERR\r\n"),
        ("QUIT\r\n", "+OK bye\r\n-ERR not to you\r\n"),
    ];
    with(cleartext(), &steps, async |client: Client| {
        client.quit().await.unwrap();
    })
    .await;
}
