//! Displays octets of the other side safely.

use core::fmt::{self, Write as _};

/// Displays octets as text: printable ASCII, including quotes, unchanged; a
/// backslash doubled; all others as `\r`, `\n`, `\t` or `\xNN`. So no octet can
/// control a terminal or a log, and the text is unambiguous.
///
/// ```
/// use pop3_proto::Escaped;
///
/// assert_eq!(Escaped(b"-ERR Can't\r\n").to_string(), r"-ERR Can't\r\n");
/// assert_eq!(Escaped(b"C:\\caf\xE9").to_string(), r"C:\\caf\xe9");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| match octet {
            b'"' | b'\'' => f.write_char(char::from(*octet)),
            octet => octet.escape_ascii().fmt(f),
        })
    }
}
