//! The address of a maildrop: `pop3://user@host:port`.

use core::{fmt, str::FromStr};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use pop3_proto::Argument;
use tokio_rustls::rustls::pki_types::DnsName;

/// How the connection starts TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `pop3`, port 110: STLS (RFC 2595 §4).
    Pop3,
    /// `pop3s`, port 995: TLS from the first octet (RFC 8314 §3.3).
    Pop3s,
}

impl Scheme {
    /// The default port.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Pop3 => 110,
            Self::Pop3s => 995,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Pop3 => "pop3",
            Self::Pop3s => "pop3s",
        }
    }
}

/// A server, and optionally a user name.
///
/// ```
/// use pop3_tokio::client::{Endpoint, Scheme};
///
/// let endpoint: Endpoint = "pop3s://me%40example.org@mail.example.org".parse()?;
/// assert_eq!(endpoint.scheme, Scheme::Pop3s);
/// assert_eq!(endpoint.user.as_deref(), Some("me@example.org"));
/// assert_eq!((endpoint.host.as_str(), endpoint.port), ("mail.example.org", 995));
/// assert_eq!(endpoint.to_string(), "pop3s://me%40example.org@mail.example.org:995");
/// # Ok::<(), pop3_tokio::client::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// How the connection starts TLS.
    pub scheme: Scheme,
    /// The user name, decoded.
    pub user: Option<String>,
    /// A host name, an IPv4 address, or an IPv6 address without brackets. The
    /// certificate must be valid for it.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// Parses `pop3://` or `pop3s://`, an optional percent-encoded user with `@`, a
    /// host name, an IPv4 address or an IPv6 address in brackets, and an optional
    /// `:` and port. An `@` in the user need not be encoded; `:` and `;` must be,
    /// because they have a meaning in RFC 2384 and other URLs.
    fn from_str(url: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = url.split_once("://").ok_or(EndpointError::Scheme)?;
        let scheme = [Scheme::Pop3, Scheme::Pop3s]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(scheme))
            .ok_or(EndpointError::Scheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(decode_user(user)?), place),
            None => (None, rest),
        };
        let (host, port) = host_and_port(place)?;
        Ok(Self {
            scheme,
            user,
            host,
            port: port.unwrap_or(scheme.default_port()),
        })
    }
}

fn decode_user(text: &str) -> Result<String, EndpointError> {
    if text.contains(':') {
        return Err(EndpointError::Password);
    }
    if text.contains([';', '/', '?', '#']) {
        return Err(EndpointError::User);
    }
    let user = percent_decoded(text).ok_or(EndpointError::User)?;
    match Argument::new(&user) {
        Ok(_) => Ok(user),
        Err(_) => Err(EndpointError::User),
    }
}

/// Replaces each `%` and two digits with the octet that they stand for. `None` if
/// there are no two, or the octets are not UTF-8.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            octet => octet,
        });
    }
    String::from_utf8(octets).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// A host and, if there is one, a port.
pub(super) fn host_and_port(place: &str) -> Result<(String, Option<u16>), EndpointError> {
    let (host, port) = split_port(place)?;
    Ok((check_host(host)?, port.map(parse_port).transpose()?))
}

fn split_port(place: &str) -> Result<(&str, Option<&str>), EndpointError> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(EndpointError::Host)?;
        host.parse::<Ipv6Addr>().map_err(|_| EndpointError::Host)?;
        return match (after, after.strip_prefix(':')) {
            ("", _) => Ok((host, None)),
            (_, Some(port)) => Ok((host, Some(port))),
            _ => Err(EndpointError::Host),
        };
    }
    match place.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(EndpointError::Brackets),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((place, None)),
    }
}

fn check_host(host: &str) -> Result<String, EndpointError> {
    if host.parse::<IpAddr>().is_ok() {
        return Ok(host.to_owned());
    }
    // Digits and dots that are not a valid address do not count as a name either.
    match DnsName::try_from(host) {
        Ok(_) => Ok(host.to_owned()),
        Err(_) => Err(EndpointError::Host),
    }
}

fn parse_port(port: &str) -> Result<u16, EndpointError> {
    match port.parse() {
        Ok(number) if number > 0 && port.bytes().all(|octet| octet.is_ascii_digit()) => Ok(number),
        _ => Err(EndpointError::Port),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.as_str())?;
        if let Some(user) = &self.user {
            for octet in user.bytes() {
                match octet {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                        write!(f, "{}", char::from(octet))?;
                    }
                    _ => write!(f, "%{octet:02X}")?,
                }
            }
            f.write_str("@")?;
        }
        f.write_str(&self.authority())
    }
}

impl Endpoint {
    /// The host and port, as in a URL.
    #[must_use]
    pub fn authority(&self) -> String {
        authority(&self.host, self.port)
    }

    /// A server at an address, without a user.
    #[must_use]
    pub fn at(scheme: Scheme, address: SocketAddr) -> Self {
        Self {
            scheme,
            user: None,
            host: address.ip().to_string(),
            port: address.port(),
        }
    }
}

/// A host and port, as in a URL.
pub(super) fn authority(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// Why a URL is invalid. It never contains a part of the URL, which may contain a
/// password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointError {
    /// An IPv6 address without brackets.
    Brackets,
    /// The host name or address is missing or invalid, or something follows it.
    Host,
    /// A password, which would be visible in process lists and logs.
    Password,
    /// An invalid port.
    Port,
    /// Neither `pop3://` nor `pop3s://`.
    Scheme,
    /// A user that is empty or wrongly encoded.
    User,
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Brackets => "put an IPv6 address in brackets: pop3://[::1]:110",
            Self::Host => "the URL has no valid host name or address, or has a path after it",
            Self::Password => {
                "the URL has a password (or a ':' in the user): give the password in another way, \
                 and write %3A for ':'"
            }
            Self::Port => "the port must be a number from 1 to 65535",
            Self::Scheme => "the URL must begin with pop3:// or pop3s://",
            Self::User => {
                "the user in the URL is empty or not percent-encoded: write %3B for ';', \
                 %2F for '/', %25 for '%'"
            }
        })
    }
}

impl core::error::Error for EndpointError {}
