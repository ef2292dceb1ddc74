//! Possible histories before a command, in the two states in which commands are
//! sent.

use pop3_proto::{Argument, Command, LanguageRange, Mechanism, Profile, Secret, client::State};

use super::{Sessions, Talk, apop, number, pass, user};

/// Commands with the replies that they got.
pub(super) type History = Vec<(Command<'static>, &'static str)>;

pub(super) fn auth() -> Command<'static> {
    Command::Auth {
        mechanism: Mechanism::new("PLAIN").expect("a mechanism"),
        initial_response: Some(Secret::new("AGEAYg==").expect("base64")),
    }
}

pub(super) fn lang() -> Command<'static> {
    Command::Lang(LanguageRange::new("de").expect("a range"))
}

/// Histories that end in the AUTHORIZATION state.
fn before_login() -> Vec<History> {
    let refused = || vec![(user(), "+OK\r\n"), (pass(), "-ERR [AUTH] no\r\n")];
    let other = Command::User(Argument::new("nobody").expect("a name"));
    vec![
        vec![],
        vec![(Command::Capa, "+OK\r\nUSER\r\n.\r\n")],
        vec![(Command::Capa, "-ERR\r\n")],
        vec![(Command::LangList, "+OK\r\nen\r\n.\r\n")],
        vec![(lang(), "+OK\r\n")],
        vec![(Command::AuthList, "+OK\r\nPLAIN\r\n.\r\n")],
        vec![(Command::Utf8, "+OK\r\n")],
        vec![(auth(), "-ERR [AUTH] no\r\n")],
        vec![(apop(), "-ERR [AUTH] no\r\n")],
        vec![(user(), "+OK\r\n")],
        vec![(user(), "-ERR who?\r\n")],
        vec![(other, "-ERR who?\r\n"), (Command::Capa, "-ERR\r\n")],
        refused(),
        [refused(), vec![(Command::Capa, "+OK\r\nUSER\r\n.\r\n")]].concat(),
        [refused(), refused(), refused()].concat(),
        [refused(), vec![(user(), "+OK\r\n")]].concat(),
    ]
}

/// Commands of the TRANSACTION state with positive replies.
pub(super) fn of_transaction() -> History {
    vec![
        (Command::Stat, "+OK 4 320\r\n"),
        (Command::List(None), "+OK\r\n1 120\r\n2 200\r\n.\r\n"),
        (Command::Retr(number(1)), "+OK\r\nA: b\r\n\r\n.\r\n"),
        (Command::Noop, "+OK\r\n"),
        (Command::Uidl(None), "+OK\r\n1 a\r\n2 b\r\n.\r\n"),
        (Command::Top(number(1), 0), "+OK\r\nA: b\r\n\r\n.\r\n"),
        (Command::Capa, "+OK\r\nUIDL\r\n.\r\n"),
        (Command::Dele(number(9)), "+OK\r\n"),
    ]
}

/// Histories in the TRANSACTION state: each command alone, and all of them.
fn after_login() -> Vec<History> {
    let all = of_transaction();
    let one = |(command, _): &(Command<'static>, &'static str)| vec![(*command, "-ERR no\r\n")];
    let mut histories: Vec<History> = all.iter().map(|step| vec![*step]).collect();
    histories.extend(all.iter().map(one));
    histories.extend([vec![], all]);
    histories
}

/// A session after each history of a state.
pub(super) fn histories(
    sessions: &dyn Sessions,
    profile: Profile,
    state: State,
) -> Vec<(History, Talk)> {
    let histories = match state {
        State::Authorization => before_login(),
        State::Transaction => after_login(),
        _ => vec![Vec::new()],
    };
    let after = |history: History| {
        let mut talk = Talk::in_state(sessions, profile, state);
        for (command, reply) in &history {
            talk.ask(command, reply);
        }
        (history, talk)
    };
    histories.into_iter().map(after).collect()
}
