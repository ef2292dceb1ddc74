//! The file of `--metrics-file`.

use std::{fs, os::unix::fs::PermissionsExt as _, thread, time::Duration};

use rustix::process::Signal;
use tempfile::TempDir;

use super::Server;
use crate::{pop3, run};

#[test]
fn counts_logins_messages_and_limits_in_the_format_of_prometheus() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("pop3.prom");
    let path = file.to_str().unwrap();
    let limits = ["--login-delay", "0", "--login-attempts", "1"];
    let server = Server::new(&[&["--demo", "--metrics-file", path][..], &limits].concat());
    // The file is there before the addresses are printed.
    let first = fs::read_to_string(&file).unwrap();
    assert!(
        first.contains("\npop3_logins_total{result=\"ok\"} 0\n"),
        "{first}"
    );
    let mut client = server.client();
    client.log_in("demo", "demo");
    client.ask("DELE 1");
    client.ask("QUIT");
    client.rest();
    let mut client = server.client();
    client.try_to_log_in("demo", "wrong");
    client.rest();
    // The file is replaced while the server runs.
    while fs::read_to_string(&file).unwrap() == first {
        thread::sleep(Duration::from_millis(20));
    }
    server.signal(Signal::TERM);
    assert_eq!(server.done().0, Some(0));
    let last = fs::read_to_string(&file).unwrap();
    for line in [
        "# TYPE pop3_connections_open gauge",
        "pop3_connections_open 0",
        "# TYPE pop3_connections_total counter",
        "pop3_connections_total 2",
        "pop3_logins_total{result=\"ok\"} 1",
        "pop3_logins_total{result=\"rejected\"} 1",
        "pop3_logins_total{result=\"in-use\"} 0",
        "pop3_messages_deleted_total 1",
        "pop3_limits_total{option=\"login-attempts\"} 1",
        "pop3_limits_total{option=\"max-connections\"} 0",
    ] {
        assert!(last.lines().any(|found| found == line), "{line}: {last}");
    }
    // Each line is a comment, or a name, perhaps a label, and a number.
    for line in last.lines().filter(|line| !line.starts_with("# ")) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(
            name.starts_with("pop3_") && value.parse::<u64>().is_ok(),
            "{line}"
        );
    }
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o400, 0o400);
    // Nothing else is left in the directory.
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_file_name_alone_is_in_the_current_directory() {
    let directory = TempDir::new().unwrap();
    let mut serve = pop3(["serve", "--demo", "--listen", "127.0.0.1:0"]);
    serve.args(["--metrics-file", "pop3.prom"]);
    let server = Server::start({
        serve.current_dir(&directory);
        serve
    });
    assert!(directory.path().join("pop3.prom").exists());
    server.signal(Signal::TERM);
    assert_eq!(server.done().0, Some(0));
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_at_the_start() {
    let run = run(
        [
            "serve",
            "--demo",
            "--listen",
            "127.0.0.1:0",
            "--metrics-file",
            "/nonexistent/x",
        ],
        b"",
    );
    assert_eq!(
        (run.status, run.stdout.len()),
        (Some(73), 0),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("--metrics-file"), "{}", run.stderr);
}
