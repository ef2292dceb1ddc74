//! A stream that keeps the first octets received, to show what a server without TLS
//! sent.

use core::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::io;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The octets kept: as many as an error shows.
const KEPT: usize = pop3_proto::client::Pending::MAX_CAME;

pub(super) struct Tap<S> {
    stream: S,
    first: Vec<u8>,
}

impl<S> Tap<S> {
    pub(super) const fn new(stream: S) -> Self {
        Self {
            stream,
            first: Vec::new(),
        }
    }

    /// The first octets, if they are not a TLS record (RFC 8446 §5.1).
    pub(super) fn not_tls(&self) -> Option<&[u8]> {
        let is_tls = is_tls(&self.first);
        (!self.first.is_empty() && !is_tls).then_some(&self.first)
    }

    /// Whether the octets begin like TLS.
    pub(super) fn is_tls(&self) -> bool {
        is_tls(&self.first)
    }
}

/// Whether the octets begin an alert or a handshake message, of a version 3.x.
const fn is_tls(octets: &[u8]) -> bool {
    matches!(octets, [0x15 | 0x16, 0x03, ..])
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let free = KEPT - self.first.len();
        if free > 0 {
            let came = &buffer.filled()[before..];
            let kept = came.len().min(free);
            self.first.extend_from_slice(&came[..kept]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    // rustls tries only once to send an alert, together with the octets before it.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, octets)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _, duplex};

    use super::{KEPT, Tap};

    #[tokio::test]
    async fn keeps_the_first_octets_and_passes_on_all() {
        let (near, mut far) = duplex(4096);
        let mut tap = Tap::new(near);
        assert!(tap.not_tls().is_none());
        let sent: Vec<u8> = (b' '..b'~').cycle().take(2 * KEPT).collect();
        // In pieces that do not end where it stops to keep them.
        for piece in sent.chunks(KEPT - 1) {
            far.write_all(piece).await.unwrap();
            let mut came = vec![0; piece.len()];
            tap.read_exact(&mut came).await.unwrap();
            assert_eq!(came, piece);
        }
        assert_eq!(tap.not_tls(), Some(&sent[..KEPT]));
        tap.write_all(b"CAPA\r\n").await.unwrap();
        assert!(tap.is_write_vectored());
        let mut line = [0; 6];
        far.read_exact(&mut line).await.unwrap();
        assert_eq!(&line, b"CAPA\r\n");
    }
}
