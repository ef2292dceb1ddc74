use std::{fs, io::ErrorKind, path::Path};

use pop3_proto::MessageNumber;

use super::*;
use crate::{
    Direct, Intake, Kind, Parcels, Rule,
    delivery::{Publish, Sealed},
    disk::{Syncs, System, recorded::Recorded},
    journal::State,
    visit::plan::MISSING_KEPT,
};

pub(in crate::delivery) fn journal(home: &Path) -> Journal {
    Journal::open(&home.join("journal"), "me@host:110").unwrap()
}

fn place(home: &Path, to: &str) -> Place {
    let place = format!("{to}:{}", home.join("mail").display());
    place.parse().unwrap()
}

/// A run that only finishes what earlier runs left.
fn run(home: &Path, to: &str) {
    let group = Group::open(
        &System,
        journal(home),
        &place(home, to),
        Form::Mbox,
        |_, _| {},
    )
    .unwrap();
    group.finish(Ok(())).journal.unwrap();
}

fn add(delivery: &mut dyn Delivery, index: usize) -> Pending {
    delivery.begin(b"").unwrap();
    let message = format!("Subject: {index}\n\nFrom here\n");
    delivery.write(message.as_bytes()).unwrap();
    let octets = message.len() as u64;
    delivery.end((octets, octets)).unwrap();
    Pending {
        key: Key {
            unique_id: format!("id{index}").into_bytes(),
            copy: 0,
        },
        octets,
        name: String::new(),
    }
}

/// The group of a delivery that publishes all its messages together.
pub(super) fn seal(delivery: &mut dyn Delivery) -> Box<dyn Publish> {
    match delivery.seal() {
        Sealed::Together(group) => group,
        Sealed::Singly(_) => panic!("its messages are handed over one by one"),
    }
}

/// Runs the steps of a group of messages up to `last`, and then forgets the rest as
/// SIGKILL would, without any cleanup.
fn steps(
    journal: &mut Journal,
    place: &Place,
    delivery: &mut dyn Delivery,
    mut group: Vec<Pending>,
    last: u32,
) {
    let place = place.absolute().to_string();
    let mut sealed = seal(delivery);
    if last >= 2 {
        let names = sealed.secure().unwrap();
        for (message, name) in group.iter_mut().zip(names) {
            message.name = name;
        }
    }
    if last >= 3 {
        let pending = group.iter().map(|message| (&*place, message));
        journal.pend(pending, "", clock()).unwrap();
    }
    if last >= 4 {
        sealed.publish().unwrap();
    }
    if last >= 5 {
        journal.settle(clock()).unwrap();
    }
    std::mem::forget(sealed);
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

/// The number of rows, all of which are delivered.
pub(in crate::delivery) fn rows(home: &Path) -> usize {
    let records = journal(home).records().unwrap();
    let rows = (0..).map_while(|index| records.get(index));
    rows.inspect(|row| assert_eq!(row.state, State::Delivered))
        .count()
}

/// Kills a run after each step of a group of three messages that follows a group of
/// two. The next group has already begun where that is possible. In a Maildir, the
/// first group is not settled on its own.
#[test]
fn loses_and_doubles_nothing_when_killed_after_each_step() {
    for to in ["maildir", "mbox"] {
        // Between steps 2 and 4, the locks of an mbox end only with the process:
        // the tests of the command kill it there.
        for step in [1, 2, 3, 4, 5] {
            if to == "mbox" && (step == 2 || step == 3) {
                continue;
            }
            let home = tempfile::tempdir().unwrap();
            let place = place(home.path(), to);
            let mut journal = journal(home.path());
            let mut delivery = open(&System, &mut journal, &place, Form::Mbox).unwrap();
            let settled = if delivery.one_at_a_time() { 5 } else { 4 };
            let first = (0..2).map(|index| add(&mut *delivery, index)).collect();
            steps(&mut journal, &place, &mut *delivery, first, settled);
            let second = (2..5).map(|index| add(&mut *delivery, index)).collect();
            steps(&mut journal, &place, &mut *delivery, second, step);
            if !delivery.one_at_a_time() {
                add(&mut *delivery, 5);
                delivery.begin(b"").unwrap();
                delivery.write(b"part").unwrap();
            }
            std::mem::forget(delivery);
            drop(journal);
            run(home.path(), to);
            let delivered = if step >= 3 { 5 } else { 2 };
            assert_eq!(count(home.path(), to), delivered, "{to} after step {step}");
            assert_eq!(rows(home.path()), delivered, "{to} after step {step}");
        }
    }
}

/// A mail reader has probably moved such a message; after 36 hours, other programs
/// may have removed it from `tmp`.
#[test]
fn fetches_a_vanished_pending_message_again_only_after_36_hours() {
    for (hours, kept) in [(1, 1), (37, 0)] {
        let home = tempfile::tempdir().unwrap();
        let place = place(home.path(), "maildir");
        let mut journal = journal(home.path());
        let mut delivery = open(&System, &mut journal, &place, Form::Mbox).unwrap();
        let mut message = add(&mut *delivery, 0);
        message.name = String::from("1.M1P1R1Q1.host,S=1,W=1");
        let since = clock() - hours * 3600;
        let place = place.absolute().to_string();
        let pending = std::iter::once((&*place, &message));
        journal.pend(pending, "", since).unwrap();
        drop((delivery, journal));
        run(home.path(), "maildir");
        assert_eq!(rows(home.path()), kept);
    }
}

/// Each message is reported once, and the last group is settled.
#[test]
fn commits_groups_one_after_the_other() {
    for to in ["maildir", "mbox"] {
        let home = tempfile::tempdir().unwrap();
        let (told, heard) = std::sync::mpsc::channel();
        let on_delivered = move |key: &Key, octets| told.send((key.clone(), octets)).unwrap();
        let place = place(home.path(), to);
        let mut group = Group::open(
            &System,
            journal(home.path()),
            &place,
            Form::Mbox,
            on_delivered,
        )
        .unwrap();
        for index in 0..5 {
            group.begin(LineEnds::Lf).unwrap();
            assert!(group.write(b"Subject: x\n").is_ok());
            let key = Key {
                unique_id: format!("id{index}").into_bytes(),
                copy: 0,
            };
            assert!(group.end(key, 12, 12, (11, 12)).is_ok());
            if index % 2 == 1 {
                assert!(group.confirm().is_ok());
                assert!(group.close().is_ok());
            }
        }
        assert!(group.confirm().is_ok());
        let committed = group.finish(Ok(()));
        assert_eq!(committed.messages, 5);
        committed.journal.unwrap();
        let heard: Vec<_> = heard
            .iter()
            .map(|(key, octets)| (key.unique_id, octets))
            .collect();
        assert_eq!(heard.len(), 5);
        assert_eq!(heard[4], (b"id4".to_vec(), 12));
        assert_eq!(rows(home.path()), 5);
        assert_eq!(count(home.path(), to), 5);
    }
}

#[test]
fn refuses_a_second_run_on_one_account() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("journal");
    let first = Journal::open(&file, "me@host:110").unwrap();
    assert!(Journal::open(&file, "me@host:110").is_err());
    Journal::open(&file, "other@host:110").unwrap();
    drop(first);
    Journal::open(&file, "me@host:110").unwrap();
}

/// The journal forgets a message only after 90 days without a listing.
#[test]
fn forgets_a_message_after_90_days_without_it() {
    let home = tempfile::tempdir().unwrap();
    let place = place(home.path(), "maildir");
    let mut journal = journal(home.path());
    let mut delivery = open(&System, &mut journal, &place, Form::Mbox).unwrap();
    let group: Vec<_> = (0..3).map(|index| add(&mut *delivery, index)).collect();
    let keys: Vec<Key> = group.iter().map(|message| message.key.clone()).collect();
    steps(&mut journal, &place, &mut *delivery, group, 5);
    let now = clock();
    journal.miss(&keys[..1], now - MISSING_KEPT - 1).unwrap();
    journal.miss(&keys[1..2], now - MISSING_KEPT + 60).unwrap();
    journal.expire(now - MISSING_KEPT).unwrap();
    let records = journal.records().unwrap();
    assert_eq!(records.get(0).unwrap().unique_id, b"id1");
    assert_eq!(records.get(1).unwrap().unique_id, b"id2");
    assert!(records.get(2).is_none());
}

/// The kernel reports an error only once, and later syncs succeed.
#[test]
fn fails_the_group_of_a_failed_flush() {
    for beside in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let place = place(home.path(), "maildir");
        let group = Group::open(&System, journal(home.path()), &place, Form::Mbox, |_, _| {});
        let mut group = group.unwrap();
        if beside {
            group = group.beside().unwrap();
        }
        group.begin(LineEnds::Lf).unwrap();
        assert!(group.write(b"Subject: x\n").is_ok());
        let key = Key {
            unique_id: b"id".to_vec(),
            copy: 0,
        };
        assert!(group.end(key, 12, 12, (11, 12)).is_ok());
        let mut flush = || {
            let fails = || Err(Failure::new(Kind::Io, "broken"));
            group.committer.flush(Box::new(fails))
        };
        // The thread accepts a flush only while it is idle.
        while flush().is_ok() {
            std::thread::yield_now();
        }
        let _ = group.confirm();
        let committed = group.finish(Ok(()));
        assert_eq!(committed.messages, 0);
        assert!(
            committed
                .journal
                .unwrap_err()
                .to_string()
                .contains("broken")
        );
        assert_eq!(rows(home.path()), 0);
    }
}

#[test]
fn completes_a_half_made_maildir() {
    for made in [&["tmp"][..], &["tmp", "new"], &["cur"], &[]] {
        let home = tempfile::tempdir().unwrap();
        for part in made {
            fs::create_dir_all(home.path().join("mail").join(part)).unwrap();
        }
        run(home.path(), "maildir");
        for part in ["tmp", "new", "cur"] {
            assert!(home.path().join("mail").join(part).is_dir(), "{made:?}");
        }
    }
    // Another directory is not taken for a Maildir.
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join("mail/tmp")).unwrap();
    fs::create_dir_all(home.path().join("mail/other")).unwrap();
    let place = place(home.path(), "maildir");
    let opened = Group::open(&System, journal(home.path()), &place, Form::Mbox, |_, _| {});
    assert!(opened.unwrap_err().to_string().contains("not empty"));
}

/// Takes messages of which only some are kept and confirmed.
fn take<I: Intake>(home: &Path, to: &str, new: impl FnOnce(Group) -> I) -> Committed {
    let place = place(home, to);
    let group = Group::open(&System, journal(home), &place, Form::Mbox, |_, _| {});
    let mut intake = new(group.unwrap());
    let begin = |intake: &mut I, words: &str| {
        intake.begin(MessageNumber::FIRST).unwrap();
        let message = format!("Subject: {words}\r\n\r\nwords\r\n");
        intake.write(message.as_bytes()).unwrap();
        assert_eq!(intake.lines(), 3);
    };
    let keep = |intake: &mut I, words: &str| {
        begin(intake, words);
        let key = Key {
            unique_id: words.as_bytes().to_vec(),
            copy: 0,
        };
        intake.keep(key, 0, 0).unwrap();
    };
    begin(&mut intake, "discarded");
    intake.discard().unwrap();
    keep(&mut intake, "one");
    intake.confirm().unwrap();
    keep(&mut intake, "rejected");
    begin(&mut intake, "discarded");
    intake.discard().unwrap();
    intake.reject().unwrap();
    keep(&mut intake, "two");
    intake.confirm().unwrap();
    keep(&mut intake, "unconfirmed");
    begin(&mut intake, "broken off");
    intake.finish()
}

/// The text of all mail in `mail`.
fn stored(mail: &Path) -> String {
    match fs::read_dir(mail.join("new")) {
        Ok(new) => new
            .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
            .collect(),
        Err(_) => fs::read_to_string(mail).unwrap(),
    }
}

#[test]
fn delivers_only_messages_that_are_kept_and_confirmed() {
    for to in ["maildir", "mbox"] {
        for beside in [false, true] {
            let home = tempfile::tempdir().unwrap();
            let committed = match beside {
                true => take(home.path(), to, |group| {
                    Parcels::new(group, LineEnds::Lf).unwrap()
                }),
                false => take(home.path(), to, |group| Direct::new(group, LineEnds::Lf)),
            };
            assert_eq!(committed.messages, 2);
            committed.journal.unwrap();
            assert_eq!((rows(home.path()), count(home.path(), to)), (2, 2));
            let stored = stored(&home.path().join("mail"));
            for words in ["Subject: one\n\nwords\n", "Subject: two\n\nwords\n"] {
                assert!(stored.contains(words), "{to}: {stored}");
            }
        }
    }
}

/// Kills a run after step 1 or 3 of a group of two messages in `left/mail`. In a
/// Maildir, another program has a file in `tmp`; of an mbox, the dot-lock is left.
fn leave(home: &Path, to: &str, step: u32) {
    let mail = home.join("left/mail");
    fs::create_dir(home.join("left")).unwrap();
    let place = format!("{to}:{}", mail.display()).parse().unwrap();
    let mut journal = journal(home);
    let mut delivery = open(&System, &mut journal, &place, Form::Mbox).unwrap();
    let mut group: Vec<_> = (0..2).map(|index| add(&mut *delivery, index)).collect();
    let mut sealed = seal(&mut *delivery);
    let names = sealed.secure().unwrap();
    if step == 3 {
        for (message, name) in group.iter_mut().zip(names) {
            message.name = name;
        }
        let place = place.to_string();
        let pending = group.iter().map(|message| (&*place, message));
        journal.pend(pending, "", clock()).unwrap();
    }
    match to {
        "maildir" => {
            fs::write(mail.join("tmp/1.of-another-program"), "").unwrap();
            std::mem::forget(sealed);
        }
        // Only the end of a process ends its other locks.
        _ => {
            let lock = home.join("left/mail.lock");
            let owner = fs::read(&lock).unwrap();
            drop(sealed);
            fs::write(&lock, owner).unwrap();
        }
    }
}

/// A run that delivers to another place.
fn run_elsewhere<D: Disk>(home: &Path, disk: &D) -> Result<(), Failure> {
    let place = Place::Maildir(home.join("elsewhere"));
    let group = Group::open(disk, journal(home), &place, Form::Mbox, |_, _| {})?;
    group.finish(Ok(())).journal.map(drop)
}

#[test]
fn finishes_what_a_killed_run_left_at_another_place() {
    for to in ["maildir", "mbox"] {
        for (step, delivered) in [(1, 0), (3, 2)] {
            let home = tempfile::tempdir().unwrap();
            leave(home.path(), to, step);
            run_elsewhere(home.path(), &System).unwrap();
            let stored = stored(&home.path().join("left/mail"));
            let is_there = stored.matches("Subject: ").count();
            assert_eq!((is_there, rows(home.path())), (delivered, delivered));
            match to {
                "maildir" => {
                    let mut tmp = fs::read_dir(home.path().join("left/mail/tmp")).unwrap();
                    let other = tmp.next().unwrap().unwrap();
                    assert_eq!(other.file_name(), "1.of-another-program");
                    assert!(tmp.next().is_none());
                }
                _ => assert!(!home.path().join("left/mail.lock").exists()),
            }
        }
    }
}

#[test]
fn fetches_again_what_was_left_at_a_place_that_is_gone() {
    for to in ["maildir", "mbox"] {
        let home = tempfile::tempdir().unwrap();
        leave(home.path(), to, 3);
        fs::remove_dir_all(home.path().join("left")).unwrap();
        run_elsewhere(home.path(), &System).unwrap();
        assert_eq!(rows(home.path()), 0, "{to}");
    }
}

#[test]
fn keeps_what_was_left_at_a_place_that_fails() {
    let cases = [
        (
            "maildir",
            "rename left/mail/tmp/message left/mail/new/message",
        ),
        ("mbox", "write left/mail"),
    ];
    for (to, failing) in cases {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        leave(home, to, 3);
        // A place that cannot be opened, but may be there.
        fs::rename(home.join("left"), home.join("away")).unwrap();
        fs::write(home.join("left"), "").unwrap();
        assert!(run_elsewhere(home, &System).is_err(), "{to}");
        fs::remove_file(home.join("left")).unwrap();
        fs::rename(home.join("away"), home.join("left")).unwrap();
        let disk = Recorded::new(home, Syncs::Together);
        disk.fail(failing, ErrorKind::Other);
        assert!(run_elsewhere(home, &disk).is_err(), "{to}");
        run_elsewhere(home, &System).unwrap();
        let stored = stored(&home.join("left/mail"));
        assert_eq!(stored.matches("Subject: ").count(), 2, "{to}");
        assert_eq!(rows(home), 2, "{to}");
    }
}

/// File names count them; the journal does not.
#[test]
fn adds_trace_fields_before_the_message() {
    let message = "Subject: x\r\n\r\nFrom here\r\n";
    for to in ["maildir", "mbox", "sorted"] {
        for line_ends in [LineEnds::Lf, LineEnds::Received] {
            let home = tempfile::tempdir().unwrap();
            let place = place(home.path(), if to == "sorted" { "maildir" } else { to });
            let trace = Trace {
                delivered_to: Some("me@here".parse().unwrap()),
                received: None,
            };
            let group = match to {
                "sorted" => {
                    let takes = |header: &[u8]| header.starts_with(b"Subject: x");
                    let sorting = Sorting {
                        rules: vec![Rule::new(home.path().join("mail"), takes)],
                        otherwise: home.path().join("others"),
                    };
                    Group::open_sorted(&System, journal(home.path()), &sorting, |_, _| {})
                }
                _ => Group::open(&System, journal(home.path()), &place, Form::Mbox, |_, _| {}),
            };
            let mut intake = Direct::new(group.unwrap().traced(trace), line_ends);
            for index in 0..2 {
                intake.begin(MessageNumber::FIRST).unwrap();
                intake.write(message.as_bytes()).unwrap();
                let key = Key {
                    unique_id: vec![b'a' + index],
                    copy: 0,
                };
                let octets = message.len() as u64;
                intake.keep(key, octets, octets).unwrap();
            }
            intake.confirm().unwrap();
            let committed = intake.finish();
            assert_eq!(committed.octets, 2 * message.len() as u64);
            committed.journal.unwrap();
            let wanted = format!("Delivered-To: me@here\r\n{message}");
            let with_crlf = wanted.len();
            let wanted = match line_ends {
                LineEnds::Lf => wanted.replace("\r\n", "\n"),
                LineEnds::Received => wanted,
            };
            let mail = home.path().join("mail");
            match to {
                "mbox" => {
                    let stored = fs::read_to_string(&mail).unwrap();
                    let wanted = wanted.replace("\nFrom", "\n>From");
                    let is_from = |line: &&str| line.starts_with("From MAILER-DAEMON");
                    let lines: Vec<_> = stored.split_inclusive('\n').collect();
                    assert!(is_from(&lines[0]), "{stored}");
                    let rest = lines.into_iter().filter(|line| !is_from(line));
                    let rest: String = rest.collect();
                    assert_eq!(rest, format!("{wanted}\n{wanted}\n"));
                }
                _ => {
                    for file in fs::read_dir(mail.join("new")).unwrap() {
                        let file = file.unwrap();
                        assert_eq!(fs::read_to_string(file.path()).unwrap(), wanted);
                        let sizes = format!(",S={},W={with_crlf}", wanted.len());
                        let name = file.file_name().into_string().unwrap();
                        assert!(name.ends_with(&sizes), "{name}");
                    }
                    assert_eq!(count(home.path(), "maildir"), 2);
                }
            }
            let records = journal(home.path()).records().unwrap();
            let octets = records.get(0).unwrap().octets;
            assert_eq!(octets, Some(message.len() as u64), "{to}");
        }
    }
}
