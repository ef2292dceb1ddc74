//! Requests to a provider.

use std::{fmt, path::Path, sync::Arc, time::Duration};

use oauth2::{HttpRequest, HttpResponse, SyncHttpClient, url::Url};
use pop3_tokio::tls::certificates;
use rustls::crypto::aws_lc_rs;
use ureq::{
    Agent, Body,
    tls::{Certificate, RootCerts, TlsConfig},
};

use crate::exit::{Exit, Failure};

/// The longest time for a request and its answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The most octets of an answer.
const MOST: u64 = 256 * 1024;

/// Sends requests. It follows no redirection, because secrets would follow it, too.
pub(super) struct Http(Agent);

impl Http {
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, Failure> {
        // Certificates of the system that cannot be read are left out: verification
        // fails where they are needed.
        let mut roots: Vec<_> = rustls_native_certs::load_native_certs().certs;
        if let Some(file) = ca_file {
            let named = certificates(file);
            roots.extend(named.map_err(|error| Failure::new(Exit::NoInput, error))?);
        }
        let roots = roots
            .iter()
            .map(|root| Certificate::from_der(root).to_owned());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots.collect())))
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("pop3/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self(config.into()))
    }

    /// Gets a document.
    pub(super) fn get(&self, url: &Url) -> Result<Vec<u8>, HttpError> {
        let answer = self.0.get(url.as_str()).call()?;
        match answer.status().as_u16() {
            200 => read(answer.into_body()),
            status => Err(HttpError::Status(status)),
        }
    }
}

impl SyncHttpClient for Http {
    type Error = HttpError;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.0.run(request)?;
        // Refusals are 400 and 401 (RFC 6749 §5.2); other statuses have no body to
        // understand.
        match answer.status().as_u16() {
            200 | 400 | 401 | 403 => {
                let (parts, body) = answer.into_parts();
                Ok(HttpResponse::from_parts(parts, read(body)?))
            }
            status => Err(HttpError::Status(status)),
        }
    }
}

fn read(mut body: Body) -> Result<Vec<u8>, HttpError> {
    Ok(body.with_config().limit(MOST).read_to_vec()?)
}

/// Why a request was not answered.
#[derive(Debug)]
pub(super) enum HttpError {
    Failed(ureq::Error),
    Status(u16),
}

impl From<ureq::Error> for HttpError {
    fn from(error: ureq::Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "the request failed: {error}"),
            Self::Status(status) => write!(f, "the answer has the HTTP status {status}"),
        }
    }
}

impl std::error::Error for HttpError {}
