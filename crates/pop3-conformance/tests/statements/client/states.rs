//! Which commands are sent in which state, and which never.

use pop3_proto::{Command, Profile, client::State};

use super::{
    STATES, Sessions, Talk, apop,
    histories::{histories, of_transaction},
    number, outlook, pass, user,
};
use crate::{checking::Verdict, faults::client::sound};

checks! { dyn Sessions, sound:
    c0013_commands_are_sent_again_and_again,
    c0016_stat_belongs_in_transaction,
    c0018_list_belongs_in_transaction,
    v0005_retr_belongs_in_transaction,
    c0025_dele_belongs_in_transaction,
    c0028_noop_belongs_in_transaction,
    c0033_top_belongs_in_transaction,
    c0035_uidl_belongs_in_transaction,
    c0043_user_belongs_in_authorization,
    v0003_outlook_never_sends_list_with_a_number,
    v0006_outlook_never_sends_rset,
    v0007_outlook_never_sends_uidl_with_a_number,
    v0008_outlook_never_sends_apop,
}

fn c0013_commands_are_sent_again_and_again(sessions: &mut dyn Sessions) -> Verdict {
    for profile in Profile::ALL {
        // A message is deleted only once.
        let again = of_transaction().into_iter();
        for (command, reply) in again.filter(|(command, _)| command.keyword() != "DELE") {
            for (between, reply_between) in of_transaction() {
                let mut talk = Talk::logged_in(sessions, profile);
                let steps = [
                    (&command, reply),
                    (&between, reply_between),
                    (&command, reply),
                ];
                for (command, reply) in steps {
                    let sent = talk.send(command);
                    ensure!(
                        sent.is_ok(),
                        "{} {command:?}, with {between:?} between: {sent:?}",
                        profile.name
                    );
                    talk.receive(reply);
                    ensure!(talk.error.is_none(), "{}: {:?}", profile.name, talk.error);
                }
            }
        }
        let mut talk = Talk::logged_in(sessions, profile);
        for n in 1..=3 {
            let sent = talk.send(&Command::Dele(number(n)));
            ensure!(sent.is_ok(), "{} DELE {n}: {sent:?}", profile.name);
            talk.receive("+OK\r\n");
        }
    }
    Ok(())
}

/// The command is sent in this state and in no other, and not during a login.
fn belongs_in(sessions: &dyn Sessions, command: &Command<'_>, home: State) -> Verdict {
    let keyword = command.keyword();
    for profile in Profile::ALL {
        // USER may be sent before the greeting (C0043); our client does not do
        // that, see C0007.
        let is_free = |state| state == State::Greeting && keyword == "USER";
        for state in STATES.into_iter().filter(|state| !is_free(*state)) {
            let sent = Talk::in_state(sessions, profile, state).send(command);
            ensure!(
                sent.as_ref().is_ok_and(|octets| !octets.is_empty()) == (state == home),
                "{} in {state}, by {}: {sent:?}",
                keyword,
                profile.name
            );
        }
        if home == State::Transaction {
            for (history, mut talk) in histories(sessions, profile, State::Authorization) {
                let sent = talk.send(command);
                ensure!(
                    sent.is_err(),
                    "{keyword} after {history:?}, by {}: {sent:?}",
                    profile.name
                );
            }
        }
        let mut talk = Talk::greeted(sessions, profile);
        talk.ask(&user(), "+OK\r\n");
        let asked = talk.send(&pass());
        let sent = talk.send(command);
        ensure!(
            asked.is_err() || sent.is_err(),
            "{keyword} behind PASS: {sent:?}"
        );
        talk.receive("-ERR no\r\n");
        let sent = talk.send(command);
        ensure!(
            sent.is_err() || home == State::Authorization,
            "{keyword} after a refused login: {sent:?}"
        );
    }
    Ok(())
}

fn c0016_stat_belongs_in_transaction(sessions: &mut dyn Sessions) -> Verdict {
    belongs_in(sessions, &Command::Stat, State::Transaction)
}

fn c0018_list_belongs_in_transaction(sessions: &mut dyn Sessions) -> Verdict {
    belongs_in(sessions, &Command::List(None), State::Transaction)
}

fn v0005_retr_belongs_in_transaction(sessions: &mut dyn Sessions) -> Verdict {
    belongs_in(sessions, &Command::Retr(number(1)), State::Transaction)
}

fn c0025_dele_belongs_in_transaction(sessions: &mut dyn Sessions) -> Verdict {
    belongs_in(sessions, &Command::Dele(number(1)), State::Transaction)
}

fn c0028_noop_belongs_in_transaction(sessions: &mut dyn Sessions) -> Verdict {
    belongs_in(sessions, &Command::Noop, State::Transaction)
}

fn c0033_top_belongs_in_transaction(sessions: &mut dyn Sessions) -> Verdict {
    belongs_in(sessions, &Command::Top(number(1), 0), State::Transaction)
}

fn c0035_uidl_belongs_in_transaction(sessions: &mut dyn Sessions) -> Verdict {
    belongs_in(sessions, &Command::Uidl(None), State::Transaction)
}

fn c0043_user_belongs_in_authorization(sessions: &mut dyn Sessions) -> Verdict {
    belongs_in(sessions, &user(), State::Authorization)
}

/// No release of Outlook sends the command in any state; a client that follows
/// RFC 1939 sends it in one.
fn outlook_never_sends(sessions: &dyn Sessions, command: &Command<'_>, home: State) -> Verdict {
    for profile in outlook() {
        for state in STATES {
            let sent = Talk::in_state(sessions, profile, state).send(command);
            ensure!(sent.is_err(), "{} in {state}: {sent:?}", profile.name);
            for (history, mut talk) in histories(sessions, profile, state) {
                let sent = talk.send(command);
                ensure!(
                    sent.is_err(),
                    "{} in {state} after {history:?}: {sent:?}",
                    profile.name
                );
            }
        }
    }
    let sent = Talk::in_state(sessions, Profile::RFC1939, home).send(command);
    ensure!(sent.is_ok(), "by RFC 1939: {sent:?}");
    Ok(())
}

fn v0003_outlook_never_sends_list_with_a_number(sessions: &mut dyn Sessions) -> Verdict {
    for n in [1, 9] {
        outlook_never_sends(
            sessions,
            &Command::List(Some(number(n))),
            State::Transaction,
        )?;
    }
    Ok(())
}

fn v0006_outlook_never_sends_rset(sessions: &mut dyn Sessions) -> Verdict {
    outlook_never_sends(sessions, &Command::Rset, State::Transaction)
}

fn v0007_outlook_never_sends_uidl_with_a_number(sessions: &mut dyn Sessions) -> Verdict {
    for n in [1, 9] {
        outlook_never_sends(
            sessions,
            &Command::Uidl(Some(number(n))),
            State::Transaction,
        )?;
    }
    Ok(())
}

fn v0008_outlook_never_sends_apop(sessions: &mut dyn Sessions) -> Verdict {
    outlook_never_sends(sessions, &apop(), State::Authorization)
}
