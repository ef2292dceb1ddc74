//! A maildrop in memory, for demonstrations and tests.

use std::{
    collections::BTreeMap,
    io::{self, Cursor},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pop3_proto::{MessageNumber, UniqueId, server::Maildrop};

use super::{MailStore, OpenError, User, size::wire_octets};
use crate::tls::random;

/// One maildrop in memory, the same for every user.
///
/// Clones share the same maildrop.
///
/// ```
/// use pop3_tokio::MessageNumber;
/// use pop3_tokio::server::{Accounts, MailStore, Maildrop, MemoryStore, OpenError};
///
/// let store = MemoryStore::new()?;
/// store.deliver(*b"Subject: hello\r\n\r\nHi\r\n");
///
/// // What a server does after a login:
/// let accounts = Accounts::single("mrose", "tanstaaf")?;
/// let user = accounts.check("mrose", "tanstaaf").unwrap();
/// let maildrop = store.open(user)?;
/// assert_eq!(maildrop.messages(), 1);
/// assert!(matches!(store.open(user), Err(OpenError::InUse)));
/// maildrop.commit(&mut [MessageNumber::FIRST].into_iter())?;
/// assert!(store.messages().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    /// The messages, by the numbers in their unique-ids.
    messages: BTreeMap<u64, Arc<[u8]>>,
    next: u64,
    /// A random name for the store, so that unique-ids are not reused.
    name: String,
    locked: bool,
}

impl MemoryStore {
    /// An empty store.
    ///
    /// # Errors
    ///
    /// If the operating system returns no random octets, which unique-ids need.
    pub fn new() -> io::Result<Self> {
        let name = random::<8>()?;
        let contents = Contents {
            name: name.iter().map(|octet| format!("{octet:02x}")).collect(),
            ..Contents::default()
        };
        Ok(Self(Arc::new(Mutex::new(contents))))
    }

    /// Adds a message. Open sessions do not see it.
    pub fn deliver(&self, message: impl Into<Arc<[u8]>>) {
        let mut contents = self.contents();
        let number = contents.next;
        contents.next += 1;
        contents.messages.insert(number, message.into());
    }

    /// The messages, in the order of their delivery.
    #[must_use]
    pub fn messages(&self) -> Vec<Arc<[u8]>> {
        self.contents().messages.values().cloned().collect()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MailStore for MemoryStore {
    type Maildrop = MemoryMaildrop;

    fn open(&self, _: &User) -> Result<MemoryMaildrop, OpenError> {
        let mut contents = self.contents();
        if contents.locked {
            return Err(OpenError::InUse);
        }
        let mut messages = Vec::with_capacity(contents.messages.len());
        for (&number, octets) in &contents.messages {
            messages.push(Message {
                number,
                unique_id: format!("{}.{number}", contents.name),
                octets: wire_octets(&octets[..])?,
                content: Arc::clone(octets),
            });
        }
        contents.locked = true;
        Ok(MemoryMaildrop {
            messages,
            store: self.clone(),
        })
    }
}

/// A locked [`MemoryStore`].
#[derive(Debug)]
pub struct MemoryMaildrop {
    messages: Vec<Message>,
    store: MemoryStore,
}

#[derive(Debug)]
struct Message {
    number: u64,
    unique_id: String,
    octets: u64,
    content: Arc<[u8]>,
}

impl Drop for MemoryMaildrop {
    fn drop(&mut self) {
        self.store.contents().locked = false;
    }
}

impl Maildrop for MemoryMaildrop {
    type Message = Cursor<Arc<[u8]>>;

    fn messages(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap_or(u32::MAX)
    }

    fn octets(&self, number: MessageNumber) -> u64 {
        let message = self.messages.get(number.index());
        message.map_or(0, |message| message.octets)
    }

    fn unique_id(&self, number: MessageNumber) -> UniqueId<'_> {
        super::unique_id(self.messages.get(number.index()).map(|m| &*m.unique_id))
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<Self::Message> {
        let message = self.messages.get(number.index());
        let message = message.ok_or(io::ErrorKind::NotFound)?;
        Ok(Cursor::new(Arc::clone(&message.content)))
    }

    fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
        let mut contents = self.store.contents();
        for message in deleted.filter_map(|number| self.messages.get(number.index())) {
            contents.messages.remove(&message.number);
        }
        Ok(())
    }
}
