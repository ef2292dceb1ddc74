//! The reasons why a server's certificate is not trusted.

use core::fmt;
use std::sync::Arc;

use pop3_proto::Escaped;
use tokio_rustls::rustls::{self, CertificateError, OtherError, pki_types::UnixTime};

use crate::tls_words;

/// The most names of a certificate in a message.
const NAMES_MAX: usize = 8;

/// Why a server's certificate is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Distrust {
    /// It has expired; with its last day, such as `2024-12-31`.
    Expired(Option<String>),
    /// It is not valid yet; with its first day.
    NotYetValid(Option<String>),
    /// It is only valid for these hosts.
    WrongName(Vec<String>),
    /// It is signed by its own key and not by an authority.
    SelfSigned,
    /// No trusted authority has signed it.
    UnknownAuthority,
    /// Another reason, in words.
    Other(String),
}

impl Distrust {
    pub(super) fn of(error: &CertificateError) -> Self {
        use CertificateError::*;
        match error {
            Other(other) => match other.0.downcast_ref::<Self>() {
                Some(distrust) => distrust.clone(),
                None => Self::Other(tls_words::of_certificate(error)),
            },
            Expired => Self::Expired(None),
            ExpiredContext { not_after, .. } => Self::Expired(Some(day(*not_after))),
            NotValidYet => Self::NotYetValid(None),
            NotValidYetContext { not_before, .. } => Self::NotYetValid(Some(day(*not_before))),
            NotValidForName => Self::WrongName(Vec::new()),
            NotValidForNameContext { presented, .. } => {
                let names = presented.iter().take(NAMES_MAX);
                Self::WrongName(names.map(|name| bare(name)).collect())
            }
            UnknownIssuer => Self::UnknownAuthority,
            error => Self::Other(tls_words::of_certificate(error)),
        }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(Some(day)) => write!(f, "it expired on {day}"),
            Self::Expired(None) => f.write_str("it has expired"),
            Self::NotYetValid(Some(day)) => write!(f, "it is not valid before {day}"),
            Self::NotYetValid(None) => f.write_str("it is not valid yet"),
            Self::WrongName(names) if names.is_empty() => f.write_str("it is for another name"),
            Self::WrongName(names) => write!(f, "it is for {}", names.join(", ")),
            Self::SelfSigned => f.write_str("it is self-signed"),
            Self::UnknownAuthority => f.write_str("the authority that signed it is unknown"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for Distrust {}

/// Lets a verifier return the reason.
impl From<Distrust> for rustls::Error {
    fn from(distrust: Distrust) -> Self {
        CertificateError::Other(OtherError(Arc::new(distrust))).into()
    }
}

/// Extracts `example.org` from `DnsName("example.org")`, the form that webpki
/// returns.
fn bare(name: &str) -> String {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or(name);
    Escaped(inner.trim_matches('"').as_bytes()).to_string()
}

/// The date of a time, in UTC. Counts years from March, so that a leap day is the
/// last day of a year.
fn day(time: UnixTime) -> String {
    let days = time.as_secs() / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use tokio_rustls::rustls::pki_types::UnixTime;

    use super::{Distrust, bare, day};

    #[test]
    fn shows_the_names_of_the_certificate() {
        assert_eq!(bare("DnsName(\"a.example\")"), "a.example");
        assert_eq!(bare("IpAddress(127.0.0.1)"), "127.0.0.1");
        assert_eq!(bare("DnsName(\"a\u{1b}\")"), r"a\x1b");
    }

    #[test]
    fn names_the_right_names_beside_a_wrong_one() {
        let wrong = |names: &[&str]| {
            let names = names.iter().map(|&name| name.to_owned());
            Distrust::WrongName(names.collect()).to_string()
        };
        assert_eq!(wrong(&[]), "it is for another name");
        assert_eq!(wrong(&["a", "b"]), "it is for a, b");
    }

    #[test]
    fn converts_times_to_dates() {
        for (seconds, text) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (4_107_542_400, "2100-03-01"),
        ] {
            let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            assert_eq!(day(time), text);
        }
    }
}
