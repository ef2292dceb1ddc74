//! Where a server keeps its messages.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Error, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use super::{PASSWORD, USER};
use crate::make_maildir;

/// Where the messages are.
#[derive(Debug)]
pub(super) enum Maildrop {
    /// One file each, in the directories `new` and `cur` of this directory.
    Maildir(PathBuf),
    /// One after another in this file.
    Mbox(PathBuf),
    /// Only the server at this address knows.
    Kept(SocketAddr),
}

impl Maildrop {
    /// Writes the Maildir `Maildir` in a directory.
    pub(super) fn maildir(directory: &Path, messages: &[&[u8]]) -> io::Result<Self> {
        let maildir = directory.join("Maildir");
        make_maildir(&maildir)?;
        for (number, message) in messages.iter().enumerate() {
            // Some servers sort by the time in the name, others by that of the
            // file.
            let when = 1_600_000_000 + number as u64;
            let path = maildir.join(format!("new/{when}.{number:06}.example"));
            let mut file = fs::File::create(path)?;
            file.write_all(message)?;
            file.set_modified(UNIX_EPOCH + Duration::from_secs(when))?;
        }
        Ok(Self::Maildir(maildir))
    }

    /// Writes an mbox. Like any program that delivers to one, it quotes `From `
    /// as `>From ` and adds a missing last line end.
    pub(super) fn mbox(path: PathBuf, messages: &[&[u8]]) -> io::Result<Self> {
        let mut octets = Vec::new();
        for message in messages {
            octets.extend_from_slice(b"From ada@example.org Mon Jan  1 00:00:00 2024\n");
            for line in message.split_inclusive(|octet| *octet == b'\n') {
                if line.starts_with(b"From ") {
                    octets.push(b'>');
                }
                octets.extend_from_slice(line);
            }
            if !octets.ends_with(b"\n") {
                octets.push(b'\n');
            }
            octets.push(b'\n');
        }
        fs::write(&path, octets)?;
        Ok(Self::Mbox(path))
    }

    /// Counts the messages.
    pub(super) fn messages(&self) -> io::Result<usize> {
        match self {
            Self::Maildir(maildir) => {
                let mut messages = 0;
                for part in ["new", "cur"] {
                    messages += fs::read_dir(maildir.join(part))?.count();
                }
                Ok(messages)
            }
            Self::Mbox(path) => {
                let octets = fs::read(path)?;
                let lines = octets.split(|octet| *octet == b'\n');
                Ok(lines.filter(|line| line.starts_with(b"From ")).count())
            }
            Self::Kept(address) => ask(*address),
        }
    }
}

/// Logs in and asks for the number of messages.
fn ask(address: SocketAddr) -> io::Result<usize> {
    let mut stream = TcpStream::connect(address)?;
    let mut replies = BufReader::new(stream.try_clone()?).lines();
    let commands = format!("USER {USER}\r\nPASS {PASSWORD}\r\nSTAT\r\nQUIT\r\n");
    stream.write_all(commands.as_bytes())?;
    // The greeting, USER, PASS, and then STAT.
    let reply = replies.nth(3).transpose()?.unwrap_or_default();
    let messages = reply.split(' ').nth(1).map(str::parse);
    match messages {
        Some(Ok(messages)) if reply.starts_with("+OK ") => Ok(messages),
        _ => Err(Error::other(format!("no answer to STAT: {reply}"))),
    }
}
