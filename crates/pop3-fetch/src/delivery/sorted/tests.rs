use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::*;
use crate::{
    Direct, Group, Intake, Key, LineEnds, Parcels,
    delivery::{
        group::tests::{journal, rows},
        intake::Committed,
    },
    disk::{Syncs, System, recorded::Recorded},
    finish_leftovers,
    journal::Pending,
};

/// The Maildirs `mail`, and `lists` for messages with a field `List`.
fn sorting(home: &Path) -> Sorting {
    Sorting {
        rules: vec![Rule::new(home.join("lists"), |header| {
            header.starts_with(b"List:")
        })],
        otherwise: home.join("mail"),
    }
}

fn group<D: Disk>(disk: &D, home: &Path, sorting: &Sorting) -> Result<Group, Failure> {
    Group::open_sorted(disk, journal(home), sorting, |_, _| {})
}

fn keep(intake: &mut impl Intake, text: &str) {
    intake.begin(pop3_proto::MessageNumber::FIRST).unwrap();
    intake.write(text.as_bytes()).unwrap();
    let key = Key {
        unique_id: text.as_bytes().to_vec(),
        copy: 0,
    };
    intake.keep(key, 0, 0).unwrap();
}

/// Delivers messages with these texts.
fn deliver(group: Group, texts: &[&str]) -> Committed {
    let mut intake = Direct::new(group, LineEnds::Lf);
    for text in texts {
        keep(&mut intake, text);
    }
    let _ = intake.confirm();
    intake.finish()
}

/// The messages in a part of a Maildir, sorted.
fn found(maildir: &Path, part: &str) -> Vec<String> {
    let files = fs::read_dir(maildir.join(part)).into_iter().flatten();
    let mut found: Vec<_> = files
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    found.sort();
    found
}

#[test]
fn the_first_rule_that_takes_a_message_decides() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let has = |word: &'static str| {
        move |header: &[u8]| {
            let mut words = header.split(u8::is_ascii_whitespace);
            words.any(|found| found == word.as_bytes())
        }
    };
    let sorting = Sorting {
        rules: vec![
            Rule::new(at("one"), has("one")),
            Rule::new(at("two"), has("two")),
            Rule::new(at("one"), has("uno")),
        ],
        otherwise: at("mail"),
    };
    for beside in [false, true] {
        let group = group(&System, home.path(), &sorting).unwrap();
        let texts = [
            "S: one two\r\n\r\nx\r\n",
            "S: two\r\n\r\none\r\n",
            "S: uno\r\n",
            "S: x\r\n\r\none two\r\n",
            "\r\n\r\none\r\n",
            "",
            "one",
        ];
        let texts = texts.map(|text| format!("{text}{beside}"));
        let texts = texts.each_ref().map(String::as_str);
        match beside {
            true => {
                let mut intake = Parcels::new(group, LineEnds::Lf).unwrap();
                texts.iter().for_each(|text| keep(&mut intake, text));
                intake.confirm().unwrap();
                intake.finish().journal.unwrap();
            }
            false => _ = deliver(group, &texts).journal.unwrap(),
        }
    }
    let both = |texts: &[&str]| {
        let mut all: Vec<_> = [false, true]
            .iter()
            .flat_map(|beside| texts.iter().map(move |text| format!("{text}{beside}")))
            .collect();
        all.sort();
        all
    };
    assert_eq!(
        found(&at("one"), "new"),
        both(&["S: one two\n\nx\n", "S: uno\n"])
    );
    assert_eq!(found(&at("two"), "new"), both(&["S: two\n\none\n"]));
    let others = ["S: x\n\none two\n", "\n\none\n", "", "one"];
    assert_eq!(found(&at("mail"), "new"), both(&others));
}

/// File names give the sizes of the message in the Maildir of its rule.
#[test]
fn stores_each_octet_however_the_message_is_cut() {
    let home = tempfile::tempdir().unwrap();
    let text = "List: a\r\n\tb\r\n\r\nbody\r\n\r\n.\r\n";
    let group = group(&System, home.path(), &sorting(home.path())).unwrap();
    let mut intake = Direct::new(group, LineEnds::Received);
    for cut in 0..=text.len() {
        intake.begin(pop3_proto::MessageNumber::FIRST).unwrap();
        intake.write(&text.as_bytes()[..cut]).unwrap();
        intake.write(&text.as_bytes()[cut..]).unwrap();
        let key = Key {
            unique_id: vec![b'!' + cut as u8],
            copy: 0,
        };
        intake.keep(key, 0, 0).unwrap();
    }
    intake.confirm().unwrap();
    intake.finish().journal.unwrap();
    let lists = home.path().join("lists");
    assert_eq!(found(&lists, "new"), vec![text; text.len() + 1]);
    for file in fs::read_dir(lists.join("new")).unwrap() {
        let name = file.unwrap().file_name();
        let sizes = format!(",S={0},W={0}", text.len());
        assert!(name.to_str().unwrap().ends_with(&sizes), "{name:?}");
    }
}

/// Nothing of a rejected or discarded message stays in either Maildir.
#[test]
fn delivers_only_messages_that_are_kept_and_confirmed() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let mut intake = Direct::new(group(&System, home, &sorting(home)).unwrap(), LineEnds::Lf);
    let begin = |intake: &mut Direct, text: &str| {
        intake.begin(pop3_proto::MessageNumber::FIRST).unwrap();
        intake.write(text.as_bytes()).unwrap();
    };
    for part in ["List", "List: discarded\r\n\r\nx"] {
        begin(&mut intake, part);
        intake.discard().unwrap();
    }
    for list in ["", "List:"] {
        keep(&mut intake, &format!("{list}1\r\n\r\n"));
    }
    intake.confirm().unwrap();
    for list in ["", "List:"] {
        keep(&mut intake, &format!("{list}rejected\r\n\r\n"));
    }
    begin(&mut intake, "List: rejected too\r\n\r\n");
    intake.discard().unwrap();
    intake.reject().unwrap();
    for list in ["List:", ""] {
        keep(&mut intake, &format!("{list}2\r\n\r\n"));
    }
    intake.confirm().unwrap();
    keep(&mut intake, "List: unconfirmed\r\n\r\n");
    begin(&mut intake, "List: broken off\r\n\r\n");
    let committed = intake.finish();
    assert_eq!(committed.messages, 4);
    committed.journal.unwrap();
    assert_eq!(found(&home.join("mail"), "new"), ["1\n\n", "2\n\n"]);
    assert_eq!(
        found(&home.join("lists"), "new"),
        ["List:1\n\n", "List:2\n\n"]
    );
    for maildir in ["mail", "lists"] {
        assert!(found(&home.join(maildir), "tmp").is_empty(), "{maildir}");
    }
    assert_eq!(rows(home), 4);
}

/// A Maildir that gets no message is only opened and closed.
#[test]
fn publishes_after_each_maildir_is_secured_and_settles_after_each_is_published() {
    let home = tempfile::tempdir().unwrap();
    let disk = Recorded::new(home.path(), Syncs::Together);
    let mut sorting = sorting(home.path());
    let unused = Rule::new(home.path().join("unused"), |_| false);
    sorting.rules.push(unused);
    let group = group(&disk, home.path(), &sorting).unwrap();
    disk.take();
    let texts = ["1\r\n\r\n", "List: 2\r\n\r\n"];
    deliver(group, &texts).journal.unwrap();
    assert_eq!(
        disk.take(),
        [
            "write mail/tmp/message (0 pending, 0 delivered)",
            "write lists/tmp/message (0 pending, 0 delivered)",
            "sync lists/tmp/message (0 pending, 0 delivered)",
            "sync lists/tmp/ (0 pending, 0 delivered)",
            "sync mail/tmp/message (0 pending, 0 delivered)",
            "sync mail/tmp/ (0 pending, 0 delivered)",
            "rename lists/tmp/message lists/new/message (2 pending, 0 delivered)",
            "sync lists/tmp/ (2 pending, 0 delivered)",
            "sync lists/new/ (2 pending, 0 delivered)",
            "rename mail/tmp/message mail/new/message (2 pending, 0 delivered)",
            "sync mail/tmp/ (2 pending, 0 delivered)",
            "sync mail/new/ (2 pending, 0 delivered)",
            "sync lists/tmp/ (2 pending, 0 delivered)",
            "sync mail/tmp/ (2 pending, 0 delivered)",
            "sync unused/tmp/ (2 pending, 0 delivered)",
        ]
    );
}

#[test]
fn removes_a_failed_group_from_each_tmp_at_once() {
    for failing in [
        "sync lists/tmp/message",
        "sync lists/tmp/",
        "sync mail/tmp/message",
        "sync mail/tmp/",
    ] {
        let home = tempfile::tempdir().unwrap();
        let disk = Recorded::new(home.path(), Syncs::Together);
        let group = group(&disk, home.path(), &sorting(home.path())).unwrap();
        disk.fail(failing, ErrorKind::Other);
        let committed = deliver(group, &["1\r\n\r\n", "List: 2\r\n\r\n"]);
        assert!(committed.journal.is_err(), "{failing}");
        for maildir in ["mail", "lists"] {
            let maildir = home.path().join(maildir);
            assert!(found(&maildir, "tmp").is_empty(), "{failing}");
            assert!(found(&maildir, "new").is_empty(), "{failing}");
        }
        assert_eq!(rows(home.path()), 0, "{failing}");
    }
}

#[test]
fn syncs_a_large_message_in_the_maildir_of_its_rule_while_it_arrives() {
    let home = tempfile::tempdir().unwrap();
    let disk = Recorded::new(home.path(), Syncs::Together);
    let mut group = group(&disk, home.path(), &sorting(home.path())).unwrap();
    group.begin(LineEnds::Lf).unwrap();
    assert!(group.write(b"List: a\n\n").is_ok());
    disk.take();
    assert!(group.write(&vec![b'x'; 8 << 20]).is_ok());
    let steps = disk.take();
    assert!(steps[1].starts_with("sync lists/tmp/message"), "{steps:?}");
    disk.fail("sync lists/tmp/message", ErrorKind::Other);
    let written = group.write(&vec![b'x'; 8 << 20]);
    let said = group.finish(written).journal.unwrap_err().to_string();
    let said = said.strip_prefix("cannot write ").unwrap();
    assert!(said.starts_with(home.path().join("lists").to_str().unwrap()));
}

/// Kills a run after each step of a group; the next run has no rules, other rules or
/// other places.
#[test]
fn recovers_by_the_journal_whatever_the_rules_are_now() {
    type Next = fn(&Path) -> Sorting;
    let nexts: [Next; 4] = [
        sorting,
        |home| Sorting {
            rules: Vec::new(),
            ..sorting(home)
        },
        |home| Sorting {
            rules: vec![Rule::new(home.join("mail"), |_| true)],
            otherwise: home.join("lists"),
        },
        |home| Sorting {
            rules: Vec::new(),
            otherwise: home.join("elsewhere"),
        },
    ];
    for next in nexts {
        for step in 1..=5 {
            let home = tempfile::tempdir().unwrap();
            let home = home.path();
            kill_after(step, home);
            group(&System, home, &next(home))
                .unwrap()
                .finish(Ok(()))
                .journal
                .unwrap();
            let delivered = if step >= 3 { 1 } else { 0 };
            let texts = ["1\n\n", "List: 2\n\n"].map(|text| vec![text; delivered]);
            for (maildir, texts) in ["mail", "lists"].into_iter().zip(texts) {
                let maildir = home.join(maildir);
                assert_eq!(found(&maildir, "new"), texts, "after step {step}");
                assert!(found(&maildir, "tmp").is_empty(), "after step {step}");
            }
            assert_eq!(rows(home), 2 * delivered, "after step {step}");
        }
    }
}

/// Does the steps of a group of two messages up to `last`, and then forgets the rest
/// as SIGKILL would. In step 4, only the first Maildir is published.
fn kill_after(last: u32, home: &Path) {
    let mut journal = journal(home);
    let mut sorted = Sorted::open(&System, &sorting(home)).unwrap();
    journal.begin_run(sorted.places()).unwrap();
    let mut group = Vec::new();
    for text in ["1\n\n", "List: 2\n\n"] {
        sorted.begin(b"").unwrap();
        sorted.write(text.as_bytes()).unwrap();
        sorted.end((0, 0)).unwrap();
        group.push(Pending {
            key: Key {
                unique_id: text.as_bytes().to_vec(),
                copy: 0,
            },
            octets: 0,
            name: String::new(),
        });
    }
    let Sealed::Together(mut sealed) = sorted.seal() else {
        panic!("its messages are handed over one by one");
    };
    if last >= 2 {
        for (message, name) in group.iter_mut().zip(sealed.secure().unwrap()) {
            message.name = name;
        }
    }
    if last >= 3 {
        let pending = group.iter().enumerate();
        let pending = pending.map(|(index, message)| (sealed.place(index).unwrap(), message));
        journal.pend(pending, "", crate::clock()).unwrap();
    }
    if last == 4 {
        let name = &group[0].name;
        let (tmp, _) = name.split_once(',').unwrap();
        let mail = home.join("mail");
        fs::rename(mail.join("tmp").join(tmp), mail.join("new").join(name)).unwrap();
    }
    if last == 5 {
        sealed.publish().unwrap();
    }
    std::mem::forget((sealed, sorted));
}

/// The Maildir of a rule may be gone, as any place may.
#[test]
fn fetches_again_what_waited_in_a_maildir_that_is_gone() {
    let home = tempfile::tempdir().unwrap();
    kill_after(3, home.path());
    fs::remove_dir_all(home.path().join("lists")).unwrap();
    finish_leftovers(&System, &mut journal(home.path())).unwrap();
    assert_eq!(found(&home.path().join("mail"), "new"), ["1\n\n"]);
    assert_eq!(rows(home.path()), 1);
}

#[test]
fn refuses_an_unusable_maildir_of_a_rule_before_a_message_comes() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("lists")).unwrap();
    fs::write(home.path().join("lists/note"), "").unwrap();
    let opened = group(&System, home.path(), &sorting(home.path()));
    let said = opened.unwrap_err().to_string();
    assert!(
        said.contains("lists") && said.contains("not empty"),
        "{said}"
    );
}

/// A group of many files that stay open ends early.
#[test]
fn has_no_more_open_files_than_one_maildir() {
    let home = tempfile::tempdir().unwrap();
    let sorting = sorting(home.path());
    let disk = Recorded::new(home.path(), Syncs::Each);
    journal(home.path());
    let sorted = Sorted::open(&disk, &sorting).unwrap();
    assert_eq!(sorted.messages(), super::super::maildir::OPEN);
    let sorted = Sorted::open(&System, &sorting).unwrap();
    assert!(!sorted.one_at_a_time());
}

/// The header that a rule sees, line by line.
fn header(message: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    for line in message.split_inclusive(|&octet| octet == b'\n') {
        header.extend_from_slice(line);
        if line == b"\n" || line == b"\r\n" {
            break;
        }
    }
    header.truncate(MOST);
    header
}

#[test]
fn finds_the_end_of_a_header_however_it_is_cut() {
    let alphabet = b"a\r\n";
    for code in 0..3_usize.pow(7) {
        let digits = (0..7).map(|place| alphabet[code / 3_usize.pow(place) % 3]);
        let message: Vec<u8> = digits.collect();
        let wanted = header(&message);
        let is_whole = [&b"\n"[..], b"\r\n"].contains(&&wanted[..])
            || wanted.ends_with(b"\n\n")
            || wanted.ends_with(b"\n\r\n");
        for cut in 0..=message.len() {
            let mut head = Head::default();
            let (mut first, mut second) = message.split_at(cut);
            let is_there = head.take(&mut first) || head.take(&mut second);
            assert_eq!(head.octets, wanted, "{}", message.escape_ascii());
            assert_eq!(is_there, is_whole, "{}", message.escape_ascii());
            let left = first.len() + second.len();
            assert_eq!(head.octets.len() + left, message.len());
        }
    }
}

#[test]
fn cuts_off_a_header_that_is_too_long() {
    for (line, cut) in [("x", 1000), ("x", MOST), ("x: y\n", 7)] {
        let message = line.repeat(MOST).into_bytes();
        let mut head = Head::default();
        let mut pieces = message.chunks(cut);
        let mut octets = 0;
        let is_full = pieces.any(|mut piece| {
            let octets_before = piece.len();
            let is_full = head.take(&mut piece);
            octets += octets_before - piece.len();
            is_full
        });
        assert!(is_full);
        assert_eq!((head.octets.len(), octets), (MOST, MOST));
        assert_eq!(head.octets, header(&message));
    }
}

/// Otherwise the inner one would make the outer one a directory with other files.
#[test]
fn makes_a_maildir_and_others_in_it() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let rule = |name: &str| Rule::new(at(name), |_| true);
    let sorting = Sorting {
        rules: vec![rule("mail/.lists/.rust"), rule("mail/.lists")],
        otherwise: at("mail"),
    };
    for _ in 0..2 {
        let sorted = Sorted::open(&System, &sorting).unwrap();
        assert_eq!(sorted.maildirs.len(), 3);
        for inner in ["mail", "mail/.lists", "mail/.lists/.rust"] {
            assert!(at(inner).join("new").is_dir(), "{inner}");
        }
    }
}

#[test]
fn each_maildir_is_opened_once() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let rule = |maildir: PathBuf| Rule::new(maildir, |_| true);
    let sorting = Sorting {
        rules: vec![rule(at("a")), rule(at("mail")), rule(at("a"))],
        otherwise: at("mail"),
    };
    let sorted = Sorted::open(&System, &sorting).unwrap();
    let places: BTreeMap<_, _> = sorted.places().collect();
    let wanted = ["a", "mail"].map(|name| format!("maildir:{}", at(name).display()));
    assert_eq!(places.keys().collect::<Vec<_>>(), [&wanted[0], &wanted[1]]);
    assert_eq!(sorted.maildirs.len(), 2);
}
