//! The configuration of a session.

use core::time::Duration;

use crate::{MAX_SASL_LINE, Profile, ReplyRule};

/// How the connection is protected, and what may be sent without protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// The connection is not protected, and names and passwords may still be sent.
    /// STLS may be sent.
    Cleartext,
    /// The connection begins without protection, and no name or password is sent
    /// before STLS has led to TLS, even if the server refuses CAPA or STLS
    /// (CVE-2021-22946).
    StlsRequired,
    /// The connection is under TLS from the first octet (RFC 8314 §3.2).
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
    /// The profile whose behaviour the session shows.
    pub profile: Profile,
    /// How the connection is protected.
    pub transport: Transport,
    /// Whether to pipeline if the server announces PIPELINING.
    pub pipelining: bool,
    /// Whether APOP may be used without TLS. MD5 does not protect it
    /// (CVE-2007-1558).
    pub dangerous_apop_in_cleartext: bool,
    /// Whether a malformed line of a listing ends the session.
    pub stop_at_malformed_line: bool,
    /// The limits on what is accepted.
    pub limits: Limits,
    /// The limits on waiting.
    pub timeouts: Timeouts,
}

/// The limits on what a session accepts and holds. In addition, the first line of a
/// reply and a line of a listing have at most 512 octets, including CRLF (RFC 2449
/// §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most decoded octets of a message.
    pub message_octets: u64,
    /// The most decoded octets of a listing.
    pub listing_octets: u64,
    /// The most lines of a listing; also the highest message-number in a listing,
    /// and the most messages marked as deleted.
    pub listing_entries: u32,
    /// The most octets of a SASL challenge; with its `+ ` and CRLF it also has at
    /// most [`MAX_SASL_LINE`].
    pub challenge_octets: usize,
    /// The most challenges in one AUTH exchange.
    pub challenges: u32,
    /// The most octets of commands that wait to be sent.
    pub queue_octets: usize,
    /// The most octets of commands without a reply, when pipelining (RFC 2449
    /// §6.6). A driver that cannot read while it writes must keep this below what
    /// the transport accepts at once, or both ends wait for each other.
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

/// The time limits of a session. Outlook has none (MS-STANOPOP3 C0002, C0005,
/// C0006, C0014).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// The time for the whole greeting.
    pub greeting: Duration,
    /// The time for the whole first line of a reply, and between two inputs of its
    /// block.
    pub reply: Duration,
    /// The time to wait for the next command. A server may log out a client after
    /// ten minutes of silence (RFC 1939 §3), and then deletes nothing.
    pub idle: Duration,
    /// The time for the handshake after STLS.
    pub stls: Duration,
}

impl Timeouts {
    /// The time limits of [`Config::new`].
    pub const DEFAULT: Self = Self {
        greeting: Duration::from_secs(60),
        reply: Duration::from_secs(120),
        idle: Duration::from_secs(600),
        stls: Duration::from_secs(60),
    };
}

impl Config {
    /// Safe defaults for a profile: no secrets before TLS, limits on everything but
    /// messages, and pipelining where it is announced.
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

    /// Sets whether to pipeline if the server announces PIPELINING.
    #[must_use]
    pub const fn pipelining(mut self, yes: bool) -> Self {
        self.pipelining = yes;
        self
    }

    /// Sets whether APOP may be used without TLS. MD5 does not protect it
    /// (CVE-2007-1558).
    #[must_use]
    pub const fn dangerous_apop_in_cleartext(mut self, yes: bool) -> Self {
        self.dangerous_apop_in_cleartext = yes;
        self
    }

    /// Sets whether a malformed line of a listing ends the session.
    #[must_use]
    pub const fn stop_at_malformed_line(mut self, yes: bool) -> Self {
        self.stop_at_malformed_line = yes;
        self
    }

    /// Sets the limits on what is accepted.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the time limits.
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
