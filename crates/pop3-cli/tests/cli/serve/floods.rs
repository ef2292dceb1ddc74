//! What hostile clients and failing disks cost: the connection that they use, and
//! nothing else.
//!
//! The times of a session that is logged in are at least ten minutes; the tests of
//! `pop3-tokio` reach those limits with a clock that they move.

use std::{
    fs,
    io::{BufReader, ErrorKind, Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
    time::Duration,
};

use pop3_peers::{Listening, make_maildir};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use super::{Client, Server, maildir, memory::kibibytes};
use crate::{pop3, run};

/// Lets this process, and the servers that it starts, open more files.
fn open_more_files(files: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < files) {
        let current = Some(files);
        setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    }
}

/// Ends a server whose clients have all gone, and returns its log, which has the end
/// of each connection.
fn end(server: Server) -> String {
    server.signal(Signal::TERM);
    let (status, log) = server.done();
    assert_eq!(status, Some(0), "{log}");
    assert!(!log.contains("an error in the server"), "{log}");
    log
}

/// Each connection has a task, a socket, and a few buffers.
#[test]
fn an_idle_connection_takes_20_kib_at_most() {
    const CONNECTIONS: u64 = 4000;
    open_more_files(3 * CONNECTIONS);
    let most = ["--max-connections", "5000", "--max-connections-per-address"];
    let server = Server::new(&[&["--demo"][..], &most, &["5000"]].concat());
    let connect = || {
        let mut client = server.client();
        // A session that has answered commands has all its buffers.
        assert_eq!(client.ask("CAPA"), "+OK\r\n");
        while client.line() != ".\r\n" {}
        client
    };
    let first = connect();
    let before = kibibytes(&server, "VmRSS");
    let idle: Vec<Client> = (0..CONNECTIONS).map(|_| connect()).collect();
    let grown = kibibytes(&server, "VmRSS") - before;
    assert!(grown <= 20 * CONNECTIONS, "{grown} KiB for {CONNECTIONS}");
    server.client().log_in("demo", "demo");
    drop((first, idle));
    end(server);
}

/// The usual limit of open files is 1024, fewer than 256 sessions need.
#[test]
fn raises_its_limit_of_open_files() {
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -Sn 40; exec \"$0\" \"$@\""])
        .arg(pop3([""]).get_program())
        .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
        .args(["--max-connections-per-address", "100"])
        .stderr(Stdio::piped());
    let server = Server::start(command);
    let clients: Vec<Client> = (0..60).map(|_| server.client()).collect();
    drop(clients);
    end(server);
}

#[test]
fn a_line_without_an_end_takes_no_memory() {
    let server = Server::new(&["--demo"]);
    let mut client = server.client();
    let before = kibibytes(&server, "VmRSS");
    let piece = [b'x'; 1 << 16];
    for _ in 0..256 {
        client.0.get_mut().write_all(&piece).unwrap();
    }
    // The server has read nearly all of it: the kernel's buffers are smaller.
    let grown = kibibytes(&server, "VmRSS").saturating_sub(before);
    assert!(grown < 1024, "{grown} KiB");
    server.client().log_in("demo", "demo");
    assert!(client.ask("").starts_with("-ERR "));
    drop(client);
    end(server);
}

/// Sends an octet now and then until the server closes the connection.
fn drip(mut stream: TcpStream) {
    stream
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let mut octets = [0; 1024];
    loop {
        match stream.read(&mut octets) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
        // 22, 3, 1: a TLS record begins so, and goes on for as long as it says.
        if stream.write_all(&[22]).is_err() {
            return;
        }
    }
}

#[test]
fn slow_senders_and_half_open_handshakes_are_closed_in_time() {
    let options = ["--demo", "--tls-listen", "127.0.0.1:0"];
    let times = ["--login-timeout", "2", "--handshake-timeout", "2"];
    let mut server = Server::new(&[&options[..], &times].concat());
    let tls = server.0.line().unwrap();
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(TcpStream::connect(&server.0.address).unwrap());
        let silent = TcpStream::connect(&tls).unwrap();
        // The head of a record of 16 KiB, of which no more comes.
        let mut begun = TcpStream::connect(&tls).unwrap();
        begun.write_all(&[22, 3, 1, 64, 0, 1]).unwrap();
        streams.extend([silent, begun]);
    }
    std::thread::scope(|scope| {
        let mut streams = streams.into_iter();
        let first = streams.next().unwrap();
        scope.spawn(|| drip(first));
        for mut stream in streams {
            scope.spawn(move || {
                // Closed or reset, after the greeting at most.
                let _ = stream.read_to_end(&mut Vec::new());
            });
        }
        // The others go on.
        server.client().log_in("demo", "demo");
    });
    let log = end(server);
    let late = log.matches("no login within the time limit").count();
    let half_open = log.matches("the TLS handshake failed").count();
    assert_eq!((late, half_open), (8, 16), "{log}");
}

/// Each costs one hash, as many at one time as there are processors, and
/// `--login-delay`, here 0. What hashes of Argon2 take, `memory` tests.
#[test]
fn ten_thousand_wrong_logins_take_no_memory_and_others_log_in_meanwhile() {
    let directory = maildir();
    let file = directory.path().join("users");
    let keys = run(["serve", "--hash", "me", "--scram"], b"secret\n").stdout;
    fs::write(&file, keys).unwrap();
    let (path, file) = (directory.path().to_str().unwrap(), file.to_str().unwrap());
    let users = ["--maildir", path, "--users", file, "--log-level", "off"];
    let limits = ["--login-delay", "0", "--login-attempts", "3"];
    let server = Server::new(&[&users[..], &limits].concat());
    let guess = |connections: usize| {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let server = &server;
                scope.spawn(move || {
                    for _ in 0..connections / 4 {
                        let mut client = server.client();
                        for attempt in 0..3 {
                            let name = ["me", "nobody"][(attempt + thread) % 2];
                            let answer = client.try_to_log_in(name, &attempt.to_string());
                            assert_eq!(answer, "-ERR [AUTH] login failed\r\n");
                        }
                        // No fourth attempt.
                        assert_eq!(client.rest(), "");
                    }
                });
            }
            let mut client = server.client();
            client.log_in("me", "secret");
            client.ask("QUIT");
        });
        kibibytes(&server, "VmRSS")
    };
    let first = guess(40);
    let then = guess(3300);
    assert!(then <= first + 2048, "{first} KiB grew to {then} KiB");
    end(server);
}

#[test]
fn a_maildir_that_is_removed_ends_no_session_but_says_so() {
    let directory = maildir();
    let file = directory.path().join("users");
    let line = run(["serve", "--hash", "a", "--scram"], b"secret\n").stdout;
    let line = String::from_utf8(line).unwrap();
    let mut users = String::new();
    for user in ["a", "b"] {
        make_maildir(&directory.path().join(user)).unwrap();
        let message = directory.path().join(user).join("new/1.x");
        fs::write(message, "hello\n").unwrap();
        users += &format!("{user}{}:{user}\n", line[1..].trim_end());
    }
    fs::write(&file, users).unwrap();
    let server = Server::new(&["--users", file.to_str().unwrap()]);
    let mut session = server.client();
    session.log_in("a", "secret");
    fs::remove_dir_all(directory.path().join("a")).unwrap();
    assert_eq!(session.ask("STAT"), "+OK 1 7\r\n");
    let answer = session.ask("RETR 1");
    assert!(answer.starts_with("-ERR [SYS/TEMP] "), "{answer}");
    assert_eq!(session.ask("DELE 1"), "+OK message 1 deleted\r\n");
    // The message is gone, as was wanted.
    assert_eq!(session.ask("QUIT"), "+OK goodbye\r\n");
    let mut again = server.client();
    let answer = again.try_to_log_in("a", "secret");
    assert!(answer.starts_with("-ERR [SYS/TEMP] "), "{answer}");
    let mut other = server.client();
    other.log_in("b", "secret");
    assert_eq!(other.ask("RETR 1"), "+OK 7 octets\r\n");
    drop((session, again, other));
    let log = end(server);
    assert!(log.contains("cannot open the maildrop"), "{log}");
}

/// A full disk: a file system in memory with no room for another file or octet, in
/// a mount namespace of the server. Needs root, or user namespaces.
#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_mail_is_served_where_nothing_must_be_written() {
    let disk = maildir();
    let users = disk.path().join("users");
    let line = run(["serve", "--hash", "a", "--scram"], b"secret\n").stdout;
    let line = String::from_utf8(line).unwrap();
    let of = |user: &str| format!("{user}{}:disk/{user}\n", line[1..].trim_end());
    fs::write(&users, of("a") + &of("b")).unwrap();
    fs::create_dir(disk.path().join("disk")).unwrap();
    // 11 inodes: the root, two Maildirs of three directories, two messages, one
    // lock, and the file that fills the disk.
    let script =
        "mount -t tmpfs -o size=64k,nr_inodes=11 tmpfs \"$1/disk\" || { echo no tmpfs >&2; exit; }
        cd \"$1/disk\"
        for user in a b; do
            mkdir -p $user/new $user/cur
            printf 'hello\\n' > $user/new/1.x
            touch -d '2001-01-01' $user/new/1.x
        done
        touch b/pop3.lock
        dd if=/dev/zero of=fill bs=4k 2>/dev/null
        exec \"$0\" serve --listen 127.0.0.1:0 --users \"$1/users\"";
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(pop3([""]).get_program())
        .arg(disk.path())
        .stderr(Stdio::piped());
    let server = match Listening::start(&mut command) {
        Ok(server) => Server(server),
        Err(error) => {
            let said = error.to_string();
            assert!(
                said.contains("no tmpfs") || said.contains("unshare: "),
                "{said}"
            );
            eprintln!("skipped: no file system can be mounted: {said}");
            return;
        }
    };
    let mut client = Client(BufReader::new(
        TcpStream::connect(&server.0.address).unwrap(),
    ));
    client.line();
    let answer = client.try_to_log_in("a", "secret");
    assert!(answer.starts_with("-ERR [SYS/TEMP] "), "{answer}");
    client.log_in("b", "secret");
    assert_eq!(client.ask("RETR 1"), "+OK 7 octets\r\n");
    assert_eq!(
        (client.line(), client.line()),
        ("hello\r\n".into(), ".\r\n".into())
    );
    assert_eq!(client.ask("DELE 1"), "+OK message 1 deleted\r\n");
    assert_eq!(client.ask("QUIT"), "+OK goodbye\r\n");
    drop(client);
    let log = end(server);
    assert!(log.contains("No space left on device"), "{log}");
    assert!(log.contains("cannot save the sizes of messages"), "{log}");
}
