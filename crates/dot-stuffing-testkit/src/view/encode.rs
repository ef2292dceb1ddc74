//! The views of `MultilineEncoder`.

use std::{
    io::{self, IoSlice, Write},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bytes::BytesMut;
use dot_stuffing::{
    BareNewline, Chunk, EncodeError, EncodeErrorKind, FinishError, MultilineCodec,
    MultilineEncoder, MultilineWriter, futures, tokio,
};
use tokio_util::codec::Encoder as _;

use super::Encode;
use crate::oracle::{Newline, Refusal};

/// All views of the encoder.
#[must_use]
pub fn encoders() -> &'static [&'static dyn Encode] {
    &[&Slices, &Writer, &TokioCodec, &Buffers, &Tokio, &Futures]
}

const fn bare_newline(newline: Newline) -> BareNewline {
    match newline {
        Newline::Canonicalize => BareNewline::Canonicalize,
        Newline::Reject => BareNewline::Reject,
        Newline::Verbatim => BareNewline::Verbatim,
    }
}

fn refusal(error: EncodeError) -> Refusal {
    let offset = error.offset() as usize;
    match error.kind() {
        EncodeErrorKind::BareCr => Refusal::BareCr(offset),
        EncodeErrorKind::BareLf => Refusal::BareLf(offset),
        other => panic!("{other:?} is unknown"),
    }
}

fn io_refusal(error: io::Error) -> Refusal {
    refusal(error.downcast::<EncodeError>().expect("an encode error"))
}

struct Slices;

impl Encode for Slices {
    fn name(&self) -> &'static str {
        "encode"
    }

    fn encode(&self, newline: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        let mut encoder = MultilineEncoder::new(bare_newline(newline));
        let mut wire = Vec::new();
        for chunk in chunks {
            for octets in encoder.encode(chunk) {
                match octets {
                    Ok(octets) => wire.extend_from_slice(octets),
                    Err(error) => {
                        assert_eq!(encoder.encode(b"x").next(), Some(Err(error)), "sticky");
                        assert_eq!(encoder.finish(), Err(error), "no terminator");
                        return Err(refusal(error));
                    }
                }
            }
        }
        let stuffed = usize::from(wire.starts_with(b".."))
            + wire.windows(4).filter(|at| at == b"\r\n..").count();
        assert_eq!(encoder.stuffed_lines(), stuffed as u64, "stuffed lines");
        wire.extend_from_slice(encoder.finish().map_err(refusal)?);
        Ok(wire)
    }
}

/// A sink that accepts a few octets at a time and is sometimes interrupted.
struct Reluctant {
    wire: Vec<u8>,
    calls: usize,
}

impl Write for Reluctant {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(octets)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = match self.calls % 3 {
            0 => usize::MAX,
            few => few,
        };
        let offered = slices.iter().flat_map(|slice| slice.iter());
        let before = self.wire.len();
        self.wire.extend(offered.take(most));
        Ok(self.wire.len() - before)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Writer;

impl Encode for Writer {
    fn name(&self) -> &'static str {
        "MultilineWriter"
    }

    fn encode(&self, newline: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        let sink = Reluctant {
            wire: Vec::new(),
            calls: 0,
        };
        let mut writer = MultilineWriter::new(sink, bare_newline(newline));
        for chunk in chunks {
            if let Err(error) = writer.write_all(chunk) {
                assert!(writer.finish().is_err(), "no terminator");
                return Err(io_refusal(error));
            }
            if chunk.len() % 2 == 1 {
                writer.flush().map_err(io_refusal)?;
            }
        }
        Ok(writer
            .finish()
            .map_err(|error| io_refusal(error.into()))?
            .wire)
    }
}

struct TokioCodec;

impl Encode for TokioCodec {
    fn name(&self) -> &'static str {
        "MultilineCodec"
    }

    fn encode(&self, newline: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        let mut codec = MultilineCodec::new(bare_newline(newline));
        let mut wire = BytesMut::new();
        let chunks = chunks.iter().map(|chunk| Chunk::Data(chunk));
        for chunk in chunks.chain([Chunk::End]) {
            if let Err(error) = codec.encode(chunk, &mut wire) {
                let refusal = io_refusal(error);
                let sent = wire.len();
                for chunk in [Chunk::Data(b"\nx"), Chunk::End, Chunk::Data(b"x")] {
                    let error = codec.encode(chunk, &mut wire).unwrap_err();
                    assert_eq!(io_refusal(error), refusal, "no further message");
                }
                assert_eq!(wire.len(), sent, "nothing follows");
                return Err(refusal);
            }
        }
        Ok(wire.to_vec())
    }
}

/// `encode_buf` into a buffer with little room.
struct Buffers;

impl Encode for Buffers {
    fn name(&self) -> &'static str {
        "encode_buf"
    }

    fn encode(&self, newline: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        let mut encoder = MultilineEncoder::new(bare_newline(newline));
        let mut wire = Vec::new();
        for chunk in chunks {
            let mut part = encoder.encode_buf(*chunk);
            let mut ended = false;
            while !ended {
                let mut room = [0; 5];
                let mut left = &mut room[..];
                ended = part.put(&mut left).map_err(refusal)?;
                let written = 5 - left.len();
                wire.extend_from_slice(&room[..written]);
            }
        }
        wire.extend_from_slice(encoder.finish().map_err(refusal)?);
        Ok(wire)
    }
}

/// A sink that has to wait before each call, and then accepts a few octets.
struct Waiting {
    wire: Vec<u8>,
    calls: usize,
}

impl Waiting {
    const fn new() -> Self {
        Self {
            wire: Vec::new(),
            calls: 0,
        }
    }

    fn poll(&mut self) -> Poll<io::Result<()>> {
        self.calls += 1;
        match self.calls % 2 {
            1 => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }

    fn write(&mut self, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.poll().map_ok(|()| {
            let most = match self.calls % 3 {
                0 => octets.len(),
                few => few,
            };
            let taken = &octets[..most.min(octets.len())];
            self.wire.extend_from_slice(taken);
            taken.len()
        })
    }
}

impl ::tokio::io::AsyncWrite for Waiting {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().write(octets)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll()
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

impl futures_io::AsyncWrite for Waiting {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().write(octets)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll()
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

/// Polls until there is a result.
fn wait<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = poll(&mut context) {
            return result;
        }
    }
}

/// Ends the block, and returns its octets.
fn wait_for_end(
    finish: impl Future<Output = Result<Waiting, FinishError<Waiting>>>,
) -> io::Result<Vec<u8>> {
    let mut finish = pin!(finish);
    let sink = wait(|context| finish.as_mut().poll(context))?;
    Ok(sink.wire)
}

/// Writes a block through an asynchronous writer.
fn write_block<W: Unpin, F: Future<Output = Result<Waiting, FinishError<Waiting>>>>(
    mut writer: W,
    chunks: &[&[u8]],
    write: impl Fn(Pin<&mut W>, &mut Context<'_>, &[u8]) -> Poll<io::Result<usize>>,
    flush: impl Fn(Pin<&mut W>, &mut Context<'_>) -> Poll<io::Result<()>>,
    finish: impl FnOnce(W) -> F,
) -> Result<Vec<u8>, Refusal> {
    let written = write_chunks(&mut writer, chunks, write, flush);
    let end = wait_for_end(finish(writer));
    assert!(written.is_ok() || end.is_err(), "no terminator");
    written.and(end).map_err(io_refusal)
}

/// Writes each chunk with `write`, and flushes some.
fn write_chunks<W>(
    writer: &mut W,
    chunks: &[&[u8]],
    write: impl Fn(Pin<&mut W>, &mut Context<'_>, &[u8]) -> Poll<io::Result<usize>>,
    flush: impl Fn(Pin<&mut W>, &mut Context<'_>) -> Poll<io::Result<()>>,
) -> io::Result<()>
where
    W: Unpin,
{
    for chunk in chunks {
        let mut rest = *chunk;
        while !rest.is_empty() {
            let taken = wait(|context| write(Pin::new(writer), context, rest))?;
            assert!(taken > 0, "it takes something");
            rest = &rest[taken..];
        }
        if chunk.len() % 2 == 1 {
            wait(|context| flush(Pin::new(writer), context))?;
        }
    }
    Ok(())
}

struct Tokio;

impl Encode for Tokio {
    fn name(&self) -> &'static str {
        "tokio::MultilineWriter"
    }

    fn encode(&self, newline: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        use ::tokio::io::AsyncWrite;

        let writer = tokio::MultilineWriter::new(Waiting::new(), bare_newline(newline));
        let (write, flush) = (AsyncWrite::poll_write, AsyncWrite::poll_flush);
        write_block(writer, chunks, write, flush, |writer| writer.finish())
    }
}

struct Futures;

impl Encode for Futures {
    fn name(&self) -> &'static str {
        "futures::MultilineWriter"
    }

    fn encode(&self, newline: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        use futures_io::AsyncWrite;

        let writer = futures::MultilineWriter::new(Waiting::new(), bare_newline(newline));
        let (write, flush) = (AsyncWrite::poll_write, AsyncWrite::poll_flush);
        write_block(writer, chunks, write, flush, |writer| writer.finish())
    }
}
