//! Delivery to standard output.
//!
//! What is written to a pipe cannot be undone. So a group waits in a spool file
//! until it is confirmed, and only then is written. No program can know how much a
//! reader has read from a pipe: if a run is killed before the journal says that all
//! of a group is written, the next run writes it again.

use std::{
    fs,
    io::{self, Write as _},
    os::fd::AsFd as _,
    path::Path,
    sync::Arc,
};

use super::{
    Delivery, Form, Sealed,
    spool::{Spool, Spooled, read},
};
use crate::{
    disk::{Directory, Disk, File},
    failure::{Failure, Kind},
};

pub(crate) struct Stdout<F> {
    to: Arc<fs::File>,
    spool: Spool<F>,
}

impl<F: File> Stdout<F> {
    pub(crate) fn open<D>(disk: &D, form: Form, spool: &Path) -> Result<Self, Failure>
    where
        D: Disk<Directory: Directory<File = F>>,
    {
        // `io::Stdout` would search for newlines.
        let to = io::stdout().as_fd().try_clone_to_owned().map_err(|error| {
            Failure::new(
                Kind::CannotCreate,
                format_args!("cannot write to standard output: {error}"),
            )
        })?;
        Ok(Self {
            to: Arc::new(to.into()),
            spool: Spool::open(disk, spool, form)?,
        })
    }
}

impl<F: File> Delivery for Stdout<F> {
    fn stem(&self) -> Option<&str> {
        None
    }

    fn begin(&mut self) -> Result<(), Failure> {
        self.spool.begin()
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        self.spool.write(octets)
    }

    fn end(&mut self, _: (u64, u64)) -> Result<(), Failure> {
        self.spool.end()
    }

    fn discard(&mut self) {
        self.spool.discard();
    }

    fn retain(&mut self, messages: usize) {
        self.spool.retain(messages);
    }

    fn seal(&mut self) -> Box<dyn Sealed> {
        Box::new(Waiting {
            to: Arc::clone(&self.to),
            spooled: self.spool.seal(),
        })
    }
}

/// A group that is not written yet.
struct Waiting<F> {
    to: Arc<fs::File>,
    spooled: Spooled<F>,
}

impl<F: File> Sealed for Waiting<F> {
    fn secure(&mut self) -> Result<Vec<String>, Failure> {
        Ok(vec![String::new(); self.spooled.begins.len()])
    }

    fn publish(&mut self) -> Result<(), Failure> {
        let Spooled { file, octets, .. } = &self.spooled;
        let mut to = &*self.to;
        let copied = read(&**file, 0, *octets, |_, octets| to.write_all(octets));
        copied.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::new(
                Kind::Io,
                format_args!("cannot write to standard output: {error}"),
            ),
        })
    }
}
