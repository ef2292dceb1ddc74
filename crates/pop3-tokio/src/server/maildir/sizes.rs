//! Sizes on the wire, saved between logins so that each message is read only once.

use std::{
    collections::HashMap,
    ffi::CStr,
    fmt::Write as _,
    io::{self, Read as _},
};

use super::{directories::Directories, stamp::Stamp};

/// The file of sizes in the Maildir. It may be deleted at any time.
const CACHE: &CStr = c"pop3.sizes";

/// Lines of `octets-on-the-wire octets-of-the-file inode modified unique-id`. Lines
/// of three fields, from earlier versions, are ignored.
#[derive(Debug, Default)]
pub(super) struct Sizes(HashMap<String, Known>);

#[derive(Clone, Copy, Debug)]
struct Known {
    wire: u64,
    stamp: Stamp,
}

impl Sizes {
    /// Loads the saved sizes; none if the file cannot be read.
    pub(super) fn load(directories: &Directories) -> Self {
        let mut text = String::new();
        let read = directories
            .open_own(CACHE)
            .and_then(|mut file| file.read_to_string(&mut text));
        match read {
            Ok(_) => Self(text.split_inclusive('\n').filter_map(line).collect()),
            Err(_) => Self::default(),
        }
    }

    pub(super) fn keep(&self, directories: &Directories) -> io::Result<()> {
        let mut text = String::new();
        for (unique_id, Known { wire, stamp }) in &self.0 {
            let Stamp {
                octets,
                inode,
                modified,
            } = stamp;
            let _ = writeln!(text, "{wire} {octets} {inode} {modified} {unique_id}");
        }
        directories.replace_own(CACHE, text.as_bytes())
    }

    /// The saved size on the wire, if the file still has the same stamp.
    pub(super) fn get(&self, unique_id: &str, stamp: Stamp) -> Option<u64> {
        let known = self.0.get(unique_id)?;
        (known.stamp == stamp).then_some(known.wire)
    }

    pub(super) fn insert(&mut self, unique_id: &str, stamp: Stamp, wire: u64) {
        self.0.insert(unique_id.to_owned(), Known { wire, stamp });
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Parses a line, if it is complete.
fn line(line: &str) -> Option<(String, Known)> {
    let mut fields = line.strip_suffix('\n')?.splitn(5, ' ');
    let wire = fields.next()?.parse().ok()?;
    let stamp = Stamp {
        octets: fields.next()?.parse().ok()?,
        inode: fields.next()?.parse().ok()?,
        modified: fields.next()?.parse().ok()?,
    };
    Some((fields.next()?.to_owned(), Known { wire, stamp }))
}
