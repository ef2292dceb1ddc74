//! Decides whether to trust a server's certificate.

use core::fmt;
use std::sync::Arc;

use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::{
    self, CertificateError, DigitallySignedStruct, OtherError, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use super::{Error, Fingerprint, TlsSettings, certificate::Certificate, distrust::Distrust};
use crate::tls::certificates;

/// Verifies a server's certificate. In every case the server must prove that it has
/// the certificate's key.
#[derive(Debug)]
pub(super) struct Trust {
    rule: Rule,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
enum Rule {
    /// Only this certificate, whatever its contents.
    Pinned(Fingerprint),
    /// Any certificate.
    Any,
    /// Certificates that the user trusts explicitly, and those signed by an
    /// authority.
    Vouched {
        named: Vec<CertificateDer<'static>>,
        authorities: Verifier,
    },
}

impl Trust {
    pub(super) fn new(
        settings: &TlsSettings,
        provider: Arc<CryptoProvider>,
        failed: impl FnOnce(rustls::Error) -> Error,
    ) -> Result<Self, Error> {
        let rule = match settings.fingerprint {
            Some(fingerprint) => Rule::Pinned(fingerprint),
            None if settings.dangerous_accept_invalid_certs => Rule::Any,
            None => {
                let mut named = Vec::new();
                for file in &settings.ca_files {
                    named.extend(certificates(file)?);
                }
                let provider = Arc::clone(&provider);
                // They differ on Windows alone: the second makes an engine of its own,
                // which wine refuses.
                let verifier = match named.is_empty() {
                    true => Verifier::new(provider),
                    false => Verifier::new_with_extra_roots(named.clone(), provider),
                };
                Rule::Vouched {
                    named,
                    authorities: verifier.map_err(failed)?,
                }
            }
        };
        Ok(Self { rule, provider })
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.rule {
            Rule::Any => Ok(ServerCertVerified::assertion()),
            Rule::Pinned(pinned) => {
                let found = Fingerprint::of(end_entity);
                match found == *pinned {
                    true => Ok(ServerCertVerified::assertion()),
                    false => Err(OtherFingerprint(found).into()),
                }
            }
            Rule::Vouched { named, .. } if named.contains(end_entity) => {
                judge_named(end_entity, server_name, now)
            }
            Rule::Vouched { authorities, .. } => authorities
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map_err(|error| match error {
                    // webpki has a separate error for a certificate that may sign
                    // others.
                    rustls::Error::InvalidCertificate(
                        CertificateError::UnknownIssuer | CertificateError::Other(_),
                    ) if Certificate::read(end_entity)
                        .is_some_and(|certificate| certificate.is_self_signed()) =>
                    {
                        Distrust::SelfSigned.into()
                    }
                    error => error,
                }),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Verifies a certificate that the user trusts explicitly. It needs no authority
/// and may be that of an authority itself, but its dates and names must be valid.
fn judge_named(
    end_entity: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, rustls::Error> {
    let malformed = || rustls::Error::from(CertificateError::BadEncoding);
    let certificate = Certificate::read(end_entity).ok_or_else(malformed)?;
    if certificate.not_after.compare(now).is_lt() {
        return Err(Distrust::Expired(Some(certificate.not_after.to_string())).into());
    }
    if certificate.not_before.compare(now).is_gt() {
        return Err(Distrust::NotYetValid(Some(certificate.not_before.to_string())).into());
    }
    match verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name) {
        Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented,
            ..
        })) if presented.is_empty() && certificate.has_common_name(server_name) => {}
        result => result?,
    }
    Ok(ServerCertVerified::assertion())
}

/// The certificate is not the pinned one, but has this fingerprint.
#[derive(Clone, Copy, Debug)]
pub(super) struct OtherFingerprint(pub(super) Fingerprint);

impl From<OtherFingerprint> for rustls::Error {
    fn from(other: OtherFingerprint) -> Self {
        CertificateError::Other(OtherError(Arc::new(other))).into()
    }
}

impl fmt::Display for OtherFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its fingerprint is {}", self.0)
    }
}

impl core::error::Error for OtherFingerprint {}
