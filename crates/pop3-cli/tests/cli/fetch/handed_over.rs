//! Messages for a command or an LMTP server: what it takes, what it declines, and
//! what is left on the POP3 server.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use super::{Fetched, Home, messages, with_lf};
use crate::{
    pop3,
    server::{Message, Server},
};

impl Home {
    fn spawn_to(&self, server: &Server, to: &str, options: &[&str]) -> Child {
        fs::create_dir_all(self.path("taken")).unwrap();
        let mut command = pop3(["fetch", &server.url, "--to", to, "--journal", "journal"]);
        command
            .args(options)
            .current_dir(self.directory.path())
            .env("POP3_PASSWORD", "secret")
            .stdin(Stdio::null());
        command.spawn().unwrap()
    }

    pub(super) fn fetch_to(&self, server: &Server, to: &str, options: &[&str]) -> Fetched {
        let run = self.spawn_to(server, to, options);
        Fetched::from(run.wait_with_output().unwrap())
    }

    /// The messages that commands have put into the directory `taken`, sorted.
    fn taken(&self) -> Vec<Vec<u8>> {
        let files = fs::read_dir(self.path("taken")).unwrap();
        let mut taken: Vec<_> = files
            .map(|file| fs::read(file.unwrap().path()).unwrap())
            .collect();
        taken.sort();
        taken
    }
}

/// A command that takes messages.
const TAKE: &str = "command:part=$(mktemp part.XXXXXXXX) && cat > $part && mv $part taken";

fn stored(messages: &[Message]) -> Vec<Vec<u8>> {
    let mut stored: Vec<_> = messages.iter().map(|(_, text)| with_lf(text)).collect();
    stored.sort();
    stored
}

#[test]
fn a_command_takes_each_message_once() {
    let (home, mail) = (Home::new("-"), messages(4));
    let server = Server::new(mail.clone());
    let run = home.fetch_to(&server, TAKE, &["--keep"]).ends(0);
    assert!(
        run.stdout.contains("4 new") && run.stderr.is_empty(),
        "{run:?}"
    );
    assert_eq!(home.taken(), stored(&mail));
    let run = home.fetch_to(&server, TAKE, &["--delete"]).ends(0);
    assert!(run.stdout.contains("4 deleted"), "{run:?}");
    assert_eq!(home.taken(), stored(&mail));
    assert!(server.state.lock().unwrap().maildrop.is_empty());

    let (home, server) = (Home::new("-"), Server::new(mail.clone()));
    home.fetch_to(&server, TAKE, &["--line-ends", "received"])
        .ends(0);
    let received: Vec<_> = mail.into_iter().map(|(_, message)| message).collect();
    assert_eq!(home.taken(), received);
}

#[test]
fn a_message_that_a_command_declines_stays_and_comes_again() {
    for (end, status, said) in [
        (
            "exit 75",
            75,
            "ended with status 75 (try again later): not now",
        ),
        ("exit 1", 76, "ended with status 1: not now"),
        ("exit 69", 76, "ended with status 69: not now"),
        (
            "no-such-program",
            76,
            "ended with status 127 (it is not found): not now",
        ),
        ("kill -9 $$", 76, "ended by signal 9: not now"),
    ] {
        let (home, mail) = (Home::new("-"), messages(3));
        let server = Server::new(mail.clone());
        let command = format!(
            "command:cat > part; if grep -q '^Subject: 1' part; then echo not now >&2; {end}; \
             else mv part \"$(mktemp taken/XXXXXXXX)\"; fi"
        );
        for _ in 0..2 {
            let run = home.fetch_to(&server, &command, &["--delete", "--json"]);
            let run = run.ends(status);
            assert!(run.stdout.contains("\"declined\":1"), "{run:?}");
            let warning = format!(
                "the message with unique-id id/001 stays on the server: the command {said}"
            );
            let warning = warning.replace("command ended by", "command was ended by");
            assert!(run.stderr.contains(&warning), "{run:?}");
            let what = "1 message stays on the server, declined by the command";
            assert!(run.stderr.contains(what), "{run:?}");
            assert_eq!(server.state.lock().unwrap().maildrop, mail[1..2]);
            assert_eq!(home.taken().len(), 2);
        }
        home.fetch_to(&server, TAKE, &["--delete"]).ends(0);
        assert_eq!(home.taken(), stored(&mail));
        assert!(server.state.lock().unwrap().maildrop.is_empty());
    }
}

#[test]
fn a_command_neither_gets_nor_shows_the_password() {
    let (home, server) = (Home::new("-"), Server::new(messages(1)));
    let say = "command:echo \"password: $POP3_PASSWORD.\" >&2; exit 75";
    let run = home.fetch_to(&server, say, &[]).ends(75);
    assert!(run.stderr.contains("password: ."), "{run:?}");
    let run = home.fetch_to(&server, "command:echo sec\"\"ret; exit 75", &[]);
    let run = run.ends(75);
    assert!(!run.stderr.contains("secret"), "{run:?}");
    let run = home.fetch_to(&server, "command:printf 'a\\033[31m\\nb'", &["--quiet"]);
    let run = run.ends(0);
    assert!(!run.stderr.contains('\x1b'), "{run:?}");
    assert!(
        run.stderr.contains("unique-id id/000: the command says: a"),
        "{run:?}"
    );
    assert_eq!(run.stdout, "");
}

/// The server stops at many points, and the run is killed there. Twice is possible,
/// part of a message is not.
#[test]
fn a_kill_at_any_point_loses_nothing_that_a_command_takes() {
    let mail = messages(5);
    let mut octets = 0;
    let mut was_cut = true;
    while was_cut {
        let (home, server) = (Home::new("-"), Server::new(mail.clone()));
        server.stop_after(octets);
        let mut run = home.spawn_to(&server, TAKE, &["--delete"]);
        was_cut = !server.end_or_kill(&mut run).success();
        server.go_on();
        home.fetch_to(&server, TAKE, &["--delete"]).ends(0);
        let mut taken = home.taken();
        taken.dedup();
        assert_eq!(taken, stored(&mail), "killed after {octets} octets");
        assert!(server.state.lock().unwrap().maildrop.is_empty());
        octets += 97;
    }
}

/// The command reads only after the run is killed.
#[test]
fn a_command_gets_all_of_a_message_even_if_the_run_is_killed() {
    let (home, mut mail) = (Home::new("-"), messages(1));
    mail[0].1 = format!("{}\r\n", "x".repeat(70))
        .repeat(20_000)
        .into_bytes();
    let server = Server::new(mail.clone());
    let slow = "command:: > started; until test -e killed; do :; done; cat > part; \
                mv part taken/first";
    let mut run = home.spawn_to(&server, slow, &["--delete"]);
    while !home.path("started").exists() {
        thread::yield_now();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    fs::write(home.path("killed"), "").unwrap();
    while !home.path("taken/first").exists() {
        thread::yield_now();
    }
    assert!(home.taken() == stored(&mail));
    assert_eq!(server.state.lock().unwrap().maildrop.len(), 1);
    // No one has heard that the command has taken it.
    home.fetch_to(&server, TAKE, &["--delete"]).ends(0);
    assert_eq!(home.taken().len(), 2);
    assert!(server.state.lock().unwrap().maildrop.is_empty());
}

/// An LMTP server that takes each message, except for the recipients that it
/// refuses.
pub(super) struct Lmtp {
    pub(super) to: String,
    refuses: Arc<Mutex<Vec<&'static str>>>,
    /// Recipient and message.
    pub(super) taken: Arc<Mutex<Vec<(String, String)>>>,
    senders: Arc<Mutex<Vec<String>>>,
}

impl Lmtp {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let this = Self {
            to: format!("lmtp:{}", listener.local_addr().unwrap()),
            refuses: Arc::default(),
            taken: Arc::default(),
            senders: Arc::default(),
        };
        let (refuses, taken, senders) = (
            Arc::clone(&this.refuses),
            Arc::clone(&this.taken),
            Arc::clone(&this.senders),
        );
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &refuses, &taken, &senders);
            }
        });
        this
    }
}

fn serve(
    mut to: TcpStream,
    refuses: &Mutex<Vec<&'static str>>,
    taken: &Mutex<Vec<(String, String)>>,
    senders: &Mutex<Vec<String>>,
) {
    let from = BufReader::new(to.try_clone().unwrap());
    let mut say = |text: &str| to.write_all(format!("{text}\r\n").as_bytes());
    let _ = say("220 here");
    let mut recipients: Vec<String> = Vec::new();
    let mut message: Option<String> = None;
    for line in from.lines() {
        let Ok(line) = line else { return };
        if let Some(text) = &mut message {
            if line != "." {
                text.push_str(&line);
                text.push('\n');
                continue;
            }
            let text = message.take().unwrap_or_default();
            for recipient in recipients.drain(..) {
                let refused = refuses.lock().unwrap().contains(&&*recipient);
                if !refused {
                    taken.lock().unwrap().push((recipient, text.clone()));
                }
                let _ = say(if refused {
                    "550 5.2.2 secret"
                } else {
                    "250 taken"
                });
            }
            continue;
        }
        if let Some(recipient) = line.strip_prefix("RCPT TO:") {
            recipients.push(recipient.to_owned());
        }
        if let Some(sender) = line.strip_prefix("MAIL FROM:") {
            senders.lock().unwrap().push(sender.to_owned());
        }
        let data = line == "DATA";
        message = data.then(String::new);
        if say(if data { "354 go on" } else { "250 fine" }).is_err() {
            return;
        }
    }
}

#[test]
fn each_recipient_gets_a_message_once_even_if_another_refuses_it_for_long() {
    let (home, mut mail) = (Home::new("-"), messages(2));
    // LMTP allows no CR without LF (RFC 5321 §2.3.8), so the first CR ends a line, too.
    mail[0].1.extend(b"end\r\r\n");
    let (server, lmtp) = (Server::new(mail), Lmtp::start());
    lmtp.refuses.lock().unwrap().push("<b>");
    let to = ["--recipient", "a@x", "--recipient", "b", "--delete"];
    for _ in 0..3 {
        let run = home.fetch_to(&server, &lmtp.to, &to).ends(76);
        let said = "id/001 stays on the server: the LMTP server refuses the message for <b>";
        assert!(run.stderr.contains(said), "{run:?}");
        assert!(!run.stderr.contains("secret"), "{run:?}");
        assert_eq!(server.state.lock().unwrap().maildrop.len(), 2);
    }
    lmtp.refuses.lock().unwrap().clear();
    home.fetch_to(&server, &lmtp.to, &to).ends(0);
    assert!(server.state.lock().unwrap().maildrop.is_empty());
    let mut taken = lmtp.taken.lock().unwrap().clone();
    taken.sort();
    assert!(taken[0].1.ends_with("end\n\n"), "{taken:?}");
    let got = taken
        .iter()
        .map(|(recipient, text)| (&**recipient, text.lines().next().unwrap()));
    assert_eq!(
        got.collect::<Vec<_>>(),
        [
            ("<a@x>", "Subject: 0"),
            ("<a@x>", "Subject: 1"),
            ("<b>", "Subject: 0"),
            ("<b>", "Subject: 1"),
        ]
    );
    assert!(
        lmtp.senders
            .lock()
            .unwrap()
            .iter()
            .all(|sender| sender == "<>")
    );
}

#[test]
fn the_configuration_file_names_commands_and_recipients() {
    let (home, server, lmtp) = (Home::new("-"), Server::new(messages(1)), Lmtp::start());
    let fetch = |to: &str, keys: &str, options: &[&str]| {
        let entry = format!("[accounts.a]\nurl = '{}'\nto = '{to}'\n{keys}", server.url);
        fs::write(home.path("config.toml"), entry).unwrap();
        let mut command = pop3([
            "fetch",
            "a",
            "--config",
            "config.toml",
            "--journal",
            "journal",
        ]);
        let command = command.args(options).current_dir(home.directory.path());
        Fetched::from(command.env("POP3_PASSWORD", "secret").output().unwrap())
    };
    fetch("command:exit 75", "", &[]).ends(75);
    let run = fetch(&lmtp.to, "", &[]).ends(64);
    assert!(run.stderr.contains("--recipient ADDRESS"), "{run:?}");
    let keys = "recipient = ['a', 'b@x']\nsender = 'me@y'\n";
    fetch(&lmtp.to, keys, &["--recipient", "c"]).ends(0);
    let taken = lmtp.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(taken[0].0, "<c>");
    assert_eq!(*lmtp.senders.lock().unwrap(), ["<me@y>"]);
}

#[test]
fn errors_name_the_place_and_the_option() {
    let (home, server) = (Home::new("-"), Server::new(messages(1)));
    let socket = format!("lmtp:{}", home.path("socket").display());
    for (to, options, status, said) in [
        (&*socket, &[][..], 64, "--recipient ADDRESS"),
        (&socket, &["--recipient", "a"], 69, "cannot connect"),
        (
            TAKE,
            &["--recipient", "a"],
            64,
            "--recipient and --sender need --to lmtp",
        ),
        (
            "-",
            &["--sender", "a"],
            64,
            "--recipient and --sender need --to lmtp",
        ),
        (&socket, &["--recipient", "<a>"], 64, "an address such as"),
        (
            &socket,
            &["--recipient", "a", "--sender", ""],
            64,
            "an address such as",
        ),
        ("lmtp:host", &[], 64, "lmtp:HOST:PORT"),
        ("lmtp:host:25", &[], 64, "port 25 is for SMTP"),
        ("command:", &[], 64, "command:COMMAND"),
    ] {
        let run = home.fetch_to(&server, to, options).ends(status);
        assert!(run.stderr.contains(said), "{to}: {run:?}");
    }
    assert_eq!(server.state.lock().unwrap().retrieved, 0);
}
