//! TLS as a client: the handshake.

use std::{io, sync::Arc};

use tokio::io::BufReader;
use tokio_rustls::{
    TlsConnector,
    rustls::{self, CertificateError, ClientConfig, pki_types::ServerName},
};

use super::{
    Error, TlsSettings,
    trust::{Distrust, Trust},
    wire::Stream,
};
use crate::tls::{ALPN, provider};

/// rustls asks for 4 KiB at a time; so many octets are read at once for it.
const READ_AHEAD: usize = 64 * 1024;

/// Brings a stream under TLS, with a server that must prove that it is `host`.
pub(super) async fn handshake(
    stream: Stream,
    host: &str,
    settings: &TlsSettings,
) -> Result<Stream, Error> {
    let failed = |reason: String| Error::Tls {
        host: host.to_owned(),
        reason,
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
    let config = config(settings, host)?;
    let stream = BufReader::with_capacity(READ_AHEAD, stream);
    match TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
    {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(in_handshake(error, host)),
    }
}

fn in_handshake(error: io::Error, host: &str) -> Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let reason = match inner {
        Some(rustls::Error::InvalidCertificate(reason)) => Some(reason),
        _ => None,
    };
    let distrust = match reason {
        Some(CertificateError::Other(other)) => other.0.downcast_ref(),
        _ => None,
    };
    match (distrust, reason) {
        (Some(Distrust::OtherFingerprint(found)), _) => Error::Fingerprint {
            host: host.to_owned(),
            found: *found,
        },
        (Some(distrust), _) => Error::Certificate {
            host: host.to_owned(),
            reason: distrust.to_string(),
        },
        (None, Some(reason)) => Error::Certificate {
            host: host.to_owned(),
            reason: reason.to_string(),
        },
        _ => Error::Tls {
            host: host.to_owned(),
            reason: error.to_string(),
        },
    }
}

fn config(settings: &TlsSettings, host: &str) -> Result<ClientConfig, Error> {
    let failed = |error: rustls::Error| Error::Tls {
        host: host.to_owned(),
        reason: error.to_string(),
    };
    let provider = provider();
    let trust = Trust::new(settings, Arc::clone(&provider), failed)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}
