//! A connection without a session.

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
use std::io;

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use super::{
    Endpoint, Error, Scheme, Settings, Waiting,
    connect::{deadline, within},
    dial,
    driver::Stream,
    tls,
};

/// Octets to and from a server over TCP or TLS, for programs that speak the
/// protocol themselves, such as a tool that sends what no client should send. A
/// mail client should use a [`Client`](super::Client).
///
/// ```no_run
/// use pop3_proto::Profile;
/// use pop3_tokio::client::{Channel, Settings};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # async fn greeting() -> Result<(), Box<dyn std::error::Error>> {
/// let endpoint = "pop3s://mail.example.org".parse()?;
/// let settings = Settings::new(Profile::RFC1939);
/// let mut channel = Channel::open(&endpoint, &settings).await?;
/// let mut greeting = [0; 512];
/// let octets = channel.read(&mut greeting).await?;
/// channel.write_all(b"QUIT\r\n").await?;
/// # Ok(())
/// # }
/// ```
pub struct Channel {
    stream: Stream,
    is_loopback: bool,
}

impl Channel {
    /// Connects, and does the TLS handshake on `pop3s://`.
    ///
    /// # Errors
    ///
    /// If no address can be reached in time, or the handshake fails.
    pub async fn open(endpoint: &Endpoint, settings: &Settings) -> Result<Self, Error> {
        let deadline = deadline(settings);
        let stream = connect(endpoint, settings, deadline).await?;
        let channel = Self {
            is_loopback: is_loopback(&stream, settings),
            stream: Box::new(stream),
        };
        match endpoint.scheme {
            Scheme::Pop3s => channel.start_tls(endpoint, settings).await,
            Scheme::Pop3 => Ok(channel),
        }
    }

    /// Does the TLS handshake after the reply to STLS. The caller must discard
    /// octets that it read before (RFC 2595 §4).
    ///
    /// # Errors
    ///
    /// If the handshake fails, or the certificate is not valid for the host.
    pub async fn start_tls(self, endpoint: &Endpoint, settings: &Settings) -> Result<Self, Error> {
        let handshake = tls::handshake(self.stream, &endpoint.host, &settings.tls);
        let timeout = settings.timeouts.tls;
        Ok(Self {
            stream: within(Waiting::Tls, timeout, deadline(settings), handshake).await?,
            is_loopback: self.is_loopback,
        })
    }

    /// Whether the server is on this machine.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

/// Connects to the endpoint by TCP, within the time limit.
pub(super) async fn connect(
    endpoint: &Endpoint,
    settings: &Settings,
    deadline: Option<Instant>,
) -> Result<TcpStream, Error> {
    let connecting = dial::dial(endpoint, settings);
    within(
        Waiting::Connect,
        settings.timeouts.connect,
        deadline,
        connecting,
    )
    .await
}

/// Whether the server is on this machine. The server of a proxy never is.
pub(super) fn is_loopback(stream: &TcpStream, settings: &Settings) -> bool {
    let peer = stream.peer_addr();
    settings.proxy.is_none() && peer.is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
}

impl AsyncRead for Channel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Channel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufWriter, duplex};

    use super::Channel;

    #[tokio::test]
    async fn passes_on_what_is_flushed_and_the_end() {
        let (near, mut far) = duplex(64);
        let mut channel = Channel {
            stream: Box::new(BufWriter::new(near)),
            is_loopback: false,
        };
        channel.write_all(b"NOOP\r\n").await.unwrap();
        channel.flush().await.unwrap();
        let mut line = [0; 6];
        far.read_exact(&mut line).await.unwrap();
        assert_eq!(&line, b"NOOP\r\n");
        channel.shutdown().await.unwrap();
        assert_eq!(far.read(&mut line).await.unwrap(), 0);
    }
}
