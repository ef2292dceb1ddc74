//! The events of a session for its driver, and the driver's answers.

use core::fmt;

use crate::ArgumentError;

/// Something that the driver must do.
///
/// Until the driver fetches it with
/// [`Session::poll_event`](super::Session::poll_event), the session reads no
/// further command.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A client wants to log in: answer with
    /// [`Session::answer`](super::Session::answer) or
    /// [`Session::challenge`](super::Session::challenge).
    Login(Login),
    /// The response to a SASL challenge, as undecoded base64, maybe empty (RFC 5034
    /// §4): answer it like [`Event::Login`].
    SaslResponse(HiddenText),
    /// The client canceled the SASL exchange, or sent something that cannot be a
    /// response (RFC 5034 §4): end the exchange. The session has replied `-ERR`.
    SaslCanceled,
    /// The `+OK` to STLS is sent: begin the TLS handshake with octets that arrive
    /// from now on, not with octets read before (RFC 2595 §4), and call
    /// [`Session::handle_tls`](super::Session::handle_tls) when it is done.
    StartTls,
    /// Close the connection. This is the last event.
    Closed(Closed),
}

/// How a client wants to log in.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Login {
    /// USER and PASS (RFC 1939 §7).
    Password {
        /// The name, unchanged: delegate names contain `/` and `@`.
        name: String,
        /// The password, including spaces.
        password: HiddenText,
    },
    /// APOP (RFC 1939 §7): the digest must be the MD5, in lower-case hexadecimal
    /// digits, of the timestamp followed by the shared secret.
    Apop {
        /// The name.
        name: String,
        /// The timestamp of the greeting, including its brackets.
        timestamp: String,
        /// The digest, unchanged.
        digest: HiddenText,
    },
    /// AUTH with a mechanism that the configuration names (RFC 5034 §4).
    Sasl {
        /// The mechanism, in upper case.
        mechanism: String,
        /// The initial response as undecoded base64; `=` for an empty one.
        initial_response: Option<HiddenText>,
    },
}

/// A password or another secret, which `Debug` does not show.
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
    /// The text.
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
    /// The client is authenticated, and this is its locked maildrop.
    Accept(M),
    /// Wrong name, password or mechanism data: `-ERR [AUTH]` (RFC 3206 §5), with
    /// the same text for all. It increments
    /// [`Session::failed_logins`](super::Session::failed_logins).
    Reject,
    /// Another session has locked the maildrop: `-ERR [IN-USE]` (RFC 2449 §8.1.2).
    InUse,
    /// The last login of this user was too recent: `-ERR [LOGIN-DELAY]` (RFC 2449
    /// §8.1.1). See [`Config::login_delay`](super::Config::login_delay).
    LoginDelay,
    /// The login cannot be checked, or the maildrop cannot be opened, for now:
    /// `-ERR [SYS/TEMP]` (RFC 3206 §4).
    Temporary,
    /// The same until the operator intervenes, for example for a damaged maildrop
    /// or a wrong configuration: `-ERR [SYS/PERM]` (RFC 3206 §4).
    Permanent,
}

/// Why a challenge is not sent. The session still waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChallengeError {
    /// It is not base64, or its line is longer than
    /// [`MAX_SASL_LINE`](crate::MAX_SASL_LINE).
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

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Closed {
    /// QUIT in the AUTHORIZATION state: no maildrop was touched (RFC 1939 §4).
    Quit,
    /// QUIT in the TRANSACTION state, and the marked messages are removed (RFC 1939
    /// §6).
    Updated,
    /// QUIT in the TRANSACTION state, and [`Maildrop::commit`] failed.
    ///
    /// [`Maildrop::commit`]: super::Maildrop::commit
    UpdateFailed,
    /// The client closed its side without QUIT: nothing is removed.
    Eof,
    /// The autologout timer expired: nothing is removed (RFC 1939 §3).
    Autologout,
    /// A message could not be read to its end: nothing is removed.
    MessageFailed,
}

/// Writes the text for a log.
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
