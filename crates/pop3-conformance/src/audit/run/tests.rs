//! Whole audits of small shell scripts.

use super::*;
use crate::report::Row;

/// The beginning of a client, which is then logged in. Its arguments are the port and
/// the place of its mail.
const LOGIN: &str = r#"
    line() { read -r line <&3 || exit 1; line=${line%$'\r'}; }
    say() { printf '%s\r\n' "$1" >&3; line; }
    fetch() { say "RETR $1"; while line; test "$line" != .; do printf '%s\r\n' "$line"; done; }
    exec 3<>"/dev/tcp/127.0.0.1/$1"; line; say 'USER mrose'; say 'PASS tanstaaf'
"#;

const OPTIONS: Options = Options {
    limits: Limits {
        disk: 1 << 20,
        time: Duration::from_secs(60),
        ..Limits::DEFAULT
    },
    jobs: 1,
};

fn client(script: &str, store: Store) -> Client {
    let command = [
        "/bin/bash",
        "-c",
        &format!("{LOGIN}{script}"),
        "client",
        "{port}",
        "{mbox}",
    ];
    let client = Client::from_command(command.map(str::to_owned).to_vec(), false);
    Client {
        store,
        place: "mail".into(),
        ..client
    }
}

fn family(name: &str, text: &str) -> Vec<Scenario> {
    Scenario::parse(name, &format!("why = 'a test'\n{text}")).unwrap()
}

/// The audit of a client that need not store anything.
fn tried(client: &Client, scenarios: &[Scenario]) -> Audit {
    let auditor = Auditor {
        client,
        limits: OPTIONS.limits,
        identities: Identities::new().unwrap(),
        alike: Mutex::default(),
    };
    let outcomes = scenarios.iter().map(|scenario| auditor.outcome(scenario));
    Audit::new(&client.name, outcomes.collect::<Result<_, _>>().unwrap())
}

/// The audit of a script that prints mail, in a scenario with one message.
fn audited(script: &str) -> Audit {
    tried(&client(script, Store::Stdout), &family("test", ""))
}

fn row(audit: &Audit) -> (&'static str, String, String) {
    let report = audit.report();
    let row = &report.rows()[0];
    assert_eq!((row.id(), row.title()), ("test", "a test"));
    (
        row.verdict().word(),
        row.evidence().to_owned(),
        row.consequence().to_owned(),
    )
}

#[test]
fn a_client_runs_until_it_settles() {
    for (script, runs, verdict) in [
        // Nothing is left.
        ("fetch 1; say 'DELE 1'; say QUIT", 1, "correct"),
        // Nothing changed.
        ("fetch 1", 1, "correct"),
        // Nothing is left, but it failed; then nothing changed.
        (
            "test -e done && exit 1; fetch 1; say 'DELE 1'; say QUIT; touch done; exit 1",
            1,
            "dangerous",
        ),
        (
            "test -e done || { touch done; exit 1; }; fetch 1",
            2,
            "correct",
        ),
        ("echo more >> file; exit 1", 3, "lossy"),
        ("echo more >> file; fetch 1; exit 1", 3, "lossy"),
        ("ln -sf /proc/uptime link; exit 1", 2, "lossy"),
        // No later run can be worse.
        ("echo more >> file; say 'DELE 1'; say QUIT", 1, "dangerous"),
    ] {
        let audit = audited(script);
        assert_eq!(
            (audit.runs("test"), row(&audit).0),
            (runs, verdict),
            "{script}"
        );
        let failed: Vec<_> = audit.failed().into_iter().collect();
        let fails = verdict != "correct";
        assert_eq!(failed.contains(&"test".to_owned()), fails, "{failed:?}");
    }
}

#[test]
fn the_evidence_is_the_exchange_and_what_is_stored() {
    let audit = audited("fetch 1 >&2; say 'DELE 1'; echo done >&2");
    let (verdict, evidence, consequence) = row(&audit);
    assert_eq!(verdict, "dangerous");
    let lines: Vec<_> = evidence.lines().collect();
    assert_eq!(lines[..2], ["exit status 0; says: done", "nothing stored"]);
    assert_eq!(lines[2..4], [r"S: +OK ready\r\n", "C: USER mrose"]);
    assert_eq!(lines.last().unwrap(), &"the client closes");
    let fault = "it deleted message 1, which it does not have";
    assert!(consequence.starts_with(fault), "{consequence}");
    let report = audit.report();
    let ids: Vec<_> = report.rows().iter().map(Row::id).collect();
    assert!(ids.contains(&"C0024") && !ids.contains(&"C0013"), "{ids:?}");

    let audit = audited("echo more >> file; echo out; echo no >&2; exit 3");
    let (_, evidence, consequence) = row(&audit);
    let lines: Vec<_> = evidence.lines().collect();
    let run = |number| format!("run {number}: exit status 3; says: no");
    assert_eq!(lines[0], "not settled after 3 runs");
    assert_eq!(lines[1..4], [run(1), run(2), run(3)]);
    assert_eq!(lines[4], r"after run 3: stored 4 octets: out\n");
    assert_eq!(lines[5..7], ["exchange of run 3:", r"S: +OK ready\r\n"]);
    assert_eq!(consequence, "it did not store message 1 (run 3)");

    let audit = audited("touch settled; fetch 1");
    let evidence = row(&audit).1;
    let settled = evidence.starts_with("settled after 2 runs\nrun 1: exit status 0\nrun 2: ");
    assert!(settled, "{evidence}");
}

#[test]
fn a_client_finds_the_place_of_its_mail_and_is_quoted() {
    let store = "> \"$2/new/1\"; say 'DELE 1'; say QUIT";
    let mbox = "{ echo 'From a b'; fetch 1; echo; } > \"$2\"; say 'DELE 1'; say QUIT";
    for (script, store, said) in [
        (
            format!("fetch 1 {store}; echo hello"),
            Store::Maildir,
            "; says: hello",
        ),
        (
            format!("echo hello; fetch 1 {store}; echo err >&2"),
            Store::Maildir,
            "; says: err",
        ),
        (mbox.to_owned(), Store::Mbox, ""),
        (
            "fetch 1; say 'DELE 1'; say QUIT".to_owned(),
            Store::Stdout,
            "",
        ),
    ] {
        let client = client(&script, store);
        let audit = tried(&client, &family("test", ""));
        let (verdict, evidence, _) = row(&audit);
        assert_eq!(verdict, "correct", "{evidence}");
        assert_eq!(
            evidence.lines().next().unwrap(),
            format!("exit status 0{said}")
        );
    }
}

#[test]
fn a_file_named_by_a_unique_id_is_dangerous_outside_the_mail() {
    for (path, verdict) in [
        ("../escaped-by-unique-id", "dangerous"),
        ("escaped-by-unique-id", "dangerous"),
        ("\"$2\"/new/escaped-by-unique-id", "lossy"),
    ] {
        let client = client(&format!("touch {path}; exit 1"), Store::Maildir);
        let audit = tried(&client, &family("test", ""));
        assert_eq!(row(&audit).0, verdict, "{path}");
    }
}

#[test]
fn root_runs_some_clients_as_another_user() {
    let own = rustix::process::geteuid();
    for not_as_root in [false, true] {
        let mut client = client("id -u >&2; fetch 1", Store::Stdout);
        client.not_as_root = not_as_root;
        let audit = tried(&client, &family("test", ""));
        let user = match not_as_root && own.is_root() {
            true => 65534,
            false => own.as_raw(),
        };
        let evidence = row(&audit).1;
        assert!(
            evidence.starts_with(&format!("exit status 0; says: {user}\n")),
            "{evidence}"
        );
    }
}

#[test]
fn the_rest_of_a_family_is_left_out_once_three_never_ended() {
    let endless = client("exec yes", Store::Stdout);
    let mut scenarios = family("test", "lengths = [1, 2, 3, 4, 5]");
    scenarios.extend(family("other", ""));
    let done = Mutex::new(Vec::new());
    let audit = audit(&endless, &scenarios, &OPTIONS, &|progress| {
        assert_eq!(progress.all, 6);
        lock(&done).push(progress.done);
    });
    let audit = audit.unwrap();
    assert_eq!(*lock(&done), [1, 2, 3, 4, 5, 6]);
    assert_eq!(audit.runs("other"), 1);
    let evidence = row(&audit).1;
    let wanted = "3 of 5 such, 2 not run, because 3 never ended in the same way; test@1:\n";
    assert!(evidence.starts_with(wanted), "{evidence}");
}

#[test]
fn a_family_that_needs_stls_is_not_tried_without_it() {
    let client = client("fetch 1", Store::Stdout);
    let scenarios = family("test", "transport = 'stls'\nlengths = [1, 2]");
    let audit = tried(&client, &scenarios);
    let (verdict, evidence, _) = row(&audit);
    assert_eq!((verdict, audit.runs("test")), ("not tried", 0));
    assert_eq!(
        evidence,
        "0 of 2 such; test@1:\nthe client has no command that requires STLS"
    );
    assert!(audit.failed().is_empty());
}

#[test]
fn stls_is_announced_to_a_client_that_requires_it() {
    let talk = client(
        "say CAPA; while test \"$line\" != .; do echo \"$line\" >&2; line; done; exit 3",
        Store::Stdout,
    );
    for (plain, stls, announced) in [
        (talk.plain.clone(), None, false),
        (talk.plain.clone(), talk.plain.clone(), false),
        (None, talk.plain.clone(), true),
    ] {
        let client = Client {
            plain,
            stls,
            ..talk.clone()
        };
        let audit = audit(&client, &family("test", ""), &OPTIONS, &|_| {});
        // A client that stores nothing is not audited; the error has what it said.
        let error = audit.unwrap_err().to_string();
        assert!(
            error.contains("exit status 3; says: +OK / USER / TOP / UIDL"),
            "{error}"
        );
        assert_eq!(error.contains("STLS"), announced, "{error}");
    }
}
