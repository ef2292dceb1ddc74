//! No password, SASL response or digest shows in `Debug` or `Display`, in any
//! build.

use std::{
    fmt::{Debug, Display},
    fs,
    path::Path,
    time::Instant,
};

use pop3_proto::{Argument, Command, Mechanism, Profile, Secret, client, server};
use pop3_testkit::store::Locked;

const PASSWORD: &str = "tanstaaf";
const DIGEST: &str = "c4c9334bac560ecc979e58001b3e22fb";
const RESPONSE: &str = "AG1lAHRhbnN0YWFm";

#[track_caller]
fn assert_hidden(shown: &str) {
    let shown: String = shown.split_whitespace().collect();
    for secret in [PASSWORD, DIGEST, RESPONSE] {
        // Looks for the secret as text and as a list of octets; even its beginning
        // must not appear.
        let start = &secret.as_bytes()[..4];
        let forms = [
            format!("{start:?}"),
            format!("{start:x?}"),
            secret[..4].into(),
        ];
        for form in forms {
            let form = form.replace([' ', '[', ']'], "");
            assert!(!shown.contains(&form), "{form} in {shown}");
        }
    }
}

#[track_caller]
fn assert_debug_hides(value: &impl Debug) {
    assert_hidden(&format!("{value:?} {value:#?} {value:x?}"));
}

#[track_caller]
fn assert_error_hides(error: &(impl Debug + Display)) {
    assert_debug_hides(error);
    assert_hidden(&error.to_string());
}

fn name() -> Argument<'static> {
    Argument::new("mrose").unwrap()
}

fn secret(text: &str) -> Secret<'_> {
    Secret::new(text).unwrap()
}

fn auth(initial_response: Option<&str>) -> Command<'_> {
    Command::Auth {
        mechanism: Mechanism::new("PLAIN").unwrap(),
        initial_response: initial_response.map(secret),
    }
}

fn apop() -> Command<'static> {
    Command::Apop {
        name: name(),
        digest: secret(DIGEST),
    }
}

#[test]
fn arguments_commands_and_their_errors() {
    for text in [PASSWORD, DIGEST, RESPONSE] {
        assert_debug_hides(&secret(text));
        assert_debug_hides(&client::Response::Base64(secret(text)));
        assert_debug_hides(&server::HiddenText::from(text));
    }
    assert_debug_hides(&Command::Pass(secret(PASSWORD)));
    assert_debug_hides(&apop());
    assert_debug_hides(&auth(Some(RESPONSE)));
    assert_error_hides(&Secret::new(&format!("{PASSWORD}\n")).unwrap_err());
    let long = PASSWORD.repeat(40);
    let mut line = Vec::new();
    assert_error_hides(&Command::Pass(secret(&long)).encode(&mut line).unwrap_err());
    assert!(line.is_empty());
    for line in [
        format!("PASS {PASSWORD}\0"),
        format!("{PASSWORD} {PASSWORD}"),
        format!("APOP {DIGEST}"),
        format!("APOP mrose {DIGEST} {DIGEST}"),
        format!("AUTH PLAIN {RESPONSE} {RESPONSE}"),
        format!("AUTH {RESPONSE}!"),
    ] {
        assert_error_hides(&Command::parse(line.as_bytes()).unwrap_err());
    }
}

struct Client {
    session: client::Session,
    now: Instant,
    /// The number of times that output was queued and inspected.
    queued: u32,
}

impl Client {
    fn greeted() -> Self {
        let now = Instant::now();
        let config = client::Config::new(Profile::RFC1939, client::Transport::Tls);
        let session = client::Session::new(config, now);
        let mut client = Self {
            session,
            now,
            queued: 0,
        };
        client.receive(b"+OK <1896.697170952@dbc.mtview.ca.us>\r\n");
        client
    }

    fn receive(&mut self, mut input: &[u8]) {
        while !input.is_empty() {
            let step = self.session.handle_input(self.now, input).unwrap();
            if let Some(event) = step.event {
                assert_debug_hides(&event);
            }
            input = &input[step.consumed..];
        }
        assert_debug_hides(&self.session);
    }

    /// Sends the queued octets in two parts, and inspects before, between and
    /// after.
    fn send(&mut self) {
        while let Some(octets) = self.session.poll_transmit() {
            let half = octets.len().div_ceil(2);
            self.queued += 1;
            assert_debug_hides(&self.session);
            self.session.handle_transmitted(self.now, half);
            assert_debug_hides(&self.session);
        }
    }

    fn enqueue(&mut self, command: &Command<'_>) {
        self.session.enqueue(self.now, command).unwrap();
        self.send();
    }
}

#[test]
fn the_clients_session_with_secrets_in_its_queue() {
    let mut client = Client::greeted();
    client.enqueue(&Command::User(name()));
    client.receive(b"+OK\r\n");
    client.enqueue(&Command::Pass(secret(PASSWORD)));
    client.receive(b"-ERR no\r\n");
    client.enqueue(&apop());
    client.receive(b"-ERR no\r\n");
    client.enqueue(&auth(Some(RESPONSE)));
    client.receive(b"-ERR no\r\n");
    // PASS is sent in two steps, because one line cannot hold it.
    client.enqueue(&auth(Some(&RESPONSE.repeat(20))));
    client.receive(b"+\r\n");
    client.send();
    client.receive(b"-ERR no\r\n");
    client.enqueue(&auth(None));
    client.receive(b"+\r\n");
    let response = client::Response::Base64(secret(RESPONSE));
    client.session.respond(client.now, response).unwrap();
    client.send();
    assert!(client.queued > 14, "{}", client.queued);
}

#[test]
fn the_clients_refusals() {
    let mut client = Client::greeted();
    let long = PASSWORD.repeat(40);
    let huge = RESPONSE.repeat(1000);
    client.enqueue(&Command::User(name()));
    client.receive(b"+OK\r\n");
    let refused = client
        .session
        .enqueue(client.now, &Command::Pass(secret(&long)));
    assert_error_hides(&refused.unwrap_err());
    for command in [apop(), auth(Some(RESPONSE))] {
        // The client must send PASS next.
        let refused = client.session.enqueue(client.now, &command);
        assert_error_hides(&refused.unwrap_err());
    }
    let mut client = Client::greeted();
    for command in [Command::Pass(secret(PASSWORD)), auth(Some(&huge))] {
        let refused = client.session.enqueue(client.now, &command);
        assert_error_hides(&refused.unwrap_err());
    }
}

/// Inspects the session and its events after each octet of the input. No reply
/// repeats a secret.
#[test]
fn the_servers_session_and_its_events() {
    let now = Instant::now();
    let config = server::Config::new()
        .tls(server::Tls::Active)
        .apop("<1896.697170952@dbc.mtview.ca.us>")
        .unwrap()
        .mechanisms(&[Mechanism::new("PLAIN").unwrap()])
        .unwrap();
    assert_debug_hides(&config);
    let mut session = server::Session::<Locked>::new(config, now);
    let input = format!(
        "USER mrose\r\nPASS {PASSWORD}\r\nAPOP mrose {DIGEST}\r\nAUTH PLAIN {RESPONSE}\r\n\
         AUTH PLAIN\r\n{RESPONSE}\r\nPASS {PASSWORD}\r\n{PASSWORD}\r\nAUTH PLAIN {RESPONSE}!\r\n\
         AUTH PLAIN\r\n{RESPONSE}!\r\n"
    );
    let (mut sent, mut logins, mut responses) = (Vec::new(), 0, 0);
    let mut rest = input.as_bytes();
    loop {
        while let Some(octets) = session.poll_transmit() {
            sent.extend_from_slice(octets);
            let octets = octets.len();
            session.handle_transmitted(now, octets);
        }
        let event = session.poll_event();
        assert_debug_hides(&(&session, &event));
        match event {
            Some(server::Event::Login(server::Login::Sasl {
                initial_response: None,
                ..
            })) => session.challenge(now, "").unwrap(),
            Some(server::Event::Login(_)) => {
                logins += 1;
                session.answer(now, server::Verdict::Reject);
            }
            Some(server::Event::SaslResponse(_)) => {
                responses += 1;
                session.answer(now, server::Verdict::Reject);
            }
            Some(_) => {}
            None if rest.is_empty() => break,
            None => rest = &rest[session.handle_input(now, &rest[..1])..],
        }
        assert_debug_hides(&session);
    }
    assert_eq!((logins, responses), (3, 1));
    assert_hidden(std::str::from_utf8(&sent).unwrap());
}

/// A debug build and a release build show the same.
#[test]
fn nothing_depends_on_the_build() {
    fn look(directory: &Path) -> u32 {
        let mut files = 0;
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files += look(&path);
            } else {
                let source = fs::read_to_string(&path).unwrap();
                assert!(!source.contains("debug_assertions"), "{}", path.display());
                files += 1;
            }
        }
        files
    }
    assert!(look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) > 20);
}
