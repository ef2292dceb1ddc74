//! The server's certificate and key.

use std::{path::Path, sync::Arc};

use tokio_rustls::rustls::{
    self, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::{
    tls::{self, PemFileError},
    tls_words,
};

/// Makes a TLS configuration with a certificate, followed by its chain, and its
/// private key. It supports TLS 1.2 and 1.3, and clients need no certificate. To use
/// other cryptography than that of the feature `aws-lc-rs`, build a [`ServerConfig`]
/// with its provider.
///
/// # Errors
///
/// If the key does not belong to the certificate, or its kind is not supported.
pub fn tls_config(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    Ok(Arc::new(config))
}

/// Makes a TLS configuration from PEM files.
///
/// # Errors
///
/// If a file cannot be read or lacks the certificate or key, and those of
/// [`tls_config`].
pub fn tls_config_from_files(
    certificates: &Path,
    key: &Path,
) -> Result<Arc<ServerConfig>, PemFileError> {
    let chain = tls::certificates(certificates)?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| PemFileError::of(key, error))?;
    tls_config(chain, private).map_err(|error| PemFileError::new(key, tls_words::of_tls(&error)))
}
