//! Reads the most common form of listing lines, eight octets at a time.
//!
//! A maildrop of a million messages has two million lines, and examining each octet
//! separately takes ten times as long as finding the line ends. Two things make it
//! fast:
//!
//! - A word of eight octets is tested at once, for digits or for octets that a
//!   unique-id cannot have. A sum carries into the next higher octet only if the
//!   lower one fails the test, so the lowest failing octet is exact, and a word
//!   without a failure has none.
//! - The end of a field is predicted from the previous line and then tested, so the
//!   processor need not wait for a count.
//!
//! Lines that are not exactly `number SP field CRLF`, that have longer fields, or
//! that are too close to the end of the input are left to the
//! [parsers](crate::ScanListing::parse), which know every rule.

use crate::{MessageNumber, ScanListing, UniqueId, UniqueIdListing};

/// An octet in all eight places.
const fn eight(octet: u8) -> u64 {
    u64::from_ne_bytes([octet; 8])
}

/// Reads lines of one listing.
#[derive(Debug)]
pub(crate) struct ListingLines {
    /// The digits of the message-number in the previous line. The next number
    /// almost always has the same number of digits, which predicts where its next
    /// field begins.
    digits: usize,
    /// The octets of the unique-id in the previous line, at most [`UniqueId::MAX`].
    unique_id: usize,
}

impl ListingLines {
    pub(crate) const fn new() -> Self {
        Self {
            digits: 1,
            unique_id: 8,
        }
    }

    /// Returns the listing at the front of the input, and its octets with CRLF.
    #[inline(always)]
    pub(crate) fn scan_listing(&mut self, input: &[u8]) -> Option<(ScanListing, usize)> {
        let (number, start) = self.number_and_space(input)?;
        let (values, none) = digits(input.get(start..)?)?;
        let count = none.trailing_zeros() / 8;
        let end = start + count as usize;
        if count == 0 || input.get(end..end + 2)? != b"\r\n" {
            return None;
        }
        let octets = u64::from(value(values, count));
        Some((ScanListing { number, octets }, end + 2))
    }

    /// Does the same for a unique-id of eight octets or more.
    #[inline(always)]
    pub(crate) fn unique_id_listing<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Option<(UniqueIdListing<'a>, usize)> {
        let (number, start) = self.number_and_space(input)?;
        let end = start + self.unique_id;
        if input.get(end..end + 2)? != b"\r\n" {
            let rest = &input[start..input.len().min(start + UniqueId::MAX + 1)];
            self.unique_id = rest.iter().position(|octet| *octet == b'\r')?;
            return None;
        }
        let octets = &input[start..end];
        let last = not_graphic(octets.last_chunk()?);
        let (words, _) = octets.as_chunks();
        if words
            .iter()
            .fold(last, |none, word| none | not_graphic(word))
            != 0
        {
            return None;
        }
        let unique_id = UniqueId::trusted(octets);
        Some((UniqueIdListing { number, unique_id }, end + 2))
    }

    /// Returns `None` for a line whose number has more or fewer digits than the
    /// last one.
    #[inline(always)]
    fn number_and_space(&mut self, input: &[u8]) -> Option<(MessageNumber, usize)> {
        let (values, none) = digits(input)?;
        let unused = 64 - 8 * self.digits as u32;
        if none << unused != 0 || *input.get(self.digits)? != b' ' {
            self.digits = (none.trailing_zeros() as usize / 8).max(1);
            return None;
        }
        let number = value(values, self.digits as u32);
        Some((MessageNumber::new(number)?, self.digits + 1))
    }
}

/// Returns the values of eight octets as digits, and a mask that is not 0 at octets
/// that are not digits.
#[inline(always)]
fn digits(input: &[u8]) -> Option<(u64, u64)> {
    let values = u64::from_le_bytes(*input.first_chunk()?) ^ eight(b'0');
    let none = (values.wrapping_add(eight(0x80 - 10)) | values) & eight(0x80);
    Some((values, none))
}

/// The number formed by the first `count` (1 to 8) of eight digits.
#[inline(always)]
const fn value(values: u64, count: u32) -> u32 {
    // Shift the last digit to the top, with zeros before the first.
    let values = values << (64 - 8 * count);
    // Combine eight digits to four pairs, then to two fours, then to one number.
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(100 + (1_000_000 << 32));
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(1 + (10_000 << 32));
    (low.wrapping_add(high) >> 32) as u32
}

/// Not 0 where an octet is below 0x21 or above 0x7E.
#[inline(always)]
const fn not_graphic(octets: &[u8; 8]) -> u64 {
    let word = u64::from_le_bytes(*octets);
    (word.wrapping_sub(eight(0x21)) | word.wrapping_add(eight(0x01))) & eight(0x80)
}

#[cfg(test)]
mod tests {
    use super::ListingLines;
    use crate::{FieldRule, ScanListing, UniqueId, UniqueIdListing};

    const DIGITS: [&str; 2] = ["12345678", "99999999"];

    /// The text after a line in a listing, which is read in words past its end.
    const NEXT: &str = "87654321 87654321\r\n";

    /// The entry that the parsers read, and the octets of the line, if they accept
    /// it.
    fn scan_listing(input: &[u8]) -> Option<(ScanListing, usize)> {
        let end = input.windows(2).position(|octets| octets == b"\r\n")?;
        Some((
            ScanListing::parse(&input[..end], FieldRule::RFC1939).ok()?,
            end + 2,
        ))
    }

    fn unique_id_listing(input: &[u8]) -> Option<(UniqueIdListing<'_>, usize)> {
        let end = input.windows(2).position(|octets| octets == b"\r\n")?;
        Some((
            UniqueIdListing::parse(&input[..end], FieldRule::RFC1939).ok()?,
            end + 2,
        ))
    }

    /// A reader that has read a line of that form.
    fn past(line: &[u8]) -> ListingLines {
        let mut lines = ListingLines::new();
        // It may have to learn first the length of one field, then of the other.
        for _ in 0..2 {
            lines.scan_listing(line);
            lines.unique_id_listing(line);
        }
        lines
    }

    #[test]
    fn reads_a_first_line_with_fields_of_common_lengths() {
        let line = format!("1 0\r\n{NEXT}");
        let read = ListingLines::new().scan_listing(line.as_bytes());
        assert_eq!(read, scan_listing(line.as_bytes()));
        assert!(read.is_some());
        let line = format!("1 12345678\r\n{NEXT}");
        let read = ListingLines::new().unique_id_listing(line.as_bytes());
        assert_eq!(read, unique_id_listing(line.as_bytes()));
        assert!(read.is_some());
    }

    #[test]
    fn reads_a_line_like_the_previous_one_as_the_parsers_do() {
        let numbers = || (1..=8).flat_map(|count| DIGITS.map(|digits| &digits[..count]));
        for number in numbers() {
            for octets in numbers().chain(["0", "00000000"]) {
                let line = format!("{number} {octets}\r\n{NEXT}");
                let read = past(line.as_bytes()).scan_listing(line.as_bytes());
                assert_eq!(read, scan_listing(line.as_bytes()), "{line:?}");
                assert!(read.is_some(), "{line:?}");
            }
            for length in 8..=UniqueId::MAX {
                let line = format!("{number} {}\r\n{NEXT}", &"!~".repeat(35)[..length]);
                let read = past(line.as_bytes()).unique_id_listing(line.as_bytes());
                assert_eq!(read, unique_id_listing(line.as_bytes()), "{line:?}");
                assert!(read.is_some(), "{line:?}");
            }
        }
    }

    #[test]
    fn agrees_with_the_parsers_for_any_octet_anywhere() {
        for form in ["1 1", "12 12345678", "12345678 1234", "1 123456789"] {
            let form = format!("{form}\r\n{NEXT}").into_bytes();
            for at in 0..form.len() {
                for octet in 0..=u8::MAX {
                    let mut line = form.clone();
                    line[at] = octet;
                    // Also end the input there.
                    for line in [&line[..], &line[..at]] {
                        let shown = line.escape_ascii();
                        let read = past(&form).scan_listing(line);
                        assert!(read.is_none() || read == scan_listing(line), "{shown}");
                        let read = past(&form).unique_id_listing(line);
                        assert!(read.is_none() || read == unique_id_listing(line), "{shown}");
                    }
                }
            }
        }
    }

    #[test]
    fn skips_one_line_of_another_form_and_reads_the_next_one() {
        let mut lines = past(b"1 123\r\n1234567890");
        for form in ["10 123", "100 123", "9 123"] {
            let line = format!("{form}\r\n{NEXT}");
            assert_eq!(lines.scan_listing(line.as_bytes()), None, "{form}");
            assert!(lines.scan_listing(line.as_bytes()).is_some(), "{form}");
        }
    }
}
