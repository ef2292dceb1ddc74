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
