use std::{fs, path::Path};

use super::*;
use crate::fetch::journal::State;

fn open(home: &Path, to: &str) -> Group {
    let journal = Journal::open(&home.join("journal"), "me@host:110").unwrap();
    let place: Place = format!("{to}:{}", home.join("mail").display())
        .parse()
        .unwrap();
    Group::open(journal, &place, Form::Mbox).unwrap()
}

fn add(group: &mut Group, index: usize) {
    group.begin().unwrap();
    let message = format!("Subject: {index}\n\nFrom here\n");
    group.write(message.as_bytes()).unwrap();
    let octets = message.len() as u64;
    let key = Key {
        unique_id: format!("id{index}").into_bytes(),
        copy: 0,
    };
    group.end(key, octets, (octets, octets)).unwrap();
}

/// What SIGKILL does: nothing is cleaned.
fn kill(group: Group) {
    let Group {
        delivery, journal, ..
    } = group;
    std::mem::forget(delivery);
    drop(journal);
}

fn count(home: &Path, to: &str) -> usize {
    match to {
        "maildir" => {
            assert_eq!(fs::read_dir(home.join("mail/tmp")).unwrap().count(), 0);
            fs::read_dir(home.join("mail/new")).unwrap().count()
        }
        _ => {
            let text = fs::read_to_string(home.join("mail")).unwrap();
            text.matches("Subject: ").count()
        }
    }
}

/// How many rows there are, all of them delivered.
fn rows(home: &Path) -> usize {
    let journal = Journal::open(&home.join("journal"), "me@host:110").unwrap();
    let records = journal.records().unwrap();
    let rows = (0..).map_while(|index| records.get(index));
    rows.inspect(|row| assert_eq!(row.state, State::Delivered))
        .count()
}

/// A group of three after one of two, left behind each step. A mail reader has
/// taken what it found meanwhile, in the last two cases.
#[test]
fn killed_behind_each_step() {
    for to in ["maildir", "mbox"] {
        // The locks of an mbox end with the process only, between 2 and 4: the
        // tests of the command kill it there.
        for step in [0, 1, 2, 3, 4] {
            if to == "mbox" && (step == 1 || step == 2) {
                continue;
            }
            let home = tempfile::tempdir().unwrap();
            let mut group = open(home.path(), to);
            add(&mut group, 0);
            add(&mut group, 1);
            group.close().unwrap();
            for index in 2..5 {
                add(&mut group, index);
            }
            if step == 0 {
                group.begin().unwrap();
                group.write(b"part").unwrap();
            } else {
                let names = group.delivery.secure().unwrap();
                for (message, name) in group.messages.iter_mut().zip(names) {
                    message.name = name;
                }
            }
            if step >= 2 {
                let Group {
                    journal,
                    messages,
                    place,
                    ..
                } = &mut group;
                journal.pend(place, messages, clock()).unwrap();
            }
            if step >= 3 {
                group.delivery.publish().unwrap();
            }
            if step >= 4 {
                group.journal.settle(clock()).unwrap();
            }
            kill(group);
            open(home.path(), to).finish().unwrap();
            let delivered = if step >= 2 { 5 } else { 2 };
            assert_eq!(count(home.path(), to), delivered, "{to} after step {step}");
            assert_eq!(rows(home.path()), delivered, "{to} after step {step}");
        }
    }
}

/// Pending, and nowhere: a mail reader has it, unless a cleaner of `tmp` may.
#[test]
fn what_is_nowhere_is_fetched_again_after_36_hours_only() {
    for (hours, kept) in [(1, 1), (37, 0)] {
        let home = tempfile::tempdir().unwrap();
        let mut group = open(home.path(), "maildir");
        add(&mut group, 0);
        group.messages[0].name = String::from("1.M1P1R1Q1.host,S=1,W=1");
        let since = clock() - hours * 3600;
        group
            .journal
            .pend(&group.place, &group.messages, since)
            .unwrap();
        drop(group);
        open(home.path(), "maildir").finish().unwrap();
        assert_eq!(rows(home.path()), kept);
    }
}

#[test]
fn two_runs_on_one_account_exclude_each_other() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("journal");
    let first = Journal::open(&file, "me@host:110").unwrap();
    assert!(Journal::open(&file, "me@host:110").is_err());
    Journal::open(&file, "other@host:110").unwrap();
    drop(first);
    Journal::open(&file, "me@host:110").unwrap();
}
