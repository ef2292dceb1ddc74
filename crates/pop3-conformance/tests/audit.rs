//! All scenarios and recipes are in their tables, can be parsed, and cover
//! every statement that they should.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use pop3_conformance::{
    audit::{
        Action, Cover, Maildrop, Scenario, Server, client_statements, cover, scenario_files,
        scenarios,
    },
    statement,
};

fn names(directory: &str) -> BTreeSet<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let paths = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let tables = paths.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    tables
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_file_is_in_the_table_and_is_a_scenario() {
    let table: BTreeSet<String> = scenario_files()
        .iter()
        .map(|file| file.0.to_owned())
        .collect();
    assert_eq!(names("scenarios"), table);
    for (name, text) in scenario_files() {
        if let Err(error) = Scenario::parse(name, text) {
            panic!("{error}");
        }
    }
    let families: BTreeSet<String> = (scenarios().iter())
        .map(|scenario| scenario.family().to_owned())
        .collect();
    assert_eq!(families, table);
}

#[cfg(unix)]
#[test]
fn every_file_is_in_the_table_and_is_a_recipe() {
    use pop3_conformance::audit::{Recipe, recipe_files, recipes};
    let table: BTreeSet<String> = recipe_files()
        .iter()
        .map(|file| file.0.to_owned())
        .collect();
    assert_eq!(names("recipes"), table);
    for (name, text) in recipe_files() {
        if let Err(error) = Recipe::parse(name, text) {
            panic!("{error}");
        }
    }
    assert_eq!(recipes().len(), table.len());
}

#[cfg(unix)]
#[test]
fn a_recipe_finds_its_program_and_asks_for_the_version() {
    use pop3_conformance::audit::{Recipe, Store};
    let error = Recipe::parse("mine", "title = 1").unwrap_err().to_string();
    assert!(error.starts_with("recipe mine: "), "{error}");
    let parse = |programs: &str, store: &str| {
        let text = format!(
            "title = 'a shell'\nprograms = [{programs}]\nstore = '{store}'\n\
             version = ['-c', 'echo; echo \" mine 1 \"; echo two']\n\
             [plain]\ncommand = ['{{program}}', '{{port}}']"
        );
        Recipe::parse("mine", &text).unwrap()
    };
    assert_eq!(
        parse("'/nonexistent', 'no-such-program'", "mbox").program(),
        None
    );
    let recipe = parse("'/nonexistent', 'sh'", "mbox");
    let program = recipe.program().unwrap();
    assert!(program.is_absolute() && program.ends_with("sh"));
    let client = recipe.client(&program);
    assert_eq!(client.name, "a shell (mine 1)");
    assert_eq!(
        (client.store, client.place.to_str()),
        (Store::Mbox, Some("mbox"))
    );
    let command = client.plain.unwrap().command;
    assert_eq!(command, [program.to_str().unwrap(), "{port}"]);
    let recipe = parse("'/bin/sh'", "maildir");
    assert_eq!(recipe.program().as_deref(), Some(Path::new("/bin/sh")));
    let client = recipe.client(Path::new("/nonexistent"));
    assert_eq!(
        (&client.name[..], client.place.to_str()),
        ("a shell", Some("Maildir"))
    );
}

#[test]
fn every_statement_that_binds_clients_is_covered() {
    for id in client_statements() {
        match cover(id).unwrap() {
            Cover::Commands => {}
            Cover::Scenarios => {
                let shown = scenarios()
                    .iter()
                    .any(|scenario| scenario.shows().contains(&id));
                assert!(shown, "no scenario shows {id}: {}", statement(id).unwrap());
            }
            Cover::Unobservable(reason) => assert!(reason.len() > 20, "{id}"),
        }
    }
}

#[test]
fn refuses_an_invalid_scenario_with_the_reason() {
    for (text, reason) in [
        ("", "why"),
        ("why = ' '", "`why` must be one line"),
        ("why = \"a\\nb\"", "`why` must be one line"),
        ("why = 'a'\nwhen = 'b'", "unknown field `when`"),
        ("why = 'a'\nshows = ['C0999']", "`C0999` is not a statement"),
        ("why = 'a'\n[[message]]\nwire = '.x'", "`stored`"),
        (
            "why = 'a'\n[[message]]\nwire = '\\q'",
            "does not begin an escape",
        ),
        (
            "why = 'a'\nempty = true\n[[message]]",
            "`empty` excludes messages",
        ),
        (
            "why = 'a'\n[[reply]]\nto = 'STAT'\nsweep = 'close'",
            "`sweep` needs `send`",
        ),
        (
            "why = 'a'\n[[reply]]\nto = 'LIST 1'\nsweep = 'close'",
            "`sweep` needs `send`",
        ),
        (
            "why = 'a'\nlengths = [1]\n[[reply]]\nto = 'A'\nsend = 'a'\nsweep = 'cut'",
            "only one",
        ),
        (
            "why = 'a'\n[[reply]]\nto = 'RETR 2'\nsweep = 'cut'",
            "no message 2",
        ),
        ("why = 'a'\nlengths = []", "the family is empty"),
        (
            "why = 'a'\n[[message]]\nwire = '\\{500 a}'\n[[reply]]\nto = 'RETR 1'\nsweep = 'cut'",
            "more than",
        ),
        (
            "why = 'a'\n[[reply]]\nto = 'A'\nsend='aaa'\nsweep = 'cut'\n[[reply]]\nto = 'B'\nsend='a'\nsweep = 'cut'",
            "only one",
        ),
    ] {
        let error = Scenario::parse("test", text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
        assert!(error.starts_with("scenario test: "), "{error}");
    }
}

/// Runs a session of these lines, all sent at once. Returns what the server
/// sends and what it leaves in the maildrop.
fn session(scenario: &Scenario, maildrop: &mut Maildrop, lines: &str) -> String {
    let mut server = Server::with_maildrop(scenario, maildrop.clone());
    let mut now = Duration::ZERO;
    let mut sent = Vec::new();
    let mut input = Some(["USER mrose\r\nPASS tanstaaf\r\n", lines].concat());
    loop {
        match server.poll(now) {
            Action::Send(octets) => sent.extend(octets),
            Action::Wait(due) => now = due,
            Action::Read => match input.take() {
                Some(input) => server.handle_input(input.as_bytes()),
                None => break,
            },
            Action::StartTls | Action::Close => {}
        }
    }
    maildrop.remove(server.removed());
    let sent = String::from_utf8(sent).unwrap();
    let login = "+OK ready\r\n+OK\r\n+OK\r\n";
    sent.strip_prefix(login).unwrap().to_owned()
}

/// A scenario with three messages of one line and these keys and replies.
fn three(keys: &str, replies: &str) -> Scenario {
    let message = |name: &str| format!("[[message]]\nbare = true\nwire = '{name}'\n");
    let messages: String = ["one", "two", "three"].map(message).concat();
    let text = format!("why = 'a test'\n{keys}\n{messages}{replies}");
    Scenario::parse("test", &text).unwrap().remove(0)
}

#[test]
fn a_confirmed_quit_removes_and_the_next_session_counts_from_one() {
    let scenario = three("", "");
    let maildrop = &mut Maildrop::new(&scenario);
    session(&scenario, maildrop, "DELE 1\r\nQUIT\r\n");
    let rest = "STAT\r\nLIST\r\nUIDL 2\r\nRETR 1\r\nRETR 3\r\n";
    assert_eq!(
        session(&scenario, maildrop, rest),
        "+OK 2 12\r\n+OK\r\n1 5\r\n2 7\r\n.\r\n+OK 2 test.3\r\n+OK it comes\r\ntwo\r\n.\r\n\
         -ERR no such message\r\n"
    );
    assert!(!maildrop.is_empty());
    session(&scenario, maildrop, "DELE 2\r\nDELE 1\r\nQUIT\r\n");
    assert!(maildrop.is_empty());
}

#[test]
fn only_a_confirmed_quit_removes() {
    let reply = |to: &str, what: &str| format!("[[reply]]\nto = '{to}'\n{what}");
    for (replies, lines) in [
        (String::new(), "DELE 1\r\n"),
        (String::new(), "DELE 1\r\nRSET\r\nQUIT\r\n"),
        (reply("DELE", "send = '-ERR no'"), "DELE 1\r\nQUIT\r\n"),
        (reply("QUIT", "send = '-ERR no'"), "DELE 1\r\nQUIT\r\n"),
        (
            reply("DELE", "send = ''\nthen = 'close'"),
            "DELE 1\r\nQUIT\r\n",
        ),
    ] {
        let scenario = three("", &replies);
        let mut maildrop = Maildrop::new(&scenario);
        session(&scenario, &mut maildrop, lines);
        assert_eq!(maildrop, Maildrop::new(&scenario), "{replies} {lines}");
    }
}

/// A rule names a message of the file, not a message-number of a session.
#[test]
fn a_rule_follows_its_message() {
    let scenario = three("", "[[reply]]\nto = 'RETR 2'\nsend = '-ERR not this one'");
    let maildrop = &mut Maildrop::new(&scenario);
    session(&scenario, maildrop, "DELE 1\r\nQUIT\r\n");
    assert_eq!(
        session(&scenario, maildrop, "RETR 1\r\nRETR 2\r\n"),
        "-ERR not this one\r\n+OK it comes\r\nthree\r\n.\r\n"
    );
}

/// After a deletion it would name messages that are gone.
#[test]
fn sends_a_literal_listing_until_a_message_is_deleted() {
    let replies = "[[reply]]\nto = 'LIST'\nsend = '''\n+OK\n1 9\n2 9\n3 9\n.\n'''\n\
        [[reply]]\nto = 'NOOP'\nsend = '+OK mine'\n[[reply]]\nto = 'STAT'\nsend = '-ERR no'";
    let scenario = three("", replies);
    let maildrop = &mut Maildrop::new(&scenario);
    let whole = session(&scenario, maildrop, "LIST\r\nDELE 1\r\nQUIT\r\n");
    let listed = "+OK\r\n1 9\r\n2 9\r\n3 9\r\n.\r\n";
    assert!(whole.starts_with(listed), "{whole}");
    let rest = session(&scenario, maildrop, "LIST\r\nNOOP\r\nSTAT\r\n");
    let listed = "+OK\r\n1 5\r\n2 7\r\n.\r\n";
    assert_eq!(rest, format!("{listed}+OK mine\r\n-ERR no\r\n"));
}

#[test]
fn an_interleaved_answer_begins_before_the_previous_message_ends() {
    let scenario = three("interleaved = true", "");
    let mut maildrop = Maildrop::new(&scenario);
    let ahead = "RETR 1\r\nRETR 2\r\nNOOP\r\nLIST\r\n";
    assert_eq!(
        session(&scenario, &mut maildrop, ahead),
        "+OK it comes\r\none\r\n+OK it comes\r\n.\r\ntwo\r\n+OK nothing done\r\n+OK\r\n.\r\n\
         1 5\r\n2 5\r\n3 7\r\n.\r\n"
    );
    // Without pipelining the replies are correct.
    assert_eq!(
        session(&scenario, &mut maildrop, "RETR 1\r\n"),
        "+OK it comes\r\none\r\n.\r\n"
    );
}
