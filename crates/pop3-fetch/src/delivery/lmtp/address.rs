//! Addresses of servers and of mailboxes.

use std::{fmt, path::PathBuf, str::FromStr};

/// The most octets of an address: RFC 5321 §4.5.3.1.3, without the angle brackets.
const LONGEST: usize = 254;

/// The address of an LMTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LmtpServer {
    /// A host and a port.
    Tcp(String, u16),
    /// A Unix domain socket.
    Unix(PathBuf),
}

impl FromStr for LmtpServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self::Unix(text.into()));
        }
        let malformed = || String::from("write lmtp:HOST:PORT, lmtp:[IPV6]:PORT or lmtp:/SOCKET");
        let (host, port) = text.rsplit_once(':').ok_or_else(malformed)?;
        let port: u16 = port.parse().map_err(|_| malformed())?;
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let is_host = |host: &str| !host.is_empty() && !host.contains([' ', '[', ']', '/']);
        if port == 0 || !is_host(inner.unwrap_or(host)) || inner.is_none() && host.contains(':') {
            return Err(malformed());
        }
        // RFC 2033 §5
        if port == 25 {
            return Err(String::from(
                "port 25 is for SMTP, and LMTP must not use it; name the port of an LMTP server",
            ));
        }
        Ok(Self::Tcp(inner.unwrap_or(host).to_owned(), port))
    }
}

impl fmt::Display for LmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The address of a mailbox in an envelope, with or without a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Returns the address, without angle brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_ascii() {
            return Err(String::from(
                "write the address in ASCII: names beyond ASCII (SMTPUTF8) are not supported",
            ));
        }
        let is_plain = |octet: u8| octet.is_ascii_graphic() && !b"<>\"\\".contains(&octet);
        let is_name = !text.is_empty() && !text.starts_with('@') && text.bytes().all(is_plain);
        match is_name && text.len() <= LONGEST {
            true => Ok(Self(text.to_owned())),
            false => Err(format!(
                "write an address such as me@example.org: at most {LONGEST} characters, without \
                 spaces, quotation marks and angle brackets"
            )),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What would end a command or a path makes no address.
    #[test]
    fn refuses_an_address_that_is_no_mailbox() {
        let longest = "a".repeat(LONGEST);
        for text in ["me", "me@example.org", "a+b=c@[192.0.2.1]", &longest] {
            assert_eq!(text.parse::<Address>().unwrap().as_str(), text);
        }
        let longer = format!("{longest}a");
        for text in [
            "",
            "<me>",
            "me you",
            "me\r\nDATA",
            "me>",
            "\"me\"@x",
            "@a:me@b",
            "m\u{fc}",
            &longer,
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
