//! What a scenario is: a maildrop, a server that departs from the rules in one
//! way, and what a client may make of it.

use std::time::Duration;

use crate::Id;

mod file;

pub use file::ScenarioError;

/// What a server does in all runs of a client, and what is right then.
///
/// A file of `scenarios/` describes one, or with `sweep` a family of them, one
/// for each offset or length. They share the name of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub(crate) family: String,
    pub(crate) variant: Option<String>,
    pub(crate) why: String,
    pub(crate) shows: Vec<Id>,
    pub(crate) seen: Option<String>,
    pub(crate) transport: Transport,
    pub(crate) certificate: Certificate,
    /// Whether a client may say an error and store nothing.
    pub(crate) may_refuse: bool,
    /// Commands that must not be sent, as their first words.
    pub(crate) never: Vec<String>,
    /// Whether sending a command before the answer to the last one is a fault,
    /// not only bad manners.
    pub(crate) lockstep: bool,
    pub(crate) capabilities: Vec<String>,
    pub(crate) messages: Vec<Message>,
    pub(crate) rules: Vec<Rule>,
    /// Whether everything that is sent comes octet by octet.
    pub(crate) octet_by_octet: bool,
    /// Whether the answer to a command that was sent ahead begins before the
    /// message before it has ended.
    pub(crate) interleaved: bool,
}

/// What a scenario needs of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Nothing: it runs in the clear, or under TLS where the client insists.
    #[default]
    Any,
    /// A client that insists on STLS.
    Stls,
}

/// Whose certificate the server shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Certificate {
    /// One that `{cafile}` vouches for.
    #[default]
    Trusted,
    /// One that nobody vouches for.
    Stranger,
}

/// A message of the maildrop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// What stands before the block in the answer to RETR, line end included.
    pub(crate) status: Vec<u8>,
    /// The block as it is sent, its end included.
    pub(crate) block: Vec<u8>,
    /// What a client may store of it, with CRLF line ends: one of these.
    pub(crate) stored: Vec<Vec<u8>>,
    /// Whether a client can have all of it.
    pub(crate) whole: bool,
    /// Whether the listings leave it out, so that a client may not know of it.
    pub(crate) hidden: bool,
    pub(crate) size: String,
    pub(crate) unique_id: Vec<u8>,
}

/// How the server answers a command, where that is not how a good one would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The first words of the command, in upper case.
    pub(crate) to: Vec<String>,
    pub(crate) when: When,
    /// For how many such commands of a connection; for all if absent.
    pub(crate) times: Option<u32>,
    /// What is sent; as a good server would answer if absent.
    pub(crate) send: Option<Vec<u8>>,
    /// Where what is sent is cut in pieces, with a pause after each.
    pub(crate) cuts: Vec<usize>,
    /// How long the answer takes.
    pub(crate) delay: Duration,
    /// Only so many octets are sent.
    pub(crate) until: Option<usize>,
    pub(crate) then: Then,
}

/// Under which transport a rule holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum When {
    #[default]
    Always,
    Clear,
    Tls,
}

/// What the server does once it has answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Then {
    /// It reads on.
    #[default]
    GoOn,
    /// It reads on, and whoever waits for more waits with reason.
    Owe,
    /// It closes the connection.
    Close,
    /// It says nothing any more.
    Silence,
    /// An octet now and then, of a line that never ends.
    Drip,
    /// Octets of a line that does not end, as fast as they are taken.
    Flood,
    /// The handshake of TLS.
    Tls,
}

impl Scenario {
    /// The name of its file, and which of the family it is.
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

    /// What it is about, in a line.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The statements of MS-STANOPOP3 that it shows.
    #[must_use]
    pub fn shows(&self) -> &[Id] {
        &self.shows
    }

    /// The software that was seen to get it wrong.
    #[must_use]
    pub fn seen(&self) -> Option<&str> {
        self.seen.as_deref()
    }

    /// What it needs of the connection.
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
    /// What in it is no scenario, with the place if TOML knows it.
    pub fn parse(family: &str, text: &str) -> Result<Vec<Self>, ScenarioError> {
        file::parse(family, text)
    }

    /// The message of a number, from 1.
    pub(crate) fn message(&self, number: usize) -> Option<&Message> {
        self.messages.get(number.checked_sub(1)?)
    }

    pub(crate) fn announces(&self, capability: &str) -> bool {
        let mut announced = self.capabilities.iter();
        announced.any(|known| known.eq_ignore_ascii_case(capability))
    }
}

impl Rule {
    /// Whether it writes out which messages there are. That is true only while
    /// they are all there.
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
