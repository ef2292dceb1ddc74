//! What a session tells its driver, and what the driver answers.

use core::fmt;

use crate::ArgumentError;

/// Something that the driver has to do.
///
/// Until it is fetched with [`Session::poll_event`](super::Session::poll_event)
/// the session reads no further command.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A client wants to log in: answer with
    /// [`Session::answer`](super::Session::answer) or
    /// [`Session::challenge`](super::Session::challenge).
    Login(Login),
    /// The answer to a SASL challenge, in base64 and not looked into, maybe
    /// empty (RFC 5034 §4): answer in the same way as to [`Event::Login`].
    SaslResponse(HiddenText),
    /// The client gave up the SASL exchange, or sent what cannot be a response
    /// (RFC 5034 §4): forget it. The client was told `-ERR`.
    SaslCanceled,
    /// The `+OK` to STLS is sent: begin the TLS handshake with the octets that
    /// come from now on, none that were read before (RFC 2595 §4), and say
    /// [`Session::handle_tls`](super::Session::handle_tls) when it is done.
    StartTls,
    /// Close the connection. Comes once and last.
    Closed(Closed),
}

/// How a client wants to log in.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Login {
    /// USER and PASS (RFC 1939 §7).
    Password {
        /// The name, as it came: delegate names hold `/` and `@`.
        name: String,
        /// The password, spaces included.
        password: HiddenText,
    },
    /// APOP (RFC 1939 §7): the digest has to be the MD5, in lower-case
    /// hexadecimal digits, of the timestamp followed by the shared secret.
    Apop {
        /// The name.
        name: String,
        /// The timestamp of the greeting, its brackets included.
        timestamp: String,
        /// The digest, as it came.
        digest: HiddenText,
    },
    /// AUTH with a mechanism that the configuration names (RFC 5034 §4).
    Sasl {
        /// The mechanism, in upper case.
        mechanism: String,
        /// Base64 and not looked into; `=` stands for an empty one.
        initial_response: Option<HiddenText>,
    },
}

/// A password or the like, which `Debug` does not show.
///
/// ```
/// use pop3_proto::server::HiddenText;
///
/// let text = HiddenText::from("tanstaaf");
/// assert_eq!(format!("{text:?}"), "HiddenText(hidden)");
/// assert_eq!(text.expose(), "tanstaaf");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HiddenText(String);

impl HiddenText {
    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for HiddenText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for HiddenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HiddenText(hidden)")
    }
}

/// The driver's answer to a login.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict<M> {
    /// Whom the client says it is, and the maildrop is locked: here it is.
    Accept(M),
    /// Wrong name, password or mechanism data. `-ERR [AUTH]` (RFC 3206 §5),
    /// the same words for all, and one more in
    /// [`Session::failed_logins`](super::Session::failed_logins).
    Reject,
    /// The maildrop is locked by another session: `-ERR [IN-USE]` (RFC 2449
    /// §8.1.2).
    InUse,
    /// The last login of this user is not long enough ago: `-ERR [LOGIN-DELAY]`
    /// (RFC 2449 §8.1.1). See [`Config::login_delay`](super::Config::login_delay).
    LoginDelay,
    /// It cannot be found out, or the maildrop not be opened, now; later it may:
    /// `-ERR [SYS/TEMP]` (RFC 3206 §4).
    Temporary,
    /// The same, until someone intervenes: a damaged maildrop, a wrong
    /// configuration. `-ERR [SYS/PERM]` (RFC 3206 §4).
    Permanent,
}

/// Why a challenge is not sent. The session still waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChallengeError {
    /// It is not base64, or longer than [`MAX_SASL_LINE`](crate::MAX_SASL_LINE)
    /// with its line.
    Argument(ArgumentError),
    /// The exchange has had [`Config::challenges`](super::Config::challenges):
    /// answer with [`Verdict::Reject`].
    TooMany,
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(error) => write!(f, "not a SASL challenge: {error}"),
            Self::TooMany => f.write_str("the SASL exchange has too many challenges: reject it"),
        }
    }
}

impl core::error::Error for ChallengeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Argument(error) => Some(error),
            Self::TooMany => None,
        }
    }
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Closed {
    /// QUIT in the AUTHORIZATION state: no maildrop was touched (RFC 1939 §4).
    Quit,
    /// QUIT in the TRANSACTION state, and the messages marked are removed (RFC
    /// 1939 §6).
    Updated,
    /// QUIT in the TRANSACTION state, and [`Maildrop::commit`] failed.
    ///
    /// [`Maildrop::commit`]: super::Maildrop::commit
    UpdateFailed,
    /// The client closed its side without QUIT: nothing is removed.
    Eof,
    /// The autologout timer ran out: nothing is removed (RFC 1939 §3).
    Autologout,
    /// A message could not be read to its end: nothing is removed.
    MessageFailed,
}

/// For a log.
impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quit => "QUIT before a login",
            Self::Updated => "QUIT",
            Self::UpdateFailed => "QUIT, and not every deleted message is removed",
            Self::Eof => "the client left without QUIT",
            Self::Autologout => "the client was silent for too long",
            Self::MessageFailed => "a message could not be read to its end",
        })
    }
}
