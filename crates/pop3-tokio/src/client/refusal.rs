//! Negative replies, and their meaning.

use core::fmt;

use pop3_proto::{
    StatusLine,
    client::{Capabilities, Reply, Request},
};

use super::{
    ErrorKind,
    secrets::{NOT_SHOWN, Secrets},
};

/// A negative reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The command that was refused; `None` for the greeting.
    pub request: Option<Request>,
    /// The response code, if the server announced response codes.
    pub code: Option<Code>,
    /// The text of the reply, as at most 512 octets of printable ASCII, with
    /// everything else escaped. If it repeats what was sent to log in, in any
    /// encoding, a remark replaces it.
    pub text: String,
}

/// A response code (RFC 2449 §8, RFC 3206).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// The name or the password is wrong (`AUTH`).
    Auth,
    /// Another session has locked the maildrop (`IN-USE`).
    InUse,
    /// The last login was too recent (`LOGIN-DELAY`).
    LoginDelay,
    /// The server has a temporary problem (`SYS/TEMP`).
    SysTemp,
    /// The server has a problem that its operator must fix (`SYS/PERM`).
    SysPerm,
    /// Any other code, unchanged.
    Other(String),
}

impl Code {
    fn of(status: &StatusLine<'_>, words: Words<'_>) -> Option<Self> {
        let code = status.code()?;
        let basic = |known| words.basic.then_some(known);
        let known = |known| (words.basic || words.auth).then_some(known);
        if code.is_within("AUTH") {
            known(Self::Auth)
        } else if code.is_within("SYS/TEMP") {
            known(Self::SysTemp)
        } else if code.is_within("SYS/PERM") {
            known(Self::SysPerm)
        } else if code.is_within("IN-USE") {
            basic(Self::InUse)
        } else if code.is_within("LOGIN-DELAY") {
            basic(Self::LoginDelay)
        } else {
            basic(Self::Other(words.secrets.shown(code.as_str().as_bytes())?))
        }
    }

    pub(super) const fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Auth => Some(ErrorKind::Authentication),
            Self::InUse | Self::LoginDelay | Self::SysTemp => Some(ErrorKind::Temporary),
            Self::SysPerm => Some(ErrorKind::Unavailable),
            Self::Other(_) => None,
        }
    }
}

/// How to read texts of the server: which response codes it announced (RFC 2449 §8,
/// RFC 3206 §3), and which secrets must not be shown.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    basic: bool,
    auth: bool,
    secrets: &'a Secrets,
}

impl<'a> Words<'a> {
    pub(super) const fn new(capabilities: &Capabilities, secrets: &'a Secrets) -> Self {
        Self {
            basic: capabilities.resp_codes(),
            auth: capabilities.auth_resp_code(),
            secrets,
        }
    }

    /// Returns a text of the server, or a remark in its place.
    pub(super) fn shown(&self, text: &[u8]) -> String {
        self.secrets.shown_or_remark(text)
    }
}

impl Refusal {
    pub(super) fn of(reply: &Reply<'_>, words: Words<'_>) -> Self {
        Self::new(Some(reply.request), &reply.status, words)
    }

    /// The refusal in a greeting. All response codes count, because nothing can be
    /// announced before the greeting.
    pub(super) fn of_greeting(status: &StatusLine<'_>, words: Words<'_>) -> Self {
        let words = Words {
            basic: true,
            ..words
        };
        Self::new(None, status, words)
    }

    fn new(request: Option<Request>, status: &StatusLine<'_>, words: Words<'_>) -> Self {
        let shown = words.secrets.shown(status.text());
        Self {
            request,
            code: Code::of(status, words)
                .filter(|code| shown.is_some() || !matches!(code, Code::Other(_))),
            text: shown.unwrap_or_else(|| NOT_SHOWN.to_owned()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.request {
            Some(request) => write!(f, "the server refuses {}", request.keyword())?,
            None => f.write_str("the server refuses the connection")?,
        }
        match self.text.as_str() {
            "" => Ok(()),
            text => write!(f, ": {text}"),
        }
    }
}

impl core::error::Error for Refusal {}
