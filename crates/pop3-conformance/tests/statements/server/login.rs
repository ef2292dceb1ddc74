//! Sections 2.2.2 and 2.2.3: logins, including refused ones.

use super::{Dialogue, Subject, is_positive, unable};
use crate::{
    checking::{Flaw, Verdict},
    faults::server::sound,
};

checks! { dyn Subject, sound:
    c0009_offers_a_login_that_works,
    c0009_gives_nothing_without_a_login,
    c0010_takes_another_login_after_a_refused_one,
    c0010_gives_nothing_after_a_refused_login,
    c0010_takes_quit_after_a_refused_login,
}

fn c0009_offers_a_login_that_works(subject: &mut dyn Subject) -> Verdict {
    for time in 1..=3 {
        let mut dialogue = Dialogue::protected(subject)?;
        let capabilities = dialogue.ask("CAPA");
        if let Err(flaw) = dialogue.log_in() {
            ensure!(false, "time {time}: {flaw:?}, announced: {capabilities:?}");
        }
        let mut lines = super::lines(&capabilities).into_iter();
        let announces = lines.any(|line| line == "USER" || line.starts_with("SASL "));
        ensure!(announces, "{capabilities:?}");
        is_in_transaction(&mut dialogue)?;
        dialogue.ask("QUIT");
    }
    // A client that does not send CAPA.
    let mut dialogue = Dialogue::open(subject)?;
    if dialogue.log_in().is_err() {
        dialogue = Dialogue::open(subject)?;
        dialogue.start_tls()?;
        let login = dialogue.log_in();
        ensure!(login.is_ok(), "without CAPA: {login:?}");
    }
    Ok(())
}

/// Wrong logins: a name, and the commands.
const WRONG: [(&str, &str); 9] = [
    ("mrose", "PASS wrong"),
    ("mrose", "PASS TANSTAAF"),
    ("mrose", "PASS tanstaa"),
    ("mrose", "PASS tanstaafx"),
    ("mrose", "PASS tanstaaf x"),
    ("mrose", "PASS tanstaaf "),
    ("mrose", "PASS"),
    ("mrose", "PASS "),
    ("nobody", "PASS tanstaaf"),
];

/// Commands of the TRANSACTION state that return data.
const GIVING: [&str; 7] = [
    "STAT", "LIST", "LIST 1", "UIDL", "UIDL 1", "RETR 1", "TOP 1 0",
];

fn gives_nothing(dialogue: &mut Dialogue) -> Verdict {
    for command in GIVING {
        let reply = dialogue.ask(command);
        ensure!(!is_positive(&reply), "{command} without a login: {reply:?}");
    }
    Ok(())
}

fn c0009_gives_nothing_without_a_login(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::protected(subject)?;
    gives_nothing(&mut dialogue)?;
    dialogue.ask("USER mrose");
    gives_nothing(&mut dialogue)?;
    let reply = dialogue.ask("PASS tanstaaf");
    ensure!(!is_positive(&reply), "PASS without USER: {reply:?}");
    // All at once, because servers delay the answer to a wrong login.
    let mut asked = Vec::new();
    for (name, command) in WRONG {
        let mut dialogue = Dialogue::protected(subject)?;
        dialogue.ask(&format!("USER {name}"));
        dialogue.begin(command);
        asked.push((dialogue, name, command));
    }
    for (mut dialogue, name, command) in asked {
        let reply = dialogue.finish(command);
        ensure!(!is_positive(&reply), "{name}, {command}: {reply:?}");
    }
    Ok(())
}

fn is_in_transaction(dialogue: &mut Dialogue) -> Verdict {
    let mut commands = ["STAT", "LIST", "UIDL", "RETR 1"].into_iter();
    let is_any = commands.any(|command| is_positive(&dialogue.ask(command)));
    ensure!(is_any, "the login leads nowhere");
    Ok(())
}

/// A session after refused logins with these names; `None` if the server closed
/// it, which it may do.
fn refused(subject: &mut dyn Subject, names: &[&str]) -> Result<Option<Dialogue>, Flaw> {
    let mut dialogue = Dialogue::protected(subject)?;
    for (name, time) in names.iter().zip(1..) {
        dialogue.ask(&format!("USER {name}"));
        let reply = dialogue.ask("PASS wrong");
        if is_positive(&reply) && time == 1 {
            return Err(unable(format!("a wrong password is taken: {reply:?}")));
        }
        ensure!(!is_positive(&reply), "a wrong password: {reply:?}");
    }
    let is_open = !dialogue.ask("CAPA").is_empty();
    ensure!(
        is_open || dialogue.is_closed(),
        "the server neither answers nor closes"
    );
    Ok(is_open.then_some(dialogue))
}

/// Names that are refused one after another.
const REFUSED: [&[&str]; 4] = [
    &["mrose"],
    &["nobody"],
    &["mrose", "nobody"],
    &["nobody", "mrose", "mrose"],
];

fn c0010_takes_another_login_after_a_refused_one(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let maildrop = ["STAT", "LIST", "UIDL"].map(|command| dialogue.ask(command));
    dialogue.ask("QUIT");
    for names in REFUSED {
        if let Some(mut dialogue) = refused(subject, names)? {
            let login = dialogue.log_in();
            ensure!(login.is_ok(), "after {names:?} were refused: {login:?}");
            is_in_transaction(&mut dialogue)?;
            let found = ["STAT", "LIST", "UIDL"].map(|command| dialogue.ask(command));
            let is_same = found
                .iter()
                .zip(&maildrop)
                .any(|(found, same)| found == same);
            ensure!(
                is_same,
                "after {names:?} were refused: {found:?}, not {maildrop:?}"
            );
            dialogue.ask("QUIT");
        }
    }
    // PASS without USER is refused too.
    let mut dialogue = Dialogue::protected(subject)?;
    if !is_positive(&dialogue.ask("PASS wrong")) && !dialogue.ask("CAPA").is_empty() {
        dialogue.ask("PASS wrong");
        let login = dialogue.log_in();
        ensure!(login.is_ok(), "after PASS without USER: {login:?}");
    }
    Ok(())
}

fn c0010_gives_nothing_after_a_refused_login(subject: &mut dyn Subject) -> Verdict {
    Dialogue::logged_in(subject)?.ask("QUIT");
    // C0009 covers what the server gives without a login.
    gives_nothing(&mut Dialogue::protected(subject)?)
        .map_err(|flaw| unable(format!("{flaw:?}")))?;
    match refused(subject, REFUSED[0])? {
        Some(mut dialogue) => gives_nothing(&mut dialogue),
        None => Ok(()),
    }
}

fn c0010_takes_quit_after_a_refused_login(subject: &mut dyn Subject) -> Verdict {
    Dialogue::logged_in(subject)?.ask("QUIT");
    for names in REFUSED {
        if let Some(mut dialogue) = refused(subject, names)? {
            let reply = dialogue.ask("QUIT");
            ensure!(is_positive(&reply), "after {names:?}: {reply:?}");
        }
    }
    Ok(())
}
