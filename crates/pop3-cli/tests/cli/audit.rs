//! `pop3 audit` on the command line.

use crate::run;

mod options;

const TRUE: &str = "/bin/true";

#[test]
fn exits_with_64_on_wrong_usage() {
    for arguments in [
        &["audit"][..],
        &["audit", "--recipe", "nonesuch"],
        &["audit", "--recipe", "curl", "--", TRUE],
        &["audit", "--recipe", "curl", "--maildir", "mail"],
        &["audit", "--maildir", "../mail", "--", TRUE],
        &["audit", "--maildir", "/tmp/mail", "--", TRUE],
        &["audit", "--maildir", "a", "--mbox", "b", "--", TRUE],
        &["audit", "--jobs", "0", "--", TRUE],
        &["audit", "--format", "xml", "--", TRUE],
    ] {
        let run = run(arguments, b"");
        assert_eq!(run.status, Some(64), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains("--help"), "{}", run.stderr);
    }
}

#[test]
fn the_list_names_scenarios_and_recipes() {
    let run = run(["audit", "--list", "--only", "eof-anywhere"], b"");
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    let stdout = String::from_utf8(run.stdout).unwrap();
    assert!(stdout.contains("eof-anywhere-in-a-message ("), "{stdout}");
    assert!(stdout.contains("\n    seen: curl"), "{stdout}");
    assert!(stdout.contains("    mpop         mpop\n"), "{stdout}");
    assert!(!stdout.contains("end-lf-dot-lf"), "{stdout}");
}

#[test]
fn does_not_audit_a_client_that_fetches_nothing() {
    let run = run(["audit", "--only", "pass-refused", "--", TRUE], b"");
    assert_eq!(run.status, Some(74), "{}", run.stderr);
    assert_eq!(
        run.stderr,
        "pop3 audit: cannot audit /bin/true: it stored nothing in the scenario plain, where \
         the server is correct: exit status 0; it never connected to the server; check its arguments \
         and --maildir or --mbox\n"
    );
    assert!(run.stdout.is_empty());
}

#[test]
fn a_client_that_deletes_without_storing_is_dangerous() {
    let talk = "exec 3<>/dev/tcp/127.0.0.1/$0; for line in 'USER mrose' 'PASS tanstaaf' \
        'DELE 1' 'QUIT'; do read -r answer <&3; printf '%s\\r\\n' \"$line\" >&3; done; \
        read -r answer <&3";
    let run = run(
        [
            "audit",
            "--only",
            "plain",
            "--",
            "/bin/bash",
            "-c",
            talk,
            "{port}",
        ],
        b"",
    );
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert_eq!(
        run.stderr,
        "pop3 audit: /bin/bash is not safe and correct; see the report\n"
    );
    let stdout = String::from_utf8(run.stdout).unwrap();
    assert!(stdout.contains("it deleted message 1"), "{stdout}");
    assert!(stdout.contains("not tried"), "{stdout}");
}

#[test]
fn our_fetch_passes_in_every_format() {
    for (format, begin) in [
        ("text", "Is this client"),
        ("json", "{"),
        ("junit", "<?xml"),
        ("html", "<!DOCTYPE html>"),
    ] {
        let audit = [
            "audit", "--recipe", "pop3", "--only", "plain", "--skip", "stls",
        ];
        let run = run(audit.into_iter().chain(["--format", format]), b"");
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
        let stdout = String::from_utf8(run.stdout).unwrap();
        assert!(stdout.starts_with(begin), "{stdout}");
        assert!(!stdout.contains("stls-plain"), "{stdout}");
    }
}

#[test]
fn reports_a_client_that_cannot_be_run() {
    let run = run(
        ["audit", "--only", "plain", "--", "/nonexistent/client"],
        b"",
    );
    assert_eq!(run.status, Some(74), "{}", run.stderr);
    assert!(
        run.stderr.contains("cannot run /nonexistent/client"),
        "{}",
        run.stderr
    );
}

/// A report that tried nothing would find no fault.
#[test]
fn refuses_an_audit_that_would_try_no_scenario() {
    for (only, skip, why) in [
        ("plain", "plain", "--skip leaves no scenario"),
        ("stls", "plain", "requires STLS"),
    ] {
        let run = run(["audit", "--only", only, "--skip", skip, "--", TRUE], b"");
        assert_eq!(run.status, Some(64), "{run:?}");
        assert!(run.stderr.contains(why), "{run:?}");
        assert!(run.stdout.is_empty(), "{run:?}");
    }
}

/// A run without scenarios would find no fault.
#[test]
fn refuses_an_unknown_scenario_name() {
    for option in ["--only", "--skip"] {
        let run = run(["audit", option, "plain,nonsense", "--", TRUE], b"");
        assert_eq!(run.status, Some(64), "{run:?}");
        assert!(run.stderr.contains("'nonsense'"), "{run:?}");
    }
    let run = run(["audit", "--list", "--only", "status-star,retr-drips"], b"");
    let list = String::from_utf8(run.stdout).unwrap();
    assert!(
        list.contains("status-star") && list.contains("retr-drips"),
        "{list}"
    );
}
