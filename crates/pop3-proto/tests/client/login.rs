//! The AUTHORIZATION state.

use pop3_proto::client::{ClientError, Config, State, Transport};
use pop3_proto::{Argument, Command, Profile, Secret};

use crate::harness::{Client, config, number, outlook, pass, user};

fn apop() -> Command<'static> {
    Command::Apop {
        name: Argument::new("mrose").unwrap(),
        digest: Secret::new("c4c9334bac560ecc979e58001b3e22fb").unwrap(),
    }
}

#[test]
fn nothing_is_sent_before_the_greeting() {
    let mut client = Client::new(config());
    for command in [user(), Command::Capa, Command::Quit] {
        let refused = client.send(&command);
        assert!(matches!(refused, Err(ClientError::WrongState { .. })));
    }
    assert!(client.sent.is_empty());
}

#[test]
fn negative_greeting_closes() {
    let mut client = Client::new(config());
    assert_eq!(client.feed(b"-ERR busy\r\n"), ["greeting - busy"]);
    assert_eq!(client.session.state(), State::Closed);
    assert!(client.send(&user()).is_err());
    assert_eq!(client.eof(), Ok(()));
}

/// Row 20: a greeting that is no reply gets nothing, least of all a name.
#[test]
fn odd_greetings() {
    let mut client = Client::new(config());
    let said = client.feed(b"220 ESMTP\r\n");
    assert!(said[0].starts_with("error Reply(Status"), "{said:?}");
    assert_eq!(client.session.state(), State::Desync);
    let mut client = Client::new(outlook());
    assert_eq!(client.feed(b"220 ESMTP\r\n"), ["greeting - 220 ESMTP"]);
    assert_eq!(client.session.state(), State::Closed);
}

/// C0016, C0018, C0025, C0028, C0033, C0035, V0005.
#[test]
fn transaction_commands_are_refused_before_login() {
    let mut client = Client::greeted(config());
    for command in [
        Command::Stat,
        Command::List(None),
        Command::List(Some(number(1))),
        Command::Retr(number(1)),
        Command::Dele(number(1)),
        Command::Noop,
        Command::Rset,
        Command::Top(number(1), 0),
        Command::Uidl(None),
    ] {
        let refused = ClientError::WrongState {
            keyword: command.keyword(),
            state: State::Authorization,
        };
        assert_eq!(client.send(&command), Err(refused));
    }
    assert!(client.sent.is_empty());
}

#[test]
fn authorization_commands_are_refused_after_login() {
    let mut client = Client::in_transaction(config());
    for command in [
        user(),
        pass(),
        apop(),
        Command::Stls,
        Command::Utf8,
        Command::AuthList,
    ] {
        let refused = client.send(&command);
        assert!(
            matches!(refused, Err(ClientError::WrongState { .. })),
            "{command:?}"
        );
    }
    assert!(client.sent.is_empty());
}

/// C0044, C0047.
#[test]
fn pass_only_after_a_positive_user() {
    let mut client = Client::greeted(config());
    assert_eq!(client.send(&pass()), Err(ClientError::PassWithoutUser));
    client.send(&user()).unwrap();
    // Not while the reply is due.
    assert_eq!(client.send(&pass()), Err(ClientError::Busy));
    assert_eq!(client.feed(b"-ERR who\r\n"), ["USER - who"]);
    assert_eq!(client.send(&pass()), Err(ClientError::PassWithoutUser));
    client.ask(&user(), b"+OK\r\n");
    assert_eq!(client.ask(&pass(), b"-ERR no\r\n"), ["PASS - no"]);
    // Immediately after it, and once.
    assert_eq!(client.send(&pass()), Err(ClientError::PassWithoutUser));
    assert_eq!(client.session.state(), State::Authorization);
}

/// C0045.
#[test]
fn after_user_only_pass_or_quit() {
    let mut client = Client::greeted(config());
    client.ask(&user(), b"+OK\r\n");
    assert_eq!(client.send(&Command::Capa), Err(ClientError::PassOrQuitDue));
    assert_eq!(client.send(&user()), Err(ClientError::PassOrQuitDue));
    assert_eq!(client.ask(&Command::Quit, b"+OK\r\n"), ["QUIT + "]);
    // Not UPDATE: nobody was logged in.
    assert_eq!(client.session.state(), State::Closed);
    assert_eq!(client.eof(), Ok(()));
}

/// V0003, V0006, V0007, V0008.
#[test]
fn outlook_never_sends() {
    let mut client = Client::greeted(outlook());
    assert!(matches!(
        client.send(&apop()),
        Err(ClientError::NeverSent { .. })
    ));
    let mut client = Client::in_transaction(outlook());
    for command in [
        Command::Rset,
        Command::List(Some(number(1))),
        Command::Uidl(Some(number(1))),
    ] {
        let refused = ClientError::NeverSent {
            keyword: command.keyword(),
            profile: "outlook-2024",
        };
        assert_eq!(client.send(&command), Err(refused));
    }
    assert!(client.sent.is_empty());
    let mut client = Client::in_transaction(config());
    client.send(&Command::Rset).unwrap();
    assert_eq!(client.sent, b"RSET\r\n");
}

/// CVE-2007-1558 (row 23).
#[test]
fn apop_needs_a_message_id_and_tls() {
    let good = b"+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n";
    let mut client = Client::new(config());
    client.feed(good);
    let timestamp = client.session.apop_timestamp();
    assert_eq!(timestamp, Some("<1896.697170952@dbc.mtview.ca.us>"));
    assert_eq!(client.ask(&apop(), b"+OK\r\n"), ["APOP + "]);
    assert_eq!(client.session.state(), State::Transaction);

    let mut client = Client::new(config());
    client.feed(b"+OK ready <\x80@\x80>\r\n");
    assert_eq!(client.session.apop_timestamp(), None);
    assert_eq!(client.send(&apop()), Err(ClientError::ApopNotOffered));

    let mut clear = Config::new(Profile::RFC1939, Transport::Cleartext);
    let mut client = Client::new(clear.clone());
    client.feed(good);
    assert_eq!(client.send(&apop()), Err(ClientError::ApopNotOffered));
    clear.dangerous_apop_in_cleartext = true;
    let mut client = Client::new(clear);
    client.feed(good);
    client.send(&apop()).unwrap();
}

/// CVE-2018-1060 (row 24): a long run of `<` costs no more than its length.
#[test]
fn apop_banner_of_brackets() {
    let mut client = Client::new(config());
    let mut banner = b"+OK ".to_vec();
    banner.extend([b'<'; 500]);
    banner.extend(b"\r\n");
    client.feed(&banner);
    assert_eq!(client.session.apop_timestamp(), None);
}

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

/// CVE-2025-15367 (row 29): refused as a value, so never sent.
#[test]
fn control_characters_make_no_argument() {
    for text in ["a\r\nDELE 1", "a\nb", "a\0", "a\u{7f}"] {
        assert!(Argument::new(text).is_err());
        assert!(Secret::new(text).is_err());
    }
}

#[test]
fn too_long_a_password_is_not_sent() {
    let mut client = Client::greeted(config());
    client.ask(&user(), b"+OK\r\n");
    client.sent.clear();
    let long = "x".repeat(249);
    let refused = client.send(&Command::Pass(Secret::new(&long).unwrap()));
    assert!(matches!(refused, Err(ClientError::Command(_))));
    assert!(client.sent.is_empty());
    // Nothing was sent, so PASS may still follow USER.
    let fits = "x".repeat(248);
    client
        .send(&Command::Pass(Secret::new(&fits).unwrap()))
        .unwrap();
    assert_eq!(client.sent.len(), 255);
}

#[test]
fn secrets_are_not_shown() {
    let mut client = Client::greeted(config());
    client.ask(&user(), b"+OK\r\n");
    client.session.enqueue(client.now, &pass()).unwrap();
    let shown = format!("{:?} {:?}", client.session, pass());
    assert!(!shown.contains("tanstaaf"), "{shown}");
    let octets: Vec<u8> = b"tanstaaf".to_vec();
    assert!(!shown.contains(&format!("{octets:?}")[1..20]), "{shown}");
}

/// RFC 6856 §2.2: beyond ASCII only where the server says so.
#[test]
fn names_and_passwords_are_ascii_unless_the_server_takes_more() {
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

#[test]
fn it_says_whether_it_is_under_tls_and_where_it_stands() {
    let tls = Client::new(config()).session;
    let mut cleartext = config();
    cleartext.transport = Transport::Cleartext;
    let cleartext = Client::new(cleartext).session;
    assert!(tls.is_under_tls() && !cleartext.is_under_tls());
    let shown = format!("{cleartext:?}");
    assert!(
        shown.contains("under_tls: false") && shown.contains("Greeting"),
        "{shown}"
    );
}

/// C0003 and C0004: two arguments, and the second is a digest.
#[test]
fn apop_with_another_name_or_digest_than_fits_is_not_sent() {
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
