//! `pop3 serve` over its own Maildir.

use std::{
    fs,
    process::{Command, Stdio},
};

use pop3_peers::{Listening, PASSWORD, USER, make_maildir};
use tempfile::TempDir;

/// A running server; dropping it stops it.
pub(crate) struct Served {
    pub(crate) port: u16,
    _process: Listening,
    directory: TempDir,
}

impl Served {
    pub(crate) fn start(messages: &[Vec<u8>]) -> Self {
        pop3_peers::limit_children(crate::CHILD_LIMIT);
        let directory = TempDir::new().unwrap();
        make_maildir(directory.path()).unwrap();
        for (at, message) in messages.iter().enumerate() {
            let name = format!("new/{}.{at}.example", 1_600_000_000 + at);
            fs::write(directory.path().join(name), message).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--user",
                USER,
                "--maildir",
            ])
            .arg(directory.path())
            .env("POP3_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        let process = Listening::start(&mut command).unwrap();
        let port = process.address.rsplit(':').next().unwrap();
        Self {
            port: port.parse().unwrap(),
            directory,
            _process: process,
        }
    }

    /// Adds a message to the maildrop.
    pub(crate) fn deliver(&self, name: &str, message: &[u8]) {
        fs::write(self.directory.path().join("new").join(name), message).unwrap();
    }

    /// The number of messages in the maildrop.
    pub(crate) fn left(&self) -> usize {
        let parts = ["new", "cur"].map(|part| self.directory.path().join(part));
        parts
            .iter()
            .map(|part| fs::read_dir(part).unwrap().count())
            .sum()
    }

    /// Asserts that all messages are deleted.
    #[track_caller]
    pub(crate) fn assert_empty(&self) {
        for part in ["new", "cur"] {
            let left = fs::read_dir(self.directory.path().join(part)).unwrap();
            assert_eq!(left.count(), 0, "{part}");
        }
    }
}
