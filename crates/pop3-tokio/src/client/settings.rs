//! The settings of a client.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use pop3_proto::{Profile, client::Limits};
use tokio_rustls::rustls::crypto::CryptoProvider;

use super::{Fingerprint, Proxy};

/// How a client connects and behaves. Start with [`Settings::new`], or with
/// [`Settings::default`] for the profile of RFC 1939, and change fields.
///
/// ```
/// use pop3_tokio::{Profile, client::Settings};
///
/// let mut settings = Settings::new(Profile::OUTLOOK_2024);
/// settings.pipelining = false;
/// settings.tls.ca_files.push("/etc/ssl/our-ca.pem".into());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The profile whose behaviour the client shows.
    pub profile: Profile,
    /// Whether to pipeline if the server announces PIPELINING.
    pub pipelining: bool,
    /// The limits on what the server may send.
    pub limits: Limits,
    /// The limits on waiting.
    pub timeouts: Timeouts,
    /// The trusted certificates.
    pub tls: TlsSettings,
    /// Whether to continue without TLS on `pop3://`, to any address, if the server
    /// does not announce STLS or refuses it. Anyone between client and server can
    /// then read and change names, passwords and mail. If STLS works, it is used,
    /// and an invalid certificate is an error. If this is false, the client
    /// continues without TLS only to loopback addresses, and only if the server
    /// does not announce STLS.
    pub insecure_plaintext: bool,
    /// Whether to require TLS even to loopback addresses, where a tunnel or a proxy
    /// may listen. It has no effect if
    /// [`insecure_plaintext`](Self::insecure_plaintext) is set.
    pub require_tls: bool,
    /// Whether APOP may be used without TLS. MD5 does not protect it
    /// (CVE-2007-1558).
    pub dangerous_apop_in_cleartext: bool,
    /// Whether an access token may be sent without TLS to a loopback address. To
    /// other addresses it is never sent without TLS (RFC 7628 §3).
    pub dangerous_token_in_cleartext: bool,
    /// The addresses to connect to, instead of those from the resolver. The
    /// certificate must still be valid for the endpoint's host.
    pub addresses: Vec<SocketAddr>,
    /// The address of this machine to connect from. Only addresses of the same family
    /// are tried.
    pub source_address: Option<IpAddr>,
    /// The proxy to connect through. It resolves the name of the server, and nothing
    /// counts as a loopback address then: the server is on the other side of the proxy.
    pub proxy: Option<Proxy>,
}

impl Settings {
    /// Safe defaults for a profile.
    #[must_use]
    pub const fn new(profile: Profile) -> Self {
        Self {
            profile,
            pipelining: true,
            limits: Limits::DEFAULT,
            timeouts: Timeouts::DEFAULT,
            tls: TlsSettings::DEFAULT,
            insecure_plaintext: false,
            require_tls: false,
            dangerous_apop_in_cleartext: false,
            dangerous_token_in_cleartext: false,
            addresses: Vec::new(),
            source_address: None,
            proxy: None,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(Profile::RFC1939)
    }
}

/// The trusted certificates. Authorities that the system trusts are always trusted,
/// unless [`fingerprint`](Self::fingerprint) is set.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsSettings {
    /// PEM files with further certificates of authorities or servers. A server that
    /// presents exactly one of these certificates is trusted for the names in it
    /// until it expires, whatever its issuer and even if it is that of an
    /// authority.
    pub ca_files: Vec<PathBuf>,
    /// The fingerprint of the only trusted certificate, whatever its issuer, names
    /// and dates. Implies [`require_tls`](Settings::require_tls).
    pub fingerprint: Option<Fingerprint>,
    /// Whether to accept any certificate for any name. Anyone between client and
    /// server can then read the password.
    pub dangerous_accept_invalid_certs: bool,
    /// A PEM file with the certificate of this client, those of its authorities, and its
    /// private key, for a server that asks for one (RFC 5246 §7.4.6, RFC 8446 §4.4.2).
    pub client_certificate: Option<PathBuf>,
    /// The cryptography of TLS; `None` for that of the feature `aws-lc-rs`.
    pub provider: Option<Arc<CryptoProvider>>,
}

impl TlsSettings {
    /// Only the authorities that the system trusts.
    pub const DEFAULT: Self = Self {
        ca_files: Vec::new(),
        fingerprint: None,
        dangerous_accept_invalid_certs: false,
        client_certificate: None,
        provider: None,
    };
}

/// The time limits of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// The time to resolve the name and to connect.
    pub connect: Duration,
    /// The time for the TLS handshake.
    pub tls: Duration,
    /// The time for the whole greeting.
    pub greeting: Duration,
    /// The time for the first line of a reply, and between two reads of its block.
    pub reply: Duration,
    /// The time to wait for the caller's next command. A server may log out a
    /// client after ten minutes of silence (RFC 1939 §3).
    pub idle: Duration,
    /// The time for everything, from the start of the connection.
    pub session: Option<Duration>,
}

impl Timeouts {
    /// The time limits of [`Settings::new`], without a limit for the whole session.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(30),
        tls: Duration::from_secs(30),
        greeting: Duration::from_secs(60),
        reply: Duration::from_secs(120),
        idle: Duration::from_secs(600),
        session: None,
    };
}
