//! Tests of what a group does to the disk, step by step, and of the state of the
//! journal at each step.

use std::{fs, io::ErrorKind, path::Path, thread};

use rustix::fs::{FlockOperation, flock};

use super::{super::maildir::OPEN, *};
use crate::disk::{Syncs, System, recorded::Recorded};

fn group(disk: &Recorded, home: &Path, to: &str) -> Group {
    let journal = Journal::open(&home.join("journal"), "me@host:110").unwrap();
    let place = format!("{to}:{}", home.join("mail").display());
    let group = Group::open(
        disk,
        journal,
        &place.parse().unwrap(),
        Form::Mbox,
        |_, _| {},
    );
    disk.take();
    group.unwrap()
}

fn add(group: &mut Group, unique_id: &str, octets: &[u8]) {
    group.begin(LineEnds::Lf).unwrap();
    assert!(group.write(octets).is_ok());
    let key = Key {
        unique_id: unique_id.as_bytes().to_vec(),
        copy: 0,
    };
    assert!(group.end(key, 12, 12, (11, 12)).is_ok());
}

fn confirm(group: &mut Group, messages: usize) {
    for index in 0..messages {
        add(group, &format!("id{index}"), b"Subject: x\n");
    }
    assert!(group.confirm().is_ok());
}

/// The steps of opening a place that is not there yet.
fn making(to: &str) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let disk = Recorded::new(home.path(), Syncs::Together);
    let journal = Journal::open(&home.path().join("journal"), "me@host:110").unwrap();
    let place = format!("{to}:{}", home.path().join("mail").display());
    let place = place.parse().unwrap();
    let group = Group::open(&disk, journal, &place, Form::Mbox, |_, _| {}).unwrap();
    let steps = disk.take();
    group.finish(Ok(())).journal.unwrap();
    steps
        .iter()
        .map(|step| step.replace(" (0 pending, 0 delivered)", ""))
        .collect()
}

/// Messages in a file that a loss of power takes away are lost with it.
#[test]
fn syncs_what_it_creates_and_its_directory() {
    let position = |steps: &[String], wanted: &str| {
        let at = steps.iter().position(|step| step == wanted);
        at.unwrap_or_else(|| panic!("{wanted}: {steps:?}"))
    };
    let steps = making("mbox");
    assert!(position(&steps, "sync mail") < steps.len() - 1, "{steps:?}");
    let after = &steps[position(&steps, "sync mail")..];
    position(after, "sync /");
    let steps = making("maildir");
    let after = &steps[position(&steps, "sync mail/")..];
    position(after, "sync /");
}

/// What an earlier run wrote may be in memory only, and the kernel may think that it
/// is on the disk: it is written anew and synced.
#[test]
fn writes_again_what_a_killed_run_has_appended_to_an_mbox() {
    let home = tempfile::tempdir().unwrap();
    let mail = home.path().join("mail");
    let before = "From a\nSubject: of another program\n\n";
    fs::write(&mail, before).unwrap();
    let open_journal = || Journal::open(&home.path().join("journal"), "me@host:110").unwrap();
    let place: Place = format!("mbox:{}", mail.display()).parse().unwrap();
    let mut journal = open_journal();
    let mut delivery = open(&System, &mut journal, &place, Form::Mbox).unwrap();
    delivery.begin(b"").unwrap();
    delivery.write(b"Subject: x\n").unwrap();
    delivery.end((11, 12)).unwrap();
    let mut sealed = tests::seal(&mut *delivery);
    let name = sealed.secure().unwrap().remove(0);
    let key = Key {
        unique_id: b"id".to_vec(),
        copy: 0,
    };
    let message = Pending {
        key,
        octets: 12,
        name,
    };
    let at = place.absolute().to_string();
    let pending = std::iter::once((&*at, &message));
    journal.pend(pending, "", 0).unwrap();
    sealed.publish().unwrap();
    drop((sealed, delivery, journal));
    let appended = fs::read_to_string(&mail).unwrap();
    assert!(appended.starts_with(before) && appended.ends_with("Subject: x\n\n"));

    let disk = Recorded::new(home.path(), Syncs::Together);
    let group = Group::open(&disk, open_journal(), &place, Form::Mbox, |_, _| {}).unwrap();
    let steps = disk.take();
    let of_mail = steps
        .iter()
        .filter_map(|step| step.strip_suffix(" mail (1 pending, 0 delivered)"));
    assert_eq!(
        of_mail.collect::<Vec<_>>(),
        ["lock", "cut", "write", "sync"]
    );
    group.finish(Ok(())).journal.unwrap();
    assert_eq!(fs::read_to_string(&mail).unwrap(), appended);
}

/// The steps of a run that delivers `messages` messages.
fn steps(syncs: Syncs, to: &str, messages: usize) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    // Start with a file or a directory that already exists.
    match to {
        "mbox" => fs::write(home.path().join("mail"), "").unwrap(),
        _ => fs::create_dir(home.path().join("mail")).unwrap(),
    }
    let disk = Recorded::new(home.path(), syncs);
    let mut group = group(&disk, home.path(), to);
    confirm(&mut group, messages);
    group.finish(Ok(())).journal.unwrap();
    disk.take()
}

#[test]
fn publishes_a_few_messages_after_syncing_them_and_the_journal() {
    assert_eq!(
        steps(Syncs::Together, "maildir", 2),
        [
            "write mail/tmp/message (0 pending, 0 delivered)",
            "sync mail/tmp/message (0 pending, 0 delivered)",
            "sync mail/tmp/message (0 pending, 0 delivered)",
            "sync mail/tmp/ (0 pending, 0 delivered)",
            "rename mail/tmp/message mail/new/message (2 pending, 0 delivered)",
            "rename mail/tmp/message mail/new/message (2 pending, 0 delivered)",
            "sync mail/tmp/ (2 pending, 0 delivered)",
            "sync mail/new/ (2 pending, 0 delivered)",
            "sync mail/tmp/ (2 pending, 0 delivered)",
        ]
    );
}

#[test]
fn syncs_many_messages_together() {
    let rename = "rename mail/tmp/message mail/new/message (5 pending, 0 delivered)";
    assert_eq!(
        steps(Syncs::Together, "maildir", 5),
        [
            "write mail/tmp/message (0 pending, 0 delivered)",
            "sync all (0 pending, 0 delivered)",
            rename,
            rename,
            rename,
            rename,
            rename,
            "sync mail/tmp/ (5 pending, 0 delivered)",
            "sync mail/new/ (5 pending, 0 delivered)",
            "sync mail/tmp/ (5 pending, 0 delivered)",
        ]
    );
    let together = String::from("sync all (0 pending, 0 delivered)");
    assert!(!steps(Syncs::Together, "maildir", 4).contains(&together));
}

/// Files of a group that is not closed may be open, and its mail waits.
#[test]
fn closes_a_group_that_is_large() {
    let closes = |syncs, messages: usize, octets: usize| {
        let home = tempfile::tempdir().unwrap();
        let disk = Recorded::new(home.path(), syncs);
        let mut group = group(&disk, home.path(), "maildir");
        let began = Instant::now();
        for index in 0..messages {
            add(&mut group, &format!("id{index}"), &vec![b'x'; octets]);
        }
        assert!(group.confirm().is_ok());
        // On a busy machine, a small group may be closed because it is old.
        let is_old = began.elapsed() >= WAIT;
        let is_closed = disk.take().iter().any(|step| step.starts_with("rename"));
        (is_closed, is_old)
    };
    for (syncs, messages, octets, is_large) in [
        (Syncs::Each, OPEN - 1, 1, false),
        (Syncs::Each, OPEN, 1, true),
        (Syncs::Together, OPEN, 1, false),
        (Syncs::Together, 2, (OCTETS / 2) as usize - 1, false),
        (Syncs::Together, 2, (OCTETS / 2) as usize, true),
    ] {
        let (is_closed, is_old) = closes(syncs, messages, octets);
        assert!(
            is_closed == is_large || is_old,
            "{syncs:?} {messages} {octets}"
        );
    }
}

/// So that the end of the group has less to wait for.
#[test]
fn syncs_a_large_message_while_it_arrives() {
    let home = tempfile::tempdir().unwrap();
    let disk = Recorded::new(home.path(), Syncs::Together);
    let mut group = group(&disk, home.path(), "maildir");
    group.begin(LineEnds::Lf).unwrap();
    let mut write = |octets: u64| {
        assert!(group.write(&vec![b'x'; octets as usize]).is_ok());
        disk.take().len()
    };
    assert_eq!([write(FLUSH - 1), write(1), write(1)], [1, 2, 1]);
}

#[test]
fn removes_a_failed_group_from_tmp_at_once() {
    for failing in ["write mail/tmp/message", "sync mail/tmp/message"] {
        let home = tempfile::tempdir().unwrap();
        let disk = Recorded::new(home.path(), Syncs::Together);
        let mut group = group(&disk, home.path(), "maildir");
        add(&mut group, "id0", b"Subject: x\n");
        disk.fail(failing, ErrorKind::StorageFull);
        group.begin(LineEnds::Lf).unwrap();
        let stopped = group.write(b"Subject: y\n");
        let stopped = stopped.and_then(|()| group.confirm());
        assert!(group.finish(stopped).journal.is_err(), "{failing}");
        let in_tmp = fs::read_dir(home.path().join("mail/tmp")).unwrap();
        assert_eq!(in_tmp.count(), 0, "{failing}");
    }
}

#[test]
fn syncs_each_message_before_and_after_its_rename_on_unknown_file_systems() {
    assert_eq!(
        steps(Syncs::Each, "maildir", 1),
        [
            "write mail/tmp/message (0 pending, 0 delivered)",
            "sync mail/tmp/message (0 pending, 0 delivered)",
            "sync mail/tmp/ (0 pending, 0 delivered)",
            "rename mail/tmp/message mail/new/message (1 pending, 0 delivered)",
            "sync mail/tmp/message (1 pending, 0 delivered)",
            "sync mail/new/ (1 pending, 0 delivered)",
            "sync mail/tmp/ (1 pending, 0 delivered)",
            "sync mail/tmp/ (1 pending, 0 delivered)",
        ]
    );
}

#[test]
fn appends_to_an_mbox_under_its_locks_after_syncing_spool_and_journal() {
    let before = [
        "cut spool (0 pending, 0 delivered)",
        "write spool (0 pending, 0 delivered)",
        "sync spool (0 pending, 0 delivered)",
        "sync / (0 pending, 0 delivered)",
        "lock mail (0 pending, 0 delivered)",
        "write mail.lock.own (0 pending, 0 delivered)",
        "sync mail.lock.own (0 pending, 0 delivered)",
        "link mail.lock.own mail.lock (0 pending, 0 delivered)",
        "remove mail.lock.own (0 pending, 0 delivered)",
        "write mail (1 pending, 0 delivered)",
    ];
    let together = [
        "sync mail (1 pending, 0 delivered)",
        "remove mail.lock (1 pending, 0 delivered)",
        "sync / (1 pending, 0 delivered)",
    ];
    let each = [
        "remove mail.lock (1 pending, 0 delivered)",
        "cut mail (1 pending, 0 delivered)",
        "sync mail (1 pending, 0 delivered)",
        "sync / (1 pending, 0 delivered)",
    ];
    let of = |syncs| steps(syncs, "mbox", 1);
    assert_eq!(of(Syncs::Together), [&before[..], &together].concat());
    assert_eq!(of(Syncs::Each), [&before[..], &each].concat());
}

/// The next group must wait, because other programs may change the mbox.
#[test]
fn settles_each_group_of_an_mbox_at_once() {
    for beside in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let disk = Recorded::new(home.path(), Syncs::Together);
        let mut group = group(&disk, home.path(), "mbox");
        if beside {
            group = group.beside().unwrap();
        }
        confirm(&mut group, 1);
        let other = fs::File::open(home.path().join("mail")).unwrap();
        flock(&other, FlockOperation::LockExclusive).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                disk.wait_for_two_locks();
                drop(other);
            });
            assert!(group.close().is_ok());
        });
        disk.take();
        group.begin(LineEnds::Lf).unwrap();
        assert_eq!(disk.take(), ["cut spool (0 pending, 1 delivered)"]);
        group.finish(Ok(())).journal.unwrap();
    }
}

#[test]
fn truncates_a_failed_append_to_an_mbox_and_forgets_its_group() {
    for failing in ["write mail", "sync mail"] {
        let home = tempfile::tempdir().unwrap();
        let mbox = home.path().join("mail");
        let before = "From a\nSubject: of another program\n\n";
        fs::write(&mbox, before).unwrap();
        let disk = Recorded::new(home.path(), Syncs::Together);
        let mut group = group(&disk, home.path(), "mbox");
        confirm(&mut group, 3);
        disk.fail(failing, ErrorKind::Other);
        assert!(group.finish(Ok(())).journal.is_err(), "{failing}");
        assert_eq!(fs::read_to_string(&mbox).unwrap(), before, "{failing}");
        let done = disk.take();
        let last = "sync mail (3 pending, 0 delivered)";
        assert!(done.iter().any(|step| step == last), "{failing}: {done:?}");
        let journal = Journal::open(&home.path().join("journal"), "me@host:110").unwrap();
        assert!(journal.records().unwrap().get(0).is_none(), "{failing}");
        let leftovers = journal.leftovers().unwrap();
        assert!(
            leftovers.iter().all(|left| left.pending.is_empty()),
            "{failing}"
        );
    }
}

/// Part of it may be published, and the next run publishes the rest.
#[test]
fn keeps_a_group_pending_that_is_not_published() {
    let cases = [
        ("maildir", &["rename mail/tmp/message mail/new/message"][..]),
        ("mbox", &["write mail", "cut mail"]),
    ];
    for (to, failing) in cases {
        let home = tempfile::tempdir().unwrap();
        let disk = Recorded::new(home.path(), Syncs::Together);
        let mut failed = group(&disk, home.path(), to);
        confirm(&mut failed, 3);
        for step in failing {
            disk.fail(step, ErrorKind::Other);
        }
        assert!(failed.finish(Ok(())).journal.is_err(), "{to}");
        let journal = Journal::open(&home.path().join("journal"), "me@host:110").unwrap();
        assert_eq!(journal.leftovers().unwrap()[0].pending.len(), 3, "{to}");
    }
}
