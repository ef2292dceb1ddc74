//! The parts of TLS that client and server share.

use core::fmt;
use std::{io, path::Path};

use tokio_rustls::rustls::pki_types::{CertificateDer, pem, pem::PemObject};

/// Returns random octets for nonces.
///
/// # Errors
///
/// If the operating system returns none.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    match getrandom::fill(&mut octets) {
        Ok(()) => Ok(octets),
        Err(_) => Err(io::Error::other(
            "the operating system returns no random octets",
        )),
    }
}

/// Reads the certificates in a PEM file, in order.
///
/// # Errors
///
/// If the file cannot be read, is not PEM, or contains no certificate.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, PemFileError> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| PemFileError::of(file, error))?;
    match certificates.is_empty() {
        true => Err(PemFileError::new(file, "it contains no certificate")),
        false => Ok(certificates),
    }
}

/// Why a PEM file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PemFileError {
    file: String,
    reason: String,
}

impl PemFileError {
    pub(crate) fn new(file: &Path, reason: impl fmt::Display) -> Self {
        Self {
            file: file.display().to_string(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn of(file: &Path, error: pem::Error) -> Self {
        match error {
            pem::Error::Io(error) => Self::new(file, error),
            error => Self::new(file, error),
        }
    }
}

impl fmt::Display for PemFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot use {} for TLS: {}", self.file, self.reason)
    }
}

impl core::error::Error for PemFileError {}
