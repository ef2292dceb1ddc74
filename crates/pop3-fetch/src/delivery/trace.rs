//! Trace fields, which are added before the header of a message.

use std::{fmt::Write as _, net::IpAddr};

use rustix::system::uname;

use super::{Address, LineEnds, date::Date};

/// The trace fields that each delivered message gets.
///
/// They are no part of the message: neither the octets received nor a [`Rule`] count
/// them.
///
/// [`Rule`]: crate::Rule
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The mailbox in `Delivered-To`, if there is to be such a field.
    pub delivered_to: Option<Address>,
    /// The server in `Received`, if there is to be such a field.
    pub received: Option<Source>,
}

/// The server that messages are received from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its host name or IP address. What may not be in a header field is left out.
    pub host: String,
    /// Whether messages arrive under TLS.
    pub is_under_tls: bool,
}

impl Trace {
    /// The fields of a message that is received at `now`, in seconds since 1970.
    pub(super) fn fields(&self, now: i64, line_ends: LineEnds) -> Vec<u8> {
        let address = self.delivered_to.as_ref().map(Address::as_str);
        let mut fields = String::new();
        if let Some(address) = address {
            let _ = writeln!(fields, "Delivered-To: {address}");
        }
        if let Some(Source { host, is_under_tls }) = &self.received {
            // RFC 5321 §4.4
            let from = domain(host);
            let by = domain(&uname().nodename().to_string_lossy());
            let with = if *is_under_tls { "POP3S" } else { "POP3" };
            let recipient = match address {
                Some(address) if address.contains('@') => format!("\n\tfor <{address}>; "),
                _ => String::from(";\n\t"),
            };
            let date = Date::new(now).rfc5322();
            let _ = writeln!(
                fields,
                "Received: from {from} by {by} with {with}{recipient}{date}"
            );
        }
        match line_ends {
            LineEnds::Lf => fields.into_bytes(),
            LineEnds::Received => fields.replace('\n', "\r\n").into_bytes(),
        }
    }
}

/// A host as a domain or an address literal (RFC 5321 §4.1.2 and §4.1.3).
fn domain(host: &str) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        Ok(IpAddr::V4(address)) => return format!("[{address}]"),
        Ok(IpAddr::V6(address)) => return format!("[IPv6:{address}]"),
        Err(_) => {}
    }
    let host = host.trim_end_matches('.');
    let is_label = |label: &str| {
        let is_inner = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
        !label.is_empty() && label.bytes().all(is_inner)
    };
    match host.split('.').all(is_label) {
        true => host.to_owned(),
        false => String::from("unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(address: Option<&str>, host: Option<&str>, line_ends: LineEnds) -> String {
        let trace = Trace {
            delivered_to: address.map(|address| address.parse().unwrap()),
            received: host.map(|host| Source {
                host: host.to_owned(),
                is_under_tls: true,
            }),
        };
        String::from_utf8(trace.fields(0, line_ends)).unwrap()
    }

    #[test]
    fn fields_have_the_line_ends_of_the_place() {
        let by = domain(&uname().nodename().to_string_lossy());
        let from = format!("Received: from mail.example.org by {by} with POP3S");
        let date = "Thu, 1 Jan 1970 00:00:00 +0000";
        let host = Some("mail.example.org");
        for (address, host, wanted) in [
            (None, None, String::new()),
            (Some("me"), None, "Delivered-To: me\n".into()),
            (None, host, format!("{from};\n\t{date}\n")),
            (
                Some("me"),
                host,
                format!("Delivered-To: me\n{from};\n\t{date}\n"),
            ),
            (
                Some("me@a"),
                host,
                format!("Delivered-To: me@a\n{from}\n\tfor <me@a>; {date}\n"),
            ),
        ] {
            assert_eq!(fields(address, host, LineEnds::Lf), wanted);
            let wanted = wanted.replace('\n', "\r\n");
            assert_eq!(fields(address, host, LineEnds::Received), wanted);
        }
    }

    #[test]
    fn a_host_is_a_domain_or_an_address_literal() {
        for (host, wanted) in [
            ("mail-1.example.org", "mail-1.example.org"),
            ("localhost.", "localhost"),
            ("192.0.2.1", "[192.0.2.1]"),
            ("2001:db8::1", "[IPv6:2001:db8::1]"),
            ("[::1]", "[IPv6:::1]"),
            ("", "unknown"),
            ("a..b", "unknown"),
            ("a\r\nb", "unknown"),
            ("a b", "unknown"),
            ("(a", "unknown"),
            ("b\u{fc}cher.example", "unknown"),
        ] {
            assert_eq!(domain(host), wanted, "{host:?}");
        }
    }
}
