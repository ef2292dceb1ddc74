//! The verdicts on servers as a whole, and what they are based on.

use std::time::{Duration, SystemTime};

use pop3_conformance::check::{self, Account, Limits, Network as _};

use crate::{
    faults::{
        faults,
        servers::{
            BASIC, CLOSES_AT_STLS_WITH_MORE, EMPTY, NO_DELE, NO_LIST, PLAIN, SERVERS,
            TWO_SHORT_MESSAGES,
        },
    },
    mock::{Fault, GREETING, Mock, NO_FAULT, Quirk},
    rows::{account, found, not_testable, options, report, run},
};

#[test]
fn each_server_fails_its_rows_and_leaves_others_open() {
    for (what, server, bad, open) in SERVERS {
        let report = report(*server);
        assert_eq!(found(&report).join(" "), *bad, "{what}");
        assert_eq!(not_testable(&report).join(" "), *open, "{what}");
        assert_eq!(report.why_cut_short(), None, "{what}");
    }
}

#[test]
fn a_fault_leaves_rows_open_that_it_makes_impossible_to_judge() {
    for (fault, open) in [
        ("has no RSET", "rfc1939-rset"),
        ("does not answer STAT before login", "rfc1939-state"),
        ("removes a message at the first QUIT", ""),
        (
            "does not answer STAT",
            "C0017 C0026 rfc1939-state rfc1939-agreement rfc1939-deleted-unlisted rfc1939-rset \
             rfc2449-pipelining",
        ),
        (
            "answers RETR in one line",
            "C0021 C0023 C0034 C0039 rfc1939-stuffing rfc1939-stuffing-first-octet rfc1939-top-0",
        ),
    ] {
        let (.., server) = faults().find(|(_, what, _)| *what == fault).unwrap();
        let report = report(server);
        assert_eq!(not_testable(&report).join(" "), open, "{fault}");
    }
}

const EVIDENCE: &[(Fault, &str, &str)] = &[
    (NO_FAULT, "C0009", "C: USER mrose\nS: +OK\nC: PASS ***"),
    (NO_FAULT, "C0020", "S: (56 octets in all)"),
    (NO_FAULT, "C0021", "(4 messages as long as LIST says; 0"),
    (NO_FAULT, "C0023", "(4 messages have the header"),
    (NO_FAULT, "C0034", "C: TOP 1 1\n"),
    (
        NO_FAULT,
        "rfc1939-update",
        "(4 messages before DELE and QUIT, 3 after)",
    ),
    (EMPTY, "C0034", "Needs a message in the maildrop."),
    (
        EMPTY,
        "rfc1939-stuffing",
        "Needs a message in the maildrop.",
    ),
    (
        EMPTY,
        "rfc1939-stuffing-first-octet",
        "Needs a message in the maildrop.",
    ),
    (
        EMPTY,
        "rfc1939-update",
        "Needs a maildrop with three messages",
    ),
    (
        TWO_SHORT_MESSAGES,
        "C0034",
        "Needs a message with two lines",
    ),
    (
        TWO_SHORT_MESSAGES,
        "rfc1939-stuffing",
        "Needs a message with a line that",
    ),
    (
        TWO_SHORT_MESSAGES,
        "rfc1939-stuffing-first-octet",
        "Needs a message whose first octet",
    ),
    (BASIC, "C0034", "Needs TOP:\nC: TOP 1 0\n"),
    (BASIC, "C0036", "Needs a positive answer:\nC: UIDL\n"),
    (PLAIN, "C0009", "C: AUTH PLAIN ***"),
    (PLAIN, "C0010", "Needs a login by USER and PASS."),
    (NO_LIST, "C0011", "Needs a positive answer:\nC: LIST\n"),
    (NO_DELE, "C0026", "Needs a DELE that succeeds:\nC: DELE"),
    (
        CLOSES_AT_STLS_WITH_MORE,
        "rfc2595-stls-discards",
        "(both at once)\nS: (nothing)\n(ended)",
    ),
];

#[test]
fn a_row_says_what_it_found_or_needs() {
    for (server, id, text) in EVIDENCE {
        let report = report(*server);
        let row = report.rows().iter().find(|row| row.id() == *id).unwrap();
        assert!(row.evidence().contains(text), "{id}: {}", row.evidence());
    }
}

#[test]
fn a_correct_server_is_not_kept_busy() {
    let mut mock = Mock::new(NO_FAULT);
    let start = mock.now();
    run(&mut mock, &options()).unwrap();
    assert_eq!(mock.connections(), 10);
    assert_eq!(mock.now() - start, options().limits.linger);
}

/// What happens in a run with other limits.
struct Limited {
    server: Fault,
    limits: Limits,
    found: &'static [&'static str],
    /// A row, and a text of its evidence.
    says: (&'static str, &'static str),
    cut_short: Option<&'static str>,
}

#[test]
fn keeps_its_limits_and_says_where_they_stopped_it() {
    let fault = |name| faults().find(|(_, what, _)| *what == name).unwrap().2;
    let limits = Limits::DEFAULT;
    let seconds = Duration::from_secs;
    let no_more = "(no more connections in this run)";
    for limited in [
        Limited {
            server: NO_FAULT,
            limits: Limits {
                messages: 2,
                ..limits
            },
            found: &[],
            says: (
                "C0021",
                "(2 messages as long as LIST says; 2 not retrieved)",
            ),
            cut_short: None,
        },
        Limited {
            server: fault("gives two messages one unique-id"),
            limits: Limits {
                messages: 0,
                ..limits
            },
            found: &["C0040"],
            says: ("C0021", "Needs a message that can be retrieved"),
            cut_short: None,
        },
        Limited {
            server: NO_FAULT,
            limits: Limits {
                block_octets: 70,
                ..limits
            },
            found: &["C0006"],
            says: ("C0006", "(the block is longer than this check reads)"),
            cut_short: None,
        },
        Limited {
            server: fault("closes at NOOP"),
            limits: Limits {
                connections: 2,
                ..limits
            },
            found: &["C0014"],
            says: (
                "rfc1939-case",
                "Needs a session: (no more connections in this run)",
            ),
            cut_short: Some(no_more),
        },
        Limited {
            server: fault("does not answer STAT"),
            limits: Limits {
                run: seconds(50),
                ..limits
            },
            found: &["C0014"],
            says: (
                "C0020",
                "Needs a session: (no more connections in this run)",
            ),
            cut_short: Some(no_more),
        },
        Limited {
            server: fault("does not answer NOOP"),
            limits: Limits {
                run: seconds(20),
                ..limits
            },
            found: &[],
            says: ("C0029", "(the run had no time left)"),
            cut_short: Some(no_more),
        },
        // QUIT is answered, and then there is no time to see whether it closes.
        Limited {
            server: fault("stays after QUIT"),
            limits: Limits {
                run: seconds(1),
                ..limits
            },
            found: &[],
            says: (
                "rfc1939-quit",
                "Needs a session: (no more connections in this run)",
            ),
            cut_short: Some(no_more),
        },
    ] {
        let mut options = options();
        options.limits = limited.limits;
        let mut mock = Mock::new(limited.server);
        let report = run(&mut mock, &options).unwrap();
        assert_eq!(found(&report), limited.found, "{}", report.text());
        let (id, says) = limited.says;
        let row = report.rows().iter().find(|row| row.id() == id).unwrap();
        assert!(row.evidence().contains(says), "{id}: {}", row.evidence());
        assert_eq!(report.why_cut_short(), limited.cut_short, "{id}");
        assert!(mock.connections() <= options.limits.connections, "{id}");
    }
}

/// The octets after a reply are read as they arrive.
#[test]
fn waits_for_a_second_reply_on_a_slow_line() {
    let (.., server) = faults()
        .find(|(_, what, _)| *what == "takes a long line for two")
        .unwrap();
    let mut options = options();
    options.limits.reply = Duration::from_secs(240);
    options.limits.linger = Duration::from_secs(60);
    options.limits.run = Duration::from_secs(1_000_000);
    let slow = Fault {
        quirk: Quirk::Slow(1),
        ..server
    };
    let report = run(&mut Mock::new(slow), &options).unwrap();
    assert_eq!(found(&report), ["rfc2449-command-length"]);
    let mut rows = report.rows().iter();
    let row = rows
        .find(|row| row.id() == "rfc2449-command-length")
        .unwrap();
    assert_eq!(
        row.evidence().matches("-ERR the command is longer").count(),
        2
    );
}

/// The wrong password is the name with another letter, which may be the right one.
#[test]
fn a_wrong_password_is_not_the_right_one() {
    let account = Account {
        password: "mrosex",
        ..account()
    };
    let server = Fault {
        command: |_, command| command.replace("PASS mrosex", "PASS tanstaaf"),
        ..NO_FAULT
    };
    let subject = ("a mock", SystemTime::UNIX_EPOCH);
    let mut mock = Mock::new(server);
    let report = check::run(&mut mock, &account, &options(), subject, &mut |_| {}).unwrap();
    assert_eq!(not_testable(&report), [""; 0], "{}", report.text());
}

#[test]
fn the_subject_names_the_server_if_it_has_a_name() {
    let silent = Fault {
        reply: |_, command, reply| match command {
            GREETING => "+OK\r\n".to_owned(),
            _ => reply.to_owned(),
        },
        ..NO_FAULT
    };
    assert_eq!(report(silent).subject(), "a mock, as Outlook 2024 Preview");
    let named = r#"a mock, "POP3 ready", as Outlook 2024 Preview"#;
    assert_eq!(report(NO_FAULT).subject(), named);
}
