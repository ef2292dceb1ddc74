//! Capabilities: the features that a server announces.

use core::{fmt, str};

use crate::command::decimal;

/// A line of the reply to CAPA (RFC 2449 §§5 and 6, RFC 2595 §4, RFC 3206, RFC 5034
/// §3, RFC 6856 §§2 and 3).
///
/// An unknown capability, or a known one without a value that it needs, is kept
/// unchanged. Parameters that a known capability does not have are ignored, because
/// an extension may add them. For every profile, runs of spaces and TABs may
/// separate words and surround the line (MS-STANOPOP3 C0004), because no other
/// meaning is possible.
///
/// ```
/// use pop3_proto::{Capability, Expiry};
///
/// assert_eq!(Capability::parse(b"top"), Ok(Capability::Top));
/// assert_eq!(
///     Capability::parse(b"EXPIRE 60 USER"),
///     Ok(Capability::Expire { days: Expiry::Days(60), per_user: true })
/// );
/// let unknown = Capability::parse(b"X-MANGLE 1").unwrap();
/// assert_eq!(unknown.to_string(), "X-MANGLE 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability<'a> {
    /// `AUTH-RESP-CODE`: the server uses the codes of RFC 3206.
    AuthRespCode,
    /// `EXPIRE`: how long mail is kept.
    Expire {
        /// The minimum time.
        days: Expiry,
        /// Whether it differs between users: ask again after login.
        per_user: bool,
    },
    /// `IMPLEMENTATION`: the server's name, which may be empty.
    Implementation(&'a str),
    /// `LANG`.
    Lang,
    /// `LOGIN-DELAY`: the minimum time between logins.
    LoginDelay {
        /// The time in seconds.
        seconds: u32,
        /// Whether it differs between users: ask again after login.
        per_user: bool,
    },
    /// `PIPELINING`.
    Pipelining,
    /// `RESP-CODES`.
    RespCodes,
    /// `SASL` and the mechanisms, separated by the original blanks: see
    /// [`mechanisms`](Self::mechanisms).
    Sasl(&'a str),
    /// `STLS`.
    Stls,
    /// `TOP`.
    Top,
    /// `UIDL`.
    Uidl,
    /// `USER`.
    User,
    /// `UTF8`; with `USER`, names and passwords may be UTF-8 too.
    Utf8 {
        /// Whether `USER` was given.
        user: bool,
    },
    /// Any other capability, unchanged.
    Other(&'a str),
}

/// How long a server keeps mail (RFC 2449 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// A number of days; 0 means that mail must not be left on the server.
    Days(u32),
    /// Without a limit.
    Never,
}

impl<'a> Capability<'a> {
    /// Parses a line without its CRLF.
    ///
    /// # Errors
    ///
    /// If the line is empty or not printable text.
    pub fn parse(line: &'a [u8]) -> Result<Self, CapabilityError> {
        let bad = line
            .iter()
            .position(|octet| octet.is_ascii_control() && *octet != b'\t');
        if let Some(offset) = bad {
            return Err(CapabilityError { offset });
        }
        let text = str::from_utf8(line).map_err(|error| CapabilityError {
            offset: error.valid_up_to(),
        })?;
        let is_blank = |char| matches!(char, ' ' | '\t');
        let text = text.trim_matches(is_blank);
        if text.is_empty() {
            return Err(CapabilityError { offset: 0 });
        }
        let (tag, rest) = text.split_once(is_blank).unwrap_or((text, ""));
        let rest = rest.trim_start_matches(is_blank);
        let mut parameters = rest.split_ascii_whitespace();
        let other = Ok(Self::Other(text));
        let mut buffer = [0; 14];
        let upper = match buffer.get_mut(..tag.len()) {
            Some(upper) => {
                upper.copy_from_slice(tag.as_bytes());
                upper.make_ascii_uppercase();
                &*upper
            }
            None => return other,
        };
        let has_user = |mut parameters: str::SplitAsciiWhitespace<'a>| {
            parameters.any(|word| word.eq_ignore_ascii_case("USER"))
        };
        match upper {
            b"AUTH-RESP-CODE" => Ok(Self::AuthRespCode),
            b"LANG" => Ok(Self::Lang),
            b"PIPELINING" => Ok(Self::Pipelining),
            b"RESP-CODES" => Ok(Self::RespCodes),
            b"STLS" => Ok(Self::Stls),
            b"TOP" => Ok(Self::Top),
            b"UIDL" => Ok(Self::Uidl),
            b"USER" => Ok(Self::User),
            b"IMPLEMENTATION" => Ok(Self::Implementation(rest)),
            b"SASL" => Ok(Self::Sasl(rest)),
            b"UTF8" => Ok(Self::Utf8 {
                user: has_user(parameters),
            }),
            b"EXPIRE" => {
                let days = parameters
                    .next()
                    .and_then(|word| match decimal(word.as_bytes()) {
                        Some(days) => Some(Expiry::Days(days)),
                        None => word.eq_ignore_ascii_case("NEVER").then_some(Expiry::Never),
                    });
                let per_user = has_user(parameters);
                days.map_or(other, |days| Ok(Self::Expire { days, per_user }))
            }
            b"LOGIN-DELAY" => {
                let seconds = parameters.next().and_then(|word| decimal(word.as_bytes()));
                let per_user = has_user(parameters);
                seconds.map_or(other, |seconds| Ok(Self::LoginDelay { seconds, per_user }))
            }
            _ => other,
        }
    }
}

impl<'a> Capability<'a> {
    /// The names of the SASL mechanisms, whatever blanks separate them; none for
    /// another capability.
    ///
    /// ```
    /// use pop3_proto::Capability;
    ///
    /// let sasl = Capability::parse(b"SASL PLAIN \t SCRAM-SHA-256").unwrap();
    /// assert!(sasl.mechanisms().eq(["PLAIN", "SCRAM-SHA-256"]));
    /// ```
    pub fn mechanisms(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let names = match *self {
            Self::Sasl(names) => names,
            _ => "",
        };
        names.split_ascii_whitespace()
    }
}

impl fmt::Display for Capability<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = |per_user: &bool| if *per_user { " USER" } else { "" };
        match self {
            Self::AuthRespCode => f.write_str("AUTH-RESP-CODE"),
            Self::Expire {
                days: Expiry::Days(days),
                per_user,
            } => {
                write!(f, "EXPIRE {days}{}", suffix(per_user))
            }
            Self::Expire {
                days: Expiry::Never,
                per_user,
            } => {
                write!(f, "EXPIRE NEVER{}", suffix(per_user))
            }
            Self::Implementation("") => f.write_str("IMPLEMENTATION"),
            Self::Implementation(name) => write!(f, "IMPLEMENTATION {name}"),
            Self::Lang => f.write_str("LANG"),
            Self::LoginDelay { seconds, per_user } => {
                write!(f, "LOGIN-DELAY {seconds}{}", suffix(per_user))
            }
            Self::Pipelining => f.write_str("PIPELINING"),
            Self::RespCodes => f.write_str("RESP-CODES"),
            Self::Sasl("") => f.write_str("SASL"),
            Self::Sasl(mechanisms) => write!(f, "SASL {mechanisms}"),
            Self::Stls => f.write_str("STLS"),
            Self::Top => f.write_str("TOP"),
            Self::Uidl => f.write_str("UIDL"),
            Self::User => f.write_str("USER"),
            Self::Utf8 { user } => write!(f, "UTF8{}", suffix(user)),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// The line is not printable text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CapabilityError {
    offset: usize,
}

impl CapabilityError {
    /// The offset in the line, in octets.
    #[must_use]
    pub const fn offset(self) -> usize {
        self.offset
    }
}

impl fmt::Display for CapabilityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "octet {} of the capability is not printable",
            self.offset
        )
    }
}

impl core::error::Error for CapabilityError {}

#[cfg(test)]
mod tests {
    use super::{Capability, Expiry};

    #[test]
    fn reads_and_writes_known_capabilities() {
        let (days, per_user) = (Expiry::Days(60), true);
        for (line, capability) in [
            ("AUTH-RESP-CODE", Capability::AuthRespCode),
            ("EXPIRE 60 USER", Capability::Expire { days, per_user }),
            ("IMPLEMENTATION", Capability::Implementation("")),
            ("IMPLEMENTATION a b", Capability::Implementation("a b")),
            ("LANG", Capability::Lang),
            (
                "LOGIN-DELAY 9 USER",
                Capability::LoginDelay {
                    seconds: 9,
                    per_user,
                },
            ),
            ("PIPELINING", Capability::Pipelining),
            ("RESP-CODES", Capability::RespCodes),
            ("SASL", Capability::Sasl("")),
            ("SASL PLAIN", Capability::Sasl("PLAIN")),
            ("STLS", Capability::Stls),
            ("TOP", Capability::Top),
            ("UIDL", Capability::Uidl),
            ("USER", Capability::User),
            ("UTF8", Capability::Utf8 { user: false }),
            ("UTF8 USER", Capability::Utf8 { user: true }),
            ("X-MANGLE 1", Capability::Other("X-MANGLE 1")),
        ] {
            assert_eq!(Capability::parse(line.as_bytes()), Ok(capability));
            assert_eq!(capability.to_string(), line);
        }
    }

    #[test]
    fn keeps_a_capability_without_its_value_unchanged() {
        for line in [
            "EXPIRE +60",
            "EXPIRE USER",
            "LOGIN-DELAY",
            "LOGIN-DELAY x 9",
        ] {
            assert_eq!(
                Capability::parse(line.as_bytes()),
                Ok(Capability::Other(line))
            );
        }
    }

    #[test]
    fn ignores_parameters_that_a_capability_does_not_have() {
        let days = Expiry::Days(60);
        for (line, capability) in [
            ("AUTH-RESP-CODE x", Capability::AuthRespCode),
            ("LANG en de", Capability::Lang),
            ("PIPELINING 10", Capability::Pipelining),
            ("RESP-CODES x", Capability::RespCodes),
            ("STLS x", Capability::Stls),
            ("TOP 1", Capability::Top),
            ("UIDL\tx", Capability::Uidl),
            ("USER PLAIN", Capability::User),
            ("UTF8 x", Capability::Utf8 { user: false }),
            ("UTF8 x USER", Capability::Utf8 { user: true }),
            (
                "EXPIRE 60 x",
                Capability::Expire {
                    days,
                    per_user: false,
                },
            ),
            (
                "EXPIRE 60 USER junk",
                Capability::Expire {
                    days,
                    per_user: true,
                },
            ),
            (
                "LOGIN-DELAY 9 x user",
                Capability::LoginDelay {
                    seconds: 9,
                    per_user: true,
                },
            ),
        ] {
            assert_eq!(Capability::parse(line.as_bytes()), Ok(capability), "{line}");
        }
    }

    #[test]
    fn refuses_a_non_printable_octet_at_its_offset() {
        for (line, offset) in [(&b""[..], 0), (b"TOP\0", 3), (b"USER \xFF", 5)] {
            let error = Capability::parse(line).unwrap_err();
            let text = format!("octet {offset} of the capability is not printable");
            assert_eq!((error.offset(), error.to_string()), (offset, text));
        }
    }

    #[test]
    fn accepts_runs_of_blanks() {
        let expire = Capability::Expire {
            days: Expiry::Never,
            per_user: true,
        };
        for line in [&b"expire \t NEVER\tuser "[..], b" \tEXPIRE NEVER  USER\t"] {
            assert_eq!(Capability::parse(line), Ok(expire));
        }
        assert_eq!(
            Capability::parse(b"UTF8\t USER"),
            Ok(Capability::Utf8 { user: true })
        );
        assert_eq!(Capability::parse(b"\tTOP "), Ok(Capability::Top));
        for blank in [&b" "[..], b"\t", b" \t "] {
            assert!(Capability::parse(blank).is_err());
        }
    }

    #[test]
    fn splits_mechanisms_at_any_blanks() {
        for line in [
            "SASL PLAIN LOGIN",
            "sasl\tPLAIN\tLOGIN",
            " SASL  PLAIN \t LOGIN\t ",
        ] {
            let capability = Capability::parse(line.as_bytes()).unwrap();
            assert!(capability.mechanisms().eq(["PLAIN", "LOGIN"]), "{line}");
        }
        let none = Capability::parse(b"SASL ").unwrap();
        assert_eq!((none, none.mechanisms().count()), (Capability::Sasl(""), 0));
        assert_eq!(Capability::Other("X PLAIN").mechanisms().count(), 0);
    }
}
