//! How the server's octets are cut into reads changes nothing (curl#12063,
//! row 8).

use pop3_proto::client::{Config, Response};
use pop3_proto::{Command, Mechanism};
use proptest::prelude::*;

use crate::harness::{Client, config, number, outlook, pass, user};

/// A whole session; what the server says is `answers`, one for each command.
fn session(config: Config, read: usize, answers: &[Vec<u8>]) -> (Vec<String>, String) {
    let mut client = Client::new(config);
    client.read = read;
    let commands = [
        Some(Command::Capa),
        Some(Command::Auth {
            mechanism: Mechanism::new("CRAM-MD5").unwrap(),
            initial_response: None,
        }),
        None,
        Some(user()),
        Some(pass()),
        Some(Command::Stat),
        Some(Command::Uidl(None)),
        Some(Command::List(None)),
        Some(Command::Retr(number(1))),
        Some(Command::Top(number(2), 3)),
        Some(Command::Noop),
        Some(Command::Quit),
    ];
    let mut said = client.feed(&answers[0]);
    for (command, answer) in commands.iter().zip(&answers[1..]) {
        match command {
            Some(command) => {
                let _ = client.send(command);
            }
            None => {
                let _ = client.session.respond(client.now, Response::Cancel);
                client.flush();
            }
        }
        said.extend(client.feed(answer));
    }
    (
        said,
        format!("{:?} {:?}", client.session.state(), client.eof()),
    )
}

/// One with lines that are stuffed in a listing, where Outlook sees its end.
fn good(as_outlook: bool) -> Vec<Vec<u8>> {
    [
        &b"+OK ready <1.2@c>\r\n"[..],
        b"+OK\r\nTOP\r\nPIPELINING\r\nSASL CRAM-MD5\r\n.\r\n",
        b"+ PDFAYj4=\r\n",
        b"-ERR\r\n",
        b"+OK\r\n",
        b"+OK\r\n",
        b"+OK 2 30\r\n",
        b"+OK\r\n1 a\r\n2 b\r\nbad\r\n.\r\n",
        match as_outlook {
            true => b"+OK\r\n1 10\r\n2 20\r\n.end\r\n",
            false => b"+OK\r\n1 10\r\n..2 20\r\n.\r3\r\n.\r\n",
        },
        b"+OK\r\n..\r\n.\rx\r\n\r\n.\r\n",
        b"+OK\r\n.\r\n",
        b"-ERR\r\n",
        b"+OK\r\n",
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}

#[test]
fn whole_and_cut() {
    for (config, as_outlook) in [(config(), false), (outlook(), true)] {
        let good = good(as_outlook);
        let whole = session(config.clone(), 0, &good);
        assert!(whole.1.starts_with("Update"), "{whole:?}");
        for read in 1..=5 {
            assert_eq!(session(config.clone(), read, &good), whole);
        }
    }
}

/// What an octet of an answer is changed into, most often what matters.
fn octet() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => proptest::sample::select(&b"\r\n.+- 1a\0\xff"[..]),
        1 => any::<u8>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn hostile_answers_whole_and_cut(
        edits in prop::collection::vec((0..13_usize, any::<prop::sample::Index>(), octet(), 0..3_u8), 0..6),
        read in 1..=5_usize,
        as_outlook in any::<bool>(),
    ) {
        let mut answers = good(as_outlook);
        for (answer, at, octet, edit) in edits {
            let answer = &mut answers[answer];
            if answer.is_empty() {
                continue;
            }
            let at = at.index(answer.len());
            match edit {
                0 => answer[at] = octet,
                1 => answer.insert(at, octet),
                _ => drop(answer.remove(at)),
            }
        }
        let config = if as_outlook { outlook() } else { config() };
        let whole = session(config.clone(), 0, &answers);
        prop_assert_eq!(session(config, read, &answers), whole);
    }
}
