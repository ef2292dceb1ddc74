//! Delivery to standard output.
//!
//! What a reader has taken out of a pipe nobody can know. A message counts as
//! delivered once it is written; if a run is killed between that and the journal,
//! the message is written again by the next one.

use std::{
    io::{self, Write as _},
    os::fd::AsFd as _,
};

use super::{Delivery, Form, Sealed, quoting};
use crate::{
    exit::{Exit, Failure},
    fetch::clock,
};

pub(crate) struct Stdout {
    to: std::fs::File,
    form: Form,
    quoter: quoting::Quoter,
    quoted: Vec<u8>,
    messages: usize,
}

impl Stdout {
    pub(crate) fn open(form: Form) -> Result<Self, Failure> {
        // `io::Stdout` would look for newlines.
        let to = io::stdout().as_fd().try_clone_to_owned().map_err(|error| {
            Failure::new(
                Exit::CannotCreate,
                format_args!("cannot write to standard output: {error}"),
            )
        })?;
        Ok(Self {
            to: to.into(),
            form,
            quoter: quoting::Quoter::default(),
            quoted: Vec::new(),
            messages: 0,
        })
    }

    fn put(&mut self) -> Result<(), Failure> {
        let written = self.to.write_all(&self.quoted);
        self.quoted.clear();
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::new(
                Exit::Io,
                format_args!("cannot write standard output: {error}"),
            ),
        })
    }
}

impl Delivery for Stdout {
    fn stem(&self) -> Option<&str> {
        None
    }

    fn begin(&mut self) -> Result<(), Failure> {
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
        self.put()
    }

    fn end(&mut self, _: (u64, u64)) -> Result<(), Failure> {
        if self.form == Form::Mbox {
            self.quoter.finish(&mut self.quoted);
        }
        self.messages += 1;
        self.put()
    }

    fn discard(&mut self) {
        // What was written stays written. Its end is marked at least.
        if self.form == Form::Mbox {
            self.quoter.finish(&mut self.quoted);
            let _ = self.put();
        }
    }

    fn seal(&mut self) -> Box<dyn Sealed> {
        Box::new(Written(std::mem::take(&mut self.messages)))
    }
}

/// So many messages that somebody may have read.
struct Written(usize);

impl Sealed for Written {
    fn secure(&mut self) -> Result<Vec<String>, Failure> {
        Ok(vec![String::new(); self.0])
    }

    fn publish(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}
