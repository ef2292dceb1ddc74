//! Delivery to standard output.
//!
//! A pipe takes nothing back. So a group waits in a spool file until it is known
//! to be right, and is written then. What a reader has taken out of a pipe, no
//! program can know: if a run is killed before all of a group is written and the
//! journal says so, the next one writes it again.

use std::{fs::File, io, os::fd::AsFd as _, path::Path, sync::Arc};

use super::{
    Delivery, Form, Sealed,
    spool::{Spool, Spooled, copy},
};
use crate::failure::{Failure, Kind};

pub(crate) struct Stdout {
    to: Arc<File>,
    spool: Spool,
}

impl Stdout {
    pub(crate) fn open(form: Form, spool: &Path) -> Result<Self, Failure> {
        // `io::Stdout` would look for newlines.
        let to = io::stdout().as_fd().try_clone_to_owned().map_err(|error| {
            Failure::new(
                Kind::CannotCreate,
                format_args!("cannot write to standard output: {error}"),
            )
        })?;
        Ok(Self {
            to: Arc::new(to.into()),
            spool: Spool::open(spool, form)?,
        })
    }
}

impl Delivery for Stdout {
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
struct Waiting {
    to: Arc<File>,
    spooled: Spooled,
}

impl Sealed for Waiting {
    fn secure(&mut self) -> Result<Vec<String>, Failure> {
        Ok(vec![String::new(); self.spooled.begins.len()])
    }

    fn publish(&mut self) -> Result<(), Failure> {
        let Spooled { file, octets, .. } = &self.spooled;
        copy(file, 0, *octets, &mut &*self.to).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::new(
                Kind::Io,
                format_args!("cannot write standard output: {error}"),
            ),
        })
    }
}
