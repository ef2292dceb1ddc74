//! The measurements.

use std::{env, net::SocketAddr, thread, time::Instant};

use pop3_peers::{DOVECOT, PASSWORD, USER};

mod client;
mod ours;
mod soak;

use client::Client;
use ours::{Hashes, Ours, Size};

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Clients at one time, where that is not what is varied.
const CLIENTS: usize = 8;
/// Sessions of each client in a round.
const SESSIONS: usize = 25;
/// The most connections on which messages are retrieved.
const CONNECTIONS: usize = 64;
/// What all connections together retrieve in a round.
const RETRIEVED: usize = 512 << 20;
const IDLE: usize = 200;

pub(crate) fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["soak", seconds] => soak::run(seconds.parse()?),
        ["soak"] => Err("give the seconds of the soak".into()),
        [] => measure(3),
        [rounds] => measure(rounds.parse()?),
        _ => Err("give the number of rounds, or soak SECONDS".into()),
    }
}

fn measure(rounds: usize) -> Outcome<()> {
    let message = lines(RETRIEVED / CONNECTIONS);
    let dovecot = DOVECOT.start([&message], None)?;
    if dovecot.is_none() {
        eprintln!("Dovecot is not measured");
    }
    println!("| {CLIENTS} clients, sessions per second | median |\n|---|---:|");
    let scram = Ours::start(CLIENTS, Hashes::Scram, b"", &[])?;
    let argon2 = Ours::start(CLIENTS, Hashes::Argon2, b"", &[])?;
    let remembered = Ours::start(CLIENTS, Hashes::Argon2, b"", &["--remember-logins=60"])?;
    let one_user = |_| USER.to_owned();
    // From here on, each user of the third server is remembered.
    sessions(remembered.address, ours::user, Client::log_in)?;
    let mut rates = [const { Vec::new() }; 5];
    for _ in 0..rounds {
        rates[0].push(sessions(
            scram.address,
            ours::user,
            Client::log_in_by_scram,
        )?);
        rates[1].push(sessions(scram.address, ours::user, Client::log_in)?);
        rates[2].push(sessions(argon2.address, ours::user, Client::log_in)?);
        rates[3].push(sessions(remembered.address, ours::user, Client::log_in)?);
        if let Some(dovecot) = &dovecot {
            rates[4].push(sessions(dovecot.address, one_user, Client::log_in)?);
        }
    }
    let [by_scram, scram_keys, argon2_hash, proven, others] = rates.map(median);
    row("SCRAM-SHA-256", by_scram);
    row("password, keys of SCRAM-SHA-256", scram_keys);
    row("password, Argon2", argon2_hash);
    row("password, Argon2, --remember-logins", proven);
    row("Dovecot: password in clear in its file", others);
    println!(
        "\n--remember-logins against SCRAM-SHA-256: {:.2}\n",
        proven / by_scram
    );
    drop((scram, argon2, remembered));

    println!("| RETR, MiB per second | ours | Dovecot | ratio |\n|---|---:|---:|---:|");
    let server = Ours::start(CONNECTIONS, Hashes::Scram, &message, &[])?;
    for connections in [1, 8, CONNECTIONS] {
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            ours.push(retrieve(server.address, connections, ours::user)?);
            if let Some(dovecot) = &dovecot {
                others.push(retrieve(dovecot.address, connections, one_user)?);
            }
        }
        let (ours, others) = (median(ours), median(others));
        println!(
            "| {connections} connections | {ours:.0} | {others:.0} | {:.2} |",
            ours / others
        );
    }
    drop(server);

    println!("\n| {IDLE} sessions that are logged in and idle | KiB for each |\n|---|---:|");
    let server = Ours::start(IDLE, Hashes::Scram, b"", &["--max-connections=1000"])?;
    row("ours", idle(server.address, "pop3", ours::user)?);
    if let Some(dovecot) = &dovecot {
        row("Dovecot", idle(dovecot.address, "dovecot", one_user)?);
    }
    Ok(())
}

fn row(what: &str, figure: f64) {
    println!("| {what} | {figure:.1} |");
}

/// The median, or no number if nothing was measured.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Lines of 76 octets, like an attachment.
fn lines(octets: usize) -> Vec<u8> {
    b"VGhpcyBpcyBhIGxpbmUgb2YgYmFzZTY0IHRoYXQgc3RhbmRzIGZvciBhbiBhdHRhY2htZW50Lg==\n"
        .repeat(octets / 77)
}

/// Runs `work` on threads, numbered from 0, and returns the seconds that it takes.
fn timed(threads: usize, work: impl Fn(usize) -> Outcome<()> + Sync) -> Outcome<f64> {
    let start = Instant::now();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn({
                    let work = &work;
                    move || work(thread)
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a client panicked")?)
    })?;
    Ok(start.elapsed().as_secs_f64())
}

/// Sessions per second: a login, STAT and QUIT.
fn sessions(
    address: SocketAddr,
    user: impl Fn(usize) -> String + Sync,
    log_in: fn(&mut Client, &str) -> Outcome<()>,
) -> Outcome<f64> {
    let seconds = timed(CLIENTS, |number| {
        for _ in 0..SESSIONS {
            let mut client = Client::connect(address)?;
            log_in(&mut client, &user(number))?;
            client.ask("STAT")?;
            client.quit()?;
        }
        Ok(())
    })?;
    Ok((CLIENTS * SESSIONS) as f64 / seconds)
}

/// MiB per second of all connections, each of which retrieves its message until
/// all together have retrieved enough.
fn retrieve(
    address: SocketAddr,
    connections: usize,
    user: impl Fn(usize) -> String + Sync,
) -> Outcome<f64> {
    let seconds = timed(connections, |number| {
        let mut client = Client::connect(address)?;
        client.log_in(&user(number))?;
        for _ in 0..CONNECTIONS / connections {
            client.retrieve()?;
        }
        client.quit()
    })?;
    Ok((RETRIEVED >> 20) as f64 / seconds)
}

/// KiB that each idle session takes, in all processes of the server.
fn idle(address: SocketAddr, server: &str, user: impl Fn(usize) -> String) -> Outcome<f64> {
    let connect = |number| -> Outcome<Client> {
        let mut client = Client::connect(address)?;
        client.log_in(&user(number))?;
        client.ask("STAT")?;
        Ok(client)
    };
    let first: Vec<Client> = (0..IDLE / 10).map(&connect).collect::<Result<_, _>>()?;
    let before = ours::resident(server)?;
    let clients: Vec<Client> = (first.len()..IDLE).map(connect).collect::<Result<_, _>>()?;
    let after = ours::resident(server)?;
    // Between the two, the allocator may also have returned memory.
    Ok((after as f64 - before as f64) / clients.len() as f64)
}
