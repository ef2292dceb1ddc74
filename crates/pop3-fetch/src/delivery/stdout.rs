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
    Form, Publish, Sealed,
    spool::{Spool, Spooled, read},
};
use crate::{
    disk::{Directory, Disk, File},
    failure::{Failure, Kind},
};

pub(crate) fn open<D: Disk>(
    disk: &D,
    form: Form,
    spool: &Path,
) -> Result<Spool<<D::Directory as Directory>::File>, Failure> {
    // `io::Stdout` would search for newlines.
    let to = io::stdout().as_fd().try_clone_to_owned().map_err(|error| {
        Failure::new(
            Kind::CannotCreate,
            format_args!("cannot write to standard output: {error}"),
        )
    })?;
    let to = Arc::new(fs::File::from(to));
    Spool::open(disk, spool, form, move |spooled| {
        let to = Arc::clone(&to);
        Sealed::Together(Box::new(Waiting { to, spooled }))
    })
}

/// A group that is not written yet.
struct Waiting<F> {
    to: Arc<fs::File>,
    spooled: Spooled<F>,
}

impl<F: File> Publish for Waiting<F> {
    fn secure(&mut self) -> Result<Vec<String>, Failure> {
        // The next run would not look for them under any name.
        Ok(Vec::new())
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
