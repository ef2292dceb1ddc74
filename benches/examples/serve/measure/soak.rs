//! A server that is busy for a long time must not grow.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{Client, Hashes, Ours, Outcome, Size, lines, ours, timed};

const CLIENTS: usize = 8;
/// Sessions before the first look, after which every buffer is there.
const FIRST: usize = 1000;
/// How often to look.
const LOOKS: u32 = 10;
/// What the memory may differ between two moments without a leak, in KiB: the
/// allocator keeps more or less of what was freed.
const NOISE: u64 = 8 * 1024;

/// Fails if memory or open files of `pop3 serve` grow after the first tenth of the
/// time, or after the first sessions if they take longer.
pub(crate) fn run(seconds: u64) -> Outcome<()> {
    let options = ["--remember-logins=1", "--handshake-timeout=1"];
    let server = Ours::start(CLIENTS, Hashes::Argon2, &lines(1 << 20), &options)?;
    let begin = server.size()?;
    let time = Duration::from_secs(seconds) / LOOKS;
    println!(
        "{:>9} {:>11} {:>11}",
        "sessions", "memory, KiB", "open files"
    );
    let mut sessions = 0;
    let mut first = None;
    for look in 0..LOOKS {
        let least = if look == 0 { FIRST } else { 0 };
        sessions += busy(server.address, time, least)?;
        let size = settled(&server, begin)?;
        println!("{sessions:>9} {:>11} {:>11}", size.memory, size.files);
        let first = *first.get_or_insert(size);
        if size.files > first.files {
            return Err("open files leak".into());
        }
        if size.memory > first.memory + NOISE {
            return Err("memory grows".into());
        }
    }
    Ok(())
}

/// The size when every session has ended, and every thread that the sessions needed:
/// then there are no more files and threads than at the beginning, unless they leak.
fn settled(server: &Ours, begin: Size) -> Outcome<Size> {
    // The server lingers for two seconds on connections that clients keep open, and
    // a thread waits ten seconds for more work.
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        thread::sleep(Duration::from_secs(1));
        let size = server.size()?;
        let is_settled = size.files <= begin.files && size.threads <= begin.threads;
        if is_settled || Instant::now() > deadline {
            return Ok(size);
        }
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
