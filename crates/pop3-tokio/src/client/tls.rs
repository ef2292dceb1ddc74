//! TLS as a client: whom it trusts, and the handshake.

use std::{io, sync::Arc};

use rustls_platform_verifier::Verifier;
use tokio::io::BufReader;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, DigitallySignedStruct, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

use super::{Error, TlsSettings, wire::Stream};
use crate::tls::{ALPN, certificates, provider};

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
    match inner {
        Some(rustls::Error::InvalidCertificate(reason)) => Error::Certificate {
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
    let verifier: Arc<dyn ServerCertVerifier> = if settings.dangerous_accept_invalid_certs {
        Arc::new(AcceptAny(Arc::clone(&provider)))
    } else {
        let mut roots = Vec::new();
        for file in &settings.ca_files {
            roots.extend(certificates(file)?);
        }
        let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider));
        Arc::new(verifier.map_err(failed)?)
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

/// Takes any certificate, if only the server has its key.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
