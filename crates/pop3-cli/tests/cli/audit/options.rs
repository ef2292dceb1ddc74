//! The options of `pop3 audit`: the effect of each on an audit of `pop3 fetch`.

use std::{collections::BTreeSet, process::Stdio};

use pop3_conformance::audit::scenarios;
use tempfile::TempDir;

use crate::{Run, run};

/// Audits a shell script in these scenarios. The script can call
/// `fetch PLACE OPTIONS...`.
fn audit(options: &[&str], script: &str) -> Run {
    let script = format!(
        "at=$1 password=$2 place=$3 ca=$4; \
         fetch() {{ \"$0\" fetch \"pop3://$at\" --journal \"$HOME/journal\" \
         --password-command \"echo $password\" \"$@\"; }}; {script}"
    );
    let client = [
        "--",
        "/bin/sh",
        "-c",
        &script,
        env!("CARGO_BIN_EXE_pop3"),
        "{user}@{host}:{port}",
        "{password}",
    ];
    let place = match options {
        [_, ..] if options.contains(&"--mbox") => "{mbox}",
        _ => "{maildir}",
    };
    run(
        [&["audit"], options, &client, &[place, "{cafile}"]].concat(),
        b"",
    )
}

#[track_caller]
fn passes(run: &Run) {
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(text.contains("1 correct"), "{text}");
}

#[test]
fn a_client_stores_where_the_options_say() {
    let only = ["--only", "plain", "--skip", "stls"];
    for (options, script) in [
        (
            &["--maildir", "a/mail"][..],
            "fetch --to \"maildir:$place\"",
        ),
        (&["--mbox", "box"], "fetch --to \"mbox:$place\""),
        (
            &["--first"],
            "fetch --to - --raw --quiet --limit 1; rm -f \"$HOME\"/journal*",
        ),
    ] {
        passes(&audit(&[&only, options].concat(), script));
    }
    // Here the audit looks in a place where the client stores nothing.
    for (options, script) in [
        (&["--mbox", "box"][..], "fetch --to maildir:mail --quiet"),
        (&["--maildir", "mail"], "fetch --to mbox:box --quiet"),
        (&[], "fetch --to maildir:mail --quiet"),
    ] {
        let run = audit(&[&only, options].concat(), script);
        assert_eq!(run.status, Some(74), "{run:?}");
    }
}

#[test]
fn a_client_that_takes_the_first_message_may_leave_the_others() {
    let script = "test -e done || fetch --to \"maildir:$place\" --limit 1; touch done";
    let options = ["--only", "plain", "--skip", "stls", "--maildir", "mail"];
    passes(&audit(&[&options[..], &["--first"]].concat(), script));
    let run = audit(&options, script);
    assert_eq!(run.status, Some(1), "{run:?}");
}

#[test]
fn serves_stls_to_a_client_that_insists_on_it() {
    let script = "fetch --to \"maildir:$place\" --require-tls --ca-file \"$ca\"";
    let options = ["--only", "stls-plain", "--maildir", "mail"];
    passes(&audit(&[&options[..], &["--stls"]].concat(), script));
    let options = ["--only", "plain", "--skip", "stls", "--maildir", "mail"];
    passes(&audit(&[&options[..], &["--stls"]].concat(), script));
    let run = audit(&options, script);
    assert_eq!(run.status, Some(74), "{run:?}");
}

/// A directory that exists while a client runs.
#[test]
fn one_job_runs_one_client_at_a_time() {
    let shared = TempDir::new().unwrap();
    let lock = shared.path().join("lock").display().to_string();
    let script = format!(
        "mkdir {lock} || touch {lock}.overlap; fetch --to \"maildir:$place\"; status=$?; \
         rmdir {lock}; exit $status"
    );
    let scenarios = "plain,empty-message,nul-in-a-line,list-with-gaps,status-ok-tab";
    let options = ["--only", scenarios, "--skip", "stls", "--maildir", "mail"];
    let run = audit(&[&options[..], &["--jobs", "1"]].concat(), &script);
    assert!(run.status < Some(2), "{run:?}");
    assert!(!shared.path().join("lock.overlap").exists());
}

#[test]
fn a_client_is_stopped_after_the_time_limit() {
    let options = ["--only", "plain", "--skip", "stls", "--maildir", "mail"];
    let script = "fetch --to \"maildir:$place\" --delete; exec sleep 20";
    let run = audit(&[&options[..], &["--time-limit", "1"]].concat(), script);
    assert_eq!(run.status, Some(1), "{run:?}");
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(text.contains("dangerous"), "{text}");
}

/// A client that waits for octets that never come is left alone.
#[test]
fn patience_limits_how_long_a_client_waits_for_the_server() {
    let options = ["--only", "retr-unanswered", "--maildir", "mail"];
    let limits = ["--patience", "1", "--time-limit", "3"];
    let script = "exec 2>&1; fetch --to \"maildir:$place\"";
    let run = audit(&[options, limits].concat(), script);
    assert_eq!(run.status, Some(0), "{run:?}");
}

#[test]
fn a_recipe_runs_its_client() {
    let options = ["--recipe", "pop3", "--only", "plain", "--skip", "stls"];
    passes(&run([&["audit"], &options[..]].concat(), b""));
}

#[test]
fn a_recipe_whose_program_is_absent_names_the_package() {
    let output = crate::pop3(["audit", "--recipe", "mpop", "--only", "plain"])
        .env("PATH", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(66), "{stderr}");
    assert!(stderr.contains("package mpop"), "{stderr}");
}

#[test]
fn the_list_counts_every_scenario_and_names_its_statements() {
    let run = run(["audit", "--list"], b"");
    let list = String::from_utf8(run.stdout).unwrap();
    let (families, recipes) = list.split_once("\nRecipes:\n").unwrap();
    let heads = families.lines().filter(|line| !line.starts_with(' '));
    let counts = heads.map(|line| match line.split_once(" (family of ") {
        Some((_, count)) => {
            let count = count.strip_suffix(')').unwrap().parse::<usize>().unwrap();
            assert!(count > 1, "{line}");
            count
        }
        None => 1,
    });
    assert_eq!(counts.sum::<usize>(), scenarios().len());
    let mut wanted = BTreeSet::new();
    for scenario in scenarios() {
        wanted.extend(scenario.shows().iter().map(ToString::to_string));
        assert!(families.contains(scenario.why()), "{}", scenario.why());
    }
    let lines = families.lines();
    let shown: BTreeSet<String> = lines
        .filter_map(|line| line.strip_prefix("    MS-STANOPOP3 "))
        .flat_map(|ids| ids.split(", ").map(str::to_owned))
        .collect();
    assert!(!wanted.is_empty());
    assert_eq!(shown, wanted);
    let of_recipes = recipes.lines().filter(|line| line.starts_with("    "));
    assert_eq!(of_recipes.count(), pop3_conformance::audit::recipes().len());
}
