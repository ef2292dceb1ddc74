//! The client: connects, logs in, retrieves and deletes.
//!
//! [`Client::connect`] takes an [`Endpoint`] (a `pop3://` or `pop3s://` URL) and
//! returns a [`Client`] under TLS. Messages go to a [`Sink`] as slices of the read
//! buffer. The sink receives a proof for each complete message, which
//! [`Client::delete`] requires. [`Error::kind`] says what a caller can do about a
//! failure.

mod calls;
mod certificate;
mod channel;
mod commands;
mod connect;
mod credentials;
mod delete;
mod dial;
mod distrust;
mod driver;
mod endpoint;
mod error;
mod fingerprint;
mod login;
mod proxy;
mod redactor;
mod refusal;
mod retrieve;
mod sasl;
mod secrets;
mod settings;
mod tap;
mod tls;
mod to_vec;
mod trust;

pub use calls::Client;
pub use channel::Channel;
pub use commands::Listed;
pub use credentials::{Credentials, Method, UnknownMethod};
pub use delete::Deletion;
pub use distrust::Distrust;
pub use endpoint::{Endpoint, EndpointError, Scheme};
pub use error::{Error, ErrorKind, Waiting};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use login::LoginError;
pub use proxy::{Proxy, ProxyError};
pub use redactor::Redactor;
pub use refusal::{Code, Refusal};
pub use retrieve::{Retrieval, RetrieveError, Sink};
pub use sasl::{SaslError, TokenStatus};
pub use settings::{Settings, Timeouts, TlsSettings};

pub use pop3_proto::client::{
    Capabilities, ClientError, DeleteProof, Delivered, Event, Exchange, IndexedMessage, Limits,
    LineError, MaildropIndex, Pending, Request, Retrieved, Session, SessionError, SessionFailure,
};
