//! How a client reads replies.

use pop3_proto::{
    Command, Mechanism, Profile, Secret,
    client::{Request, State},
};
use pop3_testkit::view::ClientEvent;

use super::{Sessions, Talk, number, outlook, pass, user};
use crate::{checking::Verdict, faults::client::sound};

checks! { dyn Sessions, sound:
    c0004_runs_of_blanks_separate_the_fields_of_replies,
    v0001_outlook_goes_by_the_first_octet,
    v0001_outlook_goes_by_the_first_octet_after_logins_too,
    v0001_by_the_rfc_alone_another_indicator_is_no_reply,
    v0002_the_dot_before_anything_but_crlf_is_removed,
    v0002_outlook_ends_list_uidl_and_capa_at_any_dot_that_begins_a_line,
    v0002_outlook_reads_the_lists_of_auth_and_lang_to_their_end,
}

fn c0004_runs_of_blanks_separate_the_fields_of_replies(sessions: &mut dyn Sessions) -> Verdict {
    for profile in outlook() {
        for blanks in [" ", "  ", "\t", "\t\t", " \t ", "\t \t"] {
            let mut talk = Talk::logged_in(sessions, profile);
            let said = talk.ask(&Command::Stat, &format!("+OK{blanks}2{blanks}320\r\n"));
            let is_read = matches!(&said[..], [ClientEvent::Status(_, true, _, Some(text))] if text == "2 320");
            ensure!(is_read, "{}: {said:?}", profile.name);
            for (command, said_of) in [
                (Command::List(None), ClientEvent::Scan(2, 320)),
                (
                    Command::Uidl(None),
                    ClientEvent::UniqueId(2, "320".to_owned()),
                ),
            ] {
                let said = talk.ask(&command, &format!("+OK\r\n2{blanks}320\r\n.\r\n"));
                ensure!(said.get(1) == Some(&said_of), "{}: {said:?}", profile.name);
            }
            let said = talk.ask(
                &Command::Capa,
                &format!("+OK\r\nSASL{blanks}PLAIN{blanks}LOGIN\r\n.\r\n"),
            );
            let words = |text: &str| text.split_whitespace().eq(["SASL", "PLAIN", "LOGIN"]);
            ensure!(
                matches!(&said[..], [_, ClientEvent::Capability(text), _] if words(text)),
                "{}: {said:?}",
                profile.name
            );
        }
    }
    Ok(())
}

/// First lines that Outlook takes as positive, and those that it takes as
/// negative.
const YES: [&str; 9] = [
    "+OK",
    "+ok ready",
    "+Ok",
    "+",
    "+ ",
    "+OKAY",
    "+1",
    "+ERR no",
    "+OK\tready",
];
const NO: [&str; 9] = [
    "-ERR", "-err no", "-", "-OK", "OK", "ERR", " +OK", "", "* OK",
];

fn v0001_outlook_goes_by_the_first_octet(sessions: &mut dyn Sessions) -> Verdict {
    for profile in outlook() {
        for (line, is_yes) in YES
            .map(|line| (line, true))
            .into_iter()
            .chain(NO.map(|line| (line, false)))
        {
            let mut talk = Talk::logged_in(sessions, profile);
            let said = talk.ask(&Command::Noop, &format!("{line}\r\n"));
            let is_right =
                matches!(&said[..], [ClientEvent::Status(_, found, ..)] if *found == is_yes);
            ensure!(is_right, "{} {line:?}: {said:?}", profile.name);
            // A negative answer has no block, whatever its text.
            let said = talk.ask(&Command::Retr(number(1)), &format!("{line}\r\n"));
            let is_right =
                matches!(&said[..], [ClientEvent::Status(_, found, ..)] if *found == is_yes);
            ensure!(is_right, "{} {line:?}: {said:?}", profile.name);
            let mut talk = Talk::in_state(sessions, profile, State::Greeting);
            talk.receive(&format!("{line}\r\n"));
            let state = talk.state();
            let expected = if is_yes {
                State::Authorization
            } else {
                State::Closed
            };
            ensure!(
                state == expected,
                "{} greeted {line:?}: {state}",
                profile.name
            );
        }
    }
    Ok(())
}

fn v0001_outlook_goes_by_the_first_octet_after_logins_too(sessions: &mut dyn Sessions) -> Verdict {
    let auth = Command::Auth {
        mechanism: Mechanism::new("PLAIN").expect("a mechanism"),
        initial_response: Some(Secret::new("AGEAYg==").expect("base64")),
    };
    for profile in Profile::ALL {
        for reply in ["+ok in\r\n", "+Ok\r\n", "+OK\tin\r\n"] {
            if profile != Profile::RFC1939 {
                let mut talk = Talk::greeted(sessions, profile);
                talk.ask(&user(), "+OK\r\n");
                talk.ask(&pass(), reply);
                let state = talk.state();
                ensure!(
                    state == State::Transaction,
                    "{} after PASS {reply:?}: {state}",
                    profile.name
                );
            }
            let mut talk = Talk::greeted(sessions, profile);
            talk.ask(&auth, reply);
            let (state, is_rfc) = (talk.state(), profile == Profile::RFC1939);
            let expected = if is_rfc {
                State::Authorization
            } else {
                State::Transaction
            };
            ensure!(state == expected, "{} {reply:?}: {state}", profile.name);
        }
    }
    Ok(())
}

fn v0001_by_the_rfc_alone_another_indicator_is_no_reply(sessions: &mut dyn Sessions) -> Verdict {
    for line in ["+ok", "+", "+OKAY", "-err", "-", "OK", "", "+OK\tready"] {
        let mut talk = Talk::logged_in(sessions, Profile::RFC1939);
        let said = talk.ask(&Command::Noop, &format!("{line}\r\n"));
        ensure!(talk.error.is_some(), "{line:?}: {said:?}");
    }
    Ok(())
}

/// The octets of the received message.
fn message(said: &[ClientEvent]) -> String {
    let data = said.iter().filter_map(|said| match said {
        ClientEvent::Data(octets) => Some(String::from_utf8_lossy(octets)),
        _ => None,
    });
    data.collect()
}

fn v0002_the_dot_before_anything_but_crlf_is_removed(sessions: &mut dyn Sessions) -> Verdict {
    let block = "..\r\n.x\r\n...\r\n. \r\n.\rx\r\n.\nx\r\na\r.\rb\r\na.\r\n.\r\n";
    for profile in Profile::ALL {
        for command in [Command::Retr(number(1)), Command::Top(number(1), 9)] {
            let mut talk = Talk::logged_in(sessions, profile);
            let said = talk.ask(&command, &format!("+OK\r\n{block}"));
            let found = message(&said);
            ensure!(
                found == ".\r\nx\r\n..\r\n \r\n\rx\r\n\nx\r\na\r.\rb\r\na.\r\n",
                "{}: {found:?}",
                profile.name
            );
            ensure!(
                matches!(said.last(), Some(ClientEvent::End { .. })),
                "{}: {said:?}",
                profile.name
            );
        }
    }
    Ok(())
}

fn v0002_outlook_ends_list_uidl_and_capa_at_any_dot_that_begins_a_line(
    sessions: &mut dyn Sessions,
) -> Verdict {
    for profile in Profile::ALL {
        for command in [Command::List(None), Command::Uidl(None), Command::Capa] {
            for end in [".", "..", ".x", ". ", ".\rx"] {
                let mut talk = Talk::logged_in(sessions, profile);
                let said = talk.ask(&command, &format!("+OK\r\n1 1\r\n{end}\r\n"));
                let is_over = matches!(said.last(), Some(ClientEvent::End { .. }));
                let expected = end == "." || profile != Profile::RFC1939;
                ensure!(
                    is_over == expected,
                    "{} {command:?} {end:?}: {said:?}",
                    profile.name
                );
                ensure!(said.len() >= 2, "{} {command:?}: {said:?}", profile.name);
            }
        }
    }
    Ok(())
}

fn v0002_outlook_reads_the_lists_of_auth_and_lang_to_their_end(
    sessions: &mut dyn Sessions,
) -> Verdict {
    for profile in Profile::ALL {
        for (command, request) in [
            (Command::AuthList, Request::AuthList),
            (Command::LangList, Request::LangList),
        ] {
            let mut talk = Talk::greeted(sessions, profile);
            let said = talk.ask(&command, "+OK\r\nab\r\n..cd\r\n.ef\r\n..\r\ngh\r\n.\r\n");
            let lines = said.iter().filter_map(|said| match said {
                ClientEvent::Line(line) => Some(String::from_utf8_lossy(line).into_owned()),
                _ => None,
            });
            let lines: Vec<String> = lines.collect();
            ensure!(
                lines == ["ab", ".cd", "ef", ".", "gh"],
                "{} {request}: {said:?}",
                profile.name
            );
            ensure!(talk.error.is_none(), "{}: {:?}", profile.name, talk.error);
        }
    }
    Ok(())
}
