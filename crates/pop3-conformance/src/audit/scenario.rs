//! Scenarios: a maildrop, a server with one fault, and the behaviour of a client
//! that is right for it.

use std::time::Duration;

use crate::Id;

mod file;

pub use file::ScenarioError;

/// The behaviour of a server in all runs of a client, and what is right for a
/// client.
///
/// A file in `scenarios/` describes one scenario, or with `sweep` or `lengths` a
/// family of them, one for each offset or length. A family shares the name of the
/// file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub(crate) family: String,
    pub(crate) variant: Option<String>,
    pub(crate) why: String,
    pub(crate) shows: Vec<Id>,
    pub(crate) seen: Option<String>,
    pub(crate) transport: Transport,
    pub(crate) certificate: Certificate,
    /// Whether a client may fail and store nothing.
    pub(crate) may_refuse: bool,
    /// The first words of commands that the client must not send.
    pub(crate) never: Vec<String>,
    /// Whether sending a command before the answer to the last one is a fault,
    /// not only bad manners.
    pub(crate) lockstep: bool,
    pub(crate) capabilities: Vec<String>,
    pub(crate) messages: Vec<Message>,
    pub(crate) rules: Vec<Rule>,
    /// Whether the server sends everything octet by octet.
    pub(crate) octet_by_octet: bool,
    /// Whether the answer to a pipelined command begins before the end of the
    /// previous message.
    pub(crate) interleaved: bool,
}

/// What a scenario needs from the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Nothing: it runs without TLS, or with TLS if the client requires it.
    #[default]
    Any,
    /// A client that requires STLS.
    Stls,
}

/// The certificate of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Certificate {
    /// One that the authority in `{cafile}` signed.
    #[default]
    Trusted,
    /// One that no trusted authority signed.
    Stranger,
}

/// A message of the maildrop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The status line of the answer to RETR, including its line end.
    pub(crate) status: Vec<u8>,
    /// The block as it is sent, including its end.
    pub(crate) block: Vec<u8>,
    /// The forms in which a client may store it, with CRLF line ends.
    pub(crate) stored: Vec<Vec<u8>>,
    /// Whether a client can receive all of it.
    pub(crate) whole: bool,
    /// Whether the listings leave it out, so that a client may not know about it.
    pub(crate) hidden: bool,
    pub(crate) size: String,
    pub(crate) unique_id: Vec<u8>,
}

/// How the server answers a command, if not like a correct server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The first words of the command, in upper case.
    pub(crate) to: Vec<String>,
    pub(crate) when: When,
    /// The number of such commands per connection to which it applies; all if
    /// absent.
    pub(crate) times: Option<u32>,
    /// The octets to send; the answer of a correct server if absent.
    pub(crate) send: Option<Vec<u8>>,
    /// The offsets at which the answer is cut, with a pause after each piece.
    pub(crate) cuts: Vec<usize>,
    /// The delay of the answer.
    pub(crate) delay: Duration,
    /// The number of octets to send; all if absent.
    pub(crate) until: Option<usize>,
    pub(crate) then: Then,
}

/// The transport to which a rule applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum When {
    #[default]
    Always,
    Clear,
    Tls,
}

/// What the server does after the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Then {
    /// It reads on.
    #[default]
    GoOn,
    /// It reads on, but owes more octets, so the client waits with good reason.
    Owe,
    /// It closes the connection.
    Close,
    /// It sends nothing more.
    Silence,
    /// It sends an octet of an endless line now and then.
    Drip,
    /// It sends octets of an endless line, as fast as the client reads.
    Flood,
    /// It does the TLS handshake.
    Tls,
}

impl Scenario {
    /// The name of its file, with its place in the family.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.variant {
            None => self.family.clone(),
            Some(variant) => format!("{}@{variant}", self.family),
        }
    }

    /// The name of its file.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.family
    }

    /// Its subject, in one line.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The statements of MS-STANOPOP3 that it shows.
    #[must_use]
    pub fn shows(&self) -> &[Id] {
        &self.shows
    }

    /// Software that was seen to get it wrong.
    #[must_use]
    pub fn seen(&self) -> Option<&str> {
        self.seen.as_deref()
    }

    /// What it needs from the connection.
    #[must_use]
    pub const fn transport(&self) -> Transport {
        self.transport
    }

    /// Reads a file: one scenario, or a family.
    ///
    /// ```
    /// use pop3_conformance::audit::Scenario;
    ///
    /// let text = "
    ///     why = 'The connection ends somewhere in the reply to STAT.'
    ///     may-refuse = true
    ///     [[reply]]
    ///     to = 'STAT'
    ///     send = '+OK 1 120'
    ///     sweep = 'close'
    /// ";
    /// let family = Scenario::parse("stat-cut", text).unwrap();
    /// assert_eq!(family.len(), 11);
    /// assert_eq!(family[3].name(), "stat-cut@3");
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong with the text, with the place if TOML knows it.
    pub fn parse(family: &str, text: &str) -> Result<Vec<Self>, ScenarioError> {
        file::parse(family, text)
    }

    /// The message with this number, counted from 1.
    pub(crate) fn message(&self, number: usize) -> Option<&Message> {
        self.messages.get(number.checked_sub(1)?)
    }

    pub(crate) fn announces(&self, capability: &str) -> bool {
        let mut announced = self.capabilities.iter();
        announced.any(|known| known.eq_ignore_ascii_case(capability))
    }
}

impl Rule {
    /// Whether the rule contains a fixed listing, which is right only as long as no
    /// message is removed.
    pub(crate) fn is_listing(&self) -> bool {
        let lists = matches!(
            self.to.first().map(String::as_str),
            Some("STAT" | "LIST" | "UIDL")
        );
        lists
            && self
                .send
                .as_ref()
                .is_some_and(|send| send.starts_with(b"+"))
    }
}

impl Message {
    /// The answer to RETR.
    pub(crate) fn reply(&self) -> Vec<u8> {
        [&self.status[..], &self.block].concat()
    }
}
