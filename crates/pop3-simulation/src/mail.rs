//! Reads stored mail by the definitions of Maildir and mbox, and changes it as
//! other programs do between runs.

use std::{collections::BTreeMap, ffi::OsStr, io, path::Path};

use pop3_fetch::{Directory as _, Disk as _, File as _};

use crate::{Medium, disk::Memory};

pub(crate) const MAILDIR: &str = "/mail";
/// The Maildir of a rule.
pub(crate) const LISTS: &str = "/lists";
pub(crate) const MBOX: &str = "/mbox";

/// Whether a rule takes a message with this header.
pub(crate) fn is_of_a_list(header: &[u8]) -> bool {
    let mut lines = header.split(|&octet| octet == b'\n');
    lines.any(|line| line.starts_with(b"Subject: ") || line.starts_with(b"-ERR"))
}

/// Counts how often each message is in one of the Maildirs.
pub(crate) fn in_maildirs(disk: &Memory) -> BTreeMap<Vec<u8>, usize> {
    let mut stored = BTreeMap::new();
    for maildir in [MAILDIR, LISTS] {
        for message in in_maildir(disk, maildir) {
            *stored.entry(message).or_insert(0) += 1;
        }
    }
    stored
}

/// The messages in a Maildir.
pub(crate) fn in_maildir(disk: &Memory, maildir: &str) -> impl Iterator<Item = Vec<u8>> {
    let parts = ["new", "cur"].map(|part| disk.files(&format!("{maildir}/{part}")));
    parts.into_iter().flatten().map(|(_, message)| message)
}

/// Counts how often each message is in the mbox, except those of the other program.
/// Ignores empty lines before and after a message.
///
/// A loss of power may leave NULs, or the start of a `From ` line, at the end of the
/// file, until a run recovers. They do not belong to the message before them.
pub(crate) fn in_mbox(disk: &Memory) -> BTreeMap<Vec<u8>, usize> {
    let octets = disk.read(MBOX).unwrap_or_default();
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut is_after_empty = true;
    for line in octets.split_inclusive(|&octet| octet == b'\n') {
        match messages.last_mut() {
            _ if is_after_empty && line.starts_with(b"From ") => messages.push(Vec::new()),
            _ if is_after_empty && is_torn(line) => messages.push(line.to_vec()),
            Some(message) => message.extend_from_slice(unquoted(line)),
            None if line == b"\n" => {}
            None => messages.push(line.to_vec()),
        }
        is_after_empty = line == b"\n";
    }
    let mut stored = BTreeMap::new();
    for mut message in messages {
        while message.ends_with(b"\n\n") {
            message.pop();
        }
        if !message.starts_with(b"X-Other: ") {
            *stored.entry(message).or_insert(0) += 1;
        }
    }
    stored
}

/// Whether power was lost during the append of a line `From `.
fn is_torn(line: &[u8]) -> bool {
    line.contains(&0) || b"From ".starts_with(line)
}

/// Reads a line `>From ` as `From `, and `>>From ` as `>From `.
fn unquoted(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|&&octet| octet == b'>').count();
    match marks > 0 && line[marks..].starts_with(b"From ") {
        true => &line[1..],
        false => line,
    }
}

/// Lists files that no run should leave. If nothing syncs the removal of a file,
/// the file may return in `tmp`.
pub(crate) fn left_over(disk: &Memory, medium: Medium) -> Vec<String> {
    let lossy = |name: &OsStr| name.to_string_lossy().into_owned();
    let tmp = [MAILDIR, LISTS].map(|maildir| disk.files(&format!("{maildir}/tmp")));
    let mut tmp = tmp.concat();
    if medium == Medium::Layered {
        tmp.clear();
    }
    let beside = disk.files("/");
    let locks = beside.iter().map(|(name, _)| lossy(name));
    let locks = locks.filter(|name| name.contains(".lock"));
    tmp.iter()
        .map(|(name, _)| lossy(name))
        .chain(locks)
        .collect()
}

/// Acts as a mail reader that opens the Maildirs, or as a program that delivers to
/// the mbox.
pub(crate) fn another_program(disk: &Memory, mbox: bool, run: usize) {
    disk.by_another_program(|disk| match mbox {
        true => deliver(disk, run),
        false => [MAILDIR, LISTS]
            .iter()
            .try_for_each(|path| read(disk, path)),
    });
}

fn read(disk: &Memory, maildir: &str) -> io::Result<()> {
    let path = Path::new(maildir);
    let (Ok(new), Ok(cur)) = (disk.open(&path.join("new")), disk.open(&path.join("cur"))) else {
        return Ok(());
    };
    for name in new.names()? {
        let mut seen = name.clone();
        seen.push(":2,S");
        new.rename(&name, &cur, &seen)?;
    }
    Ok(())
}

fn deliver(disk: &Memory, run: usize) -> io::Result<()> {
    let root = disk.open(Path::new("/"))?;
    let Ok(file) = root.open(OsStr::new("mbox")) else {
        return Ok(());
    };
    let before = disk.read(MBOX).unwrap_or_default();
    let separator = match before.as_slice() {
        [] | [.., b'\n', b'\n'] => "",
        [.., b'\n'] => "\n",
        _ => "\n\n",
    };
    let message =
        format!("{separator}From other Thu Jan  1 00:00:00 1970\nX-Other: {run}\n\nhello\n\n");
    file.write(message.as_bytes(), before.len() as u64)
}
