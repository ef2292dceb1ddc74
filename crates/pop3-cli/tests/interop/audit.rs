//! `pop3 audit` on the programs that it has recipes for: it finds their known
//! faults, and `pop3 fetch` passes.

use std::{path::PathBuf, time::Duration};

use pop3_conformance::audit::{self, Audit, Options, Recipe, Scenario, Store, Verdict};

/// A recipe and its program, if the program is installed.
fn known(name: &str) -> Option<(&'static Recipe, PathBuf)> {
    let recipe = audit::recipes().iter().find(|recipe| recipe.name() == name);
    let recipe = recipe.unwrap();
    let program = match recipe.package() {
        None => PathBuf::from(env!("CARGO_BIN_EXE_pop3")),
        Some(package) => match recipe.program() {
            Some(program) => program,
            // Prints that the program is skipped.
            None => pop3_peers::find(name, package)?,
        },
    };
    Some((recipe, program))
}

/// The programs that `cargo xtask peers` installs only for a suite of the
/// matrix.
const ONLY_IN_THE_MATRIX: [&str; 8] = [
    "fdm",
    "mutt",
    "neomutt",
    "net-pop",
    "nmh",
    "node-pop3",
    "s-nail",
    "textproto",
];

/// Audits a program in these families of scenarios.
fn audited(name: &str, families: &[&str]) -> Option<Audit> {
    let (recipe, program) = known(name)?;
    let wanted = |scenario: &&Scenario| families.contains(&scenario.family());
    let scenarios: Vec<_> = audit::scenarios().iter().filter(wanted).cloned().collect();
    assert!(!scenarios.is_empty());
    let mut options = Options {
        jobs: 4,
        ..Options::default()
    };
    // The disk limit, not the time limit, stops a client that writes forever.
    options.limits.disk = 4 << 20;
    options.limits.time = Duration::from_secs(600);
    Some(audit::audit(&recipe.client(&program), &scenarios, &options, &|_| {}).unwrap())
}

#[track_caller]
fn finds(name: &str, family: &str, verdict: Verdict, fault: &str) {
    let Some(audit) = audited(name, &[family]) else {
        return;
    };
    assert_eq!(
        audit.verdict(family),
        Some(verdict),
        "{}",
        audit.report().text()
    );
    let faults = audit.faults(family);
    assert!(
        faults.iter().any(|found| found.contains(fault)),
        "{faults:?}"
    );
}

#[test]
fn our_fetch_passes_every_scenario() {
    let (recipe, program) = known("pop3").unwrap();
    let mut options = Options {
        jobs: 8,
        ..Options::default()
    };
    options.limits.patience = Duration::from_secs(2);
    options.limits.time = Duration::from_secs(600);
    let client = recipe.client(&program);
    let audit = audit::audit(&client, audit::scenarios(), &options, &|_| {}).unwrap();
    let report = audit.report();
    assert!(audit.failed().is_empty(), "{}", report.text());
    let tried = |scenario: &Scenario| audit.verdict(scenario.family()) == Some(Verdict::Correct);
    assert!(audit::scenarios().iter().all(tried), "{}", report.text());
}

/// A second run once deleted a message that the first had not received.
#[test]
fn our_fetch_deletes_nothing_unseen_where_the_first_dot_is_not_stuffed() {
    our_fetch_passes("first-dot-not-stuffed");
}

#[test]
fn our_fetch_stores_no_status_line_where_replies_are_interleaved() {
    our_fetch_passes("replies-interleaved");
}

#[track_caller]
fn our_fetch_passes(family: &str) {
    let audit = audited("pop3", &[family]).unwrap();
    let text = audit.report().text();
    assert_eq!(audit.verdict(family), Some(Verdict::Correct), "{text}");
}

#[test]
fn our_fetch_into_an_mbox_passes() {
    let (recipe, program) = known("pop3").unwrap();
    let mut client = recipe.client(&program);
    (client.store, client.place) = (Store::Mbox, "mbox".into());
    for invocation in [&mut client.plain, &mut client.stls].into_iter().flatten() {
        for word in &mut invocation.command {
            *word = word.replace("maildir:{maildir}", "mbox:{mbox}");
        }
    }
    let families = [
        "plain",
        "text-that-looks-like-replies",
        "dots-doubled",
        "eof-between-messages",
        "first-dot-not-stuffed",
        "replies-interleaved",
    ];
    let wanted = |scenario: &&Scenario| families.contains(&scenario.family());
    let scenarios: Vec<_> = audit::scenarios().iter().filter(wanted).cloned().collect();
    let audit = audit::audit(&client, &scenarios, &Options::default(), &|_| {}).unwrap();
    assert!(audit.failed().is_empty(), "{}", audit.report().text());
}

#[test]
fn every_recipe_fetches_with_and_without_tls() {
    for recipe in audit::recipes() {
        if ONLY_IN_THE_MATRIX.contains(&recipe.name()) {
            continue;
        }
        let Some(audit) = audited(recipe.name(), &["plain", "stls-plain"]) else {
            continue;
        };
        let text = audit.report().text();
        // getmail6 6.18 waits for a child that may already have ended: it then
        // stops with an error and stores the message again in its next run.
        let right = |verdict| match verdict {
            Verdict::Correct => true,
            Verdict::Warn => recipe.name() == "getmail6",
            _ => false,
        };
        assert!(audit.verdict("plain").is_some_and(right), "{text}");
        assert!(audit.verdict("stls-plain").is_none_or(right), "{text}");
    }
}

#[test]
fn curl_accepts_a_truncated_message_as_complete() {
    finds(
        "curl",
        "eof-anywhere-in-a-message",
        Verdict::Dangerous,
        "for the whole",
    );
}

#[test]
fn curl_keeps_a_dot_that_was_not_doubled() {
    finds("curl", "dot-not-doubled", Verdict::Lossy, "altered");
}

#[test]
fn mpop_writes_forever_at_the_end_of_the_connection() {
    finds(
        "mpop",
        "eof-anywhere-in-a-message",
        Verdict::Dangerous,
        "exceeded the limit",
    );
}

#[test]
fn mpop_deletes_a_message_truncated_at_lf_dot_lf() {
    finds(
        "mpop",
        "end-lf-dot-lf",
        Verdict::Dangerous,
        "it deleted message 1",
    );
}

#[test]
fn mpop_deletes_in_its_second_run_a_message_truncated_at_an_unstuffed_first_dot() {
    finds(
        "mpop",
        "first-dot-not-stuffed",
        Verdict::Dangerous,
        "it deleted message 2, which it does not have (run 2)",
    );
}

#[test]
fn mpop_stores_the_status_line_that_comes_before_the_end() {
    finds(
        "mpop",
        "replies-interleaved",
        Verdict::Lossy,
        "it stored more than message 1: `+OK it comes\\n` is added at its end",
    );
}

#[test]
fn poplib_deletes_a_message_truncated_at_an_unstuffed_first_dot() {
    finds(
        "poplib",
        "first-dot-not-stuffed",
        Verdict::Dangerous,
        "it deleted message 2",
    );
}

#[test]
fn fetchmail_ends_a_message_after_8191_octets() {
    finds(
        "fetchmail",
        "lines-at-buffer-sizes",
        Verdict::Dangerous,
        "@8191: it deleted",
    );
}

#[test]
fn poplib_takes_cr_dot_lf_for_the_end() {
    finds(
        "poplib",
        "end-cr-dot-lf",
        Verdict::Dangerous,
        "it deleted message 1",
    );
}

#[test]
fn getmail_delivers_a_message_that_ends_with_the_connection() {
    finds(
        "getmail6",
        "eof-anywhere-in-a-message",
        Verdict::Lossy,
        "a part",
    );
}

#[test]
fn net_pop3_takes_dot_cr_crlf_for_the_end() {
    finds(
        "net-pop3",
        "end-dot-cr-crlf",
        Verdict::Dangerous,
        "it deleted message 1",
    );
}
