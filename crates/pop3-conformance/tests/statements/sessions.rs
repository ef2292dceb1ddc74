//! What a client may send when, what it waits for, and what Outlook never
//! sends: the client's session and the profiles.

use std::time::Instant;

use pop3_proto::{
    AfterSync, Argument, Command, EqualUniqueIds, Mechanism, MessageNumber, Profile, Secret,
    client::{ClientError, Config, Delivered, Session, SessionError, State, Timer, Transport},
};

const NUMBER: MessageNumber = MessageNumber::FIRST;

/// A session with a clock that stands still.
struct Client {
    session: Session,
    now: Instant,
}

impl Client {
    fn connected(profile: Profile) -> Self {
        let now = Instant::now();
        let session = Session::new(Config::new(profile, Transport::Tls), now);
        Self { session, now }
    }

    fn greeted() -> Self {
        let mut client = Self::connected(Profile::RFC1939);
        client.receive(b"+OK ready\r\n").expect("a greeting");
        client
    }

    fn in_transaction(profile: Profile) -> Self {
        let mut client = Self::connected(profile);
        client.receive(b"+OK ready\r\n").expect("a greeting");
        client.ask(&user(), b"+OK\r\n").expect("USER is due");
        client.ask(&pass(), b"+OK\r\n").expect("PASS is due");
        assert_eq!(client.session.state(), State::Transaction);
        client
    }

    /// Enqueues a command, and gives what is sent for it.
    fn send(&mut self, command: &Command<'_>) -> Result<Vec<u8>, ClientError> {
        self.session.enqueue(self.now, command)?;
        let mut sent = Vec::new();
        while let Some(octets) = self.session.poll_transmit() {
            sent.extend_from_slice(octets);
            let octets = octets.len();
            self.session.transmitted(octets);
        }
        Ok(sent)
    }

    fn receive(&mut self, mut input: &[u8]) -> Result<(), SessionError> {
        while !input.is_empty() {
            let consumed = self.session.handle_input(self.now, input)?.consumed;
            input = &input[consumed..];
        }
        Ok(())
    }

    fn ask(&mut self, command: &Command<'_>, reply: &[u8]) -> Result<(), ClientError> {
        self.send(command)?;
        self.receive(reply).expect("a reply");
        Ok(())
    }

    /// What comes of it if the server says no more.
    fn wait(&mut self) -> SessionError {
        let due = self.session.poll_timeout().expect("a timer runs");
        self.session.handle_timeout(due).expect_err("time is up")
    }
}

fn user() -> Command<'static> {
    Command::User(Argument::new("mrose").expect("a name"))
}

fn pass() -> Command<'static> {
    Command::Pass(Secret::new("tanstaaf").expect("a password"))
}

/// The command is refused before login, and sent after it.
fn only_in_transaction(command: &Command<'_>) {
    let refused = Client::greeted().send(command);
    assert!(
        matches!(refused, Err(ClientError::WrongState { .. })),
        "{refused:?}"
    );
    let sent = Client::in_transaction(Profile::RFC1939).send(command);
    assert!(
        sent.is_ok_and(|octets| octets.ends_with(b"\r\n")),
        "{command:?}"
    );
}

/// No release of Outlook sends the command; a client by the RFC may.
fn outlook_never_sends(command: &Command<'_>) {
    for profile in Profile::ALL {
        let sent = Client::in_transaction(profile).send(command);
        match profile == Profile::RFC1939 {
            true => assert!(sent.is_ok(), "{sent:?}"),
            false => assert!(
                matches!(sent, Err(ClientError::NeverSent { .. })),
                "{sent:?}"
            ),
        }
    }
}

#[test]
fn c0002_nothing_is_sent_before_the_greeting() {
    let mut client = Client::connected(Profile::RFC1939);
    assert!(client.send(&user()).is_err());
    assert_eq!(client.session.poll_transmit(), None);
    client.receive(b"+OK ready\r\n").expect("a greeting");
    assert_eq!(client.send(&user()), Ok(b"USER mrose\r\n".to_vec()));
}

#[test]
fn c0002_a_missing_greeting_is_not_waited_for_for_ever() {
    let mut client = Client::connected(Profile::OUTLOOK_2024);
    assert_eq!(client.wait(), SessionError::Timeout(Timer::Greeting));
    assert_eq!(client.session.state(), State::Desync);
}

#[test]
fn c0007_the_session_is_in_authorization_once_greeted() {
    assert_eq!(Client::greeted().session.state(), State::Authorization);
}

#[test]
fn c0008_nothing_but_authentication_leads_to_transaction() {
    let mut client = Client::greeted();
    client
        .ask(&Command::Capa, b"+OK\r\nUSER\r\n.\r\n")
        .expect("CAPA is allowed");
    assert_eq!(client.session.state(), State::Authorization);
    assert!(client.send(&Command::Stat).is_err());
}

#[test]
fn c0014_a_reply_that_never_comes_is_not_waited_for_for_ever() {
    let mut client = Client::in_transaction(Profile::OUTLOOK_2024);
    client.send(&Command::Stat).expect("STAT is due");
    assert_eq!(client.wait(), SessionError::Timeout(Timer::Reply));
}

#[test]
fn c0016_stat_is_for_transaction() {
    only_in_transaction(&Command::Stat);
}

#[test]
fn c0018_list_is_for_transaction() {
    only_in_transaction(&Command::List(None));
}

#[test]
fn v0005_retr_is_for_transaction() {
    only_in_transaction(&Command::Retr(NUMBER));
}

#[test]
fn c0025_dele_is_for_transaction() {
    let proof = || Delivered::in_an_earlier_session(NUMBER);
    let mut client = Client::greeted();
    let refused = client.session.enqueue_dele(client.now, proof());
    assert!(
        matches!(refused, Err(ClientError::WrongState { .. })),
        "{refused:?}"
    );
    let mut client = Client::in_transaction(Profile::RFC1939);
    assert_eq!(client.session.enqueue_dele(client.now, proof()), Ok(()));
    assert_eq!(client.session.poll_transmit(), Some(&b"DELE 1\r\n"[..]));
}

#[test]
fn c0028_noop_is_for_transaction() {
    only_in_transaction(&Command::Noop);
}

#[test]
fn c0033_top_is_for_transaction() {
    only_in_transaction(&Command::Top(NUMBER, 0));
}

#[test]
fn c0035_uidl_is_for_transaction() {
    only_in_transaction(&Command::Uidl(None));
}

#[test]
fn c0043_user_is_for_authorization() {
    assert!(Client::greeted().send(&user()).is_ok());
    let refused = Client::in_transaction(Profile::RFC1939).send(&user());
    assert!(
        matches!(refused, Err(ClientError::WrongState { .. })),
        "{refused:?}"
    );
}

#[test]
fn c0044_user_comes_before_pass() {
    assert_eq!(
        Client::greeted().send(&pass()),
        Err(ClientError::PassWithoutUser)
    );
}

#[test]
fn c0045_after_a_positive_user_pass_or_quit_is_due() {
    let mut client = Client::greeted();
    client.ask(&user(), b"+OK\r\n").expect("USER is due");
    assert_eq!(client.send(&Command::Capa), Err(ClientError::PassOrQuitDue));
    assert!(client.send(&pass()).is_ok());

    let mut client = Client::greeted();
    client.ask(&user(), b"+OK\r\n").expect("USER is due");
    assert!(client.send(&Command::Quit).is_ok());
}

#[test]
fn c0045_after_a_negative_user_another_try_or_quit_is_due() {
    for command in [user(), Command::Quit] {
        let mut client = Client::greeted();
        client.ask(&user(), b"-ERR who?\r\n").expect("USER is due");
        assert_eq!(client.send(&pass()), Err(ClientError::PassWithoutUser));
        assert!(client.send(&command).is_ok());
    }
}

#[test]
fn c0047_pass_comes_directly_after_a_successful_user() {
    let mut client = Client::greeted();
    client.ask(&user(), b"+OK\r\n").expect("USER is due");
    client.ask(&pass(), b"-ERR no\r\n").expect("PASS is due");
    assert_eq!(client.send(&pass()), Err(ClientError::PassWithoutUser));
}

#[test]
fn v0003_outlook_never_sends_list_with_a_number() {
    outlook_never_sends(&Command::List(Some(NUMBER)));
}

#[test]
fn v0006_outlook_never_sends_rset() {
    outlook_never_sends(&Command::Rset);
}

#[test]
fn v0007_outlook_never_sends_uidl_with_a_number() {
    outlook_never_sends(&Command::Uidl(Some(NUMBER)));
}

#[test]
fn v0008_outlook_never_sends_apop() {
    let apop = Command::Apop {
        name: Argument::new("mrose").expect("a name"),
        digest: Secret::new("c4c9334bac560ecc979e58001b3e22fb").expect("a digest"),
    };
    for profile in Profile::ALL {
        let mut client = Client::connected(profile);
        client
            .receive(b"+OK <1896.697170952@dbc.mtview.ca.us>\r\n")
            .expect("a greeting");
        let sent = client.send(&apop);
        match profile == Profile::RFC1939 {
            true => assert!(sent.is_ok(), "{sent:?}"),
            false => assert!(
                matches!(sent, Err(ClientError::NeverSent { .. })),
                "{sent:?}"
            ),
        }
    }
}

#[test]
fn c0041_outlook_takes_equal_unique_ids_for_one_message() {
    for profile in Profile::ALL {
        let is_named = profile != Profile::RFC1939 && profile.is_named_in("C0041");
        let expected = match is_named {
            true => EqualUniqueIds::Interchangeable,
            false => EqualUniqueIds::Apart,
        };
        assert_eq!(profile.equal_unique_ids, expected, "{}", profile.name);
    }
    assert_eq!(
        Profile::OUTLOOK_2016.equal_unique_ids,
        EqualUniqueIds::Interchangeable
    );
}

#[test]
fn c0048_mail_is_deleted_after_sync_up_to_2016_and_kept_from_2019() {
    let deleting = [
        Profile::OUTLOOK_2007,
        Profile::OUTLOOK_2010,
        Profile::OUTLOOK_2013,
        Profile::OUTLOOK_2016,
    ];
    for profile in Profile::ALL {
        let expected = match deleting.contains(&profile) {
            true => AfterSync::Delete,
            false => AfterSync::Keep,
        };
        assert_eq!(profile.after_sync, expected, "{}", profile.name);
    }
}

fn auth(response: &str) -> Command<'_> {
    Command::Auth {
        mechanism: Mechanism::new("PLAIN").expect("a mechanism"),
        initial_response: Some(Secret::new(response).expect("no control character")),
    }
}

#[test]
fn c0003_no_sasl_response_but_base64_is_sent() {
    for profile in Profile::ALL {
        for response in ["p\u{e4}ss", "a b", "*", "a=b"] {
            let mut client = Client::connected(profile);
            client.receive(b"+OK ready\r\n").expect("a greeting");
            let sent = client.send(&auth(response));
            assert_eq!(sent, Err(ClientError::NotBase64), "{response}");
            assert!(client.session.is_idle());
        }
    }
}

#[test]
fn c0004_a_name_with_a_space_is_no_argument_of_apop() {
    let mut client = Client::connected(Profile::RFC1939);
    let greeting = b"+OK <1896.697170952@dbc.mtview.ca.us>\r\n";
    client.receive(greeting).expect("a greeting");
    let apop = |name, digest| Command::Apop {
        name: Argument::new(name).expect("a name"),
        digest: Secret::new(digest).expect("a digest"),
    };
    let digest = "c4c9334bac560ecc979e58001b3e22fb";
    let sent = client.send(&apop("m rose", digest));
    assert_eq!(sent, Err(ClientError::ApopName));
    let sent = client.send(&apop("mrose", "tanstaaf"));
    assert_eq!(sent, Err(ClientError::ApopDigest));
    assert!(client.send(&apop("mrose", digest)).is_ok());
}

#[test]
fn v0001_to_outlook_the_case_of_ok_means_nothing_after_auth_either() {
    for profile in Profile::ALL {
        for reply in ["+ok in\r\n", "+Ok\r\n", "+OK\tin\r\n"] {
            let mut client = Client::connected(profile);
            client.receive(b"+OK ready\r\n").expect("a greeting");
            client
                .ask(&auth("AGEAYg=="), reply.as_bytes())
                .expect("AUTH is due");
            let expected = match profile == Profile::RFC1939 {
                true => State::Authorization,
                false => State::Transaction,
            };
            assert_eq!(client.session.state(), expected, "{}", profile.name);
        }
    }
}
