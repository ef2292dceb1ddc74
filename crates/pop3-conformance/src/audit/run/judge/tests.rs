//! The verdict on each thing that a client may do.

use super::*;
use crate::audit::{
    Maildrop,
    log::{Entry, State},
};

/// A change to the scenario and to the runs.
type Change = fn(&mut Scenario, &mut Vec<Run>);

fn plain() -> Scenario {
    let mut scenarios = crate::audit::scenarios().iter();
    let plain = scenarios.find(|scenario| scenario.name() == "plain");
    plain.unwrap().clone()
}

/// A run that stored both messages.
fn good(scenario: &Scenario) -> Run {
    let stored = scenario.messages.iter();
    Run {
        end: End::Exited(0),
        said: Vec::new(),
        logs: vec![Log::new(Maildrop::new(scenario))],
        stored: stored.map(|message| message.stored[0].clone()).collect(),
        escaped: false,
        transport: Transport::Any,
    }
}

fn say(run: &mut Run, line: &str) {
    let entries = &mut run.logs[0].entries;
    entries.push(Entry::Command(Command {
        line: line.as_bytes().to_vec(),
        crlf: true,
        state: State::Transaction,
        tls: false,
        early: false,
        closed: false,
    }));
}

fn last_command(run: &mut Run) -> &mut Command {
    match run.logs[0].entries.last_mut() {
        Some(Entry::Command(command)) => command,
        _ => panic!("no command"),
    }
}

/// Asserts the verdict on the worst fault and a part of its text; `None` expects no
/// fault.
#[track_caller]
fn judged(store: &Store, takes: Takes, change: Change, worst: Option<(Verdict, &str)>) {
    let mut scenario = plain();
    let mut runs = vec![good(&scenario)];
    change(&mut scenario, &mut runs);
    let faults = judge(&scenario, &runs, store, takes);
    match (faults.first(), worst) {
        (None, None) => {}
        (Some(fault), Some((verdict, part))) => {
            assert_eq!(fault.verdict, verdict, "{faults:?}");
            assert!(fault.what.contains(part), "{part}: {faults:?}");
        }
        _ => panic!("{faults:?}, not {worst:?}"),
    }
}

#[track_caller]
fn table(rows: &[(Change, Option<(Verdict, &str)>)]) {
    for (change, worst) in rows {
        judged(&Store::Maildir, Takes::All, *change, *worst);
    }
}

use Verdict::{Dangerous, Lossy, Silent, Warn};

#[test]
fn judges_how_a_client_ends() {
    table(&[
        (|_, _| {}, None),
        (|_, runs| runs[0].end = End::Exited(1), None),
        (|_, runs| runs[0].end = End::Waiting, None),
        (
            |_, runs| runs[0].end = End::Killed(11),
            Some((Dangerous, "11")),
        ),
        (|_, runs| runs[0].end = End::Time, Some((Dangerous, "end"))),
        (
            |_, runs| runs[0].end = End::Grew,
            Some((Dangerous, "exceeded the limit")),
        ),
        (
            |_, runs| runs[0].end = End::Swallowed,
            Some((Dangerous, "memory")),
        ),
        (
            |_, runs| runs[0].end = End::Loops,
            Some((Dangerous, "commands")),
        ),
        (
            |_, runs| runs[0].escaped = true,
            Some((Dangerous, "unique-id")),
        ),
    ]);
}

#[test]
fn judges_what_a_client_says() {
    table(&[
        (|_, runs| say(&mut runs[0], "DELE 1"), None),
        (
            |scenario, runs| {
                scenario.never = vec!["NOOP".to_owned(), "DELE 1".to_owned()];
                say(&mut runs[0], "dele 1");
            },
            Some((Dangerous, "dele 1")),
        ),
        (
            |scenario, runs| {
                scenario.never = vec!["DELE 2".to_owned(), "TOP".to_owned()];
                say(&mut runs[0], "DELE 1");
            },
            None,
        ),
        (
            |scenario, runs| {
                scenario.lockstep = true;
                say(&mut runs[0], "STAT");
            },
            None,
        ),
        (
            |_, runs| {
                say(&mut runs[0], "STAT");
                last_command(&mut runs[0]).early = true;
            },
            None,
        ),
        (
            |scenario, runs| {
                scenario.lockstep = true;
                say(&mut runs[0], "STAT");
                last_command(&mut runs[0]).early = true;
            },
            Some((Dangerous, "STAT")),
        ),
        // The options said that it insists on TLS.
        (
            |_, runs| {
                runs[0].transport = Transport::Stls;
                say(&mut runs[0], "CAPA");
            },
            None,
        ),
        (
            |_, runs| {
                runs[0].transport = Transport::Stls;
                say(&mut runs[0], "PASS secret");
            },
            Some((Dangerous, "without TLS: PASS ***")),
        ),
        (
            |_, runs| {
                runs[0].transport = Transport::Stls;
                say(&mut runs[0], "PASS secret");
                last_command(&mut runs[0]).tls = true;
            },
            None,
        ),
        (|_, runs| say(&mut runs[0], "PASS secret"), None),
    ]);
}

#[test]
fn judges_what_a_client_stores() {
    table(&[
        (
            |_, runs| runs[0].stored.truncate(1),
            Some((Silent, "message 2")),
        ),
        (
            |_, runs| {
                runs[0].stored.remove(0);
                runs[0].end = End::Exited(1);
            },
            Some((Lossy, "message 1")),
        ),
        (
            |scenario, runs| {
                scenario.may_refuse = true;
                runs[0].stored.clear();
                runs[0].end = End::Exited(1);
            },
            None,
        ),
        // The message may come in a later run.
        (
            |scenario, runs| {
                runs[0].stored.clear();
                runs[0].end = End::Exited(1);
                runs.push(good(scenario));
            },
            None,
        ),
        (
            |scenario, runs| {
                scenario.messages[1].hidden = true;
                runs[0].stored.truncate(1);
            },
            None,
        ),
        (
            |_, runs| {
                let octets = runs[0].stored[0].len();
                runs[0].stored[0].truncate(octets / 2);
            },
            Some((Lossy, "part of message 1")),
        ),
        (
            |_, runs| runs[0].stored[1].extend_from_slice(b"and more\r\n"),
            Some((Lossy, "more than message 2")),
        ),
        (
            |_, runs| {
                runs[0]
                    .stored
                    .push(b"Subject: x\r\n\r\nnever sent\r\n".to_vec());
            },
            Some((Lossy, "never sent")),
        ),
        (
            |_, runs| {
                let again = runs[0].stored[0].clone();
                runs[0].stored.extend([again.clone(), again]);
            },
            Some((Lossy, "twice")),
        ),
        (
            |scenario, runs| {
                let mut again = good(scenario);
                again.stored.push(again.stored[0].clone());
                runs.push(again);
            },
            Some((Warn, "again")),
        ),
        (
            |scenario, runs| {
                runs[0].stored.truncate(1);
                runs[0].end = End::Exited(1);
                let mut again = good(scenario);
                again.stored.insert(0, again.stored[0].clone());
                runs.push(again);
            },
            Some((Warn, "again")),
        ),
        // A message that an earlier run stored again is reported once.
        (
            |scenario, runs| {
                let again = runs[0].stored[0].clone();
                runs[0].stored.push(again);
                let mut later = good(scenario);
                later.stored.push(later.stored[0].clone());
                runs.push(later);
            },
            Some((Lossy, "twice")),
        ),
    ]);
}

#[test]
fn judges_how_a_client_treats_a_partial_message() {
    table(&[
        (
            |scenario, _| scenario.messages[1].whole = false,
            Some((Dangerous, "part of message 2")),
        ),
        (
            |scenario, runs| {
                scenario.messages[1].whole = false;
                runs[0].end = End::Exited(1);
            },
            Some((Lossy, "part of message 2")),
        ),
        (
            |scenario, runs| {
                scenario.messages[1].whole = false;
                runs[0].stored.truncate(1);
                runs[0].end = End::Exited(1);
            },
            None,
        ),
        (
            |scenario, runs| {
                scenario.messages.truncate(1);
                scenario.messages[0].whole = false;
                runs[0].stored = vec![Vec::new()];
            },
            Some((Lossy, "empty")),
        ),
    ]);
}

#[test]
fn judges_what_a_client_deletes() {
    table(&[
        (
            |_, runs| {
                runs[0].stored.truncate(1);
                say(&mut runs[0], "DELE 2");
            },
            Some((Dangerous, "deleted message 2")),
        ),
        (
            |_, runs| {
                let octets = runs[0].stored[0].len();
                runs[0].stored[0].truncate(octets / 2);
                say(&mut runs[0], "DELE 1");
            },
            Some((Dangerous, "deleted message 1")),
        ),
        (
            |_, runs| say(&mut runs[0], "DELE 3"),
            Some((Dangerous, "message 3, which it never had")),
        ),
        (
            |_, runs| say(&mut runs[0], "DELE 7"),
            Some((Dangerous, "message 7, which it never had")),
        ),
        (
            |_, runs| {
                say(&mut runs[0], "DELE 3");
                say(&mut runs[0], "RSET");
            },
            None,
        ),
        // It undid its earlier deletions and deleted again.
        (
            |_, runs| {
                say(&mut runs[0], "RSET");
                say(&mut runs[0], "DELE 3");
            },
            Some((Dangerous, "message 3")),
        ),
        // The second message was the first of its session.
        (
            |scenario, runs| {
                let mut left = Maildrop::new(scenario);
                left.remove(&[1]);
                runs[0].logs = vec![Log::new(left)];
                runs[0].stored.truncate(1);
                say(&mut runs[0], "DELE 1");
            },
            Some((Dangerous, "deleted message 2")),
        ),
    ]);
}

#[test]
fn a_client_that_takes_the_first_message_needs_no_other() {
    let second: Change = |_, runs| runs[0].stored.truncate(1);
    judged(&Store::Maildir, Takes::First, second, None);
    let none: Change = |_, runs| runs[0].stored.clear();
    let silent = Some((Silent, "message 1"));
    judged(&Store::Maildir, Takes::First, none, silent);
}

/// Output to a pipe before an error does not count.
#[test]
fn standard_output_counts_where_the_run_succeeds() {
    judged(&Store::Stdout, Takes::All, |_, _| {}, None);
    let failed: Change = |_, runs| runs[0].end = End::Exited(1);
    let lossy = Some((Lossy, "did not store"));
    judged(&Store::Stdout, Takes::All, failed, lossy);
    let shown_again: Change = |scenario, runs| runs.push(good(scenario));
    judged(&Store::Stdout, Takes::All, shown_again, None);
}

#[test]
fn reports_the_worst_first_and_each_fault_once_with_its_run() {
    let scenario = plain();
    let mut first = good(&scenario);
    first
        .stored
        .push(b"Subject: x\r\n\r\nnever sent\r\n".to_vec());
    let mut second = good(&scenario);
    second.stored = first.stored.clone();
    second.end = End::Time;
    let faults = judge(&scenario, &[first, second], &Store::Maildir, Takes::All);
    let said: Vec<_> = faults
        .iter()
        .map(|fault| (fault.verdict, fault.run))
        .collect();
    assert_eq!(said, [(Dangerous, 1), (Lossy, 0)]);
}
