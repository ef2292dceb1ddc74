//! The system clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
pub(crate) fn clock() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs().cast_signed())
}

#[cfg(test)]
mod tests {
    use super::clock;

    /// `--delete-after` and the lifetime of a token count from what it says.
    #[test]
    fn the_clock_is_after_this_was_written() {
        assert!(clock() > 1_750_000_000);
    }
}
