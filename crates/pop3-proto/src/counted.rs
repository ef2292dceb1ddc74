//! Displays numbers with the things that they count.

use core::fmt;

/// Displays a number and the things that it counts: `1 message`, `2 messages`.
///
/// ```
/// use pop3_proto::Counted;
///
/// assert_eq!(Counted(1, "octet").to_string(), "1 octet");
/// assert_eq!(Counted(0, "malformed line").to_string(), "0 malformed lines");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted<'a, N>(pub N, pub &'a str);

impl<N: fmt::Display + PartialEq + From<u8>> fmt::Display for Counted<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, one) = self;
        let plural = if *number == N::from(1) { "" } else { "s" };
        write!(f, "{number} {one}{plural}")
    }
}
