//! A file that a group of messages waits in, in the form that it is delivered in.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Form, quoting};
use crate::{
    clock,
    failure::{Failure, Kind},
};

/// The file, and the messages in it.
pub(super) struct Spool {
    path: PathBuf,
    file: Arc<File>,
    form: Form,
    quoter: quoting::Quoter,
    quoted: Vec<u8>,
    /// Where each message of the group begins.
    begins: Vec<u64>,
    octets: u64,
}

/// A group in the file. The file stays as it is until the next group begins.
pub(super) struct Spooled {
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
    pub(super) begins: Vec<u64>,
    pub(super) octets: u64,
}

impl Spool {
    pub(super) fn open(path: &Path, form: Form) -> Result<Self, Failure> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| {
                Failure::new(
                    Kind::CannotCreate,
                    format_args!("cannot open {}: {error}", path.display()),
                )
            })?;
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(file),
            form,
            quoter: quoting::Quoter::default(),
            quoted: Vec::new(),
            begins: Vec::new(),
            octets: 0,
        })
    }

    /// A message begins.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        if self.begins.is_empty() {
            self.cut_at(0).map_err(|error| self.cannot_write(&error))?;
        }
        self.begins.push(self.octets);
        self.quoter = quoting::Quoter::default();
        self.quoted.clear();
        if self.form == Form::Mbox {
            let line = quoting::from_line(clock());
            self.quoted.extend_from_slice(line.as_bytes());
        }
        Ok(())
    }

    pub(super) fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        match self.form {
            Form::Mbox => self.quoter.quote(octets, &mut self.quoted),
            Form::Raw => self.quoted.extend_from_slice(octets),
        }
        self.put()
    }

    /// The message is whole.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        if self.form == Form::Mbox {
            self.quoter.finish(&mut self.quoted);
        }
        self.put()
    }

    fn put(&mut self) -> Result<(), Failure> {
        (&*self.file)
            .write_all(&self.quoted)
            .map_err(|error| self.cannot_write(&error))?;
        self.octets += self.quoted.len() as u64;
        self.quoted.clear();
        Ok(())
    }

    /// Removes the message that was begun last.
    pub(super) fn discard(&mut self) {
        self.retain(self.begins.len().saturating_sub(1));
    }

    /// Removes all messages but the first ones.
    pub(super) fn retain(&mut self, messages: usize) {
        if let Some(&begin) = self.begins.get(messages) {
            self.begins.truncate(messages);
            // Should it fail, the octets stand after the group's end: nothing
            // reads them.
            let _ = self.cut_at(begin);
        }
    }

    /// Ends the group.
    pub(super) fn seal(&mut self) -> Spooled {
        Spooled {
            path: self.path.clone(),
            file: Arc::clone(&self.file),
            begins: std::mem::take(&mut self.begins),
            octets: self.octets,
        }
    }

    fn cut_at(&mut self, octets: u64) -> io::Result<()> {
        self.octets = octets;
        self.file.set_len(octets)?;
        (&*self.file).seek(SeekFrom::Start(octets))?;
        Ok(())
    }

    fn cannot_write(&self, error: &io::Error) -> Failure {
        cannot_write(&self.path, error)
    }
}

/// Copies octets `from..to` of a spool.
pub(super) fn copy(spool: &File, from: u64, to: u64, into: &mut impl Write) -> io::Result<()> {
    let mut spool = spool;
    spool.seek(SeekFrom::Start(from))?;
    match io::copy(&mut spool.take(to - from), into)? == to - from {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Kind::Io,
        format_args!("cannot write {}: {error}", path.display()),
    )
}
