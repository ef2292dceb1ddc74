//! The scripted server of `pop3 audit` answers any client and always terminates.

use std::time::Duration;

use dot_stuffing_testkit::chunk;
use pop3_conformance::audit::{
    Action, Entry, Log, MAX_COMMANDS, MAX_ENTRIES, MAX_FLOOD, Maildrop, OCTETS_KEPT, Scenario,
    Server, scenarios,
};

/// The maximum number of actions of a server between two reads: the flood in pieces
/// of at least 4 KiB, or a long message octet by octet.
const ACTIONS_MAX: usize = 1 << 18;

/// The time for which the server is polled after the last octet.
const WATCHED: Duration = Duration::from_secs(20);

/// Sends octets as a client in a scenario that the first two octets choose.
/// Whatever the octets are, the server stops after finitely many actions, and its
/// log is bounded. It reads the same lines however the octets are cut, also in
/// later sessions with the maildrop that the first one leaves.
pub(crate) fn audit_client(octets: &[u8]) {
    let (chosen, sent) = octets.split_at(octets.len().min(2));
    let chosen = chosen
        .iter()
        .fold(0, |number, octet| number * 256 + usize::from(*octet));
    let scenario = &scenarios()[chosen % scenarios().len()];
    let mut maildrop = Maildrop::new(scenario);
    let whole = lines(&played(scenario, &mut maildrop, &[sent]));
    for plan in chunk::plans(sent, chunk::seed(sent)).iter().take(8) {
        let again = lines(&played(scenario, &mut maildrop, plan));
        assert_eq!(again, whole, "{}", scenario.name());
    }
}

/// The part of a log that does not depend on timing: the lines of the client.
fn lines(log: &Log) -> Vec<(Vec<u8>, bool)> {
    let commands = log.commands();
    commands
        .map(|command| (command.line.clone(), command.crlf))
        .collect()
}

fn played(scenario: &Scenario, maildrop: &mut Maildrop, plan: &[&[u8]]) -> Log {
    let mut server = Server::with_maildrop(scenario, maildrop.clone());
    let mut now = Duration::ZERO;
    for piece in plan {
        run(&mut server, &mut now, Duration::ZERO);
        server.handle_input(piece);
    }
    run(&mut server, &mut now, WATCHED);
    server.handle_end();
    run(&mut server, &mut now, WATCHED);
    maildrop.remove(server.removed());
    let log = server.into_log();
    assert!(
        log.entries().len() <= MAX_ENTRIES + MAX_COMMANDS,
        "the log is bounded"
    );
    assert!(log.commands().count() <= MAX_COMMANDS);
    for entry in log.entries() {
        if let Entry::Sent(octets) = entry {
            assert!(octets.len() <= OCTETS_KEPT);
        }
    }
    log
}

/// Polls until the server waits for the client, or for longer than `patience`.
fn run(server: &mut Server<'_>, now: &mut Duration, patience: Duration) {
    let until = *now + patience;
    let mut sent = 0;
    for _ in 0..ACTIONS_MAX {
        match server.poll(*now) {
            Action::Send(octets) => {
                assert!(!octets.is_empty(), "nothing is sent");
                sent += octets.len();
                assert!(sent <= 3 * MAX_FLOOD, "it sends without end");
            }
            Action::StartTls => server.handle_tls(true),
            Action::Close => {}
            Action::Wait(due) => {
                assert!(due > *now, "it waits for what has been");
                if due > until {
                    return;
                }
                *now = due;
            }
            Action::Read => return,
        }
    }
    panic!("{ACTIONS_MAX} actions, and no end");
}
