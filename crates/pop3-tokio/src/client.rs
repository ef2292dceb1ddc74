//! The client: connects, logs in, retrieves and deletes.
//!
//! [`Client::connect`] takes an [`Endpoint`] (a `pop3://` or `pop3s://` URL) and
//! returns a [`Client`] under TLS. Messages go to a [`Sink`] as slices of the read
//! buffer. The sink receives a proof for each complete message, which
//! [`Client::delete`] requires. [`Error::kind`] says what a caller can do about a
//! failure.
//!
//! ```
//! use dot_stuffing::Complete;
//! use pop3_proto::{MessageNumber, Profile, client::Retrieved};
//! use pop3_tokio::client::{Client, Credentials, Endpoint, Refusal, Settings, Sink};
//!
//! /// Keeps messages in memory.
//! #[derive(Default)]
//! struct Memory {
//!     message: Vec<u8>,
//!     whole: Vec<(Vec<u8>, Retrieved)>,
//! }
//!
//! impl Sink for Memory {
//!     type Error = std::io::Error;
//!
//!     fn begin(&mut self, _: MessageNumber, _: Option<u64>) -> std::io::Result<()> {
//!         self.message.clear();
//!         Ok(())
//!     }
//!     fn data(&mut self, octets: &[u8]) -> std::io::Result<()> {
//!         self.message.extend_from_slice(octets);
//!         Ok(())
//!     }
//!     fn end(&mut self, retrieved: Retrieved, _: Complete) -> std::io::Result<()> {
//!         self.whole.push((self.message.clone(), retrieved));
//!         Ok(())
//!     }
//!     fn refused(&mut self, _: MessageNumber, refusal: Refusal) -> std::io::Result<()> {
//!         Err(std::io::Error::other(refusal))
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! // A server with prepared answers, in place of one on the network.
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! let (near, mut far) = tokio::io::duplex(1024);
//! let server = async move {
//!     let answers = ["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n", "+OK 1 8\r\n"];
//!     let answers = answers.into_iter().chain(["+OK\r\n..dot\r\n.\r\n", "+OK\r\n", "+OK\r\n"]);
//!     for answer in answers {
//!         far.write_all(answer.as_bytes()).await?;
//!         far.read(&mut [0; 64]).await?;
//!     }
//!     Ok::<_, std::io::Error>(())
//! };
//! # let server = tokio::spawn(server);
//!
//! let endpoint: Endpoint = "pop3://mrose@mail.example.org".parse()?;
//! let mut settings = Settings::new(Profile::OUTLOOK_2024);
//! settings.insecure_plaintext = true; // only because nothing leaves this process
//! let mut client = Client::on(near, &endpoint, &settings).await?;
//! client.login(&Credentials::password("mrose", "tanstaaf")).await?;
//! let messages = client.stat().await?.messages;
//!
//! let mut memory = Memory::default();
//! let numbers = (1..=messages).filter_map(MessageNumber::new);
//! client.retrieve(numbers, &mut memory).await?;
//! assert_eq!(memory.whole[0].0, b".dot\r\n");
//!
//! let proofs: Vec<Retrieved> = memory.whole.into_iter().map(|(_, proof)| proof).collect();
//! client.delete(proofs).await?;
//! client.quit().await?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod certificate;
mod channel;
mod connect;
mod connection;
mod credentials;
mod delete;
mod dial;
mod distrust;
mod endpoint;
mod error;
mod exchange;
mod fingerprint;
mod login;
mod redactor;
mod refusal;
mod retrieve;
mod sasl;
mod secrets;
mod settings;
mod tap;
mod tls;
mod trust;
mod wire;

pub use channel::Channel;
pub use connection::Client;
pub use credentials::{Credentials, Method, UnknownMethod};
pub use delete::Deletion;
pub use distrust::Distrust;
pub use endpoint::{Endpoint, EndpointError, Scheme};
pub use error::{Error, ErrorKind, Waiting};
pub use exchange::Listed;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use login::LoginError;
pub use redactor::Redactor;
pub use refusal::{Code, Refusal};
pub use retrieve::{Retrieval, RetrieveError, Sink};
pub use sasl::{SaslError, TokenStatus};
pub use settings::{Settings, Timeouts, TlsSettings};
