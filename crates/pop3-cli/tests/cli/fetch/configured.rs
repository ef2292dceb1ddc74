//! The effect of each key of the configuration file.

use std::{fs, process::Stdio};

use super::{Fetched, Home, messages, with_lf};
use crate::{pop3, server::Server};

impl Home {
    /// Fetches an account with these keys and no options except the two that
    /// name files.
    fn fetch_configured(&self, server: &Server, keys: &str) -> Fetched {
        let to = match self.to {
            "-" => String::from("-"),
            kind => format!("{kind}:{}", self.path("mail").display()),
        };
        let entry = format!(
            "[accounts.a]\nurl = '{}'\nto = '{to}'\n{keys}\n",
            server.url
        );
        fs::write(self.path("config.toml"), entry).unwrap();
        let mut command = pop3(["fetch", "a", "--config"]);
        command
            .arg(self.path("config.toml"))
            .arg("--journal")
            .arg(self.path("state/journal.sqlite"))
            .env("POP3_PASSWORD", "secret")
            .stdin(Stdio::null());
        if keys.contains("password-") {
            command.env_remove("POP3_PASSWORD");
        }
        let output = command.output().unwrap();
        Fetched::from(output)
    }
}

#[test]
fn keys_set_what_is_deleted() {
    let by_profile = "profile = 'outlook-2016'";
    for (keys, left) in [
        ("", 2),
        ("delete = true", 0),
        (by_profile, 0),
        (&format!("{by_profile}\nkeep = true"), 2),
        (&format!("{by_profile}\ndelete-after = 14"), 2),
        ("delete-after = 0", 0),
    ] {
        let (home, server) = (Home::new("maildir"), Server::new(messages(2)));
        home.fetch_configured(&server, keys).ends(0);
        home.has(&messages(2));
        let state = server.state.lock().unwrap();
        assert_eq!(state.maildrop.len(), left, "{keys}");
    }
}

#[test]
fn keys_limit_what_is_fetched() {
    let mail = messages(5);
    let size = format!("max-size = {}", mail[3].1.len());
    for (key, fetched) in [("limit = 2", 2), (&size, 4)] {
        let (home, server) = (Home::new("mbox"), Server::new(mail.clone()));
        home.fetch_configured(&server, key).ends(0);
        home.has(&mail[..fetched]);
    }
}

#[test]
fn a_key_requires_tls_on_loopback_too() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(1)));
    server.state.lock().unwrap().answers = vec![("STLS", "-ERR what?\r\n".into())];
    let run = home
        .fetch_configured(&server, "require-tls = true")
        .ends(69);
    assert!(run.stderr.contains("STLS"), "{run:?}");
    assert!(server.state.lock().unwrap().passwords.is_empty());
    home.fetch_configured(&server, "require-tls = false")
        .ends(0);
}

#[test]
fn keys_set_the_time_limit_for_a_silent_server() {
    for key in ["timeout", "session-timeout"] {
        let (home, server) = (Home::new("maildir"), Server::new(messages(3)));
        server.stop_after(300);
        let run = home
            .fetch_configured(&server, &format!("{key} = 1"))
            .ends(75);
        assert!(run.stderr.contains("too long"), "{run:?}");
    }
}

#[test]
fn keys_name_the_source_of_the_password() {
    let home = Home::new("maildir");
    let server = Server::new(messages(1));
    fs::write(home.path("password"), "of a file\n").unwrap();
    let file = format!("password-file = '{}'", home.path("password").display());
    home.fetch_configured(&server, &file).ends(0);
    let command = "password-command = 'echo of a command'";
    home.fetch_configured(&server, command).ends(0);
    let state = server.state.lock().unwrap();
    assert_eq!(state.passwords, ["of a file", "of a command"]);
}

#[test]
fn a_key_keeps_lines_as_received() {
    for (key, is_lf) in [("", true), ("line-ends = 'received'", false)] {
        let (home, server) = (Home::new("maildir"), Server::new(messages(1)));
        home.fetch_configured(&server, key).ends(0);
        let message = messages(1).remove(0).1;
        let wanted = if is_lf { with_lf(&message) } else { message };
        assert!(home.mail().contains_key(&wanted), "{key}");
    }
}

#[test]
fn commands_take_the_name_of_an_account() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(1)));
    fs::write(home.path("password"), "of a file\n").unwrap();
    let text = format!(
        "[accounts.home]\nurl = '{}'\npassword-file = '{}'\n",
        server.url,
        home.path("password").display()
    );
    fs::create_dir(home.path("pop3")).unwrap();
    fs::write(home.path("pop3/config.toml"), text).unwrap();
    let named = |command: &str, name: &str| {
        let mut command = pop3([command, name]);
        command
            .env("XDG_CONFIG_HOME", home.path(""))
            .env_remove("POP3_PASSWORD");
        Fetched::from(command.stdin(Stdio::null()).output().unwrap())
    };
    assert!(named("list", "home").ends(0).stdout.contains("id/000"));
    // The server in memory violates rules of MS-STANOPOP3.
    named("check", "home").ends(1);
    let passwords = server.state.lock().unwrap().passwords.clone();
    assert!(
        passwords.contains(&String::from("of a file")),
        "{passwords:?}"
    );
    for command in ["list", "check", "fetch"] {
        let run = named(command, "nosuchaccount").ends(64);
        let file = home.path("pop3/config.toml");
        let said = format!("nor an account in {}", file.display());
        assert!(
            run.stderr.contains("nosuchaccount is neither a URL"),
            "{run:?}"
        );
        assert!(run.stderr.contains(&said), "{run:?}");
    }
    fs::remove_file(home.path("pop3/config.toml")).unwrap();
    for command in ["list", "check", "fetch"] {
        let run = named(command, "nosuchaccount").ends(66);
        let said = "account nosuchaccount: cannot read the configuration file";
        assert!(run.stderr.contains(said), "{run:?}");
        // A host needs no such file, but a user.
        let run = named(command, "mail.example.org");
        assert_eq!(run.status, Some(64));
        let said = "write pop3s://USER@mail.example.org";
        assert!(
            run.stderr.contains(said) || run.stderr.contains("--to"),
            "{run:?}"
        );
    }
}

#[test]
fn a_host_without_a_scheme_is_reached_with_tls() {
    let server = Server::new(messages(1));
    let host = server.url.strip_prefix("pop3://").unwrap();
    for command in ["list", "check"] {
        let mut command = pop3([command, host]);
        command.env("POP3_PASSWORD", "secret");
        let run = Fetched::from(command.stdin(Stdio::null()).output().unwrap());
        assert!(matches!(run.status, Some(69 | 76)), "{run:?}");
        assert!(run.stderr.contains("TLS"), "{run:?}");
    }
    assert!(server.state.lock().unwrap().passwords.is_empty());
}

#[test]
fn keys_add_trace_fields() {
    let message = String::from_utf8(with_lf(&messages(1)[0].1)).unwrap();
    for (keys, start) in [
        ("delivered-to = 'me@a'", "Delivered-To: me@a\nSubject: "),
        ("received = true", "Received: from [127.0.0.1] by "),
    ] {
        let (home, server) = (Home::new("maildir"), Server::new(messages(1)));
        home.fetch_configured(&server, keys).ends(0);
        let (stored, _) = home.mail().pop_first().unwrap();
        let stored = String::from_utf8(stored).unwrap();
        assert!(stored.starts_with(start), "{stored}");
        assert!(stored.ends_with(&message), "{stored}");
    }
}
