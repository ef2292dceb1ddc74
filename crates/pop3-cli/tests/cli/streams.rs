//! Pipes, terminals, and the memory that a stream takes.

use std::{
    io::{self, Read as _, Write as _},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::pop3;

/// Far longer than any step takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns the result of `wait`. If `wait` never returns, the test fails, and
/// dropping its pipes ends the command.
#[track_caller]
fn soon<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(wait()));
    receiver.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn output_does_not_wait_for_more_input() {
    for (command, octets, expected) in [
        ("decode", b"..line\r\n", b".line\r\n".to_vec()),
        ("encode", b".a line\n", b"..a line\r\n".to_vec()),
    ] {
        let mut child = pop3([command]).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        for _ in 0..3 {
            stdin.write_all(octets).unwrap();
            let mut line = vec![0; expected.len()];
            (stdout, line) = soon(move || {
                stdout.read_exact(&mut line).unwrap();
                (stdout, line)
            });
            assert_eq!(line, expected);
        }
        stdin.write_all(b".\r\n").unwrap();
        drop(stdin);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn allow_rest_does_not_wait_for_the_end_of_input() {
    let mut child = pop3(["decode", "--allow-rest"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"a\r\n.\r\n").unwrap();
    // The connection stays open.
    let status = soon(move || child.wait().unwrap());
    assert_eq!(status.code(), Some(0));
    drop(stdin);
}

#[test]
fn an_error_does_not_wait_for_the_end_of_input() {
    for arguments in [
        ["decode", "--reject-bare-lf"],
        ["encode", "--newline=reject"],
    ] {
        let mut child = pop3(arguments).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"a\n").unwrap();
        let done = soon(move || child.wait_with_output().unwrap());
        assert_eq!(
            (done.status.code(), &done.stdout[..]),
            (Some(65), &b"a"[..])
        );
        drop(stdin);
    }
}

#[test]
fn ends_quietly_when_the_reader_leaves() {
    for command in ["decode", "encode"] {
        let mut child = pop3([command]).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let writer = thread::spawn(move || {
            // Bounded, so that a command that reads on fails instead of
            // hanging.
            let lines = b"line\r\n".repeat(10_000);
            (0..1_000).all(|_| stdin.write_all(&lines).is_ok())
        });
        stdout.read_exact(&mut [0; 4]).unwrap();
        drop(stdout);
        let mut stderr = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        assert_eq!(stderr, "");
        // The status that a shell shows after SIGPIPE.
        assert_eq!(child.wait().unwrap().code(), Some(141));
        assert!(!writer.join().unwrap(), "{command} read all the same");
    }
}

#[test]
fn a_closed_stderr_is_not_an_error() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut child = pop3(["decode", "--report", "--inspect"])
        .stderr(writer)
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"a\0\r\n.\r\n")
        .unwrap();
    let done = child.wait_with_output().unwrap();
    assert_eq!(
        (done.status.code(), &done.stdout[..]),
        (Some(0), &b"a\0\r\n"[..])
    );

    for arguments in [&["decode", "--bogus"][..], &["decode", "/nonexistent"]] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let status = pop3(arguments).stderr(writer).status().unwrap();
        assert!(matches!(status.code(), Some(64 | 66)), "{status}");
    }
}

#[test]
fn help_to_a_closed_pipe_does_not_panic() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let done = pop3(["decode", "--help"]).stdout(writer).output().unwrap();
    assert_eq!((done.status.code(), &done.stderr[..]), (Some(0), &b""[..]));
}

#[cfg(target_os = "linux")]
mod memory {
    use std::fs;

    use super::*;
    use crate::shown;

    const MIB: usize = 1024 * 1024;

    /// Sends `mib` MiB of repeated `unit` through a command, checks that
    /// repeated `expected` comes out, and returns the command's peak memory in
    /// KiB.
    fn peak(arguments: &[&str], unit: &[u8], expected: &[u8], mib: usize) -> usize {
        let mut child = pop3(arguments).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();

        let times = (MIB / unit.len()).max(1);
        let unit = unit.repeat(times);
        let expected = expected.repeat(times);
        let reader = thread::spawn(move || {
            let mut buffer = vec![0; expected.len()];
            for _ in 0..mib {
                stdout.read_exact(&mut buffer).unwrap();
                assert!(buffer == expected);
            }
            // The end of the last line and of the block.
            let mut end = Vec::new();
            stdout.read_to_end(&mut end).unwrap();
            assert!(end.len() <= 10, "{}", shown(&end));
        });
        for _ in 0..mib {
            stdin.write_all(&unit).unwrap();
        }
        // The command cannot have ended yet, as its input is still open.
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        stdin.write_all(b"\r\n.\r\n").unwrap();
        drop(stdin);
        assert_eq!(child.wait().unwrap().code(), Some(0));
        reader.join().unwrap();

        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak.expect("VmHWM in kB").parse().unwrap()
    }

    #[test]
    fn is_constant() {
        let line = b"..And so it goes, line after line, and each of them begins with a dot.\r\n";
        let text = b"And so it goes, line after line.\n";
        let mended = b"And so it goes, line after line.\r\n";
        for (arguments, unit, expected, mib) in [
            (&["decode"][..], &line[..], &line[1..], 200),
            (
                &["decode"],
                b"one line without end ",
                b"one line without end ",
                64,
            ),
            (&["decode", "--inspect"], b"\0", b"\0", 64),
            (&["encode"], text, mended, 64),
            (
                &["encode", "--newline=reject"],
                b"one line ",
                b"one line ",
                64,
            ),
        ] {
            let peak = peak(arguments, unit, expected, mib);
            assert!(
                peak < 16 * 1024,
                "{arguments:?}: {peak} KiB after {mib} MiB"
            );
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn tells_a_terminal_what_it_waits_for() {
    use std::{fs::File, process::Stdio};

    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

    for (command, what) in [("decode", "a block"), ("encode", "a message")] {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let controller = openpt(flags).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let terminal = ioctl_tiocgptpeer(&controller, flags).unwrap();
        let child = pop3([command])
            .stdin(Stdio::from(terminal))
            .spawn()
            .unwrap();
        // A line, then Ctrl-D.
        let mut keyboard = File::from(controller);
        keyboard.write_all(b"typed\n\x04").unwrap();
        let done = soon(move || child.wait_with_output().unwrap());
        drop(keyboard);
        let stderr = String::from_utf8(done.stderr).unwrap();
        let first = stderr.lines().next();
        let expected = format!(
            "pop3 {command}: waiting for {what} from the terminal; name a FILE, or end the input with Ctrl-D"
        );
        assert_eq!(first, Some(expected.as_str()));
        let octets: &[u8] = match command {
            "decode" => b"typed\n",
            _ => b"typed\r\n.\r\n",
        };
        assert_eq!(done.stdout, octets);
    }
}
