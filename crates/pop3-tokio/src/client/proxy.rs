//! A SOCKS5 proxy between client and server (RFC 1928).

use core::{fmt, str::FromStr};
use std::io;

use tokio::net::TcpStream;
use tokio_socks::{TargetAddr, tcp::Socks5Stream};
use zeroize::Zeroizing;

use super::endpoint::{authority, host_and_port, percent_decoded};

/// A SOCKS5 proxy, and how to log in there (RFC 1929). The proxy resolves the name of
/// the mail server.
///
/// ```
/// use pop3_tokio::client::Proxy;
///
/// let proxy: Proxy = "socks5://127.0.0.1:9050".parse()?;
/// assert_eq!(proxy.to_string(), "socks5://127.0.0.1:9050");
/// # Ok::<(), pop3_tokio::client::ProxyError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    login: Option<(String, Zeroizing<String>)>,
}

impl Proxy {
    /// The usual port of SOCKS (RFC 1928 §3).
    const PORT: u16 = 1080;

    /// Asks the proxy, over a connection to it, to connect to `target`.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        target: TargetAddr<'_>,
    ) -> io::Result<TcpStream> {
        let connected = match &self.login {
            Some((user, password)) => {
                let login = Socks5Stream::connect_with_password_and_socket;
                login(stream, target, user, password).await
            }
            None => Socks5Stream::connect_with_socket(stream, target).await,
        };
        match connected {
            Ok(stream) => Ok(stream.into_inner()),
            Err(error) => Err(io::Error::other(format!("the proxy {self}: {error}"))),
        }
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    /// Parses `socks5://` or `socks5h://`, an optional percent-encoded user, `:`,
    /// password and `@`, a host, and an optional `:` and port.
    fn from_str(url: &str) -> Result<Self, ProxyError> {
        let place = url
            .strip_prefix("socks5://")
            .or_else(|| url.strip_prefix("socks5h://"))
            .ok_or(ProxyError)?;
        let place = place.strip_suffix('/').unwrap_or(place);
        let (login, place) = match place.rsplit_once('@') {
            None => (None, place),
            Some((login, place)) => {
                let (user, password) = login.split_once(':').ok_or(ProxyError)?;
                let decoded = |text| percent_decoded(text).filter(|text| fits(text));
                let user = decoded(user).ok_or(ProxyError)?;
                let password = decoded(password).ok_or(ProxyError)?;
                (Some((user, Zeroizing::new(password))), place)
            }
        };
        let (host, port) = host_and_port(place).map_err(|_| ProxyError)?;
        Ok(Self {
            host,
            port: port.unwrap_or(Self::PORT),
            login,
        })
    }
}

/// Whether the field has a length of RFC 1929 §2.
fn fits(text: &str) -> bool {
    (1..=255).contains(&text.len())
}

/// The URL without user and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socks5://{}", authority(&self.host, self.port))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// The text is not the URL of a SOCKS5 proxy. Contains no part of it, which may be a
/// password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyError;

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the URL of a proxy is socks5://HOST:PORT or socks5://USER:PASSWORD@HOST:PORT, with \
             user and password percent-encoded",
        )
    }
}

impl core::error::Error for ProxyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_host_port_and_login_and_shows_no_login() {
        for (url, shown, login) in [
            ("socks5://proxy.example.org", "proxy.example.org:1080", None),
            ("socks5h://127.0.0.1:9050/", "127.0.0.1:9050", None),
            (
                "socks5://me:p%40ss@[::1]:1",
                "[::1]:1",
                Some(("me", "p@ss")),
            ),
        ] {
            let proxy: Proxy = url.parse().unwrap();
            assert_eq!(proxy.to_string(), format!("socks5://{shown}"));
            assert_eq!(format!("{proxy:?}"), format!("Proxy(socks5://{shown})"));
            let found = proxy.login.as_ref();
            assert_eq!(found.map(|(user, password)| (&**user, &***password)), login);
        }
        let long = format!("socks5://me:{}@h", "x".repeat(256));
        for url in [
            "socks4://h",
            "http://h",
            "h:1080",
            "socks5://",
            "socks5://h:0",
            "socks5://h:x",
            "socks5://me@h",
            "socks5://:p@h",
            "socks5://me:@h",
            "socks5://me:%zz@h",
            &long,
        ] {
            assert_eq!(url.parse::<Proxy>(), Err(ProxyError), "{url}");
        }
        assert!(ProxyError.to_string().contains("socks5://HOST:PORT"));
    }
}
