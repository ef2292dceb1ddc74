//! `pop3 audit` judges correctly: a correct client passes, the scenarios for
//! each flaw of the mock client catch it, and every scenario catches a flaw.

#![cfg(unix)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use pop3_conformance::{
    audit::{self, Audit, Client, Invocation, Limits, Options, Scenario, Store, Transport},
    report::Outcome,
};
use pop3_peers::mock::{Flaw, FlawRow, flaws};

/// More runs than processors, since many only wait for a silent peer.
const AT_ONCE: usize = 8;

const OPTIONS: Options = Options {
    limits: Limits {
        time: Duration::from_secs(20),
        patience: Duration::from_millis(1200),
        disk: 8 << 20,
        memory: 1 << 30,
    },
    jobs: 4,
};

fn mock(flaw: Option<&str>) -> Client {
    let command = |more: &[&str]| {
        let mut command = vec![env!("CARGO_BIN_EXE_mock-client")];
        command.extend(["{host}", "{port}", "{user}", "{password}", "{maildir}"]);
        command.extend(more);
        command.extend(flaw.map_or([].as_slice(), |_| &["--flaw"]));
        command.extend(flaw);
        Some(Invocation {
            command: command.into_iter().map(str::to_owned).collect(),
            ..Invocation::default()
        })
    };
    Client {
        name: flaw.unwrap_or("the honest mock client").to_owned(),
        plain: command(&[]),
        stls: command(&["--stls", "{cafile}"]),
        store: Store::Maildir,
        place: "Maildir".into(),
        ..Client::default()
    }
}

fn run(flaw: Option<&str>, scenarios: &[Scenario], options: &Options) -> Audit {
    let audit = audit::audit(&mock(flaw), scenarios, options, &|_| {});
    audit.unwrap_or_else(|error| panic!("{flaw:?}: {error}"))
}

/// The families that a client fails, with the reasons.
fn caught(audit: &Audit, scenarios: &[Scenario]) -> BTreeMap<String, Vec<String>> {
    let families: BTreeSet<&str> = scenarios.iter().map(Scenario::family).collect();
    let faults = families
        .into_iter()
        .map(|family| (family.to_owned(), audit.faults(family)));
    faults.filter(|(_, faults)| !faults.is_empty()).collect()
}

/// The scenarios to run: all of the families that the flaw is about, and a few
/// of each other family.
fn thinned(row: &FlawRow) -> Vec<Scenario> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for scenario in audit::scenarios() {
        *sizes.entry(scenario.family()).or_default() += 1;
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut chosen = Vec::new();
    for scenario in audit::scenarios() {
        let at = seen.entry(scenario.family()).or_default();
        let every = (sizes[scenario.family()] / 3).max(1);
        if row.caught_by.contains(&scenario.family()) || at.is_multiple_of(every) {
            chosen.push(scenario.clone());
        }
        *at += 1;
    }
    chosen
}

#[test]
fn an_honest_client_passes() {
    let audit = run(None, audit::scenarios(), &OPTIONS);
    let report = audit.report();
    let good = |outcome| matches!(outcome, Outcome::Good | Outcome::Skipped);
    let bad = report
        .rows()
        .iter()
        .filter(|row| !good(row.verdict().outcome()));
    let bad: Vec<_> = bad.collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(!report.fails());
    let tried = |scenario: &Scenario| audit.verdict(scenario.family()).is_some();
    assert!(audit::scenarios().iter().all(tried));
}

#[test]
fn the_scenarios_for_each_flaw_catch_it() {
    let rows: Vec<&FlawRow> = (flaws().iter())
        .filter(|row| !matches!(row.flaw, Flaw::Says(..)))
        .collect();
    let wrong: Mutex<Vec<String>> = Mutex::default();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(difference) = difference(row) {
                        wrong.lock().unwrap().push(difference);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Describes how the scenarios that catch a flaw differ from its row in the
/// table.
fn difference(row: &FlawRow) -> Option<String> {
    let scenarios = thinned(row);
    let mut options = OPTIONS;
    // A client with this flaw waits for 3 or 4 s and goes on.
    if row.flaw.is_timed() {
        options.limits.patience = Duration::from_secs(9);
        options.limits.time = Duration::from_secs(120);
    }
    let audit = run(Some(row.name), &scenarios, &options);
    let caught = caught(&audit, &scenarios);
    let names: BTreeSet<&str> = caught.keys().map(String::as_str).collect();
    let wanted: BTreeSet<&str> = row.caught_by.iter().copied().collect();
    (names != wanted).then(|| {
        let missed: Vec<_> = wanted.difference(&names).collect();
        let more: Vec<_> = names
            .difference(&wanted)
            .map(|name| &caught[*name])
            .collect();
        format!("{}: not caught by {missed:?}, but by {more:?}", row.name)
    })
}

#[test]
fn each_superfluous_command_breaks_its_statements() {
    let plain: Vec<Scenario> = (audit::scenarios().iter())
        .filter(|scenario| scenario.family() == "plain")
        .cloned()
        .collect();
    let mut wrong = Vec::new();
    for row in flaws() {
        if !matches!(row.flaw, Flaw::Says(..)) {
            continue;
        }
        let report = run(Some(row.name), &plain, &OPTIONS).report();
        let broken: BTreeSet<&str> = (report.rows().iter())
            .filter(|row| ["broken", "warn", "not as Outlook"].contains(&row.verdict().word()))
            .map(|row| row.id())
            .collect();
        let wanted: BTreeSet<&str> = row.caught_by.iter().copied().collect();
        if broken != wanted {
            wrong.push(format!("{} breaks {broken:?}, not {wanted:?}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_scenario_catches_a_flaw() {
    let caught: BTreeSet<&str> = (flaws().iter())
        .flat_map(|row| row.caught_by)
        .copied()
        .collect();
    let families: BTreeSet<&str> = audit::scenarios().iter().map(Scenario::family).collect();
    let statements = |name: &&str| name.parse::<pop3_conformance::Id>().is_ok();
    let named: BTreeSet<&str> = caught
        .iter()
        .copied()
        .filter(|name| !statements(name))
        .collect();
    let idle: Vec<_> = families.difference(&named).collect();
    assert!(idle.is_empty(), "no flaw is caught by {idle:?}");
    let unknown: Vec<_> = named.difference(&families).collect();
    assert!(unknown.is_empty(), "there is no scenario {unknown:?}");
}

#[test]
fn every_statement_that_commands_can_break_is_broken_by_a_flaw() {
    // A client that does not connect over TCP is not seen at all.
    let seen = [pop3_conformance::Id::C(1)];
    for id in audit::client_statements() {
        let by_commands = audit::cover(id) == Some(audit::Cover::Commands);
        let name = id.to_string();
        let broken = flaws()
            .iter()
            .any(|row| row.caught_by.contains(&name.as_str()));
        assert!(!by_commands || broken || seen.contains(&id), "{id}");
    }
}

#[test]
fn names_of_flaws_are_unique() {
    let names: BTreeSet<&str> = flaws().iter().map(|row| row.name).collect();
    assert_eq!(names.len(), flaws().len());
}

/// The scenarios of a family.
fn named(family: &str) -> Vec<Scenario> {
    let scenarios = audit::scenarios().iter();
    let chosen: Vec<_> = scenarios
        .filter(|scenario| scenario.family() == family)
        .cloned()
        .collect();
    assert!(!chosen.is_empty(), "there is no scenario {family}");
    chosen
}

fn tried(flaw: Option<&str>, family: &str) -> Audit {
    run(flaw, &named(family), &OPTIONS)
}

#[test]
fn runs_a_client_only_until_it_settles() {
    for (flaw, family, runs) in [
        // All messages are stored and deleted.
        (None, "plain", 1),
        // Nothing has changed.
        (None, "greeting-refuses", 1),
        (None, "eof-anywhere-in-list", 1),
        (None, "replies-interleaved", 1),
        // The second run finds the journal of the first and adds nothing.
        (None, "dele-refused", 2),
        (None, "first-dot-not-stuffed", 2),
        // One message is left for the second run.
        (Some("it-fetches-one-message"), "plain", 2),
        (
            Some("a-message-that-failed-twice-is-deleted"),
            "status-err",
            3,
        ),
        // A later run cannot make this verdict worse.
        (Some("the-connections-end-is-success"), "dele-refused", 2),
        (Some("it-deletes-what-it-failed-to-fetch"), "status-err", 1),
    ] {
        let audit = tried(flaw, family);
        assert_eq!(
            audit.runs(family),
            runs,
            "{flaw:?} {}",
            audit.report().json()
        );
    }
}

#[test]
fn a_message_that_comes_in_the_second_run_is_not_missing() {
    let mut client = mock(None);
    let fails_once = "test -e tried || { touch tried; exit 1; }; exec \"$0\" \"$@\"";
    let shell = ["/bin/sh", "-c", fails_once].map(str::to_owned);
    if let Some(plain) = &mut client.plain {
        plain.command.splice(..0, shell);
    }
    let scenarios = named("plain");
    let audit = audit::audit(&client, &scenarios, &OPTIONS, &|_| {}).unwrap();
    assert_eq!(audit.verdict("plain"), Some(audit::Verdict::Correct));
    assert_eq!(audit.runs("plain"), 2);
}

#[test]
fn a_message_that_a_later_run_stores_again_is_a_warning() {
    let audit = tried(Some("it-fetches-again-what-it-stored"), "dele-refused");
    assert_eq!(audit.verdict("dele-refused"), Some(audit::Verdict::Warn));
    let faults = audit.faults("dele-refused");
    assert_eq!(faults, ["dele-refused: it stored a message again (run 2)"]);
    assert!(!audit.report().fails());
}

#[test]
fn a_message_that_a_later_run_deletes_unseen_is_dangerous() {
    let flaw = "it-journals-before-it-knows-that-it-is-in-step";
    let audit = tried(Some(flaw), "first-dot-not-stuffed");
    let faults = audit.faults("first-dot-not-stuffed");
    let wanted = "first-dot-not-stuffed: it deleted message 2, which it does not have (run 2)";
    assert_eq!(faults[0], wanted, "{faults:?}");
}

#[test]
fn a_client_that_says_nothing_of_what_it_did_not_fetch_is_silent() {
    let family = "eof-anywhere-in-stat";
    let audit = tried(Some("the-connections-end-is-success"), family);
    assert_eq!(audit.verdict(family), Some(audit::Verdict::Silent));
    assert!(audit.report().fails());
}

#[test]
fn describes_the_difference_in_words() {
    let audit = tried(Some("only-doubled-dots-are-removed"), "dot-not-doubled");
    let faults = audit.faults("dot-not-doubled");
    let wanted = "a dot is added at its start";
    assert!(faults[0].contains(wanted), "{faults:?}");
}

/// Deleting such a message loses nothing.
#[test]
fn a_message_with_added_octets_is_lossy() {
    let audit = tried(Some("what-follows-the-end-is-mail"), "octets-after-the-end");
    let verdict = audit.verdict("octets-after-the-end");
    assert_eq!(verdict, Some(audit::Verdict::Lossy));
    let faults = audit.faults("octets-after-the-end");
    assert!(
        faults[0].contains("it stored more than message 1: "),
        "{faults:?}"
    );
    assert!(faults[0].ends_with("is added at its end"), "{faults:?}");
}

#[test]
fn leaves_out_a_family_after_three_members_that_hang() {
    let family = "eof-anywhere-in-a-message";
    let flaw = Some("it-writes-for-ever-at-the-end");
    let options = Options { jobs: 1, ..OPTIONS };
    let audit = run(flaw, &named(family), &options);
    let grew = audit.faults(family);
    assert_eq!(grew.len(), 3, "{grew:?}");
    assert_eq!(audit.verdict(family), Some(audit::Verdict::Dangerous));
    let report = audit.report();
    let evidence = report.rows()[0].evidence();
    let wanted = " not run, because 3 never ended in the same way;";
    assert!(evidence.contains(wanted), "{evidence}");
}

#[test]
fn does_not_audit_a_client_that_never_fetches() {
    let text = "echo 'usage: getter HOST' >&2; echo 'try --help' >&2; exit 3";
    let command = ["/bin/sh", "-c", text].map(str::to_owned).to_vec();
    let client = Client::from_command(command, false);
    let error = audit::audit(&client, &named("pass-refused"), &OPTIONS, &|_| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        "it stored nothing in the scenario plain, where the server is correct: exit status 3; \
         says: usage: getter HOST / try --help; it never connected to the server"
    );
}

#[test]
fn does_not_try_a_client_without_tls_where_tls_is_needed() {
    let mut client = mock(None);
    client.stls = None;
    let needs = |scenario: &&Scenario| scenario.transport() == Transport::Stls;
    let scenarios: Vec<_> = audit::scenarios().iter().filter(needs).cloned().collect();
    let audit = audit::audit(&client, &scenarios, &OPTIONS, &|_| {}).unwrap();
    assert!(
        scenarios
            .iter()
            .all(|scenario| audit.verdict(scenario.family()).is_none())
    );
}

#[test]
fn a_recipe_gives_a_report() {
    let text = "
        title = 'the mock client'
        programs = ['mock-client']
        version = []
        store = 'maildir'
        [plain]
        command = ['{program}', '{host}', '{port}', '{user}', '{password}', '{maildir}']
    ";
    let recipe = audit::Recipe::parse("mock", text).unwrap();
    assert_eq!(recipe.program(), None);
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_mock-client"));
    let report = recipe.audit(program, &OPTIONS).unwrap();
    assert!(!report.fails(), "{}", report.text());
    assert!(report.subject().starts_with("the mock client ("));
}

#[test]
fn a_client_that_cannot_be_started_is_an_error() {
    let client = Client::from_command(vec!["/nonexistent/client".to_owned()], false);
    let error = audit::audit(&client, &audit::scenarios()[..1], &OPTIONS, &|_| {});
    assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

/// The result of a shell script in the scenario `plain`.
fn script(text: &str, limits: Limits) -> Vec<String> {
    let command = ["/bin/sh", "-c", text].map(str::to_owned).to_vec();
    let client = Client::from_command(command, false);
    let scenarios = audit::scenarios().iter();
    let plain: Vec<_> = scenarios
        .filter(|scenario| scenario.family() == "plain")
        .cloned()
        .collect();
    let audit = audit::audit(&client, &plain, &Options { limits, jobs: 1 }, &|_| {}).unwrap();
    assert_eq!(audit.verdict("plain"), Some(audit::Verdict::Dangerous));
    audit.faults("plain")
}

#[test]
fn a_client_is_stopped_at_its_limits() {
    let mut limits = OPTIONS.limits;
    for (text, fault) in [
        ("yes", "exceeded the limit"),
        ("yes >&2", "exceeded the limit"),
        ("yes > file", "exceeded the limit"),
        (
            "mkdir a; for i in 1 2 3 4; do yes | head -c 3000000 > a/$i; done; sleep 60",
            "exceeded the limit",
        ),
        ("kill -SEGV $$", "signal 11"),
    ] {
        let faults = script(text, limits);
        assert!(faults[0].contains(fault), "{text}: {faults:?}");
    }
    limits.time = Duration::from_millis(300);
    for text in ["sleep 60", "sleep 60 & sleep 60", "while :; do :; done"] {
        let faults = script(text, limits);
        assert!(faults[0].contains("it did not end"), "{text}: {faults:?}");
    }
}

/// A process that leaves the process group keeps the pipes open; the audit does
/// not wait for it.
#[test]
fn a_daemon_does_not_delay_the_audit() {
    let began = std::time::Instant::now();
    script("setsid sleep 150 & kill -SEGV $$", OPTIONS.limits);
    assert!(began.elapsed() < Duration::from_secs(120));
}
