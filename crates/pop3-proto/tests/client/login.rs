//! The AUTHORIZATION state.

use pop3_proto::client::ClientError;
use pop3_proto::{Argument, Command, Secret};

use crate::harness::{Client, config, user};

/// C0003, RFC 6856 §2.2.
#[test]
fn names_and_passwords_are_ascii_unless_announced() {
    let name = Command::User(Argument::new("jürgen").unwrap());
    let mut client = Client::greeted(config());
    assert_eq!(client.send(&name), Err(ClientError::NotAscii));
    client.ask(&Command::Capa, b"+OK\r\nUTF8\r\n.\r\n");
    assert_eq!(client.send(&name), Err(ClientError::NotAscii));
    client.ask(&Command::Capa, b"+OK\r\nUTF8 USER\r\n.\r\n");
    client.send(&name).unwrap();
}

/// RFC 6856 §2.2: they may contain other characters only if the server announces
/// it.
#[test]
fn refuses_names_and_passwords_beyond_ascii_unless_the_server_announces_them() {
    let mut config = config();
    config.dangerous_apop_in_cleartext = true;
    let mut client = Client::new(config.clone());
    client.feed(b"+OK <1896.697170952@dbc.mtview.ca.us>\r\n");
    let name = Argument::new("m\u{f8}ller").unwrap();
    let digest = Secret::new("c4c9334bac560ecc979e58001b3e22fb").unwrap();
    for command in [Command::User(name), Command::Apop { name, digest }] {
        assert_eq!(client.send(&command), Err(ClientError::NotAscii));
    }
    client.ask(&user(), b"+OK\r\n");
    let password = Command::Pass(Secret::new("gr\u{fc}n").unwrap());
    assert_eq!(client.send(&password), Err(ClientError::NotAscii));
    let mut client = Client::greeted(config);
    client.ask(&Command::Capa, b"+OK\r\nUTF8 USER\r\n.\r\n");
    client.ask(&Command::User(name), b"+OK\r\n");
    assert_eq!(client.ask(&password, b"+OK\r\n"), ["PASS + "]);
}

/// C0003 and C0004: APOP has two arguments, and the second is a digest.
#[test]
fn does_not_send_apop_with_an_invalid_name_or_digest() {
    let mut client = Client::new(config());
    client.feed(b"+OK <1896.697170952@dbc.mtview.ca.us>\r\n");
    client.sent.clear();
    let digest = "c4c9334bac560ecc979e58001b3e22fb";
    fn apop<'a>(name: &'a str, digest: &'a str) -> Command<'a> {
        Command::Apop {
            name: Argument::new(name).unwrap(),
            digest: Secret::new(digest).unwrap(),
        }
    }
    assert_eq!(
        client.send(&apop("a b", digest)),
        Err(ClientError::ApopName)
    );
    for text in [
        "c4c9",
        &digest[1..],
        &format!("{digest}0"),
        &digest.to_uppercase(),
        &digest.replace('c', " "),
        &digest.replace('c', "g"),
    ] {
        assert_eq!(
            client.send(&apop("a", text)),
            Err(ClientError::ApopDigest),
            "{text}"
        );
    }
    assert!(client.sent.is_empty());
    client.send(&apop("a", digest)).unwrap();
    assert_eq!(client.sent, format!("APOP a {digest}\r\n").into_bytes());
}
