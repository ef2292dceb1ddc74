//! Random scripts: what a maildrop model says, the session says too, however
//! its input and output are cut.

use pop3_proto::{
    Mechanism,
    server::{Config, Tls},
};
use pop3_testkit::oracle::{Answer, Maildrop};
use proptest::{collection::vec, prelude::*};

use crate::drive::{PASSWORD, PLAIN, Server, Store, canonical};

/// The model of the maildrop that a [`Store`] with these messages is.
fn model(messages: &[Vec<u8>]) -> Maildrop {
    let unique_ids = (1..).map(|number| format!("<uid.{number}"));
    let octets = messages.iter().map(|message| canonical(message));
    Maildrop::new(unique_ids.zip(octets).collect(), "")
}

/// Takes the reply to one command off the front of what was sent.
fn take_reply(sent: &mut &[u8], multiline: bool) -> (bool, String, Option<Vec<u8>>) {
    let mut line = || {
        let end = sent
            .windows(2)
            .position(|octets| octets == b"\r\n")
            .expect("a whole line");
        let line = &sent[..end];
        *sent = &sent[end + 2..];
        line
    };
    let first = String::from_utf8(line().to_vec()).unwrap();
    let positive = first.starts_with("+OK");
    assert!(positive || first.starts_with("-ERR "), "{first}");
    let text = first
        .split_once(' ')
        .map_or("", |(_, text)| text)
        .to_owned();
    if !(positive && multiline) {
        return (positive, text, None);
    }
    let mut block = Vec::new();
    loop {
        match line() {
            b"." => return (positive, text, Some(block)),
            [b'.', rest @ ..] => block.extend([rest, b"\r\n"].concat()),
            rest => block.extend([rest, b"\r\n"].concat()),
        }
    }
}

fn command() -> impl Strategy<Value = String> {
    let number =
        || prop_oneof![8 => 1_u64..5, 1 => Just(0), 1 => Just(1 << 32), 1 => Just((1 << 32) + 1)];
    let numbered = (
        prop::sample::select(vec!["LIST", "UIDL", "RETR", "DELE", "DELE"]),
        number(),
    );
    let bare = vec![
        "STAT",
        "LIST",
        "UIDL",
        "NOOP",
        "RSET",
        "USER me",
        "PASS wrong",
        "RETR",
        "XYZZY",
        "UTF8",
    ];
    prop_oneof![
        6 => numbered.prop_map(|(keyword, number)| format!("{keyword} {number}")),
        2 => (number(), 0..4_u32).prop_map(|(number, lines)| format!("TOP {number} {lines}")),
        6 => prop::sample::select(bare).prop_map(str::to_owned),
        1 => Just("QUIT".to_owned()),
        1 => Just("x".repeat(300)),
    ]
}

/// What the model knows nothing of.
fn other_line() -> impl Strategy<Value = String> {
    let lines = [
        "CAPA",
        "AUTH PLAIN",
        "*",
        PLAIN,
        "AAAA",
        "STLS",
        "",
        "NOOP\rQUIT",
        "\n",
        "\r",
    ];
    let auth = format!("AUTH PLAIN {PLAIN}");
    let lines = lines
        .map(str::to_owned)
        .into_iter()
        .chain([auth, "A".repeat(12_300)]);
    prop::sample::select(lines.collect::<Vec<_>>())
}

fn script() -> impl Strategy<Value = Vec<String>> {
    let login = || vec!["USER me".to_owned(), format!("PASS {PASSWORD}")];
    (
        vec(command(), 0..4),
        prop::option::weighted(0.9, Just(())),
        vec(command(), 0..24),
    )
        .prop_map(move |(before, logs_in, after)| {
            let login = logs_in.map(|()| login()).unwrap_or_default();
            [before, login, after].concat()
        })
}

fn input(script: &[String]) -> String {
    script
        .iter()
        .map(|command| format!("{command}\r\n"))
        .collect()
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec!["\r\n", "\r\n\r\n", "\n", "\r", ".", "..", "a", "\0"]);
    vec(part, 0..14).prop_map(|parts| parts.concat().into_bytes())
}

fn multiline(command: &str) -> bool {
    matches!(command, "LIST" | "UIDL")
        || command.starts_with("RETR ")
        || command.starts_with("TOP ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn replies_are_those_of_the_model(
        messages in vec(message(), 0..4),
        script in script(),
    ) {
        let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let store = Store::new(&slices);
        let mut server = Server::plain(&store);
        server.run(input(&script).as_bytes());
        let mut model = model(&messages);
        let mut sent = &server.sent[..];
        take_reply(&mut sent, false);
        for command in &script {
            if model.quit {
                break;
            }
            let (positive, text, block) = take_reply(&mut sent, multiline(command));
            let expected = model.answer(command.as_bytes());
            // A text that no client needs is the server's own.
            let needed = matches!(expected, Answer::Yes(Some(_), _)).then_some(text);
            let answer = match positive {
                true => Answer::Yes(needed, block),
                false => Answer::No,
            };
            prop_assert_eq!(answer, expected, "{}", command);
        }
        prop_assert!(sent.is_empty());
        prop_assert_eq!(server.closed.is_some(), model.quit);
        server.session.handle_eof();
        server.pump();
        prop_assert_eq!(store.messages().len(), model.left().len());
        prop_assert!(store.lock().is_some());
    }

    #[test]
    fn how_octets_are_cut_changes_nothing(
        messages in vec(message(), 0..4),
        script in script(),
        others in vec((any::<prop::sample::Index>(), other_line()), 0..4),
        piece in 1_usize..6,
        write in 1_usize..6,
    ) {
        let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let mut script = script;
        for (at, line) in others {
            script.insert(at.index(script.len() + 1), line);
        }
        let input = input(&script);
        let config = Config::new()
            .tls(Tls::Offered)
            .dangerous_plaintext_without_tls(true)
            .mechanisms(&[Mechanism::new("PLAIN").unwrap()])
            .unwrap();
        let (whole_store, cut_store) = (Store::new(&slices), Store::new(&slices));
        let mut whole = Server::new(config.clone(), &whole_store);
        whole.run(input.as_bytes());
        let mut cut = Server::new(config, &cut_store);
        cut.write = write;
        cut.run(b"");
        input.as_bytes().chunks(piece).for_each(|piece| cut.run(piece));
        prop_assert_eq!(whole.sent, cut.sent);
        prop_assert_eq!(whole.events, cut.events);
        prop_assert_eq!(whole_store.messages(), cut_store.messages());
    }
}
