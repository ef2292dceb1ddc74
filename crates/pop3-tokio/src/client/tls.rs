//! The TLS handshake of a client.

use std::{io, sync::Arc};

use tokio::{io::BufReader, net::TcpStream};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, CertificateError, ClientConfig,
        crypto::CryptoProvider,
        pki_types::{PrivateKeyDer, ServerName, pem::PemObject as _},
    },
};

use super::{
    Distrust, Error, TlsSettings,
    driver::Stream,
    tap::Tap,
    trust::{OtherFingerprint, Trust},
};
use crate::{
    tls::{PemFileError, certificates},
    tls_words,
};

/// The protocol's name in the handshake (ALPN), so that a server of another
/// protocol on the same port is not taken for one of POP3.
const ALPN: &[u8] = b"pop3";

/// The octets read at once for rustls, which itself asks for 4 KiB at a time.
const READ_AHEAD: usize = 64 * 1024;

/// Does the TLS handshake with a server that must prove that it is `host`.
pub(super) async fn handshake(
    stream: Stream,
    host: &str,
    settings: &TlsSettings,
) -> Result<Stream, Error> {
    let failed = |reason: String| Error::Tls {
        host: host.to_owned(),
        reason,
        came: None,
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
    let config = config(settings, host)?;
    let stream = BufReader::with_capacity(READ_AHEAD, Tap::new(stream));
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match connecting.into_fallible().await {
        Ok(stream) => Ok(Box::new(stream)),
        Err((error, stream)) => Err(in_handshake(&error, host, stream.get_ref().not_tls())),
    }
}

/// Whether the other end of a stream answers like a TLS server, with a handshake
/// message or an alert.
pub(super) async fn is_spoken(stream: TcpStream, host: &str, settings: &TlsSettings) -> bool {
    let any = TlsSettings {
        dangerous_accept_invalid_certs: true,
        ..settings.clone()
    };
    let name = ServerName::try_from(host.to_owned());
    let (Ok(name), Ok(config)) = (name, config(&any, host)) else {
        return false;
    };
    let mut tap = Tap::new(stream);
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, &mut tap);
    // The result does not matter: only octets of the handshake are sent.
    drop(connecting.await);
    tap.is_tls()
}

fn in_handshake(error: &io::Error, host: &str, came: Option<&[u8]>) -> Error {
    let host = host.to_owned();
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let Some(rustls::Error::InvalidCertificate(reason)) = inner else {
        let reason = tls_words::of_io(error);
        let came = came.map(Into::into);
        return Error::Tls { host, reason, came };
    };
    if let CertificateError::Other(other) = reason
        && let Some(OtherFingerprint(found)) = other.0.downcast_ref()
    {
        let found = *found;
        return Error::Fingerprint { host, found };
    }
    let reason = Distrust::of(reason);
    Error::Certificate { host, reason }
}

fn config(settings: &TlsSettings, host: &str) -> Result<ClientConfig, Error> {
    let failed = |error: rustls::Error| Error::Tls {
        host: host.to_owned(),
        reason: tls_words::of_tls(&error),
        came: None,
    };
    let provider = match &settings.provider {
        Some(provider) => Arc::clone(provider),
        None => default_provider().ok_or_else(|| Error::Tls {
            host: host.to_owned(),
            reason: NO_PROVIDER.to_owned(),
            came: None,
        })?,
    };
    let trust = Trust::new(settings, Arc::clone(&provider), failed)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust));
    let mut config = match &settings.client_certificate {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let chain = certificates(file)?;
            let key = PrivateKeyDer::from_pem_file(file)
                .map_err(|error| PemFileError::of(file, error))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| PemFileError::new(file, tls_words::of_tls(&error)))?
        }
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

const NO_PROVIDER: &str = "there is no cryptography for TLS: set `TlsSettings::provider`, or \
                           build pop3-tokio with its feature `aws-lc-rs`";

/// The cryptography where the caller names none. Never that of the process, where another
/// crate may have installed any.
fn default_provider() -> Option<Arc<CryptoProvider>> {
    #[cfg(feature = "aws-lc-rs")]
    return Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(not(feature = "aws-lc-rs"))]
    None
}
