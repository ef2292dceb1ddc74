//! The first line of a reply.

use core::{fmt, str};

/// Whether a reply is positive or negative, by its status indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Indicator {
    /// `+OK`.
    Positive,
    /// `-ERR`.
    Negative,
}

/// How a client reads the status indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IndicatorRule {
    /// `+OK` or `-ERR` in upper case, and a space if anything follows (RFC 1939 §3,
    /// RFC 2449 §4). Any other line is not a reply.
    Exact,
    /// Any line that begins with `+` is positive and any other is negative, as in
    /// Outlook (MS-STANOPOP3 V0001).
    FirstOctet,
}

/// The first line of a reply: indicator, response code, text.
///
/// ```
/// use pop3_proto::{Indicator, IndicatorRule, StatusLine};
///
/// let line = StatusLine::parse(b"-ERR [IN-USE] locked", IndicatorRule::Exact)?;
/// assert_eq!(line.indicator(), Indicator::Negative);
/// assert!(line.code().is_some_and(|code| code.is_within("IN-USE")));
/// assert_eq!(line.text(), b"[IN-USE] locked");
/// # Ok::<(), pop3_proto::StatusError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusLine<'a> {
    indicator: Indicator,
    line: &'a [u8],
    text: &'a [u8],
}

impl<'a> StatusLine<'a> {
    /// The most octets of a first line, including CRLF (RFC 2449 §4).
    pub const MAX_OCTETS: usize = 512;

    /// Parses a line without its CRLF.
    ///
    /// # Errors
    ///
    /// Under [`IndicatorRule::Exact`], if the line begins with anything else.
    pub fn parse(line: &'a [u8], rule: IndicatorRule) -> Result<Self, StatusError> {
        let (indicator, text) = split(line, rule)?;
        Ok(Self {
            indicator,
            text,
            line,
        })
    }

    /// The status indicator.
    #[must_use]
    pub const fn indicator(&self) -> Indicator {
        self.indicator
    }

    /// Whether it is positive.
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        matches!(self.indicator, Indicator::Positive)
    }

    /// The text after the indicator and a space, including a response code.
    ///
    /// The server chooses this text: escape it before you show it.
    #[must_use]
    pub const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Whether the line contains a bare LF. Only CRLF ends the line (MS-STANOPOP3
    /// C0005); if the server ends lines with LF, the text after it is the next
    /// line, which in a reply to RETR is the first line of the message.
    #[must_use]
    pub fn has_bare_lf(&self) -> bool {
        self.line.contains(&b'\n')
    }

    /// The response code, if the text begins with one (RFC 2449 §8). It has a
    /// meaning only if the server announces RESP-CODES.
    #[must_use]
    pub fn code(&self) -> Option<ResponseCode<'a>> {
        ResponseCode::parse(self.text)
    }
}

impl fmt::Debug for StatusLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "StatusLine({:?}, {})",
            self.indicator,
            self.text.escape_ascii()
        )
    }
}

/// Splits a line into indicator and text.
fn split(line: &[u8], rule: IndicatorRule) -> Result<(Indicator, &[u8]), StatusError> {
    let exact = [
        (Indicator::Positive, &b"+OK"[..]),
        (Indicator::Negative, b"-ERR"),
    ];
    for (indicator, keyword) in exact {
        let blanks = |octet: &u8| rule == IndicatorRule::FirstOctet && is_blank(octet);
        match line.strip_prefix(keyword) {
            Some([]) => {
                return Ok((indicator, b""));
            }
            Some([b' ', text @ ..]) => {
                let text = &text[text.iter().take_while(|octet| blanks(octet)).count()..];
                return Ok((indicator, text));
            }
            _ => {}
        }
    }
    match (rule, line) {
        (IndicatorRule::Exact, _) => Err(StatusError { _private: () }),
        (IndicatorRule::FirstOctet, [b'+', ..]) => Ok((Indicator::Positive, after_word(line))),
        (IndicatorRule::FirstOctet, _) => {
            let text = if line.starts_with(b"-") {
                after_word(line)
            } else {
                line
            };
            Ok((Indicator::Negative, text))
        }
    }
}

/// Whether a line of a SASL exchange begins with a status indicator, and so ends
/// the exchange (`+` alone begins a challenge). Under [`IndicatorRule::FirstOctet`]
/// the case of the indicator does not matter (V0001), and a TAB may follow it
/// (C0004).
pub(crate) fn has_indicator(line: &[u8], rule: IndicatorRule) -> bool {
    match rule {
        IndicatorRule::Exact => split(line, rule).is_ok(),
        IndicatorRule::FirstOctet => {
            let word = line.split(is_blank).next().unwrap_or_default();
            [&b"+OK"[..], b"-ERR"]
                .iter()
                .any(|keyword| word.eq_ignore_ascii_case(keyword))
        }
    }
}

/// Space and TAB (MS-STANOPOP3 C0004).
const fn is_blank(octet: &u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// The text after the first word and the blanks that follow it.
fn after_word(line: &[u8]) -> &[u8] {
    let word = line.iter().position(is_blank).unwrap_or(line.len());
    let blanks = line[word..].iter().position(|octet| !is_blank(octet));
    &line[word + blanks.unwrap_or(line.len() - word)..]
}

/// A response code such as `IN-USE` or `SYS/TEMP`: a sequence of levels, each
/// narrower than the previous one (RFC 2449 §8, RFC 3206).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResponseCode<'a>(&'a str);

impl<'a> ResponseCode<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let inner = text.strip_prefix(b"[")?;
        let end = inner.iter().position(|&octet| octet == b']')?;
        let code = str::from_utf8(&inner[..end]).ok()?;
        // 0x21 to 0x7E except brackets and slash (RFC 2449 §4).
        let is_level = |level: &str| {
            let allowed = |octet: u8| octet.is_ascii_graphic() && octet != b'[';
            !level.is_empty() && level.bytes().all(allowed)
        };
        code.split('/').all(is_level).then_some(Self(code))
    }

    /// The code without its brackets.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether the code is `code`, or narrower. A client ignores unknown levels
    /// after known ones (RFC 2449 §8).
    ///
    /// ```
    /// use pop3_proto::{IndicatorRule, StatusLine};
    ///
    /// let line = StatusLine::parse(b"-ERR [sys/temp/disk] later", IndicatorRule::Exact)?;
    /// let code = line.code().unwrap();
    /// assert!(code.is_within("SYS") && code.is_within("SYS/TEMP"));
    /// assert!(!code.is_within("SYS/PERM") && !code.is_within("SY"));
    /// # Ok::<(), pop3_proto::StatusError>(())
    /// ```
    #[must_use]
    pub fn is_within(self, code: &str) -> bool {
        let mut levels = self.0.split('/');
        code.split('/').all(|wanted| {
            levels
                .next()
                .is_some_and(|level| level.eq_ignore_ascii_case(wanted))
        })
    }
}

/// The line is not a reply: it begins with neither `+OK` nor `-ERR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatusError {
    _private: (),
}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the line begins with neither +OK nor -ERR")
    }
}

impl core::error::Error for StatusError {}

/// The timestamp in a greeting, for APOP: the text from `<` to `>`, including the
/// brackets, if it is a message-id (RFC 1939 §7, RFC 822).
///
/// Servers put it anywhere in the line. A timestamp that is not a message-id is
/// ignored, because a forged one lets an attacker learn the password octet by octet
/// (CVE-2007-1558).
///
/// ```
/// use pop3_proto::apop_timestamp;
///
/// let greeting = b"POP3 ready <1896.697170952@dbc.mtview.ca.us> go on";
/// assert_eq!(apop_timestamp(greeting), Some("<1896.697170952@dbc.mtview.ca.us>"));
/// assert_eq!(apop_timestamp(b"ready <no message-id>"), None);
/// ```
#[must_use]
pub fn apop_timestamp(text: &[u8]) -> Option<&str> {
    let mut start = None;
    let mut ats = 0;
    for (at, &octet) in text.iter().enumerate() {
        match (octet, start) {
            (b'<', _) => (start, ats) = (Some(at), 0),
            (b'>', Some(from)) => {
                let inner = &text[from + 1..at];
                if ats == 1 && !inner.starts_with(b"@") && !inner.ends_with(b"@") {
                    return str::from_utf8(&text[from..=at]).ok();
                }
                start = None;
            }
            (b'@', Some(_)) => ats += 1,
            (b'!'..=b'~', _) => {}
            _ => start = None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{StatusLine, apop_timestamp};
    use crate::IndicatorRule;

    #[test]
    fn finds_a_bare_lf() {
        for (line, has) in [
            (&b"+OK a\nb"[..], true),
            (b"+OK ab", false),
            (b"+OK a\rb", false),
        ] {
            let line = StatusLine::parse(line, IndicatorRule::Exact).unwrap();
            assert_eq!(line.has_bare_lf(), has);
        }
    }

    #[test]
    fn accepts_only_graphic_octets_in_levels_of_a_code() {
        for (line, code) in [
            (&b"-ERR [IN-USE] later"[..], Some("IN-USE")),
            (b"-ERR [SYS/TEMP]", Some("SYS/TEMP")),
            (b"-ERR []", None),
            (b"-ERR [SYS/]", None),
            (b"-ERR [SYS TEMP]", None),
            (b"-ERR [[SYS]", None),
            (b"-ERR [SYS", None),
        ] {
            let line = StatusLine::parse(line, IndicatorRule::Exact).unwrap();
            assert_eq!(line.code().map(|code| code.as_str()), code);
        }
    }

    #[test]
    fn requires_one_at_sign_with_text_on_both_sides_in_a_timestamp() {
        for (text, timestamp) in [
            (&b"a <1@b>"[..], Some("<1@b>")),
            (b"<@b>", None),
            (b"<1@>", None),
            (b"<1@b@c>", None),
            (b"<1>", None),
            (b"<<1@b>", Some("<1@b>")),
            (b"<1 @b>", None),
        ] {
            assert_eq!(apop_timestamp(text), timestamp, "{}", text.escape_ascii());
        }
    }
}
