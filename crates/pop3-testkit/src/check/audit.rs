//! The scripted server of `pop3 audit` answers any client and always terminates.

use std::time::Duration;

use pop3_conformance::audit::{
    Action, Entry, Log, MAX_COMMANDS, MAX_ENTRIES, MAX_FLOOD, Maildrop, OCTETS_KEPT, Scenario,
    Server, scenarios,
};

use crate::chunk;

/// The most that a server may do for a client between two reads: the flood in
/// pieces of at least 4 KiB, or a long message octet by octet.
const ACTIONS_MAX: usize = 1 << 18;

/// For how long a server is watched after the last octet.
const WATCHED: Duration = Duration::from_secs(20);

/// Octets as a client, against a scenario that the first two of them choose:
/// the server stops after finitely many actions, whatever the octets are; its
/// log is bounded; and it has read the same lines however the octets came, also
/// in later sessions over what the first has left in the maildrop.
pub fn audit_client(octets: &[u8]) {
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

/// What a client sent, by what can be known whatever the timing.
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
