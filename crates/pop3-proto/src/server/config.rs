//! The configuration of a session.

use core::time::Duration;

use crate::{Argument, ArgumentError, ArgumentErrorKind, Expiry, Mechanism, apop_timestamp};

/// The shortest autologout timer (RFC 1939 §3).
pub const MIN_AUTOLOGOUT: Duration = Duration::from_secs(10 * 60);

/// The most octets of the text of the greeting, and of the name for IMPLEMENTATION:
/// with a timestamp the line stays within 512 octets (RFC 2449 §4).
pub const MAX_TEXT: usize = 200;

/// The most octets of a timestamp, including its brackets.
pub const MAX_TIMESTAMP: usize = 250;

/// The most SASL mechanisms: their capability line stays within 512 octets
/// (RFC 2449 §5).
pub const MAX_MECHANISMS: usize = 20;

/// The default for the most challenges of an AUTH exchange. No common mechanism
/// needs a quarter of them.
pub const DEFAULT_CHALLENGES: u32 = 16;

/// The mechanisms that send a password or token unprotected. They follow the same
/// rule as USER and PASS.
pub const PLAINTEXT_MECHANISMS: [&str; 4] = ["LOGIN", "OAUTHBEARER", "PLAIN", "XOAUTH2"];

/// Whether TLS protects a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tls {
    /// It does not, and STLS is refused.
    #[default]
    Unavailable,
    /// It does not yet; STLS is offered (RFC 2595 §4).
    Offered,
    /// It does, from the start (port 995, RFC 8314 §3.3) or since STLS.
    Active,
}

/// The configuration of a [`Session`](super::Session).
///
/// The defaults: STLS is offered and passwords are accepted under TLS, so that
/// there is a way to log in (MS-STANOPOP3 C0009); no SASL, APOP or UTF8; autologout
/// after [`MIN_AUTOLOGOUT`].
///
/// ```
/// use pop3_proto::{Mechanism, server::{Config, Tls}};
///
/// let config = Config::new()
///     .tls(Tls::Active)
///     .greeting("mail.example.org ready")?
///     .mechanisms(&[Mechanism::new("PLAIN")?])?;
/// assert!(Config::new().greeting("two\r\nlines").is_err());
/// # Ok::<(), pop3_proto::ArgumentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) tls: Tls,
    pub(super) plaintext_without_tls: bool,
    pub(super) greeting: String,
    pub(super) apop_timestamp: Option<String>,
    pub(super) mechanisms: Vec<String>,
    pub(super) implementation: Option<String>,
    pub(super) utf8: bool,
    pub(super) utf8_names: bool,
    pub(super) login_delay: Option<u32>,
    pub(super) expire: Option<Expiry>,
    pub(super) challenges: u32,
    pub(super) autologout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// The default configuration.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tls: Tls::Offered,
            plaintext_without_tls: false,
            greeting: "POP3 ready".to_owned(),
            apop_timestamp: None,
            mechanisms: Vec::new(),
            implementation: None,
            utf8: false,
            utf8_names: false,
            login_delay: None,
            expire: None,
            challenges: DEFAULT_CHALLENGES,
            autologout: MIN_AUTOLOGOUT,
        }
    }

    /// Sets whether TLS protects the connection, or can. Without TLS, a login needs
    /// [`dangerous_plaintext_without_tls`](Self::dangerous_plaintext_without_tls),
    /// [`apop`](Self::apop), or a mechanism that is not one of the
    /// [`PLAINTEXT_MECHANISMS`].
    #[must_use]
    pub const fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Sets whether passwords are accepted without TLS too: USER, PASS and the
    /// [`PLAINTEXT_MECHANISMS`]. It is dangerous wherever anyone can listen (RFC
    /// 8314 §3). Use it for tests, loopback, and links with other protection.
    #[must_use]
    pub const fn dangerous_plaintext_without_tls(mut self, yes: bool) -> Self {
        self.plaintext_without_tls = yes;
        self
    }

    /// Sets the text of the greeting, the first line of a session (RFC 1939 §4,
    /// MS-STANOPOP3 C0002).
    ///
    /// # Errors
    ///
    /// If the text is empty, or contains a control character, more than
    /// [`MAX_TEXT`] octets, `[` at its start (which begins a response code, RFC
    /// 2449 §8) or `<` (which may begin a timestamp).
    pub fn greeting(mut self, text: &str) -> Result<Self, ArgumentError> {
        let text = checked(text, MAX_TEXT)?;
        if text.starts_with('[') {
            return Err(bad_octet(0));
        }
        if let Some(at) = text.find('<') {
            return Err(bad_octet(at));
        }
        self.greeting = text.to_owned();
        Ok(self)
    }

    /// Offers APOP with this timestamp, including `<` and `>` (RFC 1939 §7). It
    /// must be different in every session. APOP uses MD5; RFC 8314 §3 prefers a
    /// password under TLS.
    ///
    /// # Errors
    ///
    /// If it is not a message-id, or has more than [`MAX_TIMESTAMP`] octets.
    pub fn apop(mut self, timestamp: &str) -> Result<Self, ArgumentError> {
        let timestamp = checked(timestamp, MAX_TIMESTAMP)?;
        if apop_timestamp(timestamp.as_bytes()) != Some(timestamp) {
            return Err(bad_octet(0));
        }
        self.apop_timestamp = Some(timestamp.to_owned());
        Ok(self)
    }

    /// Sets the SASL mechanisms that the driver supports (RFC 5034 §3).
    ///
    /// # Errors
    ///
    /// If there are more than [`MAX_MECHANISMS`].
    pub fn mechanisms(mut self, mechanisms: &[Mechanism<'_>]) -> Result<Self, ArgumentError> {
        if mechanisms.len() > MAX_MECHANISMS {
            return Err(ArgumentError {
                kind: ArgumentErrorKind::TooLong,
                offset: MAX_MECHANISMS,
            });
        }
        let upper = |mechanism: &Mechanism<'_>| mechanism.as_str().to_ascii_uppercase();
        self.mechanisms = mechanisms.iter().map(upper).collect();
        Ok(self)
    }

    /// Sets the most challenges of an AUTH exchange.
    #[must_use]
    pub const fn challenges(mut self, most: u32) -> Self {
        self.challenges = most;
        self
    }

    /// Sets the server's name, for the capability IMPLEMENTATION (RFC 2449 §6.9).
    ///
    /// # Errors
    ///
    /// If the name is empty, or contains a control character or more than
    /// [`MAX_TEXT`] octets.
    pub fn implementation(mut self, name: &str) -> Result<Self, ArgumentError> {
        self.implementation = Some(checked(name, MAX_TEXT)?.to_owned());
        Ok(self)
    }

    /// Sets whether UTF8 is offered (RFC 6856 §2). Use it only if the maildrop
    /// ensures that a client that did not ask for UTF8 gets no UTF-8 header, by
    /// other octets or by [`Maildrop::needs_utf8`](super::Maildrop::needs_utf8).
    #[must_use]
    pub const fn utf8(mut self, yes: bool) -> Self {
        self.utf8 = yes;
        self
    }

    /// Sets whether names and passwords in UTF-8 are accepted, and `UTF8 USER`
    /// announced (RFC 6856 §2.2); otherwise they must be ASCII. It has an effect
    /// only with [`utf8`](Self::utf8). The driver should apply SASLprep (RFC 4013)
    /// before it compares them, and must if it offers APOP.
    #[must_use]
    pub const fn utf8_names(mut self, yes: bool) -> Self {
        self.utf8_names = yes;
        self
    }

    /// Announces LOGIN-DELAY: at least `seconds` seconds between two logins of a
    /// user (RFC 2449 §6.5). The driver enforces it with
    /// [`Verdict::LoginDelay`](super::Verdict::LoginDelay).
    #[must_use]
    pub const fn login_delay(mut self, seconds: u32) -> Self {
        self.login_delay = Some(seconds);
        self
    }

    /// Announces EXPIRE: the minimum time that mail is kept (RFC 2449 §6.7). The
    /// session itself deletes nothing, so this describes the policy of the site. By
    /// default nothing is announced.
    #[must_use]
    pub const fn expire(mut self, kept: Expiry) -> Self {
        self.expire = Some(kept);
        self
    }

    /// Sets the time without a command, or without progress in sending a reply,
    /// after which the session is closed. A shorter time than [`MIN_AUTOLOGOUT`] is
    /// raised to it (RFC 1939 §3).
    #[must_use]
    pub fn autologout(mut self, after: Duration) -> Self {
        self.autologout = after.max(MIN_AUTOLOGOUT);
        self
    }

    /// Whether names and passwords may contain non-ASCII characters.
    pub(super) const fn takes_utf8_names(&self) -> bool {
        self.utf8 && self.utf8_names
    }

    /// Whether a password is accepted now.
    pub(super) fn takes_plaintext(&self, tls: Tls) -> bool {
        tls == Tls::Active || self.plaintext_without_tls
    }

    /// The mechanisms that may be used now.
    pub(super) fn usable_mechanisms(&self, tls: Tls) -> impl Iterator<Item = &str> {
        let plaintext = self.takes_plaintext(tls);
        let names = self.mechanisms.iter().map(String::as_str);
        names.filter(move |name| plaintext || !PLAINTEXT_MECHANISMS.contains(name))
    }
}

fn checked(text: &str, max: usize) -> Result<&str, ArgumentError> {
    let text = Argument::new(text)?.as_str();
    match text.len() > max {
        true => Err(ArgumentError {
            kind: ArgumentErrorKind::TooLong,
            offset: max,
        }),
        false => Ok(text),
    }
}

const fn bad_octet(offset: usize) -> ArgumentError {
    ArgumentError {
        kind: ArgumentErrorKind::Octet,
        offset,
    }
}
