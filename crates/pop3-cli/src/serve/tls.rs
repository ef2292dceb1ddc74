//! The server's certificate, from files or made for this run.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use pop3_tokio::server::{tls_config, tls_config_from_files};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::{ServerConfig, pki_types::PrivateKeyDer};

use crate::exit::{Exit, Failure};

#[derive(Args)]
pub(super) struct TlsOptions {
    /// Read the certificate chain (the server's certificate first) from this PEM
    /// file
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// Read the private key of the certificate from this PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Make a certificate for this run, valid for localhost and the addresses of
    /// --listen and --tls-listen
    #[arg(long, conflicts_with = "tls_cert")]
    tls_self_signed: bool,

    /// Write the certificate made for this run to FILE, so that clients can trust
    /// it
    #[arg(long, value_name = "FILE", conflicts_with = "tls_cert")]
    write_cert: Option<PathBuf>,
}

impl TlsOptions {
    pub(super) const fn is_some(&self) -> bool {
        self.tls_cert.is_some() || self.tls_self_signed
    }

    /// Whether the certificate is in files, which may change.
    pub(super) const fn has_files(&self) -> bool {
        self.tls_cert.is_some()
    }

    pub(super) fn config<'a>(
        &self,
        addresses: impl Iterator<Item = &'a SocketAddr>,
    ) -> Result<Arc<ServerConfig>, Failure> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => tls_config_from_files(certificate, key)
                .map_err(|error| Failure::new(Exit::NoInput, error)),
            _ => self_signed(addresses, self.write_cert.as_deref()),
        }
    }
}

/// Makes a certificate for localhost and `addresses`, and writes it to `write_to`.
pub(crate) fn self_signed<'a>(
    addresses: impl Iterator<Item = &'a SocketAddr>,
    write_to: Option<&Path>,
) -> Result<Arc<ServerConfig>, Failure> {
    let named = addresses
        .map(SocketAddr::ip)
        .filter(|ip| !ip.is_unspecified());
    let names: BTreeSet<String> = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .into_iter()
        .chain(named.map(|ip| ip.to_string()))
        .collect();
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Io, format_args!("cannot make a certificate: {error}"))
    };
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(names.into_iter().collect::<Vec<_>>())
            .map_err(|error| failed(&error))?;
    if let Some(path) = write_to {
        fs::write(path, cert.pem()).map_err(|error| {
            Failure::new(
                Exit::CannotCreate,
                format_args!("cannot create {}: {error}", path.display()),
            )
        })?;
    }
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    tls_config(vec![cert.der().clone()], key).map_err(|error| failed(&error))
}
