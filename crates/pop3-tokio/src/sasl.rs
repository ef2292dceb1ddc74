//! Rules of SASL that client and server share.

use core::ops::RangeInclusive;
use std::borrow::Cow;

/// The accepted numbers of SCRAM iterations. RFC 7677 §4 gives the minimum; the
/// maximum takes about a second.
pub(crate) const ITERATIONS: RangeInclusive<u32> = 4096..=1_000_000;

/// Prepares a name for comparison (RFC 4013); `None` if that fails or leaves
/// nothing (RFC 5034 §4).
pub(crate) fn prepared_name(name: &str) -> Option<Cow<'_, str>> {
    let prepared = stringprep::saslprep(name).ok();
    prepared.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::prepared_name;

    #[test]
    fn prepares_names_so_that_equal_ones_are_equal() {
        let composed = prepared_name("jos\u{e9}");
        assert_eq!(composed.as_deref(), Some("jos\u{e9}"));
        assert_eq!(prepared_name("jose\u{301}"), composed);
        assert_eq!(prepared_name("jo\u{ad}s\u{e9}"), composed);
        for name in ["", "\u{ad}", "a\0b", "a\u{fffd}"] {
            assert_eq!(prepared_name(name), None, "{name:?}");
        }
    }
}
