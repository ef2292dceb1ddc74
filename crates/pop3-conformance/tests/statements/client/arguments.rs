//! The octets of commands.

use pop3_proto::{Argument, Command, LanguageRange, Mechanism, Profile, Secret, client::State};

use super::{Sessions, Talk, apop, histories::histories, number, pass, user};
use crate::{checking::Verdict, faults::client::sound};

checks! { dyn Sessions, sound:
    c0003_commands_are_printable_ascii_and_end_in_crlf,
    c0003_what_is_not_printable_ascii_is_not_sent,
    c0004_one_space_stands_before_each_argument,
    c0004_a_name_with_a_space_is_no_argument_of_apop,
    c0012_quit_before_login_goes_without_arguments,
    c0015_stat_goes_without_arguments,
    v0004_retr_carries_the_number_of_the_message,
    c0024_dele_carries_the_number_of_the_message,
    c0027_noop_goes_without_arguments,
    c0030_quit_after_login_goes_without_arguments,
    c0032_top_carries_the_number_and_a_number_of_lines,
    c0042_user_carries_one_argument,
    c0046_pass_carries_one_argument,
}

/// The commands of a state, each with its line.
fn lines(state: State) -> Vec<(Command<'static>, &'static str)> {
    let mechanism = Mechanism::new("PLAIN").expect("a mechanism");
    let secret = |text| Some(Secret::new(text).expect("a secret"));
    let auth = |initial_response| Command::Auth {
        mechanism,
        initial_response,
    };
    match state {
        State::Authorization => vec![
            (user(), "USER mrose"),
            (apop(), "APOP mrose c4c9334bac560ecc979e58001b3e22fb"),
            (auth(None), "AUTH PLAIN"),
            (auth(secret("AGEAYg==")), "AUTH PLAIN AGEAYg=="),
            (Command::AuthList, "AUTH"),
            (Command::Capa, "CAPA"),
            (Command::LangList, "LANG"),
            (
                Command::Lang(LanguageRange::new("de").expect("a range")),
                "LANG de",
            ),
            (Command::Quit, "QUIT"),
            (Command::Utf8, "UTF8"),
        ],
        State::Transaction => vec![
            (Command::Capa, "CAPA"),
            (Command::Dele(number(7)), "DELE 7"),
            (Command::List(None), "LIST"),
            (Command::List(Some(number(7))), "LIST 7"),
            (Command::Noop, "NOOP"),
            (Command::Quit, "QUIT"),
            (Command::Retr(number(u32::MAX)), "RETR 4294967295"),
            (Command::Rset, "RSET"),
            (Command::Stat, "STAT"),
            (Command::Top(number(7), 0), "TOP 7 0"),
            (Command::Uidl(None), "UIDL"),
            (Command::Uidl(Some(number(7))), "UIDL 7"),
        ],
        _ => Vec::new(),
    }
}

/// What is sent for each command that a session accepts, after every history.
fn sent(sessions: &dyn Sessions) -> Vec<(String, &'static str)> {
    let mut sent = Vec::new();
    let mut send = |talk: &mut Talk, command: &Command<'_>, line| {
        sent.extend(talk.send(command).ok().map(|octets| (octets, line)));
    };
    for profile in Profile::ALL {
        for state in [State::Authorization, State::Transaction] {
            for (command, line) in lines(state).into_iter().chain([(pass(), "PASS tanstaaf")]) {
                for (_, mut talk) in histories(sessions, profile, state) {
                    send(&mut talk, &command, line);
                }
            }
        }
        let mut talk = Talk::without_tls(sessions, profile);
        send(&mut talk, &Command::Stls, "STLS");
    }
    sent
}

fn c0003_commands_are_printable_ascii_and_end_in_crlf(sessions: &mut dyn Sessions) -> Verdict {
    let all = sent(sessions);
    ensure!(all.len() > 100, "{} commands are sent", all.len());
    for (octets, line) in all {
        let text = octets.strip_suffix("\r\n");
        let is_printable = |char: char| char == ' ' || char == '\t' || char.is_ascii_graphic();
        ensure!(
            text.is_some_and(|text| text.chars().all(is_printable)),
            "{line}: {octets:?}"
        );
    }
    Ok(())
}

fn c0003_what_is_not_printable_ascii_is_not_sent(sessions: &mut dyn Sessions) -> Verdict {
    let mechanism = Mechanism::new("PLAIN").expect("a mechanism");
    let name = Argument::new("m\u{fc}ller").expect("a name");
    let secret = Secret::new("p\u{e4}ss").expect("a secret");
    for profile in Profile::ALL {
        let mut talk = Talk::greeted(sessions, profile);
        let sent = talk.send(&Command::User(name));
        ensure!(sent.is_err(), "{}: {sent:?}", profile.name);
        let auth = Command::Auth {
            mechanism,
            initial_response: Some(secret),
        };
        let sent = talk.send(&auth);
        ensure!(sent.is_err(), "{}: {sent:?}", profile.name);
        talk.ask(&user(), "+OK\r\n");
        let sent = talk.send(&Command::Pass(secret));
        ensure!(sent.is_err(), "{}: {sent:?}", profile.name);
    }
    // No command can be built that is two lines, or no line.
    for control in (0_u8..0x20).chain([0x7F]).map(char::from) {
        let text = format!("me{control}DELE 1");
        let is_text = Argument::new(&text).is_ok() || Secret::new(&text).is_ok();
        let is_word = Mechanism::new(&text).is_ok() || LanguageRange::new(&text).is_ok();
        ensure!(!is_text && !is_word, "{text:?}");
    }
    Ok(())
}

fn c0004_one_space_stands_before_each_argument(sessions: &mut dyn Sessions) -> Verdict {
    // If the words differ, another statement is broken.
    let words = |text: &str| text.replace([' ', '\t'], "");
    for (octets, line) in sent(sessions) {
        let text = octets.trim_end_matches(['\r', '\n']);
        let is_apart = text == line || words(text) != words(line);
        ensure!(is_apart, "{line}: {octets:?}");
    }
    Ok(())
}

fn c0004_a_name_with_a_space_is_no_argument_of_apop(sessions: &mut dyn Sessions) -> Verdict {
    let mut talk = Talk::greeted(sessions, Profile::RFC1939);
    let apop = |name, digest| Command::Apop {
        name: Argument::new(name).expect("a name"),
        digest: Secret::new(digest).expect("a digest"),
    };
    for (name, digest) in [
        ("m rose", "c4c9334bac560ecc979e58001b3e22fb"),
        ("mrose", "a b"),
    ] {
        let sent = talk.send(&apop(name, digest));
        ensure!(sent.is_err(), "{sent:?}");
    }
    Ok(())
}

/// Checks that the command is this line whenever it is sent in this state.
fn is_sent_as(
    sessions: &dyn Sessions,
    state: State,
    command: &Command<'_>,
    words: &[&str],
) -> Verdict {
    for profile in Profile::ALL {
        for (history, mut talk) in histories(sessions, profile, state) {
            let sent = talk.send(command);
            // A command that is not sent has no wrong argument.
            if sent.is_err() && !history.is_empty() {
                continue;
            }
            // C0003 and C0004 cover blanks and line ends.
            let found = sent.as_deref().map(|octets| {
                let found = octets.split(|char: char| char.is_control() || char == ' ');
                found.filter(|word| !word.is_empty()).collect::<Vec<_>>()
            });
            ensure!(
                found.as_deref() == Ok(words),
                "{} after {history:?}: {sent:?}",
                profile.name
            );
        }
    }
    Ok(())
}

fn c0012_quit_before_login_goes_without_arguments(sessions: &mut dyn Sessions) -> Verdict {
    is_sent_as(sessions, State::Authorization, &Command::Quit, &["QUIT"])
}

fn c0015_stat_goes_without_arguments(sessions: &mut dyn Sessions) -> Verdict {
    is_sent_as(sessions, State::Transaction, &Command::Stat, &["STAT"])
}

fn v0004_retr_carries_the_number_of_the_message(sessions: &mut dyn Sessions) -> Verdict {
    for (n, text) in [(1, "1"), (3, "3"), (10, "10"), (u32::MAX, "4294967295")] {
        is_sent_as(
            sessions,
            State::Transaction,
            &Command::Retr(number(n)),
            &["RETR", text],
        )?;
    }
    Ok(())
}

fn c0024_dele_carries_the_number_of_the_message(sessions: &mut dyn Sessions) -> Verdict {
    for (n, text) in [(1, "1"), (3, "3"), (10, "10"), (u32::MAX, "4294967295")] {
        is_sent_as(
            sessions,
            State::Transaction,
            &Command::Dele(number(n)),
            &["DELE", text],
        )?;
    }
    Ok(())
}

fn c0027_noop_goes_without_arguments(sessions: &mut dyn Sessions) -> Verdict {
    is_sent_as(sessions, State::Transaction, &Command::Noop, &["NOOP"])
}

fn c0030_quit_after_login_goes_without_arguments(sessions: &mut dyn Sessions) -> Verdict {
    is_sent_as(sessions, State::Transaction, &Command::Quit, &["QUIT"])
}

fn c0032_top_carries_the_number_and_a_number_of_lines(sessions: &mut dyn Sessions) -> Verdict {
    for (lines, text) in [(0, "0"), (1, "1"), (10, "10"), (u32::MAX, "4294967295")] {
        for (n, message) in [(3, "3"), (10, "10"), (u32::MAX, "4294967295")] {
            let top = Command::Top(number(n), lines);
            is_sent_as(sessions, State::Transaction, &top, &["TOP", message, text])?;
        }
    }
    Ok(())
}

fn c0042_user_carries_one_argument(sessions: &mut dyn Sessions) -> Verdict {
    for name in [
        "mrose",
        "x",
        "MRose",
        "contoso/assistant/boss@contoso.example",
        "two words",
    ] {
        let user = Command::User(Argument::new(name).expect("a name"));
        for profile in Profile::ALL {
            let sent = Talk::greeted(sessions, profile).send(&user);
            is_whole(profile, sent, "USER", name)?;
        }
    }
    // A name is sent whole or not at all.
    let long = "x".repeat(300);
    let user = Command::User(Argument::new(&long).expect("a name"));
    for profile in Profile::ALL {
        let sent = Talk::greeted(sessions, profile).send(&user);
        ensure!(sent.is_err(), "{}: {sent:?}", profile.name);
    }
    Ok(())
}

fn c0046_pass_carries_one_argument(sessions: &mut dyn Sessions) -> Verdict {
    for password in [
        "tanstaaf",
        "x",
        "two words",
        "a  b",
        "Ends with a blank ",
        " begins",
    ] {
        for profile in Profile::ALL {
            let mut talk = Talk::greeted(sessions, profile);
            talk.ask(&user(), "+OK\r\n");
            let sent = talk.send(&Command::Pass(Secret::new(password).expect("a password")));
            is_whole(profile, sent, "PASS", password)?;
        }
    }
    Ok(())
}

/// Requires that the line has this one argument. Spaces in it are part of it (RFC 1939
/// §7); C0004 covers the spaces before it.
fn is_whole(profile: Profile, sent: Result<String, String>, keyword: &str, text: &str) -> Verdict {
    let argument = sent.as_deref().ok().and_then(|octets| {
        let line = octets.trim_end_matches(['\r', '\n']);
        line.strip_prefix(keyword)?.strip_prefix([' ', '\t'])
    });
    let is_whole = |sent: &str| sent == text || sent.strip_prefix(' ') == Some(text);
    ensure!(argument.is_some_and(is_whole), "{}: {sent:?}", profile.name);
    Ok(())
}
