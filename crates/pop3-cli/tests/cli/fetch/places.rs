//! Where `pop3 fetch` looks for files that no option names: the XDG base
//! directories, `~/`, and the account in the journal.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::{Fetched, maildir, messages};
use crate::{pop3, server::Server};

/// Removes every variable that says where files are.
fn fetch(arguments: &[&str], variables: &[(&str, &str)], directory: &Path) -> Fetched {
    let mut command: Command = pop3(["fetch"]);
    command.args(arguments).current_dir(directory);
    for variable in ["HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"] {
        command.env_remove(variable);
    }
    command
        .env("POP3_PASSWORD", "secret")
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    Fetched::from(output)
}

#[test]
fn the_journal_and_the_configuration_are_in_the_base_directories() {
    let server = Server::new(messages(1));
    // Only an absolute path counts.
    for (state, config, journal_in, config_in) in [
        (None, None, "home/.local/state", "home/.config"),
        (Some("/state"), Some("/config"), "state", "config"),
        (Some("/state"), None, "state", "home/.config"),
        (None, Some("/config"), "home/.local/state", "config"),
        (Some("state"), Some(""), "home/.local/state", "home/.config"),
    ] {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        let named = |value: &str| match value.strip_prefix('/') {
            Some(name) => at(name).display().to_string(),
            None => value.to_owned(),
        };
        let mut variables = vec![("HOME", at("home").display().to_string())];
        variables.extend(state.map(|state| ("XDG_STATE_HOME", named(state))));
        variables.extend(config.map(|config| ("XDG_CONFIG_HOME", named(config))));
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(variable, value)| (*variable, value.as_str()))
            .collect();
        fs::create_dir_all(at(config_in).join("pop3")).unwrap();
        let entry = format!("[accounts.a]\nurl = '{}'\nto = 'maildir:m'\n", server.url);
        fs::write(at(config_in).join("pop3/config.toml"), entry).unwrap();
        let run = fetch(&["a"], &variables, scratch.path()).ends(0);
        assert!(run.stdout.contains("1 new"), "{run:?}");
        assert!(at(journal_in).join("pop3/journal.sqlite").exists());
        let run = fetch(&[], &variables, scratch.path()).ends(0);
        assert_eq!(run.stdout, "", "{variables:?}");
    }
}

#[test]
fn names_the_options_without_a_home_directory() {
    let scratch = tempfile::tempdir().unwrap();
    let url = "pop3://me@127.0.0.1:1";
    for home in [&[][..], &[("HOME", "")]] {
        let run = fetch(&[url, "--to", "-"], home, scratch.path()).ends(64);
        assert!(run.stderr.contains("--journal"), "{run:?}");
        let run = fetch(&["--journal", "j"], home, scratch.path()).ends(64);
        assert!(run.stderr.contains("--config"), "{run:?}");
    }
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn a_tilde_is_the_home_directory() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    let home = at("home");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("password"), "of a file\n").unwrap();
    let home = home.to_str().unwrap();
    for (to, there) in [
        ("maildir:~/mail", "home/mail/new"),
        ("mbox:~/box", "home/box"),
        ("maildir:~other", "~other/new"),
        ("maildir:in/~/mail", "in/~/mail/new"),
    ] {
        let server = Server::new(messages(1));
        let keys = format!("to = '{to}'\npassword-file = '~/password'\n");
        let entry = format!("[accounts.a]\nurl = '{}'\n{keys}", server.url);
        fs::write(at("config.toml"), entry).unwrap();
        fs::create_dir_all(at("in/~")).unwrap();
        let options = ["--config", "config.toml", "--journal", "journal"];
        fetch(&options, &[("HOME", home)], scratch.path()).ends(0);
        assert!(at(there).exists(), "{to}");
        let passwords = &server.state.lock().unwrap().passwords;
        assert_eq!(*passwords, ["of a file"]);
    }
    // A tilde works for certificates too.
    let entry = "[accounts.a]\nurl = 'pop3s://me@127.0.0.1:1'\nto = '-'\nca-file = '~/ca.pem'\n";
    fs::write(at("config.toml"), entry).unwrap();
    let options = ["--config", "config.toml", "--journal", "journal"];
    let run = fetch(&options, &[("HOME", home)], scratch.path());
    assert_ne!(run.status, Some(0));
}

/// A host name in capitals is the same host: nothing is fetched twice.
#[test]
fn the_journal_recognizes_every_spelling_of_a_host() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::new(messages(2));
    for host in ["localhost", "LocalHost", "LOCALHOST"] {
        let url = server.url.replace("127.0.0.1", host);
        let options = [&url, "--to", "maildir:mail", "--journal", "journal"];
        fetch(&options, &[], scratch.path()).ends(0);
    }
    assert_eq!(server.state.lock().unwrap().retrieved, 2);
    assert_eq!(maildir(&scratch.path().join("mail")).len(), 2);
}

#[test]
fn reports_a_missing_account_or_file() {
    let scratch = tempfile::tempdir().unwrap();
    let journal = ["--journal", "journal", "--config", "config.toml"];
    let ends = |arguments: &[&str], status| {
        let arguments = [&journal, arguments].concat();
        fetch(&arguments, &[], scratch.path()).ends(status)
    };
    let run = ends(&["a"], 66);
    assert!(run.stderr.contains("config.toml"), "{run:?}");
    for (text, arguments, status, part) in [
        ("", &[][..], 64, "[accounts."),
        (
            "[accounts.a]\nurl = 'pop3://me@h'\n",
            &["b"],
            64,
            "b is neither",
        ),
        ("[accounts.a]\nurl = 'pop3://me@h'\n", &["a"], 64, "--to"),
        ("[accounts.a]\nurl = 'h'\nto = '-'\n", &["a"], 64, "URL"),
        ("[accounts.a\n", &["a"], 65, "line 1"),
        (
            "[accounts.a]\nurl = 'pop3://me@h'\nprofile = 'x'\nto = '-'\n",
            &[],
            64,
            "profile",
        ),
        (
            "[accounts.a]\nurl = 'pop3://me@h'\nauth = 'x'\nto = '-'\n",
            &[],
            64,
            "",
        ),
        (
            "[accounts.a]\nurl = 'pop3://me@h'\nline-ends = 'x'\n",
            &[],
            65,
            "line-ends",
        ),
    ] {
        fs::write(scratch.path().join("config.toml"), text).unwrap();
        let run = ends(arguments, status);
        assert!(run.stderr.contains(part), "{part}: {run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    }
}

#[test]
fn does_not_change_a_file_that_is_not_a_journal() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::new(messages(1));
    let journal = scratch.path().join("journal");
    let note = "This is a note, and no journal.\n".repeat(300);
    fs::write(&journal, &note).unwrap();
    let options = [&server.url, "--to", "maildir:mail", "--journal", "journal"];
    let run = fetch(&options, &[], scratch.path()).ends(65);
    assert!(run.stderr.contains("--journal"), "{run:?}");
    assert_eq!(fs::read_to_string(&journal).unwrap(), note);
    assert_eq!(server.state.lock().unwrap().retrieved, 0);
}

#[test]
fn exits_with_65_on_a_journal_of_a_newer_version() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::new(messages(1));
    let options = [&server.url, "--to", "maildir:mail", "--journal", "journal"];
    fetch(&options, &[], scratch.path()).ends(0);
    // SQLite stores the user version at this offset.
    let journal = scratch.path().join("journal");
    let mut octets = fs::read(&journal).unwrap();
    octets[60..64].copy_from_slice(&[0x7f; 4]);
    fs::write(&journal, octets).unwrap();
    let run = fetch(&options, &[], scratch.path()).ends(65);
    assert!(run.stderr.contains("--journal"), "{run:?}");
    assert_eq!(server.state.lock().unwrap().passwords.len(), 1);
}
