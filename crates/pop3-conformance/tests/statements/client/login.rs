//! Logins: the order of their commands.

use pop3_proto::{Command, Profile, client::State};

use super::{
    STATES, Sessions, Talk,
    histories::{History, auth, histories, lang},
    pass, user,
};
use crate::{checking::Verdict, faults::client::sound};

checks! { dyn Sessions, sound:
    c0007_once_greeted_the_client_can_say_who_it_is,
    c0008_nothing_but_authentication_leads_to_transaction,
    c0010_after_a_refused_login_comes_another_or_quit,
    c0044_pass_is_not_the_first_command_of_a_login,
    c0045_after_a_positive_user_pass_or_quit_is_due,
    c0045_after_a_negative_user_another_login_or_quit_is_due,
    c0047_pass_comes_directly_after_a_successful_user,
}

fn c0007_once_greeted_the_client_can_say_who_it_is(sessions: &mut dyn Sessions) -> Verdict {
    for profile in Profile::ALL {
        // V0008 covers APOP as Outlook.
        for command in [user(), auth()] {
            let sent = Talk::in_state(sessions, profile, State::Greeting).send(&command);
            ensure!(
                sent.is_err(),
                "{} before the greeting: {sent:?}",
                profile.name
            );
        }
        let mut talk = Talk::greeted(sessions, profile);
        let sent = talk.send(&user());
        ensure!(sent.is_ok(), "{} once greeted: {sent:?}", profile.name);
    }
    Ok(())
}

fn c0008_nothing_but_authentication_leads_to_transaction(sessions: &mut dyn Sessions) -> Verdict {
    for profile in Profile::ALL {
        for (history, mut talk) in histories(sessions, profile, State::Authorization) {
            let state = talk.state();
            ensure!(
                state != State::Transaction,
                "{} after {history:?}: {state}",
                profile.name
            );
        }
        let state = Talk::in_state(sessions, profile, State::Handshake).state();
        ensure!(
            state != State::Transaction,
            "{} after STLS: {state}",
            profile.name
        );
        for (reply, expected) in [
            ("-ERR\r\n", State::Authorization),
            ("+OK\r\n", State::Transaction),
        ] {
            let mut talk = Talk::greeted(sessions, profile);
            talk.ask(&user(), "+OK\r\n");
            talk.ask(&pass(), reply);
            let state = talk.state();
            ensure!(
                state == expected,
                "{} after PASS and {reply:?}: {state}",
                profile.name
            );
        }
    }
    Ok(())
}

fn c0010_after_a_refused_login_comes_another_or_quit(sessions: &mut dyn Sessions) -> Verdict {
    for profile in Profile::ALL {
        for times in 1..=3 {
            let refused = || {
                let mut talk = Talk::greeted(sessions, profile);
                for _ in 0..times {
                    talk.ask(&user(), "+OK\r\n");
                    talk.ask(&pass(), "-ERR [AUTH] no\r\n");
                }
                talk
            };
            for command in [user(), auth(), Command::Quit, Command::Capa] {
                let sent = refused().send(&command);
                ensure!(sent.is_ok(), "{} after {times}: {sent:?}", profile.name);
            }
        }
        for command in [user(), auth(), Command::Quit] {
            let mut talk = Talk::greeted(sessions, profile);
            talk.ask(&auth(), "-ERR [AUTH] no\r\n");
            let sent = talk.send(&command);
            ensure!(sent.is_ok(), "{} after AUTH: {sent:?}", profile.name);
        }
    }
    Ok(())
}

fn c0044_pass_is_not_the_first_command_of_a_login(sessions: &mut dyn Sessions) -> Verdict {
    for profile in Profile::ALL {
        for (history, mut talk) in histories(sessions, profile, State::Authorization) {
            if !has_user(&history) {
                let sent = talk.send(&pass());
                ensure!(
                    sent.is_err(),
                    "{} after {history:?}: {sent:?}",
                    profile.name
                );
            }
        }
    }
    Ok(())
}

fn has_user(history: &History) -> bool {
    history
        .iter()
        .any(|(command, _)| command.keyword() == "USER")
}

/// Checks that after this reply to USER, `refused` are refused and `sent` are
/// sent.
fn after_user(
    sessions: &dyn Sessions,
    reply: &str,
    refused: &[Command<'_>],
    sent: &[Command<'_>],
) -> Verdict {
    for profile in Profile::ALL {
        let after = |command: &Command<'_>| {
            let mut talk = Talk::greeted(sessions, profile);
            talk.ask(&user(), reply);
            talk.send(command)
        };
        for command in refused {
            let sent = after(command);
            ensure!(sent.is_err(), "{} after {reply:?}: {sent:?}", profile.name);
        }
        for command in sent {
            let sent = after(command);
            ensure!(sent.is_ok(), "{} after {reply:?}: {sent:?}", profile.name);
        }
    }
    Ok(())
}

fn c0045_after_a_positive_user_pass_or_quit_is_due(sessions: &mut dyn Sessions) -> Verdict {
    let refused = [
        user(),
        Command::Capa,
        Command::LangList,
        Command::AuthList,
        Command::Utf8,
        Command::Stls,
        lang(),
        auth(),
    ];
    after_user(sessions, "+OK\r\n", &refused, &[pass(), Command::Quit])
}

fn c0045_after_a_negative_user_another_login_or_quit_is_due(
    sessions: &mut dyn Sessions,
) -> Verdict {
    after_user(
        sessions,
        "-ERR who?\r\n",
        &[pass()],
        &[user(), auth(), Command::Quit],
    )
}

fn c0047_pass_comes_directly_after_a_successful_user(sessions: &mut dyn Sessions) -> Verdict {
    for profile in Profile::ALL {
        // Before the reply to USER, after a refused PASS, and in the other
        // states.
        let mut talk = Talk::greeted(sessions, profile);
        let asked = talk.send(&user());
        let sent = talk.send(&pass());
        ensure!(
            asked.is_err() || sent.is_err(),
            "{} ahead: {sent:?}",
            profile.name
        );
        talk.receive("+OK\r\n");
        talk.ask(&pass(), "-ERR no\r\n");
        let sent = talk.send(&pass());
        ensure!(sent.is_err(), "{} again: {sent:?}", profile.name);
        for (history, mut talk) in histories(sessions, profile, State::Authorization) {
            // C0045 covers PASS directly after USER, and C0044 PASS without
            // USER.
            let is_last = history
                .last()
                .is_some_and(|(last, _)| last.keyword() == "USER");
            if has_user(&history) && !is_last {
                let sent = talk.send(&pass());
                ensure!(
                    sent.is_err(),
                    "{} after {history:?}: {sent:?}",
                    profile.name
                );
            }
        }
        for state in STATES
            .into_iter()
            .filter(|state| *state != State::Authorization)
        {
            let sent = Talk::in_state(sessions, profile, state).send(&pass());
            ensure!(sent.is_err(), "{} in {state}: {sent:?}", profile.name);
        }
    }
    Ok(())
}
