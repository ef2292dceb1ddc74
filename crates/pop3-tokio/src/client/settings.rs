//! What a client can be told.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use pop3_proto::{Profile, client::Limits};
use tokio_rustls::rustls::crypto::CryptoProvider;

use super::Fingerprint;

/// How a client connects and behaves. Begin with [`Settings::new`], or with
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
    /// The behaviour to show.
    pub profile: Profile,
    /// Whether to pipeline where the server announces PIPELINING.
    pub pipelining: bool,
    /// How much is accepted.
    pub limits: Limits,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// Which certificates are trusted.
    pub tls: TlsSettings,
    /// On `pop3://` goes on without TLS if the server does not announce STLS or
    /// refuses it, to any address: anyone between can read and change names,
    /// passwords and mail. Where STLS works it is used, and an invalid
    /// certificate is an error. If false, only loopback addresses whose server
    /// does not announce STLS are spoken to without TLS.
    pub insecure_plaintext: bool,
    /// TLS to loopback addresses too, whatever the server announces: what
    /// listens there may be a tunnel or a proxy. It has no meaning where
    /// [`insecure_plaintext`](Self::insecure_plaintext) is set.
    pub require_tls: bool,
    /// APOP also where TLS does not protect it. MD5 does not (CVE-2007-1558).
    pub dangerous_apop_in_cleartext: bool,
    /// Sends an access token without TLS, to a loopback address. To any other it
    /// never goes without (RFC 7628 §3).
    pub dangerous_token_in_cleartext: bool,
    /// Where to connect, instead of what the resolver says. The certificate is
    /// checked for the endpoint's host all the same.
    pub addresses: Vec<SocketAddr>,
}

impl Settings {
    /// The profile with defaults on the safe side.
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
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(Profile::RFC1939)
    }
}

/// Which certificates are trusted. The authorities that the system trusts are,
/// unless [`fingerprint`](Self::fingerprint) is set.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsSettings {
    /// PEM files with more certificates to trust: those of authorities, and
    /// those of servers. A server that presents exactly one of these
    /// certificates is trusted for the names in it and until it expires, whoever
    /// signed it and whether it is an authority's or not.
    pub ca_files: Vec<PathBuf>,
    /// The only certificate that is trusted, and without any other check: no
    /// authority, name or date counts. Implies
    /// [`require_tls`](Settings::require_tls).
    pub fingerprint: Option<Fingerprint>,
    /// Accept any certificate for any name: anyone between the client and the
    /// server can then read the password.
    pub dangerous_accept_invalid_certs: bool,
    /// The cryptography of TLS; `None` for that of the feature `aws-lc-rs`.
    pub provider: Option<Arc<CryptoProvider>>,
}

impl TlsSettings {
    /// The authorities that the system trusts, and no others.
    pub const DEFAULT: Self = Self {
        ca_files: Vec::new(),
        fingerprint: None,
        dangerous_accept_invalid_certs: false,
        provider: None,
    };
}

/// How long a client waits, for each thing apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For names to be resolved and one address to answer.
    pub connect: Duration,
    /// For the TLS handshake.
    pub tls: Duration,
    /// For the whole greeting.
    pub greeting: Duration,
    /// For the first line of a reply, and between two reads of its block.
    pub reply: Duration,
    /// For the caller's next command. A server may log out a client that is
    /// silent for ten minutes (RFC 1939 §3).
    pub idle: Duration,
    /// For everything, from the beginning of the connection on.
    pub session: Option<Duration>,
}

impl Timeouts {
    /// The times of [`Settings::new`]: no limit for the whole session.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(30),
        tls: Duration::from_secs(30),
        greeting: Duration::from_secs(60),
        reply: Duration::from_secs(120),
        idle: Duration::from_secs(600),
        session: None,
    };
}
