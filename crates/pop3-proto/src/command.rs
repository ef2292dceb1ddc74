//! Commands: built by a client and parsed by a server, with one grammar.

use core::{fmt, str};

use crate::{
    Argument, ArgumentError, ArgumentErrorKind, LanguageRange, Mechanism, MessageNumber, Secret,
};

/// A command (RFC 1939 §§4 to 7, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4,
/// RFC 6856 §§2 and 3).
///
/// Its parts cannot contain what must not be sent, so every command is one line.
/// Whether it is too long is checked when it is encoded. `Debug` does not show
/// secrets.
///
/// ```
/// use pop3_proto::{Command, MessageNumber};
///
/// let mut line = Vec::new();
/// Command::Retr(MessageNumber::FIRST).encode(&mut line)?;
/// assert_eq!(line, b"RETR 1\r\n");
/// assert_eq!(Command::parse(b"retr 1"), Ok(Command::Retr(MessageNumber::FIRST)));
/// # Ok::<(), pop3_proto::CommandError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// `APOP name digest` (RFC 1939 §7).
    Apop {
        /// The mailbox.
        name: Argument<'a>,
        /// 32 hexadecimal digits of MD5.
        digest: Secret<'a>,
    },
    /// `AUTH mechanism [initial-response]` (RFC 5034 §4).
    Auth {
        /// The SASL mechanism.
        mechanism: Mechanism<'a>,
        /// The initial response in base64; `=` for an empty one.
        initial_response: Option<Secret<'a>>,
    },
    /// `AUTH` without arguments: asks for the mechanisms, as a multi-line reply
    /// (older servers, MS-POP3).
    AuthList,
    /// `CAPA` (RFC 2449 §5).
    Capa,
    /// `DELE msg`.
    Dele(MessageNumber),
    /// `LANG` (RFC 6856 §3): asks for the languages, as a multi-line reply.
    LangList,
    /// `LANG tag` (RFC 6856 §3).
    Lang(LanguageRange<'a>),
    /// `LIST [msg]`.
    List(Option<MessageNumber>),
    /// `NOOP`.
    Noop,
    /// `PASS string`.
    Pass(Secret<'a>),
    /// `QUIT`.
    Quit,
    /// `RETR msg`.
    Retr(MessageNumber),
    /// `RSET`.
    Rset,
    /// `STAT`.
    Stat,
    /// `STLS` (RFC 2595 §4).
    Stls,
    /// `TOP msg n` (RFC 1939 §7).
    Top(MessageNumber, u32),
    /// `UIDL [msg]` (RFC 1939 §7).
    Uidl(Option<MessageNumber>),
    /// `USER name`.
    User(Argument<'a>),
    /// `UTF8` (RFC 6856 §2).
    Utf8,
}

impl<'a> Command<'a> {
    /// The most octets of a command, including CRLF (RFC 2449 §4).
    pub const MAX_OCTETS: usize = 255;

    /// The keyword.
    #[must_use]
    pub const fn keyword(&self) -> &'static str {
        match self {
            Self::Apop { .. } => "APOP",
            Self::Auth { .. } | Self::AuthList => "AUTH",
            Self::Capa => "CAPA",
            Self::Dele(_) => "DELE",
            Self::Lang(_) | Self::LangList => "LANG",
            Self::List(_) => "LIST",
            Self::Noop => "NOOP",
            Self::Pass(_) => "PASS",
            Self::Quit => "QUIT",
            Self::Retr(_) => "RETR",
            Self::Rset => "RSET",
            Self::Stat => "STAT",
            Self::Stls => "STLS",
            Self::Top(..) => "TOP",
            Self::Uidl(_) => "UIDL",
            Self::User(_) => "USER",
            Self::Utf8 => "UTF8",
        }
    }

    /// Whether a positive reply has a multi-line block.
    #[must_use]
    pub const fn is_multiline(&self) -> bool {
        matches!(
            self,
            Self::AuthList
                | Self::Capa
                | Self::LangList
                | Self::List(None)
                | Self::Retr(_)
                | Self::Top(..)
                | Self::Uidl(None)
        )
    }

    /// Appends the command with its CRLF, keywords and arguments each
    /// separated by one space (MS-STANOPOP3 C0003, C0004).
    ///
    /// # Errors
    ///
    /// [`CommandErrorKind::TooLong`] if it would exceed [`Self::MAX_OCTETS`]; then
    /// nothing is appended.
    pub fn encode(&self, into: &mut Vec<u8>) -> Result<(), CommandError> {
        let start = into.len();
        into.extend_from_slice(self.keyword().as_bytes());
        let mut argument = |text: &str| {
            into.push(b' ');
            into.extend_from_slice(text.as_bytes());
        };
        match self {
            Self::Apop { name, digest } => {
                argument(name.as_str());
                argument(digest.expose());
            }
            Self::Auth {
                mechanism,
                initial_response,
            } => {
                argument(mechanism.as_str());
                if let Some(response) = initial_response {
                    argument(response.expose());
                }
            }
            Self::Lang(range) => argument(range.as_str()),
            Self::Pass(secret) => argument(secret.expose()),
            Self::User(name) => argument(name.as_str()),
            Self::Top(number, lines) => {
                argument(&number.to_string());
                argument(&lines.to_string());
            }
            Self::Dele(number) | Self::Retr(number) => argument(&number.to_string()),
            Self::List(Some(number)) | Self::Uidl(Some(number)) => argument(&number.to_string()),
            Self::AuthList
            | Self::Capa
            | Self::LangList
            | Self::List(None)
            | Self::Noop
            | Self::Quit
            | Self::Rset
            | Self::Stat
            | Self::Stls
            | Self::Uidl(None)
            | Self::Utf8 => {}
        }
        into.extend_from_slice(b"\r\n");
        let octets = into.len() - start;
        if octets > Self::MAX_OCTETS {
            // Erase the octets: they may contain a secret.
            into[start..].fill(0);
            into.truncate(start);
            return Err(CommandError {
                kind: CommandErrorKind::TooLong,
                offset: Self::MAX_OCTETS,
            });
        }
        Ok(())
    }

    /// Parses a line without its CRLF. The case of the keyword does not matter.
    ///
    /// It is as strict as a server must be: one space before each argument, and no
    /// extra arguments. The argument of PASS is everything after the space,
    /// including other spaces (RFC 1939 §7), and so is that of USER.
    ///
    /// # Errors
    ///
    /// What violates the grammar, with its offset in the line. A server replies
    /// `-ERR` and continues.
    pub fn parse(line: &'a [u8]) -> Result<Self, CommandError> {
        let error = |kind, offset| Err(CommandError { kind, offset });
        let (keyword, rest) = match line.iter().position(|&octet| octet == b' ') {
            Some(space) => (&line[..space], Some(&line[space + 1..])),
            None => (line, None),
        };
        let mut arguments = Arguments { line, rest };
        let mut buffer = [0; 4];
        let upper = match buffer.get_mut(..keyword.len()) {
            Some(upper) => {
                upper.copy_from_slice(keyword);
                upper.make_ascii_uppercase();
                &*upper
            }
            None => b"",
        };
        let command = match upper {
            b"APOP" => {
                let name = arguments.one()?;
                Self::Apop {
                    name: arguments.check(Argument::new(name), name)?,
                    digest: arguments.secret()?,
                }
            }
            b"AUTH" if arguments.rest.is_none_or(<[u8]>::is_empty) => {
                arguments.rest = None;
                Self::AuthList
            }
            b"AUTH" => {
                let name = arguments.one()?;
                Self::Auth {
                    mechanism: arguments.check(Mechanism::new(name), name)?,
                    initial_response: match arguments.rest {
                        Some(_) => Some(arguments.secret()?),
                        None => None,
                    },
                }
            }
            b"CAPA" => Self::Capa,
            b"DELE" => Self::Dele(arguments.number()?),
            b"LANG" => match arguments.rest {
                None => Self::LangList,
                Some(_) => {
                    let range = arguments.one()?;
                    Self::Lang(arguments.check(LanguageRange::new(range), range)?)
                }
            },
            b"LIST" => Self::List(arguments.optional_number()?),
            b"NOOP" => Self::Noop,
            b"PASS" => Self::Pass(arguments.rest_as_secret()?),
            b"QUIT" => Self::Quit,
            b"RETR" => Self::Retr(arguments.number()?),
            b"RSET" => Self::Rset,
            b"STAT" => Self::Stat,
            b"STLS" => Self::Stls,
            b"TOP" => Self::Top(arguments.number()?, arguments.lines()?),
            b"UIDL" => Self::Uidl(arguments.optional_number()?),
            b"USER" => {
                let name = arguments.all()?;
                Self::User(arguments.check(Argument::new(name), name)?)
            }
            b"UTF8" => Self::Utf8,
            _ => return error(CommandErrorKind::Keyword, 0),
        };
        match arguments.rest {
            None => Ok(command),
            Some(rest) => error(CommandErrorKind::ExtraArgument, line.len() - rest.len()),
        }
    }
}

/// The part of a line that is not yet parsed: nothing, or the text after a space.
struct Arguments<'a> {
    line: &'a [u8],
    rest: Option<&'a [u8]>,
}

impl<'a> Arguments<'a> {
    fn error(&self, kind: CommandErrorKind, at: &[u8]) -> CommandError {
        let offset = self.line.len() - self.rest.map_or(0, |rest| rest.len() + 1) - at.len();
        CommandError { kind, offset }
    }

    fn check<T>(&self, parsed: Result<T, ArgumentError>, text: &str) -> Result<T, CommandError> {
        parsed.map_err(|error| {
            let mut located = self.error(CommandErrorKind::Argument(error.kind()), text.as_bytes());
            located.offset += error.offset();
            located
        })
    }

    fn text(&self, octets: &'a [u8]) -> Result<&'a str, CommandError> {
        str::from_utf8(octets).map_err(|error| {
            let kind = CommandErrorKind::Argument(ArgumentErrorKind::Octet);
            self.error(kind, &octets[error.valid_up_to()..])
        })
    }

    fn missing(&self) -> CommandError {
        CommandError {
            kind: CommandErrorKind::MissingArgument,
            offset: self.line.len(),
        }
    }

    /// Returns the octets up to the next space.
    fn one(&mut self) -> Result<&'a str, CommandError> {
        let rest = self.rest.ok_or_else(|| self.missing())?;
        let argument = match rest.iter().position(|&octet| octet == b' ') {
            Some(space) => {
                self.rest = Some(&rest[space + 1..]);
                &rest[..space]
            }
            None => {
                self.rest = None;
                rest
            }
        };
        match argument.is_empty() {
            true => Err(self.error(CommandErrorKind::MissingArgument, argument)),
            false => self.text(argument),
        }
    }

    /// Returns the rest.
    fn all(&mut self) -> Result<&'a str, CommandError> {
        let rest = self.rest.take().ok_or_else(|| self.missing())?;
        self.text(rest)
    }

    fn secret(&mut self) -> Result<Secret<'a>, CommandError> {
        let text = self.one()?;
        self.check(Secret::new(text), text)
    }

    fn rest_as_secret(&mut self) -> Result<Secret<'a>, CommandError> {
        let text = self.all()?;
        self.check(Secret::new(text), text)
    }

    fn number(&mut self) -> Result<MessageNumber, CommandError> {
        let text = self.one()?;
        let number = decimal(text.as_bytes()).and_then(MessageNumber::new);
        number.ok_or_else(|| self.error(CommandErrorKind::MessageNumber, text.as_bytes()))
    }

    fn optional_number(&mut self) -> Result<Option<MessageNumber>, CommandError> {
        match self.rest {
            None => Ok(None),
            Some(_) => self.number().map(Some),
        }
    }

    fn lines(&mut self) -> Result<u32, CommandError> {
        let text = self.one()?;
        let lines = decimal(text.as_bytes());
        lines.ok_or_else(|| self.error(CommandErrorKind::LineCount, text.as_bytes()))
    }
}

/// Parses a number: a non-empty word of digits. Returns `None` if it exceeds 32
/// bits.
pub(crate) fn decimal(digits: &[u8]) -> Option<u32> {
    u32::try_from(decimal_u64(digits)?).ok()
}

/// Parses a number of up to 64 bits.
pub(crate) fn decimal_u64(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// Why a command cannot be sent, or a line is not a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommandError {
    kind: CommandErrorKind,
    offset: usize,
}

/// What is wrong with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommandErrorKind {
    /// An argument that cannot be one.
    Argument(ArgumentErrorKind),
    /// More arguments than the command has.
    ExtraArgument,
    /// An unknown keyword.
    Keyword,
    /// Not a number of lines.
    LineCount,
    /// Not a message-number.
    MessageNumber,
    /// Fewer arguments than the command has.
    MissingArgument,
    /// Longer than [`Command::MAX_OCTETS`].
    TooLong,
}

impl CommandError {
    /// What is wrong.
    #[must_use]
    pub const fn kind(self) -> CommandErrorKind {
        self.kind
    }

    /// The offset in the line, in octets.
    #[must_use]
    pub const fn offset(self) -> usize {
        self.offset
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.offset;
        match self.kind {
            CommandErrorKind::Argument(_) => write!(f, "bad argument at octet {at}"),
            CommandErrorKind::ExtraArgument => write!(f, "one argument too many at octet {at}"),
            CommandErrorKind::Keyword => write!(f, "unknown command"),
            CommandErrorKind::LineCount => write!(f, "no number of lines at octet {at}"),
            CommandErrorKind::MessageNumber => write!(f, "no message-number at octet {at}"),
            CommandErrorKind::MissingArgument => write!(f, "an argument is missing at octet {at}"),
            CommandErrorKind::TooLong => write!(f, "the command is longer than {at} octets"),
        }
    }
}

impl core::error::Error for CommandError {}

#[cfg(test)]
mod tests {
    use super::{Argument, ArgumentErrorKind as Bad, Command, CommandErrorKind as Kind};

    #[test]
    fn errors_name_the_mistake_and_its_offset() {
        for (line, kind, offset, text) in [
            (&b"XYZZY"[..], Kind::Keyword, 0, "unknown command"),
            (
                b"DELE",
                Kind::MissingArgument,
                4,
                "an argument is missing at octet 4",
            ),
            (
                b"TOP 1",
                Kind::MissingArgument,
                5,
                "an argument is missing at octet 5",
            ),
            (
                b"DELE 0",
                Kind::MessageNumber,
                5,
                "no message-number at octet 5",
            ),
            // Octets after the argument do not change the offset.
            (
                b"TOP 0 10",
                Kind::MessageNumber,
                4,
                "no message-number at octet 4",
            ),
            (
                b"TOP 1 x",
                Kind::LineCount,
                6,
                "no number of lines at octet 6",
            ),
            (
                b"DELE 1 2",
                Kind::ExtraArgument,
                7,
                "one argument too many at octet 7",
            ),
            (
                b"AUTH PL?AIN =",
                Kind::Argument(Bad::Octet),
                7,
                "bad argument at octet 7",
            ),
            (
                b"LANG d_e",
                Kind::Argument(Bad::Octet),
                6,
                "bad argument at octet 6",
            ),
            (
                b"USER a\x01b",
                Kind::Argument(Bad::Control),
                6,
                "bad argument at octet 6",
            ),
            (
                b"AUTH a\xFFb c",
                Kind::Argument(Bad::Octet),
                6,
                "bad argument at octet 6",
            ),
        ] {
            let error = Command::parse(line).unwrap_err();
            let told = (error.kind(), error.offset(), error.to_string());
            let shown = line.escape_ascii();
            assert_eq!(told, (kind, offset, text.to_owned()), "{shown}");
        }
    }

    #[test]
    fn refuses_a_line_of_more_than_255_octets() {
        let name = "x".repeat(249);
        let user = |name| Command::User(Argument::new(name).unwrap());
        let mut line = b"before".to_vec();
        assert_eq!(user(&name[1..]).encode(&mut line), Ok(()));
        assert_eq!(line.len(), 6 + 255);
        let error = user(&name).encode(&mut line).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (Kind::TooLong, 255));
        assert_eq!(line.len(), 6 + 255);
        assert_eq!(error.to_string(), "the command is longer than 255 octets");
    }
}
