//! Octets from the server: a buffer over a socket, with or without TLS.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
    StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};

use super::Failure;

/// How many octets a read asks for.
const READ: usize = 1 << 17;

pub(super) struct Socket {
    stream: Stream,
    /// Octets that were read and not used yet.
    pub(super) buffer: Vec<u8>,
    /// The offsets in the buffer where reads began.
    pub(super) reads: Vec<usize>,
}

enum Stream {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// While the connection changes from plain to TLS.
    None,
}

/// The result of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    Octets,
    /// The server has closed.
    End,
    /// Nothing came in time.
    Nothing,
}

impl Socket {
    pub(super) fn connect(host: &str, port: u16) -> Result<Self, Failure> {
        Ok(Self {
            stream: Stream::Clear(TcpStream::connect((host, port))?),
            buffer: Vec::new(),
            reads: Vec::new(),
        })
    }

    /// Waits for octets, forever or up to a time limit.
    pub(super) fn fill(&mut self, time: Option<Duration>) -> Result<Filled, Failure> {
        let mut piece = vec![0; READ];
        let read = match &mut self.stream {
            Stream::Clear(stream) => {
                stream.set_read_timeout(time)?;
                stream.read(&mut piece)
            }
            Stream::Tls(stream) => {
                stream.sock.set_read_timeout(time)?;
                stream.read(&mut piece)
            }
            Stream::None => Ok(0),
        };
        match read {
            Ok(0) => Ok(Filled::End),
            Ok(read) => {
                self.reads.push(self.buffer.len());
                self.buffer.extend_from_slice(&piece[..read]);
                Ok(Filled::Octets)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(Filled::Nothing)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the first octets of the buffer.
    pub(super) fn take(&mut self, octets: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(octets);
        self.reads.retain(|read| *read >= octets);
        self.reads.iter_mut().for_each(|read| *read -= octets);
        std::mem::replace(&mut self.buffer, rest)
    }

    pub(super) fn send(&mut self, octets: &[u8]) -> Result<(), Failure> {
        match &mut self.stream {
            Stream::Clear(stream) => stream.write_all(octets)?,
            Stream::Tls(stream) => {
                stream.write_all(octets)?;
                stream.flush()?;
            }
            Stream::None => return Err("no connection".into()),
        }
        Ok(())
    }

    /// The client side of the handshake.
    pub(super) fn start_tls(
        &mut self,
        host: &str,
        cafile: &Path,
        any_certificate: bool,
    ) -> Result<(), Failure> {
        let said = |error: &dyn std::fmt::Display| Failure::Said(error.to_string());
        let Stream::Clear(mut tcp) = std::mem::replace(&mut self.stream, Stream::None) else {
            return Err("TLS twice".into());
        };
        tcp.set_read_timeout(None)?;
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(cafile).map_err(|error| said(&error))?;
        roots.add(certificate).map_err(|error| said(&error))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| said(&error))?;
        let config = match any_certificate {
            false => builder.with_root_certificates(roots),
            true => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(provider))),
        }
        .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).map_err(|error| said(&error))?;
        let mut connection =
            ClientConnection::new(Arc::new(config), name).map_err(|error| said(&error))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut tcp)?;
        }
        self.stream = Stream::Tls(Box::new(StreamOwned::new(connection, tcp)));
        Ok(())
    }
}

/// Accepts any certificate: a flaw.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
