//! The verdicts of the rows on servers in memory.

use std::{
    collections::BTreeSet,
    rc::Rc,
    time::{Duration, SystemTime},
};

use pop3_conformance::{
    Party,
    check::{self, Account, Network as _, Options, Protection, Unable},
    report::{Outcome, Report},
    statements,
};
use pop3_proto::Profile;

use crate::{
    faults::faults,
    mock::{Fault, GREETING, MESSAGES, Mock, NO_FAULT, PASSWORD, Quirk, State, USER},
};

pub(crate) fn account() -> Account<'static> {
    let repeats = |text: &[u8]| String::from_utf8_lossy(text).contains(PASSWORD);
    Account {
        user: USER,
        password: PASSWORD,
        repeats: Rc::new(repeats),
        protection: Protection::StlsIfOffered,
    }
}

pub(crate) fn options() -> Options {
    let mut options = Options::new(Profile::OUTLOOK_2024);
    options.destructive = true;
    options
}

pub(crate) fn run(mock: &mut Mock, options: &Options) -> Result<Report, Unable> {
    let subject = ("a mock", SystemTime::UNIX_EPOCH);
    check::run(mock, &account(), options, subject, &mut |_| {})
}

pub(crate) fn report(fault: Fault) -> Report {
    run(&mut Mock::new(fault), &options()).unwrap()
}

/// The rows that are not well.
pub(crate) fn found(report: &Report) -> Vec<&str> {
    let rows = report.rows().iter();
    rows.filter(|row| row.verdict().outcome() >= Outcome::Noted)
        .map(|row| row.id())
        .collect()
}

/// The rows that are not testable.
pub(crate) fn not_testable(report: &Report) -> Vec<&str> {
    let rows = report.rows().iter();
    rows.filter(|row| row.verdict() == check::NOT_TESTABLE)
        .map(|row| row.id())
        .collect()
}

pub(crate) fn changed(reply: fn(&State, &str, &str) -> String) -> Report {
    report(Fault { reply, ..NO_FAULT })
}

#[test]
fn a_correct_server_passes_every_row() {
    let report = report(NO_FAULT);
    for row in report.rows() {
        assert_eq!(
            row.verdict(),
            check::PASS,
            "{}: {}",
            row.id(),
            row.evidence()
        );
        assert_ne!(row.evidence(), "", "{}", row.id());
    }
    assert_eq!(report.rows().len(), check::checks().count());
}

#[test]
fn each_fault_fails_its_row_and_no_other() {
    let wrong: Vec<String> = faults()
        .filter_map(|(row, what, fault)| {
            let report = report(fault);
            (found(&report) != [row])
                .then(|| format!("{row}: {what}: {:?}\n{}", found(&report), report.text()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_row_has_a_fault() {
    let rows: BTreeSet<&str> = check::checks().map(check::Check::id).collect();
    let faulty: BTreeSet<&str> = faults().map(|(row, ..)| row).collect();
    assert_eq!(rows, faulty);
    assert_eq!(rows.len(), check::checks().count(), "an id comes twice");
}

#[test]
fn every_statement_that_binds_servers_has_a_row() {
    let binding = statements()
        .iter()
        .filter(|statement| statement.party() != Party::Client)
        .map(|statement| (statement.id().to_string(), statement.strength()));
    let rows: Vec<_> = check::checks()
        .filter(|check| !check.id().contains('-'))
        .map(|check| (check.id().to_owned(), check.strength()))
        .collect();
    assert_eq!(rows, binding.collect::<Vec<_>>());
}

#[test]
fn every_failure_names_a_consequence_and_no_secret() {
    for (row, what, fault) in faults() {
        let report = report(fault);
        let found = report
            .rows()
            .iter()
            .find(|found| found.id() == row)
            .unwrap();
        assert!(!found.consequence().is_empty(), "{row}");
        assert!(!found.evidence().is_empty(), "{row}");
        assert!(!report.json().contains(PASSWORD), "{row}: {what}");
    }
}

#[test]
fn removes_nothing_without_permission() {
    let mut options = options();
    options.destructive = false;
    let mut mock = Mock::new(NO_FAULT);
    let report = run(&mut mock, &options).unwrap();
    assert_eq!(mock.messages(), MESSAGES.len());
    assert_eq!(
        not_testable(&report),
        [
            "rfc1939-dropped-connection",
            "rfc1939-update",
            "rfc1939-unique-id-reuse"
        ]
    );
    let last = report
        .rows()
        .iter()
        .rfind(|row| row.verdict() == check::NOT_TESTABLE);
    assert!(last.unwrap().evidence().starts_with("Needs --destructive"));
}

#[test]
fn rows_can_be_chosen() {
    let mut options = options();
    options.only = vec!["c0002".to_owned(), "RFC2449-CAPA".to_owned()];
    let mut mock = Mock::new(NO_FAULT);
    let report = run(&mut mock, &options).unwrap();
    let ids: Vec<&str> = report.rows().iter().map(|row| row.id()).collect();
    assert_eq!(ids, ["C0002", "rfc2449-capa"]);
    assert_eq!(mock.connections(), 2, "no more than these rows need");
    options.skip = vec!["C0002".to_owned()];
    let report = run(&mut mock, &options).unwrap();
    assert_eq!(report.rows().len(), 1);
    assert_eq!(mock.messages(), MESSAGES.len());
}

#[test]
fn a_wrong_password_ends_the_run_without_a_report() {
    let account = Account {
        password: "wrong",
        ..account()
    };
    let mut mock = Mock::new(NO_FAULT);
    let subject = ("a mock", SystemTime::UNIX_EPOCH);
    let unable = check::run(&mut mock, &account, &options(), subject, &mut |_| {});
    let Err(Unable::Refused(shown)) = unable else {
        panic!("{unable:?}");
    };
    assert!(shown.contains("C: PASS ***"), "{shown}");
}

/// The port of another protocol gives a report: a server is there, and it is
/// wrong.
#[test]
fn fails_a_server_of_another_protocol() {
    let smtp = Fault {
        reply: |_, command, reply| match command {
            GREETING => "220 mail.example.org ESMTP\r\n".to_owned(),
            _ => reply.to_owned(),
        },
        ..NO_FAULT
    };
    let mut mock = Mock::new(smtp);
    let report = run(&mut mock, &options()).unwrap();
    assert_eq!(found(&report), ["C0002", "rfc1939-indicator"]);
    assert_eq!(mock.connections(), 1);
}

#[test]
fn a_busy_server_ends_the_run_without_a_report() {
    const BUSY: &str = "-ERR [SYS/TEMP] later\r\n";
    let busy: [fn(&State, &str, &str) -> String; 2] = [
        |_, command, reply| if command == GREETING { BUSY } else { reply }.to_owned(),
        |state, command, reply| match (state.connection, command) {
            (2, GREETING) => BUSY.to_owned(),
            _ => reply.to_owned(),
        },
    ];
    for reply in busy {
        let unable = run(&mut Mock::new(Fault { reply, ..NO_FAULT }), &options());
        assert!(matches!(unable, Err(Unable::Busy(_))), "{unable:?}");
    }
}

/// The time limit is for the whole first line, however its octets arrive.
#[test]
fn does_not_wait_for_a_line_that_comes_octet_by_octet() {
    let fault = Fault {
        quirk: Quirk::Slow(10),
        ..NO_FAULT
    };
    let mut mock = Mock::new(fault);
    let start = mock.now();
    let report = run(&mut mock, &options()).unwrap();
    assert_eq!(found(&report), ["C0005"]);
    assert!(mock.now() - start <= options().limits.reply + Duration::from_secs(10));
}

/// A block may take as long as the run, and nothing fails because it was not
/// seen in that time.
#[test]
fn a_slow_line_fails_nothing() {
    let run_times = [(1, 1_000_000), (2, 1_000_000)].into_iter();
    for (seconds, run_time) in run_times.chain(
        (10..1500)
            .chain((1500..6000).step_by(37))
            .map(|time| (1, time)),
    ) {
        let fault = Fault {
            quirk: Quirk::Slow(seconds),
            ..NO_FAULT
        };
        let mut options = options();
        options.limits.run = Duration::from_secs(run_time);
        options.limits.reply = Duration::from_secs(240);
        let mut mock = Mock::new(fault);
        let start = mock.now();
        let report = run(&mut mock, &options).unwrap();
        assert_eq!(found(&report), [""; 0], "{}", report.text());
        let took = mock.now() - start;
        assert!(
            took <= options.limits.run + Duration::from_secs(10),
            "{took:?}"
        );
    }
}

#[test]
fn does_not_identify_messages_by_sizes_that_are_all_wrong() {
    // Each message has the size of the previous one, and there is no TOP.
    let report = changed(|_, command, reply| match command {
        "CAPA" => reply.replace("TOP\r\n", ""),
        _ if command.starts_with("TOP") => "-ERR\r\n".to_owned(),
        "LIST" => {
            let lines: Vec<&str> = reply.lines().collect();
            let [status, entries @ .., end] = &lines[..] else {
                return reply.to_owned();
            };
            let sizes = entries.iter().map(|line| line.split_once(' ').unwrap().1);
            let listed = sizes.cycle().skip(entries.len().saturating_sub(1));
            let listed = listed.take(entries.len()).enumerate();
            let listed = listed.map(|(at, size)| format!("{} {size}\r\n", at + 1));
            format!("{status}\r\n{}{end}\r\n", listed.collect::<String>())
        }
        _ => reply.to_owned(),
    });
    assert!(found(&report).contains(&"C0021"));
    assert!(!found(&report).contains(&"C0023"), "{}", report.text());
}

#[test]
fn a_message_whose_size_changes_still_exists() {
    let report = changed(|state, command, reply| match command {
        "LIST" if state.quits > 0 => reply.replacen("\r\n1 ", "\r\n1 1", 1),
        _ => reply.to_owned(),
    });
    assert!(
        !found(&report).contains(&"maildrop-as-found"),
        "{}",
        report.text()
    );
}

/// Mailutils adds a header field to messages that have a unique-id.
#[test]
fn growing_sizes_are_not_answers_to_other_commands() {
    let report = changed(|state, command, reply| match command {
        "STAT" if !state.unique_ids.is_empty() => reply.replacen("+OK 4 ", "+OK 4 1", 1),
        _ => reply.to_owned(),
    });
    assert!(
        !found(&report).contains(&"rfc2449-pipelining"),
        "{}",
        report.text()
    );
}

#[test]
fn finds_a_moved_unique_id_when_few_messages_are_retrieved_again() {
    let mut options = options();
    options.limits.messages_again = 1;
    let (.., moves) = faults()
        .find(|(_, what, _)| what.starts_with("moves a unique-id"))
        .unwrap();
    let replaces = Fault {
        reply: |state, command, reply| match command {
            _ if state.quits != 1 => reply.to_owned(),
            "LIST" => reply.replace("\r\n3 ", "\r\n3 1"),
            "RETR 3" => reply.replace("two", "another two"),
            _ => reply.to_owned(),
        },
        ..NO_FAULT
    };
    for fault in [moves, replaces] {
        let report = run(&mut Mock::new(fault), &options).unwrap();
        assert_eq!(found(&report), ["C0039"], "{}", report.text());
    }
}

#[test]
fn says_which_announced_command_is_not_answered() {
    let report = changed(|_, command, reply| match command.split(' ').next() {
        Some("UIDL" | "TOP") => String::new(),
        _ => reply.to_owned(),
    });
    assert_eq!(found(&report), ["C0014"]);
    let mut rows = report.rows().iter();
    let row = rows.find(|row| row.id() == "rfc2449-announced").unwrap();
    assert_eq!(row.verdict(), check::NOT_TESTABLE);
    assert!(
        row.evidence().contains("C: UIDL\nS: (nothing)"),
        "{}",
        row.evidence()
    );
}

/// Each line end counts as one octet, and CR comes twice, so sizes and blank
/// lines are misleading.
#[test]
fn does_not_mistake_cr_cr_lf_line_ends_for_another_message() {
    for blank in ["\r\n", "\r\r\n"] {
        let report = report(match blank {
            "\r\n" => DOUBLE_CR,
            _ => Fault {
                // TOP treats no line as blank and sends everything.
                command: |_, command| match command.strip_prefix("TOP ") {
                    Some(rest) => format!("RETR {}", rest.split(' ').next().unwrap()),
                    None => command.to_owned(),
                },
                ..DOUBLE_CR
            },
        });
        assert_eq!(found(&report), ["C0021"], "{}", report.text());
    }
}

const DOUBLE_CR: Fault = Fault {
    reply: |_, command, reply| match command.split(' ').next() {
        Some("RETR" | "TOP") => match reply.split_once("\r\n") {
            Some((first, block)) if !block.is_empty() => {
                let block = block.replace("\r\n", "\r\r\n");
                let block = block.strip_suffix(".\r\r\n").unwrap_or(&block);
                format!("{first}\r\n{block}.\r\n")
            }
            _ => reply.to_owned(),
        },
        _ => reply.to_owned(),
    },
    ..NO_FAULT
};
