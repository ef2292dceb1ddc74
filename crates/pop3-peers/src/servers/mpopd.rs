//! mpop's server: one user, one Maildir, no system accounts.

use std::{io, process::Command};

use super::{
    Daemon, Identity, Maildrop, PASSWORD, Server, USER,
    process::{free_address, scratch, start},
};

/// mpopd. It counts an LF of a message as one octet (LIST, STAT) but sends CRLF.
pub const MPOPD: Daemon = Daemon {
    name: "mpopd",
    package: "mpop",
    program: "mpopd",
    unpacked: &[],
    libraries: &[],
    stls: false,
    start: run,
};

fn run(messages: &[&[u8]], _: Option<Identity<'_>>) -> io::Result<Server> {
    let directory = scratch()?;
    let maildrop = Maildrop::maildir(directory.path(), messages)?;
    let address = free_address()?;
    let path = directory.path().display();
    let mut command = Command::new("mpopd");
    command.arg("--interface=127.0.0.1");
    command.arg(format!("--port={}", address.port()));
    command.arg(format!("--log={path}/log"));
    command.arg(format!("--auth={USER},echo {PASSWORD}"));
    command.arg(format!("--maildir={path}/Maildir"));
    Ok(Server {
        address,
        tls_address: None,
        maildrop,
        _inetd: None,
        _process: start(command, &directory, address)?,
        _directory: directory,
    })
}
