//! Servers that are libraries, each wrapped in a small program that serves the
//! files of a directory.

use std::{fs, io, path::Path, process::Command};

use super::{
    super::with_crlf,
    Daemon, Identity, Maildrop, Server,
    process::{free_address, scratch, start},
};

/// The server of Twisted.
pub const TWISTED: Daemon = Daemon {
    name: "twisted",
    package: "python3-twisted",
    program: "twistd3",
    unpacked: &[],
    libraries: &[],
    stls: false,
    start: twisted,
};

/// WildDuck's server, from npm.
pub const WILDDUCK: Daemon = Daemon {
    name: "wildduck",
    package: "wildduck",
    program: WILDDUCK_SERVER,
    unpacked: &[],
    libraries: &[],
    stls: false,
    start: wildduck,
};

const WILDDUCK_SERVER: &str = "/usr/local/lib/node_modules/wildduck/lib/pop3/server.js";

fn twisted(messages: &[&[u8]], _identity: Option<Identity<'_>>) -> io::Result<Server> {
    run(
        ["/usr/bin/python3", "server"],
        include_str!("twisted.py"),
        messages,
    )
}

fn wildduck(messages: &[&[u8]], _identity: Option<Identity<'_>>) -> io::Result<Server> {
    // WildDuck sends messages without changing their line ends.
    let messages: Vec<_> = messages.iter().map(|message| with_crlf(message)).collect();
    let messages: Vec<_> = messages.iter().map(Vec::as_slice).collect();
    run(
        ["/usr/bin/node", "server", WILDDUCK_SERVER],
        include_str!("wildduck.js"),
        &messages,
    )
}

/// Runs the program in the file `server`, with a directory and a port as its
/// last arguments.
fn run<const N: usize>(words: [&str; N], program: &str, messages: &[&[u8]]) -> io::Result<Server> {
    let directory = scratch()?;
    let maildrop = Maildrop::maildir(directory.path(), messages)?;
    fs::write(directory.path().join("server"), program)?;
    let address = free_address()?;
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .arg(directory.path().join("Maildir/new"))
        .arg(address.port().to_string());
    let process = start(command, &directory, address)?;
    Ok(Server {
        address,
        tls_address: None,
        maildrop,
        _inetd: None,
        _process: process,
        _directory: directory,
    })
}

/// The version in the `package.json` of the npm package that contains this
/// file.
pub(super) fn npm_version(file: &Path) -> Option<String> {
    let mut directories = file.ancestors().skip(1);
    let text = directories
        .find_map(|directory| fs::read_to_string(directory.join("package.json")).ok())?;
    let mut lines = text.lines().map(str::trim);
    let version = lines.find_map(|line| line.strip_prefix("\"version\": \""))?;
    Some(version.split('"').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_version_of_the_package_around_a_file() {
        let directory = scratch().unwrap();
        let file = directory.path().join("lib/pop3/server.js");
        assert_eq!(npm_version(&file), None);
        let text = "{\n    \"name\": \"wildduck\",\n    \"version\": \"1.46.1\",\n}\n";
        fs::write(directory.path().join("package.json"), text).unwrap();
        assert_eq!(npm_version(&file).as_deref(), Some("1.46.1"));
    }
}
