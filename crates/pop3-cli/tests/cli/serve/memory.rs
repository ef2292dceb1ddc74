//! The resident memory of the server.

use std::{fs, thread};

use pop3_peers::make_maildir;
use rustix::process::Signal;

use super::{Server, maildir};
use crate::run;

/// A field of `/proc/PID/status`, in KiB.
pub(super) fn kibibytes(server: &Server, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.0.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let value = line.unwrap().trim_start_matches(':').trim();
    value.strip_suffix(" kB").unwrap().parse().unwrap()
}

/// An Argon2 hash takes 19 MiB. Four clients have at most four at one time.
#[test]
fn logins_take_a_fixed_amount_of_memory() {
    const USERS: usize = 8;
    const CLIENTS: usize = 4;
    const MOST: u64 = 160 * 1024;
    let directory = maildir();
    let line = run(["serve", "--hash", "user"], b"secret\n").stdout;
    let line = String::from_utf8(line).unwrap();
    let users: String = (0..USERS)
        .map(|user| {
            let path = format!("{}/{user}", directory.path().display());
            make_maildir(path.as_ref()).unwrap();
            format!(
                "{user}{}:{path}\n",
                line.trim_start_matches("user").trim_end()
            )
        })
        .collect();
    let file = directory.path().join("users");
    fs::write(&file, users).unwrap();
    let server = Server::new(&["--users", file.to_str().unwrap(), "--log-level", "off"]);
    let log_in = |logins: usize| {
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let server = &server;
                scope.spawn(move || {
                    for login in 0..logins / CLIENTS {
                        // No two clients log in as one user.
                        let user = client + CLIENTS * (login % (USERS / CLIENTS));
                        let mut client = server.client();
                        client.log_in(&user.to_string(), "secret");
                        assert_eq!(client.ask("QUIT"), "+OK goodbye\r\n");
                    }
                });
            }
        });
        (kibibytes(&server, "VmHWM"), kibibytes(&server, "VmRSS"))
    };
    let (_, first) = log_in(40);
    let (peak, then) = log_in(200);
    assert!(peak <= MOST, "{peak} KiB at most, {then} KiB at the end");
    assert!(then <= first + 2048, "{first} KiB grew to {then} KiB");
    server.signal(Signal::TERM);
    assert_eq!(server.done().0, Some(0));
}
