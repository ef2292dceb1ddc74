//! Delivery to standard output.
//!
//! A pipe takes nothing back. So a group waits in a spool file until it is known
//! to be right, and is written then. What a reader has taken out of a pipe, no
//! program can know: if a run is killed before all of a group is written and the
//! journal says so, the next one writes it again.

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
        // `io::Stdout` would look for newlines.
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
                format_args!("cannot write standard output: {error}"),
            ),
        })
    }
}
