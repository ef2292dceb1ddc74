//! `-ERR`, and what follows from it.

use core::fmt;

use pop3_proto::{
    Escaped, StatusLine,
    client::{Capabilities, Reply, Request},
};

use super::ErrorKind;

/// A negative reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The command that was refused; `None` for the greeting.
    pub request: Option<Request>,
    /// The response code, if the server announced that it sends some.
    pub code: Option<Code>,
    /// The server's words, at most 512 octets of printable ASCII: all else is
    /// escaped, a password that the server repeats is left out.
    pub text: String,
}

/// A response code (RFC 2449 §8, RFC 3206).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// Name or password are wrong (`AUTH`).
    Auth,
    /// Another session has the maildrop (`IN-USE`).
    InUse,
    /// The last login is too short a time ago (`LOGIN-DELAY`).
    LoginDelay,
    /// The server cannot for now (`SYS/TEMP`).
    SysTemp,
    /// The server cannot, and will not before someone repairs it (`SYS/PERM`).
    SysPerm,
    /// Any other, as it came.
    Other(String),
}

impl Code {
    fn of(status: &StatusLine<'_>, announced: Codes) -> Option<Self> {
        let code = status.code()?;
        let basic = |known| announced.basic.then_some(known);
        let known = |known| (announced.basic || announced.auth).then_some(known);
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
            basic(Self::Other(Escaped(code.as_str().as_bytes()).to_string()))
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

/// Which response codes mean something: those that the server announced
/// (RFC 2449 §8, RFC 3206 §3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Codes {
    basic: bool,
    auth: bool,
}

impl Codes {
    /// In the greeting, before which nothing can be announced.
    pub(super) const ALL: Self = Self {
        basic: true,
        auth: true,
    };

    pub(super) const fn announced(capabilities: &Capabilities) -> Self {
        Self {
            basic: capabilities.resp_codes(),
            auth: capabilities.auth_resp_code(),
        }
    }
}

impl Refusal {
    pub(super) fn of(reply: &Reply<'_>, codes: Codes) -> Self {
        Self::new(Some(reply.request), &reply.status, codes)
    }

    pub(super) fn of_greeting(status: &StatusLine<'_>) -> Self {
        Self::new(None, status, Codes::ALL)
    }

    fn new(request: Option<Request>, status: &StatusLine<'_>, codes: Codes) -> Self {
        Self {
            request,
            code: Code::of(status, codes),
            text: Escaped(status.text()).to_string(),
        }
    }

    /// Takes a secret out of the server's words.
    pub(super) fn without(mut self, secret: &str) -> Self {
        let escaped = Escaped(secret.as_bytes()).to_string();
        if !escaped.is_empty() && self.text.contains(&escaped) {
            self.text = self.text.replace(&escaped, "(hidden)");
            self.code = match self.code {
                Some(Code::Other(_)) => None,
                code => code,
            };
        }
        self
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
