//! The server: accepts connections, checks passwords, and serves maildrops.
//!
//! [`Server`] listens, and drives a [`pop3_proto::server::Session`] for each
//! connection. [`Accounts`] holds the users, and a [`MailStore`] the maildrops:
//! Maildirs, or one maildrop in memory. Passwords are hashed and maildrops are
//! opened on blocking threads.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use pop3_tokio::server::{Accounts, Listener, MemoryStore, Server};
//!
//! # async fn example() -> std::io::Result<()> {
//! let store = MemoryStore::new()?;
//! store.deliver(*b"Subject: hello\r\n\r\n.\r\n");
//! let accounts = Accounts::single("mrose", "tanstaaf")?;
//! let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await?;
//! println!("{}", listener.address());
//! let (stop, stop_now) = (std::future::pending(), std::future::pending());
//! Arc::new(Server::new(store, accounts)).serve(vec![listener], stop, stop_now).await;
//! # Ok(())
//! # }
//! ```

mod accounts;
mod argon;
mod connection;
mod counted;
mod counters;
mod listener;
mod login;
#[cfg(all(unix, feature = "maildir"))]
mod maildir;
mod memory;
mod places;
mod remembered;
mod sasl;
mod scram;
mod settings;
mod shown;
mod size;
mod store;
#[cfg(feature = "aws-lc-rs")]
mod tls;
mod users;

use pop3_proto::UniqueId;
pub use pop3_proto::server::{Closed, MIN_AUTOLOGOUT, Maildrop};

pub use accounts::{Accounts, AccountsError, User, hash_password};
pub use connection::Ended;
pub use counters::{Counter, Counters};
pub use listener::{Listener, Server};
#[cfg(all(unix, feature = "maildir"))]
pub use maildir::{Maildir, MaildirStore};
pub use memory::{MemoryMaildrop, MemoryStore};
pub use scram::{SCRAM_ITERATIONS, ScramKeys};
pub use settings::{MAX_LOGIN_DELAY, Settings};
pub use store::{MailStore, OpenError};
#[cfg(feature = "aws-lc-rs")]
pub use tls::{tls_config, tls_config_from_files};

/// The unique-id that a store made.
fn unique_id(text: Option<&str>) -> UniqueId<'_> {
    /// The unique-id for a number without a message; a session never asks for one.
    const NOBODYS: UniqueId<'static> = match UniqueId::new(b"-") {
        Ok(unique_id) => unique_id,
        Err(_) => unreachable!(),
    };
    let unique_id = text.and_then(|text| UniqueId::new(text.as_bytes()).ok());
    unique_id.unwrap_or(NOBODYS)
}
