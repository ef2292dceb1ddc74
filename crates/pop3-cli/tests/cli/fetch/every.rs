//! `pop3 fetch --every`: a run until a signal.

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Read},
    mem,
    os::unix::{fs::PermissionsExt as _, net::UnixDatagram},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Home, messages};
use crate::{pop3, server::Server};

/// A fetch that repeats, though never within the time of a test.
struct Running {
    child: Child,
    said: Receiver<Said>,
}

/// A line that it prints, with its end.
enum Said {
    Out(String),
    Error(String),
}

impl Running {
    fn start(command: &mut Command) -> Self {
        command.args(["--every", "1d"]);
        command.stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (say, said) = channel();
        hear(child.stdout.take().unwrap(), say.clone(), Said::Out);
        hear(child.stderr.take().unwrap(), say, Said::Error);
        Self { child, said }
    }

    /// Waits for the line of a cycle.
    #[track_caller]
    fn line(&mut self) -> String {
        match self.said.recv().unwrap() {
            Said::Out(line) => line,
            Said::Error(line) => panic!("{line}"),
        }
    }

    /// Waits for a line on stderr.
    #[track_caller]
    fn error(&mut self) -> String {
        match self.said.recv().unwrap() {
            Said::Out(line) => panic!("{line}"),
            Said::Error(line) => line,
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    #[track_caller]
    fn ends(self, signal: Signal) {
        self.signal(signal);
        self.ended();
    }

    /// What it prints until it ends.
    #[track_caller]
    fn ended(mut self) -> String {
        let mut rest = String::new();
        for said in &self.said {
            match said {
                Said::Out(line) => rest.push_str(&line),
                Said::Error(line) => panic!("{line}"),
            }
        }
        assert!(self.child.wait().unwrap().success(), "{rest}");
        rest
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hear(from: impl Read + Send + 'static, say: Sender<Said>, kind: fn(String) -> Said) {
    thread::spawn(move || {
        let mut lines = BufReader::new(from);
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap() > 0 {
            let _ = say.send(kind(mem::take(&mut line)));
        }
    });
}

impl Home {
    /// A fetch of all accounts of the configuration file.
    fn all(&self) -> Command {
        let mut command = pop3(["fetch", "--config"]);
        command.arg(self.path("config.toml"));
        command
            .arg("--journal")
            .arg(self.path("state/journal.sqlite"))
            .env("POP3_PASSWORD", "secret");
        command
    }

    fn configure(&self, servers: &[&Server]) {
        let mut text = String::new();
        for (number, server) in servers.iter().enumerate() {
            let to = self.path("mail");
            text.push_str(&format!(
                "[accounts.a{number}]\nurl = '{}'\nto = 'maildir:{}'\n",
                server.url,
                to.display()
            ));
        }
        fs::write(self.path("config.toml"), text).unwrap();
    }
}

#[test]
fn prints_a_line_for_each_run_until_a_signal_ends_it() {
    for signal in [Signal::TERM, Signal::INT] {
        let (home, mail) = (Home::new("maildir"), messages(4));
        let server = Server::new(mail[..2].to_vec());
        home.configure(&[&server]);
        let mut running = Running::start(&mut home.all());
        assert!(running.line().contains(": 2 new ("));
        server.state.lock().unwrap().maildrop = mail.clone();
        running.signal(Signal::HUP);
        assert!(running.line().contains(": 2 new ("));
        running.signal(Signal::HUP);
        assert!(running.line().ends_with(": 0 new\n"));
        running.ends(signal);
        home.has(&mail);
    }
}

#[test]
fn rereads_the_configuration_file_and_keeps_the_old_one_if_it_is_malformed() {
    let home = Home::new("maildir");
    let (first, second) = (Server::new(messages(1)), Server::new(messages(3)));
    home.configure(&[&first]);
    let mut running = Running::start(&mut home.all());
    assert!(running.line().contains(": 1 new ("));
    fs::write(home.path("config.toml"), "[acounts]\n").unwrap();
    running.signal(Signal::HUP);
    let error = running.error();
    assert!(
        error.contains("config.toml: line 1: unknown field `acounts`"),
        "{error}"
    );
    home.configure(&[&second]);
    running.signal(Signal::HUP);
    assert!(running.line().contains(": 3 new ("));
    running.ends(Signal::TERM);
}

/// Runs `fetch` once with each text in the file of the password.
fn passwords_sent(file: &str, texts: [&str; 2], set: impl Fn(&mut Command, &Path)) -> Vec<String> {
    let (home, server) = (Home::new("maildir"), Server::new(messages(1)));
    home.configure(&[&server]);
    let file = home.path(file);
    let write = |text: &str| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    };
    write(texts[0]);
    let mut fetch = home.all();
    set(fetch.env_remove("POP3_PASSWORD"), &file);
    let mut running = Running::start(&mut fetch);
    running.line();
    write(texts[1]);
    running.signal(Signal::HUP);
    running.line();
    running.ends(Signal::TERM);
    let state = server.state.lock().unwrap();
    state.passwords.clone()
}

#[test]
fn reads_the_password_file_for_each_run() {
    let sent = passwords_sent("password", ["old", "new"], |fetch, file| {
        fetch.arg("--password-file").arg(file);
    });
    assert_eq!(sent, ["old", "new"]);
}

#[test]
fn reads_netrc_for_each_run() {
    let texts = ["default password old", "default password new"];
    let sent = passwords_sent("netrc", texts, |fetch, file| {
        fetch.env("NETRC", file);
    });
    assert_eq!(sent, ["old", "new"]);
}

#[test]
fn a_silent_server_holds_no_other_account() {
    let home = Home::new("maildir");
    let (silent, other) = (Server::new(messages(1)), Server::new(messages(2)));
    silent.stop_after(0);
    home.configure(&[&silent, &other]);
    let mut running = Running::start(&mut home.all());
    silent.wait_until_dead();
    assert!(running.line().contains(": 2 new ("));
    running.signal(Signal::HUP);
    assert!(running.line().ends_with(": 0 new\n"));
    // The session with the silent server ends too.
    running.ends(Signal::TERM);
}

#[test]
fn goes_on_after_a_failure() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(1)));
    server.state.lock().unwrap().answers = vec![("PASS", "-ERR [IN-USE] locked\r\n".into())];
    home.configure(&[&server]);
    let mut running = Running::start(&mut home.all());
    let error = running.error();
    assert!(error.contains("IN-USE"), "{error}");
    server.state.lock().unwrap().answers.clear();
    running.signal(Signal::HUP);
    assert!(running.line().contains(": 1 new ("));
    running.ends(Signal::TERM);
}

#[test]
fn a_signal_in_the_middle_of_a_message_loses_nothing() {
    for octets in [400, 700, 1000] {
        let (home, mail) = (Home::new("maildir"), messages(20));
        let server = Server::new(mail.clone());
        server.stop_after(octets);
        home.configure(&[&server]);
        let running = Running::start(&mut home.all());
        server.wait_until_dead();
        running.ends(Signal::TERM);
        server.go_on();
        home.fetch(&server, &[]).ends(0);
        home.has(&mail);
    }
}

#[test]
fn waits_in_silence_until_the_server_allows_a_login() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(1)));
    let capa = "+OK\r\nUSER\r\nUIDL\r\nLOGIN-DELAY 1\r\n.\r\n";
    server.state.lock().unwrap().answers = vec![("CAPA", capa.into())];
    home.configure(&[&server]);
    let mut running = Running::start(&mut home.all());
    assert!(running.line().contains(": 1 new ("));
    running.signal(Signal::HUP);
    assert!(running.line().ends_with(": 0 new\n"));
    running.ends(Signal::TERM);
}

/// What a service manager hears.
struct Notified(UnixDatagram);

impl Notified {
    fn start(home: &Home) -> (Self, Running) {
        let socket = home.path("notify");
        let notified = Self(UnixDatagram::bind(&socket).unwrap());
        let running = Running::start(home.all().env("NOTIFY_SOCKET", socket));
        assert_eq!(notified.heard(), "READY=1\n");
        (notified, running)
    }

    fn heard(&self) -> String {
        let mut octets = [0; 100];
        let length = self.0.recv(&mut octets).unwrap();
        String::from_utf8(octets[..length].to_vec()).unwrap()
    }
}

#[test]
fn tells_the_service_manager_when_it_is_ready_and_when_it_stops() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(1)));
    home.configure(&[&server]);
    let (notified, mut running) = Notified::start(&home);
    assert!(running.line().contains(": 1 new ("));
    running.ends(Signal::TERM);
    assert_eq!(notified.heard(), "STOPPING=1\n");
}

#[test]
fn waits_at_the_end_until_a_command_has_taken_its_message() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(1)));
    let [started, go] = ["started", "go"].map(|name| home.path(name));
    let command = format!(
        ": > {}; until test -e {}; do sleep 0.01; done; cat > /dev/null",
        started.display(),
        go.display()
    );
    let config = format!(
        "[accounts.a]\nurl = '{}'\nto = 'command:{command}'\n",
        server.url
    );
    fs::write(home.path("config.toml"), config).unwrap();
    let (notified, running) = Notified::start(&home);
    while !started.exists() {
        thread::yield_now();
    }
    running.signal(Signal::TERM);
    assert_eq!(notified.heard(), "STOPPING=1\n");
    fs::write(&go, "").unwrap();
    assert!(running.ended().contains(": 1 new ("));
}

#[test]
fn refuses_an_interval_without_a_unit() {
    let mut command = pop3(["fetch", "pop3s://me@mail.example.org", "--every", "5"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("write an interval such as 90s"), "{stderr}");
}
