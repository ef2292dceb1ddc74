//! A server that is busy for a long time must not grow.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{Client, Hashes, Ours, Outcome, lines, ours, timed};

const CLIENTS: usize = 8;
/// Sessions before the first look, after which every buffer is there.
const FIRST: usize = 1000;
/// What the memory may differ between two moments without a leak: the allocator
/// keeps more or less of what was freed.
const NOISE: u64 = 8 * 1024;

/// Fails if memory or open files of `pop3 serve` grow after the first tenth of the
/// time, or after the first sessions if they take longer.
pub(crate) fn run(seconds: u64) -> Outcome<()> {
    let options = ["--remember-logins=1", "--handshake-timeout=1"];
    let server = Ours::start(CLIENTS, Hashes::Argon2, &lines(1 << 20), &options)?;
    let time = Duration::from_secs(seconds);
    let sessions = busy(server.address, time / 10, FIRST)?;
    let (memory, files) = settled(&server, usize::MAX)?;
    println!("after {sessions} sessions: {memory} KiB, {files} open files");
    let sessions = sessions + busy(server.address, time - time / 10, 0)?;
    let (then, files_then) = settled(&server, files)?;
    println!("after {sessions} sessions: {then} KiB, {files_then} open files");
    if files_then > files {
        return Err("open files leak".into());
    }
    match then <= memory + NOISE {
        true => Ok(()),
        false => Err("memory grows".into()),
    }
}

/// The size when every session has ended: no more than `files` open, unless they
/// stay.
fn settled(server: &Ours, files: usize) -> Outcome<(u64, usize)> {
    // The server lingers for two seconds on connections that clients keep open.
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut size = server.size()?;
    loop {
        thread::sleep(Duration::from_secs(1));
        let next = server.size()?;
        let is_still = next.1 == size.1 && next.1 <= files;
        if is_still || Instant::now() > deadline {
            return Ok(next);
        }
        size = next;
    }
}

/// Keeps the server busy for a time and a number of sessions at least, and returns
/// the number of sessions.
fn busy(address: SocketAddr, time: Duration, sessions: usize) -> Outcome<usize> {
    let end = Instant::now() + time;
    let count = AtomicUsize::new(0);
    timed(CLIENTS, |number| {
        let user = ours::user(number);
        let mut round = number;
        while Instant::now() < end || count.load(Ordering::Relaxed) < sessions {
            round += 1;
            session(address, &user, round)?;
            count.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })?;
    Ok(count.into_inner())
}

/// One of the ways in which sessions go.
fn session(address: SocketAddr, user: &str, round: usize) -> Outcome<()> {
    let mut client = Client::connect(address)?;
    match round % 5 {
        0 => {
            // A wrong password.
            client.ask(&format!("USER {user}"))?;
            client.send("PASS wrong")?;
            let refused = client.line().is_err();
            return refused
                .then_some(())
                .ok_or_else(|| "a wrong password opens".into());
        }
        1 => {
            // A client that leaves without a login.
            return client.send("CAPA");
        }
        _ => {}
    }
    if let Err(error) = client.log_in(user) {
        // The session before may have been dropped a moment ago.
        let in_use = error.to_string().contains("[IN-USE]");
        return in_use.then_some(()).ok_or(error);
    }
    match round % 5 {
        2 => {
            // A client that leaves in the middle of a message.
            client.ask("RETR 1")?;
            Ok(())
        }
        3 => {
            client.ask("STAT")?;
            client.quit()
        }
        _ => {
            client.retrieve()?;
            client.quit()
        }
    }
}
