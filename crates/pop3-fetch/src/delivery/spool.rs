//! A delivery whose groups wait in a file, in the form in which they are delivered.

use std::{
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Delivery, Form, Sealed, quoting};
use crate::{
    clock,
    disk::{Directory, Disk, File, open_or_make, open_parent},
    failure::Failure,
};

/// The octets copied at once.
pub(super) const BLOCK: usize = 1 << 16;

/// The file, and the messages in it.
pub(super) struct Spool<F> {
    path: PathBuf,
    file: Arc<F>,
    form: Form,
    seal: Box<dyn Seal<F>>,
    quoter: quoting::Quoter,
    quoted: Vec<u8>,
    /// The offset at which each message of the group begins.
    begins: Vec<u64>,
    octets: u64,
}

/// Makes a group of what is in the file.
pub(super) trait Seal<F>: Fn(Spooled<F>) -> Sealed + Send {}

impl<F, T: Fn(Spooled<F>) -> Sealed + Send> Seal<F> for T {}

/// A group in the file. The file stays unchanged until the next group begins.
pub(super) struct Spooled<F> {
    pub(super) path: PathBuf,
    pub(super) file: Arc<F>,
    begins: Vec<u64>,
    pub(super) octets: u64,
}

impl<F> Spooled<F> {
    /// The octets of each message.
    pub(super) fn messages(&self) -> impl Iterator<Item = Range<u64>> {
        let ends = self.begins.iter().skip(1).chain([&self.octets]);
        self.begins
            .iter()
            .zip(ends)
            .map(|(begin, end)| *begin..*end)
    }
}

impl<F: File> Spool<F> {
    pub(super) fn open<D>(
        disk: &D,
        path: &Path,
        form: Form,
        seal: impl Seal<F> + 'static,
    ) -> Result<Self, Failure>
    where
        D: Disk<Directory: Directory<File = F>>,
    {
        let open = || {
            let (directory, name) = open_parent(disk, path)?;
            open_or_make(&directory, &name)
        };
        let file = open().map_err(|error| Failure::cannot_open(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(file),
            form,
            seal: Box::new(seal),
            quoter: quoting::Quoter::default(),
            quoted: Vec::new(),
            begins: Vec::new(),
            octets: 0,
        })
    }

    fn put(&mut self) -> Result<(), Failure> {
        self.file
            .write(&self.quoted, self.octets)
            .map_err(|error| self.cannot_write(&error))?;
        self.octets += self.quoted.len() as u64;
        self.quoted.clear();
        Ok(())
    }

    fn cut(&mut self, octets: u64) -> io::Result<()> {
        self.octets = octets;
        self.file.cut(octets)
    }

    fn cannot_write(&self, error: &io::Error) -> Failure {
        Failure::cannot_write(&self.path, error)
    }
}

impl<F: File> Delivery for Spool<F> {
    fn begin(&mut self, trace: &[u8]) -> Result<(), Failure> {
        if self.begins.is_empty() {
            self.cut(0).map_err(|error| self.cannot_write(&error))?;
        }
        self.begins.push(self.octets);
        self.quoter = quoting::Quoter::default();
        self.quoted.clear();
        if self.form == Form::Mbox {
            let line = quoting::from_line(clock());
            self.quoted.extend_from_slice(line.as_bytes());
        }
        match trace {
            [] => Ok(()),
            trace => self.write(trace),
        }
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        match self.form {
            Form::Mbox => self.quoter.quote(octets, &mut self.quoted),
            Form::Raw => self.quoted.extend_from_slice(octets),
        }
        self.put()
    }

    fn end(&mut self, _: (u64, u64)) -> Result<(), Failure> {
        if self.form == Form::Mbox {
            self.quoter.finish(&mut self.quoted);
        }
        self.put()
    }

    fn discard(&mut self) {
        self.retain(self.begins.len().saturating_sub(1));
    }

    fn retain(&mut self, messages: usize) {
        if let Some(&begin) = self.begins.get(messages) {
            self.begins.truncate(messages);
            // If this fails, the octets are after the end of the group, where
            // nothing reads them.
            let _ = self.cut(begin);
        }
    }

    fn seal(&mut self) -> Sealed {
        (self.seal)(Spooled {
            path: self.path.clone(),
            file: Arc::clone(&self.file),
            begins: std::mem::take(&mut self.begins),
            octets: self.octets,
        })
    }
}

/// Reads octets `from..to` of a spool in pieces, each with its offset.
pub(super) fn read<F: File>(
    spool: &F,
    from: u64,
    to: u64,
    mut take: impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    let mut at = from;
    while at < to {
        let most = usize::try_from(to - at).unwrap_or(BLOCK).min(BLOCK);
        let read = spool.read(&mut block[..most], at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        take(at, &block[..read])?;
        at += read as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_part_in_pieces() {
        let octets: Vec<u8> = (0..3 * BLOCK).map(|at| (at % 251) as u8).collect();
        let file = tempfile::tempfile().unwrap();
        File::write(&file, &octets, 0).unwrap();
        let (from, to) = (10, 2 * BLOCK + 20);
        let mut found = Vec::new();
        read(&file, from as u64, to as u64, |at, piece| {
            assert_eq!(at, (from + found.len()) as u64);
            found.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
        assert!(found == octets[from..to]);
        let after = read(&file, 0, octets.len() as u64 + 1, |_, _| Ok(()));
        assert_eq!(after.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
