//! Rules that choose a Maildir by a header field of a message.

use std::{path::PathBuf, str::FromStr};

use mail_parser::{HeaderValue, parsers::MessageStream};
use pop3_fetch::{Place, Rule};

/// Messages with a field that contains a text go to a Maildir.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    field: String,
    /// [Folded](folded).
    text: String,
    maildir: PathBuf,
}

impl Match {
    /// A rule in the words of its keys.
    pub(super) fn new(field: &str, contains: &str, to: &str) -> Result<Self, String> {
        // RFC 5322 §3.6.8
        let is_name = |octet: u8| octet.is_ascii_graphic() && octet != b':';
        if field.is_empty() || !field.bytes().all(is_name) {
            return Err(format!(
                "field: `{field}` is not the name of a header field; write one without colon and \
                 spaces, such as List-Id"
            ));
        }
        let Ok(Place::Maildir(maildir)) = to.parse() else {
            return Err(format!(
                "to: `{to}` is not a Maildir, and other places cannot have rules; write \
                 maildir:DIRECTORY"
            ));
        };
        Ok(Self {
            field: field.to_owned(),
            text: folded(contains),
            maildir,
        })
    }

    /// The same rule with another spelling of its directory.
    pub(super) fn at(self, spell: impl FnOnce(PathBuf) -> PathBuf) -> Self {
        Self {
            maildir: spell(self.maildir),
            ..self
        }
    }

    pub(super) fn rule(self) -> Rule {
        let maildir = self.maildir.clone();
        Rule::new(maildir, move |header| self.takes(header))
    }

    fn takes(&self, header: &[u8]) -> bool {
        let mut values = values(header, &self.field);
        values.any(|value| folded(&decoded(value)).contains(&self.text))
    }
}

impl FromStr for Match {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.rsplit_once("=>");
        let parts = parts.and_then(|(what, to)| Some((what.split_once(':')?, to)));
        let Some(((field, contains), to)) = parts else {
            return Err(String::from(
                "write 'FIELD: TEXT => maildir:DIRECTORY', such as 'List-Id: rust-users => \
                 maildir:Mail/rust'",
            ));
        };
        Self::new(field.trim(), contains, to.trim())
    }
}

/// The values of the fields with this name, as they are in the header.
fn values<'h>(mut header: &'h [u8], name: &str) -> impl Iterator<Item = &'h [u8]> {
    let mut fields = std::iter::from_fn(move || {
        let (field, rest) = header.split_at(field_end(header));
        header = rest;
        (!field.is_empty()).then_some(field)
    });
    std::iter::from_fn(move || fields.find_map(|field| value(field, name)))
}

/// The octets of the first field: a line, and those after it that begin with white
/// space (RFC 5322 §2.2.3).
fn field_end(header: &[u8]) -> usize {
    let lfs = memchr::memchr_iter(b'\n', header);
    let mut ends = lfs.map(|lf| lf + 1);
    let end = ends.find(|&end| !matches!(header.get(end), Some(b' ' | b'\t')));
    end.unwrap_or(header.len())
}

/// The value of a field, if the field has this name. White space may precede the
/// colon (RFC 5322 §4.5).
fn value<'h>(field: &'h [u8], name: &str) -> Option<&'h [u8]> {
    let (start, rest) = field.split_at_checked(name.len())?;
    if !start.eq_ignore_ascii_case(name.as_bytes()) {
        return None;
    }
    let colon = rest
        .iter()
        .position(|octet| !matches!(octet, b' ' | b'\t'))?;
    rest[colon..].strip_prefix(b":")
}

/// The text of a field's value, unfolded and with encoded words decoded (RFC 2047).
fn decoded(value: &[u8]) -> String {
    // The parser ends at a line end only.
    let value = [value, b"\n"].concat();
    match MessageStream::new(&value).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => String::new(),
    }
}

/// A form of the text that is the same for all cases, and for any amount of white
/// space.
fn folded(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let text = words.join(" ");
    let text = text.chars().flat_map(char::to_uppercase);
    text.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests;
