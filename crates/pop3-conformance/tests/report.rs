//! The forms of a report: none contains anything that could harm its reader.

use std::time::{Duration, SystemTime};

use pop3_conformance::report::{
    MAX_EVIDENCE_LINES, MAX_LINE, Outcome, Report, Row, Verdict, shown,
};

const PASS: Verdict = Verdict::new("pass", Outcome::Good);
const FAIL: Verdict = Verdict::new("fail", Outcome::Bad);
const WARN: Verdict = Verdict::new("warn", Outcome::Noted);
const SKIP: Verdict = Verdict::new("not testable here", Outcome::Skipped);

const HOSTILE: &str = "\x1b[2J\u{202e}<script>alert('&\"')</script>\0\u{7}\u{9b}]]>\r";

fn date() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn hostile() -> Report {
    let mut report = Report::new(HOSTILE, HOSTILE, date());
    for verdict in [PASS, SKIP, WARN, FAIL] {
        let row = Row::new(HOSTILE, HOSTILE, verdict);
        report.push(row.with_evidence(HOSTILE).with_consequence(HOSTILE));
    }
    report
}

#[test]
fn no_form_contains_unprintable_characters() {
    let report = hostile();
    for form in [
        report.text(),
        report.json(),
        report.junit().unwrap(),
        report.html(),
    ] {
        let bad = |char: &char| (char.is_control() && *char != '\n') || *char == '\u{202e}';
        assert_eq!(form.chars().find(bad), None, "{form}");
    }
}

#[test]
fn escapes_the_markup_of_a_row() {
    for form in [hostile().html(), hostile().junit().unwrap()] {
        assert!(!form.contains("<script"), "{form}");
        assert!(form.contains("&lt;script"), "{form}");
    }
}

#[test]
fn an_octet_is_shown_as_what_it_is() {
    assert_eq!(shown(b"a\\\"\0\xff\t", 80), "a\\\\\"\\x00\\xff\\t");
    assert_eq!(shown(b"abc", 3), "abc");
    assert_eq!(shown(b"abcd", 3), "abc [and 1 octet more]");
}

#[test]
fn a_line_of_the_most_octets_is_whole() {
    let fits = "x".repeat(MAX_LINE);
    assert_eq!(Row::new(&fits, "", PASS).id(), fits);
    let cut = format!("{fits} [and 1 octet more]");
    assert_eq!(Row::new(&format!("{fits}x"), "", PASS).id(), cut);
}

#[test]
fn the_first_and_last_lines_of_long_evidence_are_kept() {
    let evidence = |lines| {
        let lines: Vec<_> = (1..=lines).map(|line: usize| line.to_string()).collect();
        let row = Row::new("a", "b", FAIL).with_evidence(lines.join("\n"));
        row.evidence().replace('\n', " ")
    };
    assert!(evidence(MAX_EVIDENCE_LINES).ends_with(" 11 12 13 14 15 16 17 18 19 20 21 22 23 24"));
    assert_eq!(
        evidence(100),
        "1 2 3 4 5 6 7 8 9 10 11 12 [77 lines left out] 90 91 92 93 94 95 96 97 98 99 100"
    );
}

#[test]
fn the_consequence_is_shown_unless_a_row_is_good() {
    for (verdict, shown) in [(PASS, false), (SKIP, true), (WARN, true), (FAIL, true)] {
        let mut report = Report::new("a", "b", date());
        report.push(Row::new("c", "d", verdict).with_consequence("It hangs."));
        assert_eq!(report.html().contains("It hangs."), shown, "{verdict:?}");
    }
}

#[test]
fn a_report_that_was_cut_short_says_why() {
    let mut report = Report::new("a", "b", date());
    report.push(Row::new("c", "d", PASS));
    report.push(Row::new("e", "f", PASS));
    report.cut_short("no time left");
    assert_eq!(report.why_cut_short(), Some("no time left"));
    assert!(
        report
            .text()
            .ends_with("\n2 pass; the run ended early: no time left\n")
    );
}

#[test]
fn evidence_is_bounded() {
    let long = "x".repeat(10 * MAX_LINE);
    let row = Row::new("a", "b", FAIL).with_evidence(format!("{long}\n").repeat(1000));
    let lines: Vec<&str> = row.evidence().lines().collect();
    assert_eq!(lines.len(), MAX_EVIDENCE_LINES);
    assert!(lines.iter().all(|line| line.len() < MAX_LINE + 40));
    assert!(row.evidence().contains("[977 lines left out]"));
    assert!(lines[0].ends_with("[and 2160 octets more]"));
}

#[test]
fn only_a_bad_row_fails_a_report() {
    let mut report = Report::new("a", "b", date());
    for verdict in [PASS, SKIP, WARN] {
        report.push(Row::new("c", "d", verdict));
    }
    assert!(!report.fails());
    report.push(Row::new("c", "d", FAIL));
    assert!(report.fails());
}

#[test]
fn the_table_shows_evidence_for_rows_that_do_not_pass() {
    let mut report = Report::new("Is it right?", "a server", date());
    report.push(Row::new("C0002", "It greets", PASS).with_evidence("S: +OK"));
    report.push(
        Row::new("C5", "It ends", FAIL)
            .with_evidence("S: +OK\n[end]")
            .with_consequence("It hangs."),
    );
    assert_eq!(
        report.text(),
        "\
Is it right?
a server, 2023-11-14T22:13:20Z

C0002  pass  It greets
C5     fail  It ends
             S: +OK
             [end]
             It hangs.

1 pass, 1 fail
"
    );
}

#[test]
fn json_has_every_field() {
    let report = hostile();
    let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(json["date"], "2023-11-14T22:13:20Z");
    assert_eq!(json["title"], report.title());
    assert_eq!(json["subject"], report.subject());
    let rows = json["rows"].as_array().unwrap();
    for (row, expected) in rows.iter().zip(report.rows()) {
        assert_eq!(row["id"], expected.id());
        assert_eq!(row["title"], expected.title());
        assert_eq!(row["verdict"], expected.verdict().word());
        assert_eq!(row["evidence"], expected.evidence());
        assert_eq!(row["consequence"], expected.consequence());
    }
    let outcomes: Vec<_> = rows.iter().map(|row| &row["outcome"]).collect();
    assert_eq!(outcomes, ["good", "skipped", "noted", "bad"]);
}

#[test]
fn junit_counts_failures_and_what_was_skipped() {
    let xml = quick_junit::Report::deserialize_from_str(&hostile().junit().unwrap()).unwrap();
    assert_eq!((xml.tests, xml.failures, xml.errors), (4, 1, 0));
    assert_eq!(xml.skipped, 1);
    let outputs = xml.test_suites[0].test_cases.iter();
    let outputs: Vec<_> = outputs.map(|case| case.system_out.is_some()).collect();
    assert_eq!(outputs, [false, false, true, false], "only a warning's");
    let suite = &xml.test_suites[0];
    assert_eq!(suite.timestamp.unwrap().timestamp(), 1_700_000_000);
    assert_eq!(suite.test_cases.len(), 4);
}
