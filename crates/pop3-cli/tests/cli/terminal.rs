//! What `pop3` does only on a terminal: it asks for a password and shows its
//! progress.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
};

use rustix::{
    fs::{Mode, OFlags},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, tcgetattr},
};

use crate::{CHILD_LIMIT, server::Server};

/// A child on its own terminal.
struct Terminal {
    keyboard: File,
    child: Child,
}

impl Terminal {
    fn run(command: &str, url: &str, options: &[&str]) -> Self {
        pop3_peers::limit_children(CHILD_LIMIT);
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let path = ptsname(&near, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let far: OwnedFd = rustix::fs::open(path, flags, Mode::empty()).unwrap();
        let child = Command::new("setsid")
            .args(["--ctty", "--wait", env!("CARGO_BIN_EXE_pop3")])
            .args([command, url])
            .args(options)
            .env_remove("POP3_PASSWORD")
            .env("TERM", "xterm")
            .stdin(Stdio::from(far.try_clone().unwrap()))
            .stderr(Stdio::from(far))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            keyboard: near.into(),
            child,
        }
    }

    /// Reads what is shown until it contains `text`; returns all of it.
    fn wait_for(&mut self, text: &str) -> String {
        let mut shown = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let so_far = String::from_utf8_lossy(&shown).into_owned();
            if so_far.contains(text) {
                return so_far;
            }
            // The terminal closes when the child ends.
            match self.keyboard.read(&mut piece) {
                Ok(octets) if octets > 0 => shown.extend_from_slice(&piece[..octets]),
                _ => panic!("no {text:?} in {so_far:?}"),
            }
        }
    }

    /// Waits until the terminal does not echo input.
    fn wait_for_silence(&mut self) {
        let echoes = |keyboard| tcgetattr(keyboard).unwrap().local_modes;
        while echoes(&self.keyboard).contains(LocalModes::ECHO) {
            let ended = self.child.try_wait().unwrap();
            assert_eq!(ended, None, "it ended, and never stopped the echo");
            std::thread::yield_now();
        }
    }

    /// What the child writes to standard output and shows until it ends.
    fn end(mut self) -> (String, String) {
        let output = self.child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let mut shown = Vec::new();
        // Reading a closed terminal is an error.
        let _ = self.keyboard.read_to_end(&mut shown);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        (String::from_utf8(output.stdout).unwrap(), shown)
    }
}

#[test]
fn asks_for_a_password_and_does_not_show_it() {
    let server = Server::new(vec![(String::from("a"), b"x\r\n".to_vec())]);
    let mut terminal = Terminal::run("list", &server.url, &[]);
    let account = server.url.trim_start_matches("pop3://");
    terminal.wait_for(&format!("Password for {account}: "));
    terminal.wait_for_silence();
    terminal.keyboard.write_all(b"tanstaaf\n").unwrap();
    let (said, shown) = terminal.end();
    assert!(said.contains("1 message, "), "{said}");
    assert_eq!(server.state.lock().unwrap().passwords, ["tanstaaf"]);
    assert!(!shown.contains("tanstaaf"), "{shown}");
}

/// What was typed is kept, also when the configuration is read again.
#[test]
fn asks_for_a_password_once_for_all_runs() {
    let server = Server::new(Vec::new());
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).display().to_string();
    let options = [
        format!("--to=maildir:{}", path("mail")),
        format!("--journal={}", path("journal")),
        String::from("--every=1d"),
    ];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut terminal = Terminal::run("fetch", &server.url, &options);
    terminal.wait_for("Password for ");
    terminal.wait_for_silence();
    terminal.keyboard.write_all(b"tanstaaf\n").unwrap();
    let mut stdout = BufReader::new(terminal.child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    kill_process(Pid::from_child(&terminal.child), Signal::HUP).unwrap();
    stdout.read_line(&mut line).unwrap();
    kill_process(Pid::from_child(&terminal.child), Signal::TERM).unwrap();
    terminal.end();
    assert_eq!(line.matches(": 0 new\n").count(), 2, "{line}");
    assert_eq!(server.state.lock().unwrap().passwords, ["tanstaaf"; 2]);
}

#[test]
fn shows_progress_in_a_bar() {
    let large = b"line\r\n".repeat(1_000_000);
    let server = Server::new(vec![(String::from("a"), large)]);
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).display().to_string();
    std::fs::write(path("password"), "secret").unwrap();
    let options = [
        format!("--to=maildir:{}", path("mail")),
        format!("--journal={}", path("journal")),
        format!("--password-file={}", path("password")),
    ];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut terminal = Terminal::run("fetch", &server.url, &options);
    let shown = terminal.wait_for(" left");
    assert!(shown.contains("/5.72 MiB"), "{shown}");
    let (said, _) = terminal.end();
    assert!(said.ends_with(": 1 new (5.72 MiB)\n"), "{said}");
}

#[test]
fn shows_the_current_check() {
    // It accepts connections and sends no greeting.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("pop3://me@{}", listener.local_addr().unwrap());
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("password");
    std::fs::write(&file, "secret").unwrap();
    let password = format!("--password-file={}", file.display());
    let mut terminal = Terminal::run("check", &url, &[&password, "--timeout=1"]);
    terminal.wait_for("greeting and capabilities");
    let output = terminal.child.wait_with_output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(
        report.contains("C0002                         fail"),
        "{report}"
    );
}

/// What a terminal finally shows of the last line that was written to it.
fn last_line(shown: &str) -> String {
    let line = shown.rsplit('\n').next().unwrap_or_default();
    let line = line.rsplit("\u{1b}[2K").next().unwrap_or_default();
    line.trim_matches(['\r', ' ']).to_owned()
}

/// A prompt after the progress starts on an empty line.
#[test]
fn clears_the_progress_at_the_end() {
    let large = b"line\r\n".repeat(300_000);
    let server = Server::new(vec![(String::from("a"), large)]);
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).display().to_string();
    std::fs::write(path("password"), "secret").unwrap();
    let password = format!("--password-file={}", path("password"));
    let to = format!("--to=maildir:{}", path("mail"));
    let journal = format!("--journal={}", path("journal"));
    for (command, url, options, progress) in [
        (
            "fetch",
            &*server.url,
            &[&*password, &to, &journal][..],
            " left",
        ),
        (
            "check",
            &server.url,
            &[&password, "--only=C0002"],
            "greeting",
        ),
        (
            "audit",
            "--recipe=pop3",
            &["--only=plain", "--skip=stls", "--jobs=1"],
            "1/1",
        ),
    ] {
        let mut terminal = Terminal::run(command, url, options);
        let before = terminal.wait_for(progress);
        let (_, after) = terminal.end();
        let shown = before + &after;
        assert_eq!(last_line(&shown), "", "{command}: {shown:?}");
    }
    // With --quiet there is no progress bar.
    let journal = format!("--journal={}", path("another"));
    let options = [&*password, &to, &journal, "--quiet"];
    let (_, shown) = Terminal::run("fetch", &server.url, &options).end();
    assert_eq!(shown, "");
}
