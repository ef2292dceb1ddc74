//! Reads the journal while the client connects and logs in.

use std::thread::{self, JoinHandle};

use pop3_fetch::{Failure, Journal, Kind, Records};

/// An open journal that another thread reads. If it is not needed, dropping this waits
/// for the thread, because the next run of the account needs the journal's lock.
pub(super) struct Reading(Option<JoinHandle<Read>>);

type Read = Result<(Journal, Records), Failure>;

impl Reading {
    pub(super) fn begin(read: impl FnOnce() -> Read + Send + 'static) -> Self {
        Self(Some(thread::spawn(read)))
    }

    /// Waits for the journal and what it contains.
    pub(super) fn end(mut self) -> Read {
        let panicked = || Err(Failure::new(Kind::Io, "a worker thread panicked"));
        let thread = self.0.take().map(JoinHandle::join);
        thread.and_then(Result::ok).unwrap_or_else(panicked)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let _ = self.0.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Barrier},
        time::Duration,
    };

    use super::*;

    /// As after a refused login. The disk is slow, so the login is refused first.
    #[test]
    fn the_next_run_can_open_a_journal_that_was_not_needed() {
        let home = tempfile::tempdir().unwrap();
        let open = || Journal::open(&home.path().join("journal.sqlite"), "me@host");
        let journal = open().unwrap();
        let refused = Arc::new(Barrier::new(2));
        let reading = Reading::begin({
            let refused = Arc::clone(&refused);
            move || {
                refused.wait();
                thread::sleep(Duration::from_millis(50));
                let records = journal.records()?;
                Ok((journal, records))
            }
        });
        refused.wait();
        drop(reading);
        assert!(open().is_ok());
    }
}
