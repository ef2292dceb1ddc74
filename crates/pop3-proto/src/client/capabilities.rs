//! The capabilities that a server has announced.

use core::fmt::Write as _;

use crate::{Capability, Expiry};

/// The most octets of lines that are kept. Lines of known servers have less than a
/// tenth of that.
const LINES_OCTETS_MAX: usize = 16 * 1024;

/// The reply to the last CAPA.
///
/// A login may change the capabilities, so a set from before it is
/// [stale](Self::is_stale) (RFC 2449 §5). STLS clears the set (RFC 2595 §4),
/// because an attacker may have sent it.
///
/// A repeated capability counts once; the mechanisms of all SASL lines are merged.
///
/// ```
/// use std::time::Instant;
///
/// use pop3_proto::client::{Config, Session, Transport};
/// use pop3_proto::{Command, Profile};
///
/// let now = Instant::now();
/// let mut session = Session::new(Config::new(Profile::RFC1939, Transport::Tls), now);
/// session.handle_input(now, b"+OK ready\r\n")?;
/// session.enqueue(now, &Command::Capa)?;
/// session.handle_transmitted(now, b"CAPA\r\n".len());
/// let mut input = &b"+OK\r\nUIDL\r\nSASL PLAIN SCRAM-SHA-256\r\nPIPELINING\r\n.\r\n"[..];
/// while !input.is_empty() {
///     input = &input[session.handle_input(now, input)?.consumed..];
/// }
/// let capabilities = session.capabilities();
/// assert!(capabilities.is_current() && capabilities.uidl() && capabilities.pipelining());
/// assert!(!capabilities.top());
/// assert!(capabilities.sasl().eq(["PLAIN", "SCRAM-SHA-256"]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    known: bool,
    stale: bool,
    /// The lines, each followed by LF.
    lines: String,
    auth_resp_code: bool,
    expire: Option<(Expiry, bool)>,
    lang: bool,
    login_delay: Option<(u32, bool)>,
    pipelining: bool,
    resp_codes: bool,
    stls: bool,
    top: bool,
    uidl: bool,
    user: bool,
    utf8: Option<bool>,
}

impl Capabilities {
    /// Whether CAPA was answered since the connection or TLS began. A server that
    /// refuses CAPA is known to have no capabilities.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.known
    }

    /// Whether a login followed the reply.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        self.stale
    }

    /// Whether the set is known and not stale.
    #[must_use]
    pub const fn is_current(&self) -> bool {
        self.known && !self.stale
    }

    /// AUTH-RESP-CODE.
    #[must_use]
    pub const fn auth_resp_code(&self) -> bool {
        self.auth_resp_code
    }

    /// EXPIRE, and whether it differs between users.
    #[must_use]
    pub const fn expire(&self) -> Option<(Expiry, bool)> {
        self.expire
    }

    /// LANG.
    #[must_use]
    pub const fn lang(&self) -> bool {
        self.lang
    }

    /// LOGIN-DELAY in seconds, and whether it differs between users.
    #[must_use]
    pub const fn login_delay(&self) -> Option<(u32, bool)> {
        self.login_delay
    }

    /// PIPELINING.
    #[must_use]
    pub const fn pipelining(&self) -> bool {
        self.pipelining
    }

    /// RESP-CODES: without it, a text in brackets is not a response code.
    #[must_use]
    pub const fn resp_codes(&self) -> bool {
        self.resp_codes
    }

    /// The first 16 KiB of the lines, in order, including those of unknown
    /// capabilities.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.lines()
    }

    /// The names of the SASL mechanisms.
    pub fn sasl(&self) -> impl Iterator<Item = &str> {
        let lines = self.lines().map(str::as_bytes);
        lines
            .flat_map(Capability::parse)
            .flat_map(|line| line.mechanisms())
    }

    /// STLS.
    #[must_use]
    pub const fn stls(&self) -> bool {
        self.stls
    }

    /// TOP.
    #[must_use]
    pub const fn top(&self) -> bool {
        self.top
    }

    /// UIDL.
    #[must_use]
    pub const fn uidl(&self) -> bool {
        self.uidl
    }

    /// USER.
    #[must_use]
    pub const fn user(&self) -> bool {
        self.user
    }

    /// UTF8, and whether names and passwords may be UTF-8 too.
    #[must_use]
    pub const fn utf8(&self) -> Option<bool> {
        self.utf8
    }

    /// The empty set, for a server that has replied.
    pub(super) fn answered() -> Self {
        Self {
            known: true,
            ..Self::default()
        }
    }

    pub(super) const fn make_stale(&mut self) {
        self.stale = self.known;
    }

    pub(super) fn add(&mut self, capability: &Capability<'_>) {
        // Writing to a string never fails.
        let length = self.lines.len();
        let _ = writeln!(self.lines, "{capability}");
        if self.lines.len() > LINES_OCTETS_MAX {
            self.lines.truncate(length);
        }
        match *capability {
            Capability::AuthRespCode => self.auth_resp_code = true,
            Capability::Expire { days, per_user } => self.expire = Some((days, per_user)),
            Capability::Lang => self.lang = true,
            Capability::LoginDelay { seconds, per_user } => {
                self.login_delay = Some((seconds, per_user));
            }
            Capability::Pipelining => self.pipelining = true,
            Capability::RespCodes => self.resp_codes = true,
            Capability::Stls => self.stls = true,
            Capability::Top => self.top = true,
            Capability::Uidl => self.uidl = true,
            Capability::User => self.user = true,
            Capability::Utf8 { user } => self.utf8 = Some(user || self.utf8 == Some(true)),
            // `lines` already contains these.
            Capability::Implementation(_) | Capability::Other(_) | Capability::Sasl(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Capabilities;
    use crate::{Capability, Expiry};

    #[test]
    fn reads_one_capability_per_line() {
        let (days, per_user) = (Expiry::Days(60), true);
        let (seconds, user) = (9, true);
        for (capability, is_so) in [
            (
                Capability::AuthRespCode,
                Capabilities::auth_resp_code as fn(&_) -> bool,
            ),
            (Capability::Lang, Capabilities::lang),
            (Capability::Pipelining, Capabilities::pipelining),
            (Capability::RespCodes, Capabilities::resp_codes),
            (Capability::Stls, Capabilities::stls),
            (Capability::Top, Capabilities::top),
            (Capability::Uidl, Capabilities::uidl),
            (Capability::User, Capabilities::user),
            (Capability::Expire { days, per_user }, |said| {
                said.expire() == Some((Expiry::Days(60), true))
            }),
            (Capability::LoginDelay { seconds, per_user }, |said| {
                said.login_delay() == Some((9, true))
            }),
            (Capability::Sasl("PLAIN LOGIN"), |said| {
                said.sasl().eq(["PLAIN", "LOGIN"])
            }),
            (Capability::Utf8 { user }, |said| said.utf8() == Some(true)),
        ] {
            let mut said = Capabilities::answered();
            assert!(!is_so(&said), "{capability}");
            said.add(&capability);
            assert!(is_so(&said), "{capability}");
        }
    }

    #[test]
    fn merges_the_lines_of_one_capability() {
        let mut said = Capabilities::answered();
        for line in [
            "SASL PLAIN LOGIN",
            "UTF8 USER",
            "SASL SCRAM-SHA-256 plain",
            "SASL",
            "UTF8",
        ] {
            said.add(&Capability::parse(line.as_bytes()).unwrap());
        }
        assert!(said.sasl().eq(["PLAIN", "LOGIN", "SCRAM-SHA-256", "plain"]));
        assert_eq!(said.utf8(), Some(true));
    }

    #[test]
    fn keeps_the_lines_up_to_a_limit() {
        let mut said = Capabilities::answered();
        for line in ["TOP", "X-ANY thing", "SASL PLAIN"] {
            said.add(&Capability::parse(line.as_bytes()).unwrap());
        }
        assert!(said.lines().eq(["TOP", "X-ANY thing", "SASL PLAIN"]));
        for number in 0..10_000 {
            said.add(&Capability::Sasl(&format!("M{number}")));
        }
        let octets: usize = said.lines().map(|line| line.len() + 1).sum();
        assert!((16_000..=16_384).contains(&octets), "{octets}");
        said.add(&Capability::Uidl);
        assert!(said.uidl());
    }

    #[test]
    fn an_unknown_set_is_not_stale() {
        let mut said = Capabilities::default();
        said.make_stale();
        assert!(!said.is_known() && !said.is_stale() && !said.is_current());
        said = Capabilities::answered();
        assert!(said.is_known() && !said.is_stale() && said.is_current());
        said.make_stale();
        assert!(said.is_known() && said.is_stale() && !said.is_current());
    }
}
