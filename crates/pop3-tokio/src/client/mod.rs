//! The client: connects, logs in, fetches and deletes.

mod connect;
mod connection;
mod credentials;
mod delete;
mod dial;
mod endpoint;
mod error;
mod exchange;
mod login;
mod refusal;
mod retrieve;
mod sasl;
mod settings;
mod tls;
mod wire;

pub use connection::Client;
pub use credentials::{Credentials, Method, UnknownMethod};
pub use delete::Deletion;
pub use endpoint::{Endpoint, EndpointError, Scheme};
pub use error::{Error, ErrorKind, Waiting};
pub use exchange::Listed;
pub use login::LoginError;
pub use refusal::{Code, Refusal};
pub use retrieve::{Retrieval, RetrieveError, Sink};
pub use sasl::{SaslError, TokenStatus};
pub use settings::{Settings, Timeouts, TlsSettings};
