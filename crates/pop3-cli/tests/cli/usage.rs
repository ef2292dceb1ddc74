//! Errors and help texts of the argument parser.

use crate::run;

#[test]
fn exits_with_64_on_wrong_usage() {
    exit_with_64(&[
        &[][..],
        &["bogus"],
        &["decode", "--bogus"],
        &["decode", "one", "two"],
        &["decode", "--max-octets", "many"],
        &["decode", "--max-line-octets", "-1"],
        &["decode", "--allow-rest", "--rest", "file"],
        &["decode", "--output"],
        &["encode", "--newline", "maybe"],
        &["encode", "--reply"],
    ]);
}

#[cfg(unix)]
#[test]
fn serve_exits_with_64_on_wrong_usage() {
    exit_with_64(&[
        &["serve", "--maildir", ".", "--demo"],
        &["serve", "--demo", "--user", "a", "--users", "b"],
        &["serve", "--demo", "--listen", "here"],
        &["serve", "--demo", "--tls-cert", "cert.pem"],
        &["serve", "--demo", "--scram"],
        &["serve", "--demo", "--max-connections", "0"],
        &["serve", "--demo", "--login-attempts", "0"],
        &["serve", "--demo", "--autologout", "599"],
        &["serve", "--demo", "--grace", "-1"],
        &["serve", "--demo", "--grace", "nan"],
        &["serve", "--demo", "--log", "xml"],
    ]);
}

fn exit_with_64(all: &[&[&str]]) {
    for &arguments in all {
        let run = run(arguments, b"");
        assert_eq!(run.status, Some(64), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, b"", "{arguments:?}");
        assert!(run.stderr.contains("--help"), "{}", run.stderr);
    }
}

#[cfg(not(unix))]
#[test]
fn commands_for_unix_alone_say_why() {
    for command in ["audit", "demo", "fetch", "import", "serve"] {
        let refused = run([command, "--bogus", "operand"], b"");
        assert_eq!(refused.status, Some(69), "{}", refused.stderr);
        let help = run([command, "--help"], b"");
        assert_eq!(help.status, Some(0), "{}", help.stderr);
        for text in [refused.stderr, String::from_utf8(help.stdout).unwrap()] {
            assert!(text.contains("not available on this system: "), "{text}");
        }
    }
}

#[test]
fn help_and_version_succeed() {
    for (arguments, part) in [
        (&["--help"][..], "Usage: pop3 <COMMAND>"),
        (&["--version"], concat!("pop3 ", env!("CARGO_PKG_VERSION"))),
        (&["decode", "-h"], "Usage: pop3 decode [OPTIONS] [FILE]"),
        (&["decode", "--help"], " 141  the reader"),
        (&["encode", "--help"], "  65  the message"),
        #[cfg(unix)]
        (&["fetch", "--help"], "pop3 fetch home --catch-up\n"),
        #[cfg(unix)]
        (&["serve", "--help"], "  69  an address"),
    ] {
        let run = run(arguments, b"");
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
        let stdout = String::from_utf8(run.stdout).unwrap();
        assert!(stdout.contains(part), "{arguments:?}: {stdout}");
    }
}
