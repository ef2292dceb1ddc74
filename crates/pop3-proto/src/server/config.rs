//! What a session is told about its server.

use core::time::Duration;

use crate::{Argument, ArgumentError, ArgumentErrorKind, Expiry, Mechanism, apop_timestamp};

/// The shortest autologout timer (RFC 1939 §3).
pub const MIN_AUTOLOGOUT: Duration = Duration::from_secs(10 * 60);

/// The longest text of the greeting, and the longest name for IMPLEMENTATION,
/// in octets: with a timestamp the line stays within 512 (RFC 2449 §4).
pub const MAX_TEXT: usize = 200;

/// The longest timestamp, in octets, its brackets included.
pub const MAX_TIMESTAMP: usize = 250;

/// The most SASL mechanisms: their capability line stays within 512 octets
/// (RFC 2449 §5).
pub const MAX_MECHANISMS: usize = 20;

/// How many challenges an AUTH exchange has at most, unless configured
/// otherwise. No mechanism in use needs a quarter of them.
pub const DEFAULT_CHALLENGES: u32 = 16;

/// The mechanisms that send a password or token as it is. They are subject to
/// the same rule as USER and PASS.
pub const PLAINTEXT_MECHANISMS: [&str; 4] = ["LOGIN", "OAUTHBEARER", "PLAIN", "XOAUTH2"];

/// Whether a connection is protected, or can come to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tls {
    /// It is not, and STLS is refused.
    #[default]
    Unavailable,
    /// It is not yet; STLS is offered (RFC 2595 §4).
    Offered,
    /// It is from the start (port 995, RFC 8314 §3.3) or since STLS.
    Active,
}

/// The configuration of a [`Session`](super::Session).
///
/// At first: STLS is offered, and passwords are taken under TLS, so that there is
/// a way to log in (MS-STANOPOP3 C0009); no SASL, no APOP, no UTF8; autologout
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
    /// The configuration described above.
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

    /// Whether the connection is protected, or can be. Where it never is,
    /// [`dangerous_plaintext_without_tls`](Self::dangerous_plaintext_without_tls),
    /// [`apop`](Self::apop) or a mechanism that is not one of the
    /// [`PLAINTEXT_MECHANISMS`] has to be there for a login.
    #[must_use]
    pub const fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Takes passwords without TLS too: USER, PASS and the
    /// [`PLAINTEXT_MECHANISMS`]. Dangerous wherever anyone can listen (RFC 8314
    /// §3); for tests, loopback, and links protected in another way.
    #[must_use]
    pub const fn dangerous_plaintext_without_tls(mut self, yes: bool) -> Self {
        self.plaintext_without_tls = yes;
        self
    }

    /// The text of the greeting, the first line of all (RFC 1939 §4,
    /// MS-STANOPOP3 C0002).
    ///
    /// # Errors
    ///
    /// A text that is empty, has a control character, more than [`MAX_TEXT`]
    /// octets, `[` at its start (which begins a response code, RFC 2449 §8) or
    /// a `<` (which may begin a timestamp).
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

    /// Offers APOP with this timestamp, `<` and `>` included (RFC 1939 §7).
    /// It has to be another in every session. APOP rests on MD5: RFC 8314 §3
    /// prefers a password under TLS.
    ///
    /// # Errors
    ///
    /// What is no message-id, or has more than [`MAX_TIMESTAMP`] octets.
    pub fn apop(mut self, timestamp: &str) -> Result<Self, ArgumentError> {
        let timestamp = checked(timestamp, MAX_TIMESTAMP)?;
        if apop_timestamp(timestamp.as_bytes()) != Some(timestamp) {
            return Err(bad_octet(0));
        }
        self.apop_timestamp = Some(timestamp.to_owned());
        Ok(self)
    }

    /// The SASL mechanisms that the driver can carry out (RFC 5034 §3).
    ///
    /// # Errors
    ///
    /// More than [`MAX_MECHANISMS`].
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

    /// How many challenges an AUTH exchange may have.
    #[must_use]
    pub const fn challenges(mut self, most: u32) -> Self {
        self.challenges = most;
        self
    }

    /// The server's name, for the capability IMPLEMENTATION (RFC 2449 §6.9).
    ///
    /// # Errors
    ///
    /// A name that is empty, has a control character, or more than
    /// [`MAX_TEXT`] octets.
    pub fn implementation(mut self, name: &str) -> Result<Self, ArgumentError> {
        self.implementation = Some(checked(name, MAX_TEXT)?.to_owned());
        Ok(self)
    }

    /// Offers UTF8 (RFC 6856 §2): only where the maildrop takes care that a
    /// client that did not ask for it gets no UTF-8 header, by other octets or
    /// by [`Maildrop::needs_utf8`](super::Maildrop::needs_utf8).
    #[must_use]
    pub const fn utf8(mut self, yes: bool) -> Self {
        self.utf8 = yes;
        self
    }

    /// Takes names and passwords in UTF-8, and announces `UTF8 USER` (RFC 6856
    /// §2.2); without it they have to be ASCII. Means something only with
    /// [`utf8`](Self::utf8). The driver should apply SASLprep (RFC 4013) to them
    /// before it compares, and must where it offers APOP.
    #[must_use]
    pub const fn utf8_names(mut self, yes: bool) -> Self {
        self.utf8_names = yes;
        self
    }

    /// Announces LOGIN-DELAY: so many seconds between two logins of a user (RFC
    /// 2449 §6.5). The driver enforces it, by
    /// [`Verdict::LoginDelay`](super::Verdict::LoginDelay).
    #[must_use]
    pub const fn login_delay(mut self, seconds: u32) -> Self {
        self.login_delay = Some(seconds);
        self
    }

    /// Announces EXPIRE: how long mail is kept at least (RFC 2449 §6.7). The
    /// session deletes nothing by itself, so this says what the site does, and
    /// nothing is announced at first.
    #[must_use]
    pub const fn expire(mut self, kept: Expiry) -> Self {
        self.expire = Some(kept);
        self
    }

    /// After how long without a command, or progress in sending a reply, the
    /// session is closed. Less than [`MIN_AUTOLOGOUT`] means that much (RFC
    /// 1939 §3).
    #[must_use]
    pub fn autologout(mut self, after: Duration) -> Self {
        self.autologout = after.max(MIN_AUTOLOGOUT);
        self
    }

    /// Whether names and passwords may be other than ASCII.
    pub(super) const fn takes_utf8_names(&self) -> bool {
        self.utf8 && self.utf8_names
    }

    /// Whether a password may come now.
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
