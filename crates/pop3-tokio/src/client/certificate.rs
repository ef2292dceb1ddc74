//! Reads the dates and common names of a certificate that the user trusts
//! explicitly.
//!
//! rustls checks certificates as parts of a chain, so it offers no check of the
//! dates of a single certificate, nor of a common name.

use core::{cmp::Ordering, fmt};

use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};

/// DER tags (X.690 §8).
mod tag {
    pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(super) const UTC_TIME: u8 = 0x17;
    pub(super) const GENERALIZED_TIME: u8 = 0x18;
    pub(super) const VERSION: u8 = 0xa0;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const SET: u8 = 0x31;
}

/// The object identifier of commonName, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The fields of a certificate that RFC 5280 §4.1.2.5 and §4.1.2.6 describe.
pub(super) struct Certificate<'a> {
    pub(super) not_before: Time,
    pub(super) not_after: Time,
    issuer: &'a [u8],
    subject: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads a certificate in DER.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let (certificate, _) = expect(tag::SEQUENCE, der)?;
        let (mut fields, _) = expect(tag::SEQUENCE, certificate)?;
        if let Some((_, after)) = expect(tag::VERSION, fields) {
            fields = after;
        }
        // Serial number and algorithm come first.
        for _ in 0..2 {
            (_, _, fields) = element(fields)?;
        }
        let (issuer, fields) = expect(tag::SEQUENCE, fields)?;
        let (validity, fields) = expect(tag::SEQUENCE, fields)?;
        let (subject, _) = expect(tag::SEQUENCE, fields)?;
        let (not_before, validity) = Time::read(validity)?;
        let (not_after, _) = Time::read(validity)?;
        Some(Self {
            not_before,
            not_after,
            issuer,
            subject,
        })
    }

    /// Whether the certificate names itself as its issuer.
    pub(super) fn is_self_signed(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether a common name of the subject is this name or address. It counts only
    /// if there is no alternative name (RFC 6125 §6.4.4).
    pub(super) fn has_common_name(&self, name: &ServerName<'_>) -> bool {
        let name = name.to_str();
        elements(tag::SET, self.subject)
            .flat_map(|set| elements(tag::SEQUENCE, set))
            .filter_map(|attribute| {
                let (kind, value) = expect(tag::OBJECT_IDENTIFIER, attribute)?;
                let (_, value, _) = element(value)?;
                (kind == COMMON_NAME).then_some(value)
            })
            .any(|value| value.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// A date and time of day, UTC.
#[derive(Clone, Copy)]
pub(super) struct Time {
    year: u64,
    month: u64,
    day: u64,
    second_of_day: u64,
}

impl Time {
    /// Reads the time at the start of `der`. Returns it with the rest (RFC 5280
    /// §4.1.2.5.1 and §4.1.2.5.2).
    fn read(der: &[u8]) -> Option<(Self, &[u8])> {
        let (kind, text, rest) = element(der)?;
        let (year, text) = match kind {
            tag::UTC_TIME => {
                let (year, text) = number(2, text)?;
                (if year < 50 { 2000 + year } else { 1900 + year }, text)
            }
            tag::GENERALIZED_TIME => number(4, text)?,
            _ => return None,
        };
        let (month, text) = number(2, text)?;
        let (day, text) = number(2, text)?;
        let (hour, text) = number(2, text)?;
        let (minute, text) = number(2, text)?;
        let (second, text) = number(2, text)?;
        let time = Self {
            year,
            month,
            day,
            second_of_day: (hour * 60 + minute) * 60 + second,
        };
        (text == b"Z" && (1..=12).contains(&month)).then_some((time, rest))
    }

    /// Compares this time with `now`.
    pub(super) fn compare(self, now: UnixTime) -> Ordering {
        // Days of the proleptic Gregorian calendar. A year that starts in March
        // ends with its leap day.
        let (year, month) = match self.month {
            1 | 2 => (self.year.saturating_sub(1), self.month + 9),
            month => (self.year, month - 3),
        };
        let days = year * 365 + year / 4 - year / 100 + year / 400;
        let days = days + (month * 153 + 2) / 5 + self.day;
        // 1970-01-01 is day 719469 of that count.
        let seconds = days * 86_400 + self.second_of_day;
        seconds.cmp(&(719_469 * 86_400 + now.as_secs()))
    }
}

/// Writes the date.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn number(digits: usize, text: &[u8]) -> Option<(u64, &[u8])> {
    let (digits, rest) = text.split_at_checked(digits)?;
    Some((str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// The contents of all elements of one kind.
fn elements(wanted: u8, mut der: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || {
        let (contents, rest) = expect(wanted, der)?;
        der = rest;
        Some(contents)
    })
}

/// The contents of the first element, if it is of this kind, and the rest.
fn expect(wanted: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (tag, contents, rest) = element(der)?;
    (tag == wanted).then_some((contents, rest))
}

/// The tag and contents of the first element, and the rest.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let add = |length, octet: &u8| length << 8 | usize::from(*octet);
            (octets.iter().fold(0, add), rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((*tag, contents, rest))
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn time(tag: u8, text: &str) -> Option<Time> {
        let mut der = vec![tag, u8::try_from(text.len()).unwrap()];
        der.extend_from_slice(text.as_bytes());
        Time::read(&der).map(|(time, _)| time)
    }

    /// Seconds since 1970 as `date -u -d … +%s` prints them.
    #[test]
    fn counts_the_days_of_the_calendar() {
        for (tag, text, seconds) in [
            (tag::UTC_TIME, "700101000000Z", 0),
            (tag::UTC_TIME, "000229120000Z", 951_825_600),
            (tag::UTC_TIME, "491231235959Z", 2_524_607_999),
            (tag::GENERALIZED_TIME, "20240301000000Z", 1_709_251_200),
            (tag::GENERALIZED_TIME, "21000301000000Z", 4_107_542_400),
            (tag::GENERALIZED_TIME, "99991231235959Z", 253_402_300_799),
        ] {
            let time = time(tag, text).unwrap();
            let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            assert_eq!(time.compare(at(seconds)), Ordering::Equal, "{text}");
            assert_eq!(time.compare(at(seconds + 1)), Ordering::Less, "{text}");
        }
        let long_ago = time(tag::UTC_TIME, "500101000000Z").unwrap();
        let epoch = UnixTime::since_unix_epoch(Duration::ZERO);
        assert_eq!(long_ago.compare(epoch), Ordering::Less);
        assert_eq!(long_ago.to_string(), "1950-01-01");
    }

    #[test]
    fn refuses_malformed_times() {
        for text in [
            "",
            "7001010000Z",
            "700101000000",
            "701301000000Z",
            "é00101000000Z",
        ] {
            assert!(time(tag::UTC_TIME, text).is_none(), "{text}");
        }
        assert!(time(tag::SEQUENCE, "700101000000Z").is_none());
    }

    #[test]
    fn refuses_every_truncated_certificate() {
        let key = rcgen::generate_simple_self_signed(["a.example.org".to_owned()]).unwrap();
        let der = key.cert.der();
        assert!(Certificate::read(der).is_some());
        for length in 0..der.len() {
            assert!(Certificate::read(&der[..length]).is_none());
        }
    }
}
