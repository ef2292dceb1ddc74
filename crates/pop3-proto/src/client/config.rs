//! What a session can be told.

use core::time::Duration;

use crate::{MAX_SASL_LINE, Profile, ReplyRule};

/// How the connection is protected, and what may be sent unprotected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Nothing protects it, and names and passwords are sent nevertheless.
    /// STLS may be sent.
    Cleartext,
    /// It begins unprotected, and no name or password is sent before STLS has
    /// led to TLS (CVE-2021-22946: a server that refuses CAPA or STLS does not
    /// change that).
    StlsRequired,
    /// It is under TLS from the first octet (RFC 8314 §3.2).
    Tls,
}

/// The configuration of a [`Session`](super::Session).
///
/// ```
/// use pop3_proto::{Profile, client::{Config, Limits, Transport}};
///
/// let mut limits = Limits::DEFAULT;
/// limits.message_octets = 50 << 20;
/// let config = Config::new(Profile::OUTLOOK_2024, Transport::Tls)
///     .pipelining(false)
///     .limits(limits);
/// # assert!(!config.pipelining);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The behaviour to show.
    pub profile: Profile,
    /// How the connection is protected.
    pub transport: Transport,
    /// Whether to pipeline where the server announces PIPELINING.
    pub pipelining: bool,
    /// APOP also where TLS does not protect it. MD5 does not (CVE-2007-1558).
    pub dangerous_apop_in_cleartext: bool,
    /// A malformed line of a listing ends the session, not only itself.
    pub stop_at_malformed_line: bool,
    /// How much is accepted.
    pub limits: Limits,
    /// How long is waited.
    pub timeouts: Timeouts,
}

/// How much a session accepts and holds. The first line of a reply and a line
/// of a listing have 512 octets at most, CRLF included (RFC 2449 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of a message, decoded.
    pub message_octets: u64,
    /// Octets of a listing, decoded.
    pub listing_octets: u64,
    /// Lines of a listing; also the highest message-number in one, and the
    /// most messages marked as deleted.
    pub listing_entries: u32,
    /// Octets of a SASL challenge; [`MAX_SASL_LINE`] with its `+ ` and CRLF stays the
    /// most.
    pub challenge_octets: usize,
    /// Challenges in one AUTH exchange.
    pub challenges: u32,
    /// Octets of commands that wait to be sent.
    pub queue_octets: usize,
    /// Octets of commands sent and not answered yet, when pipelining (RFC 2449
    /// §6.6). A driver that cannot read while it writes must keep this below
    /// what the transport takes at once, or both ends wait for each other.
    pub window_octets: usize,
}

impl Limits {
    /// The limits of [`Config::new`].
    pub const DEFAULT: Self = Self {
        message_octets: u64::MAX,
        listing_octets: ReplyRule::MAX_LISTING_OCTETS,
        listing_entries: 16_000_000,
        challenge_octets: MAX_SASL_LINE,
        challenges: 16,
        queue_octets: 1 << 16,
        window_octets: 2048,
    };
}

/// How long a session waits. Outlook waits for ever (MS-STANOPOP3 C0002,
/// C0005, C0006, C0014).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For the whole greeting.
    pub greeting: Duration,
    /// For the whole first line of a reply, and between two inputs of its
    /// block.
    pub reply: Duration,
    /// For the next command. A server may log out a client that is silent for
    /// ten minutes (RFC 1939 §3), and deletes nothing then.
    pub idle: Duration,
    /// For the handshake after STLS.
    pub stls: Duration,
}

impl Timeouts {
    /// The times of [`Config::new`].
    pub const DEFAULT: Self = Self {
        greeting: Duration::from_secs(60),
        reply: Duration::from_secs(120),
        idle: Duration::from_secs(600),
        stls: Duration::from_secs(60),
    };
}

impl Config {
    /// The profile with defaults on the safe side: nothing secret before TLS,
    /// every limit set but that of messages, pipelining where announced.
    #[must_use]
    pub const fn new(profile: Profile, transport: Transport) -> Self {
        Self {
            profile,
            transport,
            pipelining: true,
            dangerous_apop_in_cleartext: false,
            stop_at_malformed_line: false,
            limits: Limits::DEFAULT,
            timeouts: Timeouts::DEFAULT,
        }
    }

    /// Whether to pipeline where the server announces PIPELINING.
    #[must_use]
    pub const fn pipelining(mut self, yes: bool) -> Self {
        self.pipelining = yes;
        self
    }

    /// Allows APOP where TLS does not protect it. MD5 does not (CVE-2007-1558).
    #[must_use]
    pub const fn dangerous_apop_in_cleartext(mut self, yes: bool) -> Self {
        self.dangerous_apop_in_cleartext = yes;
        self
    }

    /// Ends the session at a malformed line of a listing.
    #[must_use]
    pub const fn stop_at_malformed_line(mut self, yes: bool) -> Self {
        self.stop_at_malformed_line = yes;
        self
    }

    /// How much is accepted.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long the session waits.
    #[must_use]
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    pub(super) fn reply_rule(&self) -> ReplyRule {
        ReplyRule {
            max_message_octets: self.limits.message_octets,
            max_listing_octets: self.limits.listing_octets,
            ..self.profile.reply
        }
    }
}
