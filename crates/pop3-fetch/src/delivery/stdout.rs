//! Delivery to standard output.
//!
//! A pipe takes nothing back. So a group waits in a spool file until it is known
//! to be right, and is written then. What a reader has taken out of a pipe, no
//! program can know: if a run is killed before all of a group is written and the
//! journal says so, the next one writes it again.

use std::{fs::File, io, os::fd::AsFd as _, path::Path, sync::Arc};

use super::{
    Delivery, Form, Sealed, quoting,
    spool::{Spool, Spooled, copy},
};
use crate::{
    clock,
    failure::{Failure, Kind},
};

pub(crate) struct Stdout {
    to: Arc<File>,
    form: Form,
    spool: Spool,
    quoter: quoting::Quoter,
    quoted: Vec<u8>,
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
            form,
            spool: Spool::open(spool)?,
            quoter: quoting::Quoter::default(),
            quoted: Vec::new(),
        })
    }

    fn spool(&mut self) -> Result<(), Failure> {
        let spooled = self.spool.write(&self.quoted);
        self.quoted.clear();
        spooled
    }
}

impl Delivery for Stdout {
    fn stem(&self) -> Option<&str> {
        None
    }

    fn begin(&mut self) -> Result<(), Failure> {
        self.spool.begin()?;
        self.quoter = quoting::Quoter::default();
        if self.form == Form::Mbox {
            let line = quoting::from_line(clock());
            self.quoted.extend_from_slice(line.as_bytes());
        }
        Ok(())
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        match self.form {
            Form::Mbox => self.quoter.quote(octets, &mut self.quoted),
            Form::Raw => self.quoted.extend_from_slice(octets),
        }
        self.spool()
    }

    fn end(&mut self, _: (u64, u64)) -> Result<(), Failure> {
        if self.form == Form::Mbox {
            self.quoter.finish(&mut self.quoted);
        }
        self.spool()
    }

    fn discard(&mut self) {
        self.quoted.clear();
        self.spool.discard();
    }

    fn retain(&mut self, messages: usize) {
        self.quoted.clear();
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
