//! The rows of a report.

use super::*;
use crate::audit::log::Entry;

fn log(entries: usize) -> Log {
    let mut log = Log::default();
    log.entries = vec![Entry::ServerClosed; entries];
    log
}

fn shown(logs: Vec<Log>) -> Vec<String> {
    let shown = Shown {
        end: String::new(),
        stored: String::new(),
        logs,
    };
    shown.exchange()
}

#[test]
fn a_long_exchange_is_shown_without_its_middle() {
    let line = "the server closes";
    assert_eq!(shown(vec![log(14)]), [line; 14]);
    let long = |left_out| [&[line; 7][..], &[left_out], &[line; 7]].concat();
    assert_eq!(shown(vec![log(15)]), long("[1 line left out]"));
    assert_eq!(shown(vec![log(40)]), long("[26 lines left out]"));
    let two = [line, "connection 2:", line, line];
    assert_eq!(shown(vec![log(1), log(2)]), two);
}

#[test]
fn stored_mail_is_shown_by_its_size_and_its_end() {
    assert_eq!(stored_line(b"a"), "stored 1 octet: a");
    let (most, more) = ("a".repeat(70), "a".repeat(71));
    assert_eq!(
        stored_line(most.as_bytes()),
        format!("stored 70 octets: {most}")
    );
    assert_eq!(
        stored_line(more.as_bytes()),
        format!("stored 71 octets: …{most}")
    );
}

#[test]
fn a_statement_is_judged_by_its_strength() {
    let seen = |kept, times_broken| Seen {
        kept,
        broken: vec!["plain: C: NOOP".to_owned(); times_broken],
        times_broken,
    };
    let row = |id, seen: Option<Seen>| {
        let row = statement_row(id, seen.as_ref());
        (row.verdict().word(), row.evidence().to_owned())
    };
    let bare = |word| (word, String::new());
    assert_eq!(row(Id::C(3), None), bare("not seen"));
    for never in [Id::V(6), Id::V(8)] {
        assert_eq!(row(never, None), bare("kept"));
    }
    assert_eq!(row(Id::C(3), Some(seen(1, 0))), bare("kept"));
    let evidence = "kept 1 time, not 2 times\nplain: C: NOOP\nplain: C: NOOP".to_owned();
    assert_eq!(
        row(Id::C(3), Some(seen(1, 2))),
        ("broken", evidence.clone())
    );
    assert_eq!(
        row(Id::V(3), Some(seen(1, 2))),
        ("not as Outlook", evidence)
    );
}
