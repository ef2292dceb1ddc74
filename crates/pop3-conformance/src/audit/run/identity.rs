//! The certificates of the scripted servers, made for each audit.

use std::{io, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};

use crate::audit::scenario::Certificate;

pub(super) struct Identities {
    /// The contents of `{cafile}`.
    pub(super) pem: String,
    trusted: Arc<ServerConfig>,
    stranger: Arc<ServerConfig>,
}

impl Identities {
    pub(super) fn new() -> io::Result<Self> {
        let (trusted, pem) = identity()?;
        let (stranger, _) = identity()?;
        Ok(Self {
            pem,
            trusted,
            stranger,
        })
    }

    pub(super) fn config(&self, certificate: Certificate) -> Arc<ServerConfig> {
        Arc::clone(match certificate {
            Certificate::Trusted => &self.trusted,
            Certificate::Stranger => &self.stranger,
        })
    }
}

fn identity() -> io::Result<(Arc<ServerConfig>, String)> {
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(names).map_err(io::Error::other)?;
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .map_err(io::Error::other)?;
    Ok((Arc::new(config), cert.pem()))
}
