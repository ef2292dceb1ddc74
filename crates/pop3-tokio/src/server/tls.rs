//! The server's certificate and key.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_rustls::rustls::{
    self, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::tls::provider;

/// A TLS configuration with this certificate, its chain behind it, and this
/// key: TLS 1.2 and 1.3, clients need no certificate.
///
/// # Errors
///
/// If the key is not the certificate's, or of a kind that is not supported.
pub fn tls_config(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    Ok(Arc::new(config))
}

/// The same, from files in the PEM format.
///
/// # Errors
///
/// If a file cannot be read or does not hold what it should, or as
/// [`tls_config`].
pub fn tls_config_from_files(
    certificates: &Path,
    key: &Path,
) -> Result<Arc<ServerConfig>, TlsFileError> {
    let fail = |path: &Path, error: &dyn fmt::Display| TlsFileError {
        path: path.to_owned(),
        what: error.to_string(),
    };
    let unreadable = |path: &Path, error: io::Error| fail(path, &error);
    let text = std::fs::read(certificates).map_err(|error| unreadable(certificates, error))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| fail(certificates, &error))?;
    if chain.is_empty() {
        return Err(fail(certificates, &"there is no certificate in it"));
    }
    let text = std::fs::read(key).map_err(|error| unreadable(key, error))?;
    let private = PrivateKeyDer::from_pem_slice(&text).map_err(|error| fail(key, &error))?;
    tls_config(chain, private).map_err(|error| fail(key, &error))
}

/// A certificate or key that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFileError {
    path: PathBuf,
    what: String,
}

impl fmt::Display for TlsFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

impl std::error::Error for TlsFileError {}
