//! A mail store in memory, with one maildrop.

use std::{cell::RefCell, io, rc::Rc};

use pop3_proto::{MessageNumber, UniqueId, server::Maildrop};

use dot_stuffing_testkit::oracle::{self, Newline};

/// A maildrop that sessions lock one after another. Clones share the maildrop.
#[derive(Clone, Debug, Default)]
pub struct Store(Rc<RefCell<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    mail: Vec<Mail>,
    locked: bool,
}

#[derive(Clone, Debug)]
struct Mail {
    unique_id: String,
    octets: Rc<[u8]>,
    /// The octets as a client receives them.
    canonical: Rc<[u8]>,
}

impl Store {
    /// Adds a message, which sessions that hold the lock do not see. Returns it in
    /// the form of [`messages`](Self::messages).
    ///
    /// # Panics
    ///
    /// If `unique_id` is not a valid unique-id.
    pub fn deliver(&self, unique_id: &str, octets: &[u8]) -> (String, Vec<u8>) {
        assert!(UniqueId::new(unique_id.as_bytes()).is_ok(), "{unique_id}");
        let canonical = oracle::canonical(Newline::Canonicalize, octets).unwrap_or_default();
        self.0.borrow_mut().mail.push(Mail {
            unique_id: unique_id.to_owned(),
            octets: octets.into(),
            canonical: canonical.as_slice().into(),
        });
        (unique_id.to_owned(), canonical)
    }

    /// Returns the unique-id of each message, and its octets as a client receives
    /// them.
    #[must_use]
    pub fn messages(&self) -> Vec<(String, Vec<u8>)> {
        let contents = self.0.borrow();
        let pair = |mail: &Mail| (mail.unique_id.clone(), mail.canonical.to_vec());
        contents.mail.iter().map(pair).collect()
    }

    /// Locks the maildrop; `None` if another session has the lock.
    #[must_use]
    pub fn lock(&self) -> Option<Locked> {
        let mut contents = self.0.borrow_mut();
        (!contents.locked).then(|| {
            contents.locked = true;
            Locked {
                mail: contents.mail.clone(),
                store: self.clone(),
            }
        })
    }
}

/// The maildrop of one session, as it was when it was locked. Dropping it releases
/// the lock.
#[derive(Debug)]
pub struct Locked {
    mail: Vec<Mail>,
    store: Store,
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.store.0.borrow_mut().locked = false;
    }
}

impl Maildrop for Locked {
    type Message = Reading;

    fn messages(&self) -> u32 {
        self.mail.len() as u32
    }

    fn octets(&self, number: MessageNumber) -> u64 {
        self.mail[number.index()].canonical.len() as u64
    }

    fn unique_id(&self, number: MessageNumber) -> UniqueId<'_> {
        let unique_id = &self.mail[number.index()].unique_id;
        UniqueId::new(unique_id.as_bytes()).expect("was looked at on delivery")
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<Reading> {
        Ok(Reading {
            octets: self.mail[number.index()].octets.clone(),
            at: 0,
            interrupted: false,
        })
    }

    fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
        // The messages of this session come first in the store, in the same order.
        let mail = &mut self.store.0.borrow_mut().mail;
        for (gone, number) in deleted.enumerate() {
            mail.remove(number.index() - gone);
        }
        Ok(())
    }
}

/// A reader of a message. A short message is read in runs of 1 to 3 octets. Every
/// other read is interrupted.
#[derive(Debug)]
pub struct Reading {
    octets: Rc<[u8]>,
    at: usize,
    interrupted: bool,
}

impl io::Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let run = match self.octets.len() {
            0..64 => 1 + self.at % 3,
            _ => into.len(),
        };
        let rest = &self.octets[self.at..];
        let read = run.min(rest.len()).min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        self.at += read;
        Ok(read)
    }
}
