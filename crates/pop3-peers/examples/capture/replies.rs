//! The replies, and the manifest that names them.

use std::{
    error::Error,
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
};

use pop3_peers::{DOVECOT, Daemon, MPOPD, PASSWORD, USER};

/// The name of a server in the manifest, and its reply to QUIT.
const SERVERS: [(&str, Daemon, &str); 2] = [
    ("dovecot", DOVECOT, "+OK Logging out.\r\n"),
    ("mpopd", MPOPD, "+OK\r\n"),
];

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/captures");
    let manifest = fs::read_to_string(directory.join("manifest.tsv"))?;
    for (name, daemon, bye) in SERVERS {
        let rows = manifest.lines().map(|row| row.split('\t').collect());
        let rows: Vec<Vec<&str>> = rows.filter(|row: &Vec<_>| row[0] == name).collect();
        // Each message has two rows, one after the other.
        let mut messages: Vec<_> = rows.iter().map(|row| row[2]).collect();
        messages.dedup();
        let served = messages.iter().map(|path| fs::read(directory.join(path)));
        let served = served.collect::<io::Result<Vec<_>>>()?;
        let server = daemon.start(served, None)?;
        let server = server.ok_or("both servers are needed")?;
        for row in &rows {
            let (capture, command) = (row[1], row[3]);
            let reply = reply(server.address, command, bye)?;
            fs::write(directory.join(capture), reply)?;
        }
        println!("{name}: {} captures", rows.len());
    }
    Ok(())
}

/// All octets that a command brings, however they end: QUIT follows it, and the
/// reply to QUIT is cut off.
fn reply(address: SocketAddr, command: &str, bye: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut status = String::new();
    for login in [
        "",
        &format!("USER {USER}\r\n"),
        &format!("PASS {PASSWORD}\r\n"),
    ] {
        stream.write_all(login.as_bytes())?;
        status.clear();
        input.read_line(&mut status)?;
        if !status.starts_with("+OK") {
            return Err(format!("no login: {status}").into());
        }
    }
    // mpopd needs a separate packet for each command.
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    stream.write_all(b"QUIT\r\n")?;
    let mut octets = Vec::new();
    input.read_to_end(&mut octets)?;
    let reply = octets.strip_suffix(bye.as_bytes());
    let end = octets[octets.len().saturating_sub(60)..].escape_ascii();
    let reply = reply.ok_or_else(|| format!("{command}: no reply to QUIT: {end}"))?;
    Ok(reply.to_vec())
}
