//! `pop3 fetch` from Dovecot's POP3 server to its LMTP server.

use std::process::{Command, Output};

use pop3_peers::{DOVECOT, Lmtp, PASSWORD, RECIPIENTS, Server, USER};
use tempfile::TempDir;

/// Messages that a client may cut or change on the way: dots, lines that are longer
/// than RFC 5321 allows, octets beyond ASCII, no line end.
fn messages() -> Vec<Vec<u8>> {
    let head = |subject: &str| format!("Subject: {subject}\n\n").into_bytes();
    let long = [vec![b'.'; 1000], b"\n".to_vec()].concat();
    let longer = [vec![b'x'; 70_000], b"\n".to_vec()].concat();
    vec![
        [head("dots"), b".\n..\n.a\n...\n\n.\n".to_vec()].concat(),
        [head("long lines"), long.clone(), long, longer].concat(),
        [head("8 bits"), b"\xff\x80 \xc3\xbc\n".to_vec()].concat(),
        [head("large"), b".line\n".repeat(200_000)].concat(),
        head("empty"),
    ]
}

struct World {
    pop3: Server,
    lmtp: Lmtp,
    home: TempDir,
}

impl World {
    fn start() -> Option<Self> {
        Some(Self {
            lmtp: Lmtp::start().unwrap()?,
            pop3: DOVECOT.start(messages(), None).unwrap()?,
            home: TempDir::new().unwrap(),
        })
    }

    fn fetch(&self, to: &str, recipients: &[&str]) -> Output {
        pop3_peers::limit_children(crate::CHILD_LIMIT);
        let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
        let url = format!("pop3://{USER}@127.0.0.1:{}", self.pop3.address.port());
        command.args([
            "fetch",
            &url,
            "--insecure-plaintext",
            "--delete",
            "--to",
            to,
        ]);
        for recipient in recipients {
            command.args(["--recipient", recipient]);
        }
        command.env("POP3_PASSWORD", PASSWORD);
        command.env("XDG_STATE_HOME", self.home.path());
        command.output().unwrap()
    }

    /// Requires that a user has each message once. The server adds header fields.
    #[track_caller]
    fn has_all(&self, recipient: &str) {
        let stored = self.lmtp.messages(recipient).unwrap();
        assert_eq!(stored.len(), messages().len(), "{recipient}");
        for message in messages() {
            let times = stored.iter().filter(|stored| stored.ends_with(&message));
            let subject = message.split(|octet| *octet == b'\n').next().unwrap();
            assert_eq!(times.count(), 1, "{recipient}: {}", subject.escape_ascii());
        }
    }
}

#[test]
fn dovecot_takes_every_octet_over_tcp_and_over_a_socket() {
    for over_socket in [false, true] {
        let Some(world) = World::start() else { return };
        let to = match over_socket {
            true => format!("lmtp:{}", world.lmtp.socket.display()),
            false => format!("lmtp:{}", world.lmtp.address),
        };
        let run = world.fetch(&to, &RECIPIENTS);
        assert_eq!(run.status.code(), Some(0), "{run:?}");
        for recipient in RECIPIENTS {
            world.has_all(recipient);
        }
        assert_eq!(world.pop3.messages().unwrap(), 0);
    }
}

#[test]
fn dovecot_refuses_an_unknown_recipient_and_the_others_get_each_message_once() {
    let Some(world) = World::start() else { return };
    let to = format!("lmtp:{}", world.lmtp.address);
    for _ in 0..2 {
        let run = world.fetch(&to, &[RECIPIENTS[0], "unknown@example.org"]);
        assert_eq!(run.status.code(), Some(76), "{run:?}");
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(
            said.contains("refuses RCPT TO:<unknown@example.org>: 550"),
            "{said}"
        );
        world.has_all(RECIPIENTS[0]);
        assert_eq!(world.pop3.messages().unwrap(), messages().len());
    }
    let run = world.fetch(&to, &[RECIPIENTS[0]]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    world.has_all(RECIPIENTS[0]);
    assert_eq!(world.pop3.messages().unwrap(), 0);
}
