//! Other clients against our server: log in, list, retrieve 300 messages,
//! delete, quit.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use pop3_peers::{NOBODY, PASSWORD, USER, find, give_away, make_maildir, messages, with_crlf};
use tempfile::TempDir;

use crate::served::Served;

const COUNT: usize = 300;

/// Runs a client and asserts that it succeeds.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Runs a client that does not deliver mail as root.
pub(crate) fn run_in(directory: &Path, command: &mut Command) {
    use std::os::unix::{fs::MetadataExt as _, process::CommandExt as _};
    if fs::metadata(directory).unwrap().uid() == 0 {
        give_away(directory).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    run(command.env("HOME", directory).current_dir(directory));
}

/// A directory in memory if there is one: a client that waits for a busy disk
/// after each message may reach a timeout.
pub(crate) fn scratch() -> TempDir {
    TempDir::new_in("/dev/shm").unwrap_or_else(|_| TempDir::new().unwrap())
}

/// The messages of a Maildir, sorted.
fn stored(maildir: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(maildir.join("new")).unwrap();
    let mut stored: Vec<_> = files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect();
    stored.sort();
    stored
}

/// The stored messages are the sent ones, in any order.
#[track_caller]
pub(crate) fn assert_stored(maildir: &Path, mut messages: Vec<Vec<u8>>) {
    messages.sort();
    let stored = stored(maildir);
    assert_eq!(stored.len(), messages.len());
    for (stored, message) in stored.iter().zip(&messages) {
        assert!(
            stored == message,
            "{}\nis not\n{}",
            stored.escape_ascii(),
            message.escape_ascii()
        );
    }
}

pub(crate) fn maildir(directory: &Path) -> std::path::PathBuf {
    let maildir = directory.join("Maildir");
    make_maildir(&maildir).unwrap();
    maildir
}

/// A file that other users cannot read.
pub(crate) fn secret(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = fs::OpenOptions::new();
    let file = file.write(true).create_new(true).mode(0o600).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn curl() {
    let Some(curl) = find("curl", "curl") else {
        return;
    };
    let messages = messages(COUNT);
    let served = Served::start(&messages);
    let directory = scratch();
    let url = format!("pop3://127.0.0.1:{}", served.port);
    let curl = || {
        let mut command = Command::new(&curl);
        command.args(["--silent", "--show-error", "--max-time", "600"]);
        command.args(["--user", &format!("{USER}:{PASSWORD}")]);
        command
    };
    let listing = run(curl().arg(&url)).stdout;
    let mut expected = String::new();
    for (at, message) in messages.iter().enumerate() {
        expected += &format!("{} {}\r\n", at + 1, with_crlf(message).len());
    }
    assert_eq!(String::from_utf8(listing).unwrap(), expected);

    let range = format!("{url}/[1-{COUNT}]");
    run(curl()
        .arg(&range)
        .arg("--output")
        .arg(directory.path().join("#1")));
    for (at, message) in messages.iter().enumerate() {
        let octets = fs::read(directory.path().join((at + 1).to_string())).unwrap();
        assert!(octets == with_crlf(message), "message {}", at + 1);
    }

    run(curl().args(["--head", "--request", "DELE"]).arg(&range));
    served.assert_empty();
}

#[test]
fn poplib() {
    const SCRIPT: &str = "
import poplib, sys
pop = poplib.POP3('127.0.0.1', int(sys.argv[1]), timeout=600)
pop.user(sys.argv[2])
pop.pass_(sys.argv[3])
count, octets = pop.stat()
listing = pop.list()[1]
ids = pop.uidl()[1]
assert count == len(listing) == len(ids) == len(set(ids)), (count, listing, ids)
total = 0
for number in range(1, count + 1):
    lines = pop.retr(number)[1]
    message = b''.join(line + b'\\r\\n' for line in lines)
    assert listing[number - 1] == b'%d %d' % (number, len(message)), listing[number - 1]
    assert pop.top(number, 0)[1] == lines[:lines.index(b'') + 1]
    total += len(message)
    sys.stdout.buffer.write(message)
    pop.dele(number)
assert total == octets, (total, octets)
pop.quit()
";
    let Some(python) = find("python3", "python3") else {
        return;
    };
    let messages = messages(COUNT);
    let served = Served::start(&messages);
    let output =
        run(Command::new(python).args(["-c", SCRIPT, &served.port.to_string(), USER, PASSWORD]));
    let expected: Vec<u8> = messages
        .iter()
        .flat_map(|message| with_crlf(message))
        .collect();
    assert!(output.stdout == expected);
    served.assert_empty();
}

#[test]
fn mpop() {
    let Some(mpop) = find("mpop", "mpop") else {
        return;
    };
    let messages = messages(COUNT);
    let served = Served::start(&messages);
    let directory = scratch();
    let maildir = maildir(directory.path());
    let configuration = directory.path().join("mpoprc");
    secret(
        &configuration,
        &format!(
            "account default\nhost 127.0.0.1\nport {}\nuser {USER}\npassword {PASSWORD}\n\
             tls off\nauth user\nkeep off\nreceived_header off\nuidls_file {}\ndelivery maildir {}\n",
            served.port,
            directory.path().join("uidls").display(),
            maildir.display(),
        ),
    );
    run(Command::new(mpop)
        .arg("--file")
        .arg(configuration)
        .arg("--quiet"));
    assert_stored(&maildir, messages);
    served.assert_empty();
}

#[test]
fn fetchmail() {
    let Some(fetchmail) = find("fetchmail", "fetchmail") else {
        return;
    };
    let messages = messages(COUNT);
    let served = Served::start(&messages);
    let directory = scratch();
    let maildir = maildir(directory.path());
    let configuration = directory.path().join("fetchmailrc");
    secret(
        &configuration,
        &format!(
            "set invisible\nset no spambounce\nset idfile \"{0}/ids\"\nset pidfile \"{0}/pid\"\n\
             poll 127.0.0.1 service {1} protocol POP3\n\
             user {USER} password {PASSWORD} sslproto '' fetchall nokeep norewrite \
             mda \"cat > {2}/new/$(cat /proc/sys/kernel/random/uuid)\"\n",
            directory.path().display(),
            served.port,
            maildir.display(),
        ),
    );
    run_in(
        directory.path(),
        Command::new(fetchmail)
            .args(["--silent", "--nosyslog", "--nodetach", "--fetchmailrc"])
            .arg(configuration),
    );
    assert_stored(&maildir, messages);
    served.assert_empty();
}

/// If a child ends before getmail6 6.18 waits for it, which happens on a busy
/// machine, getmail misses that and fails after 60 s. Here it waits for the
/// child itself, not for the signal.
const PATIENT_GETMAIL: &str = "
import os, runpy, sys
from getmailcore.baseclasses import ForkingBase
def wait_for_child(self, child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
ForkingBase._prepare_child = lambda self: None
ForkingBase._wait_for_child = wait_for_child
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
";

/// Fetches into `maildir`, with getmail's own files in `directory`.
pub(crate) fn run_getmail(
    getmail: &Path,
    served: &Served,
    (directory, maildir): (&Path, &Path),
    options: &str,
) {
    let configuration = directory.join("getmailrc");
    secret(
        &configuration,
        &format!(
            "[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\nport = {}\n\
             username = {USER}\npassword = {PASSWORD}\n\
             [destination]\ntype = Maildir\npath = {}/\n[options]\n{options}",
            served.port,
            maildir.display(),
        ),
    );
    run_in(
        directory,
        // The Python interpreter with getmail's modules.
        Command::new("/usr/bin/python3")
            .args(["-c", PATIENT_GETMAIL])
            .arg(getmail)
            .arg("--getmaildir")
            .arg(directory)
            .arg("--rcfile")
            .arg(configuration),
    );
}

#[test]
fn getmail() {
    let Some(getmail) = find("getmail", "getmail6") else {
        return;
    };
    let messages = messages(COUNT);
    let served = Served::start(&messages);
    let directory = scratch();
    let maildir = maildir(directory.path());
    run_getmail(
        &getmail,
        &served,
        (directory.path(), &maildir),
        "delete = true\nreceived = false\ndelivered_to = false\n",
    );
    // getmail adds a header field at the front.
    let field = b"Return-Path: <unknown>\n";
    let messages = messages
        .iter()
        .map(|message| [field, &message[..]].concat());
    assert_stored(&maildir, messages.collect());
    served.assert_empty();
}
