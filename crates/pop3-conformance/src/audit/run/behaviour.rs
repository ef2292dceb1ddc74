//! Compares a client's commands with the statements that bind clients: syntax,
//! order, state, and whether Outlook would send them.

use std::collections::BTreeMap;

use crate::{
    Id,
    audit::log::{Command, Entry, Log, State},
};

/// The observations about a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The number of times it was kept.
    pub(super) kept: usize,
    /// The first commands that broke it, each with its scenario.
    pub(super) broken: Vec<String>,
    pub(super) times_broken: usize,
}

/// The most examples of a broken statement.
const EXAMPLES_MAX: usize = 5;

/// Adds the observations of a connection. A client that tests whether the port
/// expects TLS sends no command.
pub(super) fn observe(scenario: &str, log: &Log, seen: &mut BTreeMap<Id, Seen>) {
    if asks_for_tls(log) {
        return;
    }
    let mut note = |id: Id, kept: bool, command: &Command| {
        let seen = seen.entry(id).or_default();
        if kept {
            seen.kept += 1;
            return;
        }
        seen.times_broken += 1;
        if seen.broken.len() < EXAMPLES_MAX {
            let state = match command.state {
                State::Greeting => "before the greeting",
                State::Authorization | State::Named => "in AUTHORIZATION",
                State::Transaction => "in TRANSACTION",
                State::Over => "after QUIT",
            };
            let example = format!("{scenario}: C: {} ({state})", command.shown());
            seen.broken.push(example);
        }
    };
    let mut before = Before::default();
    let mut answer = None;
    for entry in log.entries() {
        match entry {
            Entry::Sent(octets) => answer = octets.first().copied().or(answer),
            Entry::Command(command) if command.closed => {}
            Entry::Command(command) => {
                before.user_refused =
                    before.verb == "USER" && answer.is_some_and(|first| first != b'+');
                syntax(command, &mut note);
                order(command, &before, &mut note);
                let verb = command.words().into_iter().next().unwrap_or_default();
                before.user |= verb == "USER";
                before.verb = verb;
                answer = None;
            }
            _ => {}
        }
    }
}

/// Whether the first octets are those of a TLS handshake (RFC 8446 §5.1).
fn asks_for_tls(log: &Log) -> bool {
    let first = log.entries().iter().find_map(|entry| match entry {
        Entry::Command(command) => Some(command.line.as_slice()),
        _ => None,
    });
    first.is_some_and(|line| line.starts_with(b"\x16\x03"))
}

/// The state of a connection so far.
#[derive(Default)]
struct Before {
    verb: String,
    user: bool,
    /// Whether the last command was USER and the server refused it.
    user_refused: bool,
}

fn syntax(command: &Command, note: &mut impl FnMut(Id, bool, &Command)) {
    let words = command.words();
    let Some((verb, arguments)) = words.split_first() else {
        note(Id::C(3), false, command);
        return;
    };
    let line = &command.line;
    let printable = line.iter().all(|octet| (b' '..=b'~').contains(octet));
    note(Id::C(3), printable && command.crlf, command);
    let spaced = line.windows(2).any(|pair| pair == b"  ") || line.first() == Some(&b' ');
    // An argument may be a password, which may contain spaces.
    if verb != "PASS" {
        note(Id::C(4), !spaced && line.last() != Some(&b' '), command);
    }
    let bare = line.len() == verb.len();
    let number = |text: &String| text.parse::<u32>().is_ok_and(|number| number > 0);
    let one_number = matches!(arguments, [argument] if number(argument));
    match verb.as_str() {
        "QUIT" if command.state == State::Transaction => note(Id::C(30), bare, command),
        "QUIT" => note(Id::C(12), bare, command),
        "STAT" => note(Id::C(15), bare, command),
        "LIST" => note(Id::V(3), arguments.is_empty(), command),
        "RETR" => note(Id::V(4), one_number, command),
        "DELE" => note(Id::C(24), one_number, command),
        "NOOP" => note(Id::C(27), bare, command),
        "RSET" => note(Id::V(6), false, command),
        "TOP" => {
            let right = matches!(arguments, [message, lines]
                if number(message) && lines.parse::<u32>().is_ok());
            note(Id::C(32), right, command);
        }
        "UIDL" => note(Id::V(7), arguments.is_empty(), command),
        "USER" => note(Id::C(42), arguments.len() == 1, command),
        "PASS" => note(Id::C(46), !arguments.is_empty(), command),
        "APOP" => note(Id::V(8), false, command),
        _ => {}
    }
}

fn order(command: &Command, before: &Before, note: &mut impl FnMut(Id, bool, &Command)) {
    note(Id::C(1), true, command);
    let words = command.words();
    let verb = words.first().map_or("", String::as_str);
    let transaction = match verb {
        "STAT" => Some(Id::C(16)),
        "LIST" => Some(Id::C(18)),
        "RETR" => Some(Id::V(5)),
        "DELE" => Some(Id::C(25)),
        "NOOP" => Some(Id::C(28)),
        "TOP" => Some(Id::C(33)),
        "UIDL" => Some(Id::C(35)),
        _ => None,
    };
    if let Some(id) = transaction {
        let kept = command.state == State::Transaction;
        note(id, kept, command);
        note(Id::C(8), kept, command);
    }
    if command.is_login() {
        note(Id::C(7), true, command);
    } else if transaction.is_some() && command.state != State::Transaction {
        note(Id::C(7), false, command);
    }
    let authorization = matches!(command.state, State::Authorization | State::Named);
    match verb {
        // USER may even precede the greeting (C0043).
        "USER" => note(
            Id::C(43),
            authorization || command.state == State::Greeting,
            command,
        ),
        "PASS" => {
            note(Id::C(44), before.user, command);
            note(Id::C(47), command.state == State::Named, command);
        }
        _ => {}
    }
    if command.state == State::Named {
        note(Id::C(45), matches!(verb, "PASS" | "QUIT"), command);
    } else if before.user_refused {
        note(Id::C(45), verb != "PASS", command);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::audit::{Cover, client_statements, cover};

    #[test]
    fn does_not_mistake_a_tls_handshake_for_a_command() {
        for (line, noted) in [(&b"\x16\x03\x01"[..], 0), (b"\x16\x02\x01", 1)] {
            let command = Command {
                line: line.to_vec(),
                crlf: false,
                state: State::Greeting,
                tls: false,
                early: false,
                closed: false,
            };
            let mut log = Log::default();
            log.entries.push(Entry::Command(command));
            let mut seen = BTreeMap::new();
            observe("scenario", &log, &mut seen);
            let broken = seen.get(&Id::C(3)).map_or(0, |seen| seen.times_broken);
            assert_eq!(broken, noted);
        }
    }

    fn command(line: &str, state: State) -> Command {
        Command {
            line: line.as_bytes().to_vec(),
            crlf: true,
            state,
            tls: false,
            early: false,
            closed: false,
        }
    }

    fn seen(entries: Vec<Entry>) -> BTreeMap<Id, Seen> {
        let mut log = Log::default();
        log.entries = entries;
        let mut seen = BTreeMap::new();
        observe("scenario", &log, &mut seen);
        seen
    }

    /// The statements that were kept, and those that were broken.
    fn ids(seen: &BTreeMap<Id, Seen>) -> (Vec<Id>, Vec<Id>) {
        let those = |is: fn(&Seen) -> bool| {
            let those = seen.iter().filter(|(_, seen)| is(seen));
            those.map(|(id, _)| *id).collect()
        };
        (
            those(|seen| seen.kept > 0),
            those(|seen| seen.times_broken > 0),
        )
    }

    fn sorted(ids: &[Id]) -> Vec<Id> {
        let mut ids = ids.to_vec();
        ids.sort();
        ids
    }

    #[test]
    fn a_command_keeps_and_breaks_statements_by_its_syntax_and_its_state() {
        use State::{Authorization as A, Greeting as G, Named as N, Over as O, Transaction as T};
        let rows: &[(&str, State, &[Id], &[Id])] = &[
            ("STAT", T, &[Id::C(4), Id::C(8), Id::C(15), Id::C(16)], &[]),
            ("stat", T, &[Id::C(4), Id::C(8), Id::C(15), Id::C(16)], &[]),
            ("STAT x", T, &[Id::C(4), Id::C(8), Id::C(16)], &[Id::C(15)]),
            (
                "STAT",
                A,
                &[Id::C(4), Id::C(15)],
                &[Id::C(7), Id::C(8), Id::C(16)],
            ),
            (
                "STAT",
                O,
                &[Id::C(4), Id::C(15)],
                &[Id::C(7), Id::C(8), Id::C(16)],
            ),
            ("LIST", T, &[Id::C(4), Id::C(8), Id::C(18), Id::V(3)], &[]),
            ("LIST 1", T, &[Id::C(4), Id::C(8), Id::C(18)], &[Id::V(3)]),
            ("RETR 1", T, &[Id::C(4), Id::C(8), Id::V(4), Id::V(5)], &[]),
            ("RETR 0", T, &[Id::C(4), Id::C(8), Id::V(5)], &[Id::V(4)]),
            ("RETR", T, &[Id::C(4), Id::C(8), Id::V(5)], &[Id::V(4)]),
            ("RETR 1 2", T, &[Id::C(4), Id::C(8), Id::V(5)], &[Id::V(4)]),
            (
                "RETR 1",
                G,
                &[Id::C(4), Id::V(4)],
                &[Id::C(7), Id::C(8), Id::V(5)],
            ),
            (
                "DELE 1",
                T,
                &[Id::C(4), Id::C(8), Id::C(24), Id::C(25)],
                &[],
            ),
            ("DELE x", T, &[Id::C(4), Id::C(8), Id::C(25)], &[Id::C(24)]),
            (
                "DELE 1",
                A,
                &[Id::C(4), Id::C(24)],
                &[Id::C(7), Id::C(8), Id::C(25)],
            ),
            ("NOOP", T, &[Id::C(4), Id::C(8), Id::C(27), Id::C(28)], &[]),
            ("NOOP ", T, &[Id::C(8), Id::C(28)], &[Id::C(4), Id::C(27)]),
            (" NOOP", T, &[Id::C(8), Id::C(28)], &[Id::C(4), Id::C(27)]),
            ("RSET", T, &[Id::C(4)], &[Id::V(6)]),
            (
                "TOP 1 0",
                T,
                &[Id::C(4), Id::C(8), Id::C(32), Id::C(33)],
                &[],
            ),
            ("TOP 0 0", T, &[Id::C(4), Id::C(8), Id::C(33)], &[Id::C(32)]),
            ("TOP 1", T, &[Id::C(4), Id::C(8), Id::C(33)], &[Id::C(32)]),
            ("TOP 1 x", T, &[Id::C(4), Id::C(8), Id::C(33)], &[Id::C(32)]),
            (
                "TOP 1 0",
                A,
                &[Id::C(4), Id::C(32)],
                &[Id::C(7), Id::C(8), Id::C(33)],
            ),
            ("UIDL", T, &[Id::C(4), Id::C(8), Id::C(35), Id::V(7)], &[]),
            ("UIDL 1", T, &[Id::C(4), Id::C(8), Id::C(35)], &[Id::V(7)]),
            (
                "UIDL",
                A,
                &[Id::C(4), Id::V(7)],
                &[Id::C(7), Id::C(8), Id::C(35)],
            ),
            ("QUIT", T, &[Id::C(4), Id::C(30)], &[]),
            ("QUIT x", T, &[Id::C(4)], &[Id::C(30)]),
            ("QUIT", A, &[Id::C(4), Id::C(12)], &[]),
            ("QUIT x", A, &[Id::C(4)], &[Id::C(12)]),
            ("QUIT", N, &[Id::C(4), Id::C(12), Id::C(45)], &[]),
            (
                "USER me",
                A,
                &[Id::C(4), Id::C(7), Id::C(42), Id::C(43)],
                &[],
            ),
            (
                "USER me",
                G,
                &[Id::C(4), Id::C(7), Id::C(42), Id::C(43)],
                &[],
            ),
            ("USER me", T, &[Id::C(4), Id::C(7), Id::C(42)], &[Id::C(43)]),
            (
                "USER a b",
                A,
                &[Id::C(4), Id::C(7), Id::C(43)],
                &[Id::C(42)],
            ),
            (
                "USER  me",
                A,
                &[Id::C(7), Id::C(42), Id::C(43)],
                &[Id::C(4)],
            ),
            (
                "USER me",
                N,
                &[Id::C(4), Id::C(7), Id::C(42), Id::C(43)],
                &[Id::C(45)],
            ),
            (
                "PASS x",
                N,
                &[Id::C(7), Id::C(45), Id::C(46), Id::C(47)],
                &[Id::C(44)],
            ),
            (
                "PASS x  y ",
                N,
                &[Id::C(7), Id::C(45), Id::C(46), Id::C(47)],
                &[Id::C(44)],
            ),
            (
                "PASS",
                N,
                &[Id::C(7), Id::C(45), Id::C(47)],
                &[Id::C(44), Id::C(46)],
            ),
            ("PASS x", A, &[Id::C(7), Id::C(46)], &[Id::C(44), Id::C(47)]),
            ("APOP me x", A, &[Id::C(4), Id::C(7)], &[Id::V(8)]),
            ("AUTH", A, &[Id::C(4)], &[]),
            ("AUTH PLAIN", A, &[Id::C(4), Id::C(7)], &[]),
            ("CAPA", A, &[Id::C(4)], &[]),
        ];
        let all: BTreeSet<Id> = rows
            .iter()
            .flat_map(|(_, _, kept, broken)| [*kept, *broken].concat())
            .chain([Id::C(1), Id::C(3)])
            .collect();
        let by_commands = |id: &Id| cover(*id) == Some(Cover::Commands);
        let covered: BTreeSet<Id> = client_statements().filter(by_commands).collect();
        assert_eq!(all, covered);
        for (line, state, kept, broken) in rows {
            let seen = seen(vec![Entry::Command(command(line, *state))]);
            let always = [&[Id::C(1), Id::C(3)], *kept].concat();
            let wanted = (sorted(&always), sorted(broken));
            assert_eq!(ids(&seen), wanted, "{line:?} {state:?}");
        }
        for line in ["", "USER m\u{e9}", "USER m\t"] {
            let seen = seen(vec![Entry::Command(command(line, A))]);
            assert!(ids(&seen).1.contains(&Id::C(3)), "{line:?}");
        }
        let mut ends_with_lf = command("STAT", T);
        ends_with_lf.crlf = false;
        let seen = seen(vec![Entry::Command(ends_with_lf)]);
        assert_eq!(ids(&seen).1, [Id::C(3)]);
    }

    #[test]
    fn pass_depends_on_the_commands_before_it() {
        use State::{Authorization as A, Named as N, Transaction as T};
        let say = |line, state| Entry::Command(command(line, state));
        let sent = |octets: &[u8]| Entry::Sent(octets.to_vec());
        let (yes, no) = (|| sent(b"+OK\r\n"), || sent(b"-ERR\r\n"));
        for (entries, kept, broken) in [
            (vec![say("USER a", A), yes(), say("PASS x", N)], 1, 0),
            (vec![say("USER a", A), no(), say("PASS x", A)], 0, 1),
            (vec![say("USER a", A), no(), say("USER b", A)], 1, 0),
            (vec![say("USER a", A), say("PASS x", A)], 0, 0),
            (vec![say("NOOP", T), no(), say("PASS x", A)], 0, 0),
            (
                vec![say("NOOP", T), no(), say("USER a", A), say("PASS x", A)],
                0,
                0,
            ),
        ] {
            let seen = seen(entries.clone());
            let of_45 = seen.get(&Id::C(45)).cloned().unwrap_or_default();
            assert_eq!(
                (of_45.kept, of_45.times_broken),
                (kept, broken),
                "{entries:?}"
            );
            let has_user = entries[..entries.len() - 1].iter().any(
                |entry| matches!(entry, Entry::Command(command) if command.begins_with("USER")),
            );
            if let Some(of_44) = seen.get(&Id::C(44)) {
                assert_eq!(of_44.kept, usize::from(has_user), "{entries:?}");
            }
        }
        // USER may come twice.
        let entries = vec![
            say("USER a", A),
            no(),
            say("USER b", A),
            yes(),
            say("PASS x", N),
        ];
        assert_eq!(seen(entries)[&Id::C(44)].kept, 1);
    }

    #[test]
    fn counts_all_and_shows_some_of_the_commands_that_break_a_statement() {
        let entries = |count| vec![Entry::Command(command("RSET", State::Transaction)); count];
        let seen_of = |count| seen(entries(count))[&Id::V(6)].clone();
        for count in [1, 4, 5, 6, 9] {
            let seen = seen_of(count);
            assert_eq!(seen.times_broken, count);
            assert_eq!(seen.broken.len(), count.min(EXAMPLES_MAX));
            assert_eq!(seen.kept, 0);
        }
        let example = &seen_of(1).broken[0];
        assert!(example.contains("scenario: C: RSET"), "{example}");
        assert!(example.contains("TRANSACTION"), "{example}");
        assert_eq!(seen(entries(9))[&Id::C(3)].kept, 9);
        // A command that arrives after the end was sent before it, so it counts for nothing.
        let mut late = command("RSET", State::Transaction);
        late.closed = true;
        assert!(seen(vec![Entry::Command(late)]).is_empty());
    }
}
