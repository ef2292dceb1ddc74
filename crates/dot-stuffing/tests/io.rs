//! Readers and writers over failing I/O report each error, and never report a
//! whole block after one.

#![cfg(feature = "std")]

use std::{
    error::Error as _,
    ffi::CString,
    io::{self, BufRead, BufReader, ErrorKind, IoSlice, Read, Write},
};

use dot_stuffing::{BareNewline, Config, DecodeError, MultilineReader, MultilineWriter};

/// Returns its parts one after another; each is octets or an error.
struct Source(Vec<Result<&'static [u8], ErrorKind>>);

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.first() {
            None => Ok(0),
            Some(_) => {
                let part = self.0.remove(0)?;
                into[..part.len()].copy_from_slice(part);
                Ok(part.len())
            }
        }
    }
}

/// A single type for all tests, so that they share the coverage of its code.
type Reader = MultilineReader<Box<dyn BufRead>>;

fn reader(parts: &[Result<&'static [u8], ErrorKind>]) -> Reader {
    MultilineReader::new(Box::new(BufReader::new(Source(parts.to_vec()))))
}

#[test]
fn reads_a_block_in_pieces_of_any_size() {
    let parts: [Result<&[u8], _>; 6] = [
        Ok(b"..a"),
        Ok(b"\r"),
        Err(ErrorKind::Interrupted),
        Ok(b"\n.\r"),
        Ok(b"b\r\n.\r"),
        Ok(b"\n+OK"),
    ];
    let message = b".a\r\n\rb\r\n";
    let mut octets = Vec::new();
    let mut all = reader(&parts);
    assert_eq!(all.read_to_end(&mut octets).ok(), Some(message.len()));
    assert_eq!(octets, message);
    assert!(all.fill_buf().is_ok_and(<[u8]>::is_empty), "it stays ended");
    assert_eq!(all.finish().map(|complete| complete.octets).ok(), Some(8));
    let mut left = Vec::new();
    all.into_inner()
        .read_to_end(&mut left)
        .expect("what is left");
    assert_eq!(left, b"+OK");

    let mut single = reader(&parts);
    let mut octets = Vec::new();
    loop {
        let mut octet = [0];
        match single.read(&mut octet) {
            Ok(0) => break,
            Ok(_) => octets.extend(octet),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted),
        }
    }
    assert_eq!(octets, message);
}

#[test]
fn the_reader_reports_refused_and_truncated_input() {
    let config = Config::new().max_octets(1);
    let source: Box<dyn BufRead> = Box::new(&b"ab"[..]);
    let mut refusing: Reader = MultilineReader::with_config(source, config);
    let mut octets = Vec::new();
    let error = refusing.read_to_end(&mut octets).unwrap_err();
    assert_eq!(refusing.read_to_end(&mut octets).ok(), Some(0), "once");
    assert!(refusing.finish().is_err());
    assert_eq!(
        (error.kind(), &octets[..]),
        (ErrorKind::InvalidData, &b"a"[..])
    );
    let mut cut = reader(&[Ok(b"a")]);
    let error = cut.read_to_end(&mut octets).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_reader_passes_on_the_error_of_its_source_and_continues() {
    let mut reader = reader(&[Ok(b"a"), Err(ErrorKind::WouldBlock), Ok(b"\r\n.\r\n")]);
    let mut octet = [0];
    assert_eq!(reader.read(&mut octet).ok(), Some(1));
    let error = reader.read(&mut octet).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert!(reader.finish().is_err(), "it has not ended");
    let mut rest = Vec::new();
    assert_eq!(reader.read_to_end(&mut rest).ok(), Some(2));
    assert_eq!(rest, b"\r\n");
    assert!(reader.finish().is_ok());
}

#[test]
fn read_to_end_continues_after_an_interruption_and_stops_at_other_errors() {
    let mut octets = Vec::new();
    let interrupted = Err(ErrorKind::Interrupted);
    let mut reader = reader(&[Ok(b"a"), interrupted, Ok(b"b"), Err(ErrorKind::TimedOut)]);
    let error = reader.read_to_end(&mut octets).unwrap_err();
    assert_eq!(
        (error.kind(), &octets[..]),
        (ErrorKind::TimedOut, &b"ab"[..])
    );
}

fn decode_error(error: &io::Error) -> Option<DecodeError> {
    error.get_ref()?.downcast_ref().copied()
}

#[test]
fn lines_of_a_truncated_block_end() {
    let mut cut = reader(&[Ok(b"a\r\nb")]);
    let mut lines: Vec<_> = cut.by_ref().lines().collect();
    let error = lines.pop().expect("an error").unwrap_err();
    assert_eq!(lines.len(), 1);
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    let error = decode_error(&error).expect("a decode error");
    assert_eq!(error.kind(), dot_stuffing::ErrorKind::Truncated);
    assert_eq!(cut.finish(), Err(error));
}

#[test]
fn read_exact_past_the_end_is_no_truncation() {
    let mut whole = reader(&[Ok(b"a\r\n.\r\n")]);
    let error = whole.read_exact(&mut [0; 9]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(decode_error(&error), None);
    assert!(whole.finish().is_ok());
}

#[test]
fn skips_what_take_left_of_the_block() {
    for taken in 0..9 {
        for piece in 1..12 {
            let wire = b".\rab\r\n..\r\n.\r\n+OK";
            let pieces: Vec<_> = wire.chunks(piece).map(Ok).collect();
            let mut start = reader(&pieces);
            let mut octets = Vec::new();
            let read = start.by_ref().take(taken).read_to_end(&mut octets);
            assert_eq!(read.ok(), Some(taken as usize));
            assert_eq!(octets, b"\rab\r\n.\r\n"[..taken as usize]);
            start.skip_to_end().expect("the rest of the block");
            start.skip_to_end().expect("nothing more");
            assert_eq!(start.finish().map(|complete| complete.octets), Ok(8));
            assert!(start.fill_buf().is_ok_and(<[u8]>::is_empty));
            let mut left = Vec::new();
            start
                .into_inner()
                .read_to_end(&mut left)
                .expect("what is left");
            assert_eq!(left, b"+OK");
        }
    }
}

#[test]
fn skips_a_refused_block_and_keeps_its_error() {
    let source: Box<dyn BufRead> = Box::new(&b"a\n.\n\r\n.\r\nQUIT\r\n"[..]);
    let mut refusing: Reader = MultilineReader::with_config(source, Config::smtp());
    assert!(refusing.read_to_end(&mut Vec::new()).is_err());
    refusing.skip_to_end().expect("the end of the block");
    assert_eq!(refusing.wire_octets(), 9);
    let error = refusing.finish().unwrap_err();
    assert_eq!(error.kind(), dot_stuffing::ErrorKind::BareLf);
    let mut left = String::new();
    refusing
        .into_inner()
        .read_to_string(&mut left)
        .expect("what is left");
    assert_eq!(left, "QUIT\r\n");
}

#[test]
fn skipping_reports_errors_of_the_source_and_its_end() {
    let mut cut = reader(&[
        Ok(b"a"),
        Err(ErrorKind::Interrupted),
        Err(ErrorKind::TimedOut),
    ]);
    assert_eq!(cut.skip_to_end().unwrap_err().kind(), ErrorKind::TimedOut);
    let error = cut.skip_to_end().unwrap_err();
    assert_eq!(decode_error(&error).map(DecodeError::offset), Some(1));
    assert_eq!(cut.finish().unwrap_err().offset(), 1);
}

#[test]
fn reads_after_an_interrupted_skip_go_on_skipping() {
    let parts: [Result<&[u8], _>; 6] = [
        Ok(b"a\r\n..b"),
        Err(ErrorKind::TimedOut),
        Ok(b"\r\n..c\r\n"),
        Err(ErrorKind::TimedOut),
        Ok(b"..d\r\n.\r"),
        Ok(b"\n+OK"),
    ];
    for refused in [false, true] {
        let source: Box<dyn BufRead> = Box::new(BufReader::new(Source(parts.to_vec())));
        let config = Config::new().max_octets(if refused { 1 } else { 99 });
        let mut skipping: Reader = MultilineReader::with_config(source, config);
        assert!(skipping.fill_buf().is_ok());
        if refused {
            assert!(skipping.read_to_end(&mut Vec::new()).is_err());
        }
        let error = skipping.skip_to_end().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let error = skipping.fill_buf().map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        skipping.consume(0);
        assert!(skipping.fill_buf().is_ok_and(<[u8]>::is_empty));
        let finished = skipping.finish().map(|complete| complete.octets);
        assert_eq!(finished.ok(), (!refused).then_some(15));
        let mut left = Vec::new();
        let mut source = skipping.into_inner();
        source.read_to_end(&mut left).expect("what is left");
        assert_eq!(left, b"+OK");
    }
}

#[test]
fn reads_go_on_skipping_where_a_skip_got_nothing() {
    let parts: [Result<&[u8], _>; 3] = [Ok(b"a"), Err(ErrorKind::TimedOut), Ok(b"b\r\n.\r\n+OK")];
    let mut skipping = reader(&parts);
    assert_eq!(skipping.read(&mut [0]).ok(), Some(1));
    assert!(skipping.skip_to_end().is_err());
    assert!(skipping.fill_buf().is_ok_and(<[u8]>::is_empty));
    let octets = skipping.finish().map(|complete| complete.octets);
    assert_eq!(octets, Ok(4));
}

/// Shows these octets, one slice at each look.
struct Shrinking(Vec<&'static [u8]>);

impl Read for Shrinking {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::Other.into())
    }
}

impl BufRead for Shrinking {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.0.len() {
            0 => Ok(b""),
            _ => Ok(self.0.remove(0)),
        }
    }

    fn consume(&mut self, _: usize) {}
}

#[test]
fn a_buffer_that_shrinks_is_no_panic_and_no_end() {
    let source: Box<dyn BufRead> = Box::new(Shrinking(vec![b"text", b"te"]));
    assert_eq!(Reader::new(source).fill_buf().ok(), Some(&b"te"[..]));
    let source: Box<dyn BufRead> = Box::new(Shrinking(vec![b"text", b"", b".\r\n"]));
    let mut losing = Reader::new(source);
    let error = losing.fill_buf().map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert!(losing.fill_buf().is_ok_and(<[u8]>::is_empty), "once");
    let _ = losing.skip_to_end();
    assert!(losing.finish().is_err(), "octets are missing");
}

/// Shows what is left, at most as many octets as the next limit says, and accepts no
/// consumption beyond what it last showed.
struct Strict {
    left: &'static [u8],
    limits: Vec<usize>,
    shown: usize,
}

impl Read for Strict {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::Other.into())
    }
}

impl BufRead for Strict {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let limit = self.limits.pop().unwrap_or(usize::MAX);
        self.shown = self.left.len().min(limit);
        Ok(&self.left[..self.shown])
    }

    fn consume(&mut self, octets: usize) {
        assert!(octets <= self.shown, "{octets} of {}", self.shown);
        self.shown -= octets;
        self.left = &self.left[octets..];
    }
}

#[test]
fn consumes_no_more_than_a_shrunken_buffer_shows() {
    let wire = b"one\r\n..two\r\n...\r\n.\r\n";
    let message = b"one\r\n.two\r\n..\r\n";
    for limits in 0..7_usize.pow(4) {
        let limits: Vec<_> = (0..4).map(|at| 1 + limits / 7_usize.pow(at) % 7).collect();
        let source = || Strict {
            left: wire,
            limits: limits.clone(),
            shown: 0,
        };
        let mut octets = Vec::new();
        let mut reader = MultilineReader::new(source());
        match reader.read_to_end(&mut octets) {
            Ok(_) => assert_eq!(octets, message, "{limits:?}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                assert!(message.starts_with(&octets), "{limits:?}");
                assert!(reader.finish().is_err(), "{limits:?}");
            }
        }
        let mut reader = MultilineReader::new(source());
        if let Ok(data) = reader.fill_buf() {
            assert!(message.starts_with(data));
            reader.skip_to_end().expect("the end");
            assert_eq!(reader.into_inner().left, b"", "{limits:?}");
        }
    }
}

/// Returns a buffer once and then fails.
struct Vanishing(bool);

impl Read for Vanishing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::Other.into())
    }
}

impl BufRead for Vanishing {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match std::mem::take(&mut self.0) {
            true => Ok(b"text"),
            false => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    fn consume(&mut self, _: usize) {}
}

#[test]
fn reports_a_buffer_that_fails_on_the_second_look() {
    let source: Box<dyn BufRead> = Box::new(Vanishing(true));
    let error = Reader::new(source).fill_buf().map(drop);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

/// Is interrupted, accepts a number of octets, and then always returns this error.
struct Sink {
    interrupted: bool,
    room: usize,
    then: Result<usize, ErrorKind>,
    flushed: usize,
    taken: Vec<u8>,
}

impl Sink {
    const fn new(room: usize, then: Result<usize, ErrorKind>) -> Self {
        Self {
            interrupted: false,
            room,
            then,
            flushed: 0,
            taken: Vec::new(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(octets)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if !std::mem::replace(&mut self.interrupted, true) {
            return Err(ErrorKind::Interrupted.into());
        }
        if self.room == 0 {
            return Ok(self.then?);
        }
        let octets: Vec<_> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let taken = octets.len().min(self.room);
        self.room -= taken;
        self.taken.extend(&octets[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed += 1;
        match self.then {
            Err(ErrorKind::StorageFull) => Err(ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }
}

/// Writes of this length are sent at once.
const LARGE: usize = 8 * 1024;

fn writer(sink: &mut Sink) -> MultilineWriter<&mut Sink> {
    MultilineWriter::new(sink, BareNewline::Canonicalize)
}

#[test]
fn a_writer_that_failed_sends_no_terminator() {
    let long = b"abcdefgh".repeat(LARGE / 8);
    for (then, kind) in [
        (Ok(0), ErrorKind::WriteZero),
        (Err(ErrorKind::BrokenPipe), ErrorKind::BrokenPipe),
    ] {
        let mut sink = Sink::new(3, then);
        let mut failing = writer(&mut sink);
        let error = failing.write(&long).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(failing.write(b"g").is_err(), "it stays failed");
        assert!(failing.flush().is_err(), "it stays failed");
        assert!(failing.finish().is_err());
        assert_eq!(sink.taken, b"abc");

        let mut sink = Sink::new(3, then);
        let mut failing = writer(&mut sink);
        assert_eq!(failing.write(b"abcdef").ok(), Some(6), "it is collected");
        let error = failing.flush().unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(failing.write(b"g").is_err(), "it stays failed");
        assert!(failing.finish().is_err());
        assert_eq!(sink.taken, b"abc");
    }
}

#[test]
fn does_not_send_what_the_encoder_refuses() {
    let mut sink = Sink::new(100, Ok(0));
    let mut strict = MultilineWriter::new(&mut sink, BareNewline::Reject);
    let error = strict.write(b"a\nb").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let (again, _) = strict.finish().map(drop).unwrap_err().into_parts();
    assert_eq!(again.to_string(), error.to_string());
    assert_eq!(sink.taken, b"");

    // A CR may be the last octet of a message only if an LF follows.
    let mut strict = MultilineWriter::new(&mut sink, BareNewline::Reject);
    assert_eq!(strict.write(b"a\r").ok(), Some(2));
    strict.flush().expect("a flush");
    assert!(strict.finish().is_err());
    assert_eq!(sink.taken, b"a\r");
}

#[test]
fn collects_small_writes_and_sends_large_ones_in_order() {
    let lines = |count| b".\r\n".repeat(count);
    let stuffed = |count| b"..\r\n".repeat(count);
    let mut sink = Sink::new(1 << 20, Ok(0));
    sink.interrupted = true;
    let mut block = writer(&mut sink);
    for _ in 0..100 {
        block.write_all(&lines(1)).expect("a write");
    }
    assert_eq!(block.get_ref().taken, b"", "it is collected");
    block.write_all(&lines(LARGE)).expect("a write");
    assert_eq!(block.get_ref().taken, stuffed(100 + LARGE), "all is sent");
    for _ in 0..LARGE {
        block.write_all(&lines(1)).expect("a write");
    }
    let sent = block.get_ref().taken.len();
    assert!(
        sent > stuffed(100 + LARGE).len(),
        "collected up to a maximum"
    );
    let wire = [stuffed(100 + 2 * LARGE), b".\r\n".to_vec()].concat();
    assert_eq!(
        block.finish().map(|sink| sink.taken == wire).ok(),
        Some(true)
    );
}

#[test]
fn collects_up_to_8_kib_and_keeps_the_order() {
    for (first, second, sent) in [
        (LARGE / 2, LARGE / 2, 0),
        (LARGE / 2, LARGE / 2 + 1, LARGE / 2),
        (1, LARGE, 1 + LARGE),
    ] {
        let messages = [vec![b'a'; first], vec![b'b'; second]];
        let mut sink = Sink::new(1 << 20, Ok(0));
        let mut block = writer(&mut sink);
        for message in &messages {
            block.write_all(message).expect("a write");
        }
        assert_eq!(block.get_ref().taken.len(), sent, "{first} and {second}");
        block.flush().expect("a flush");
        assert!(sink.taken == messages.concat(), "{first} and {second}");
    }
}

#[test]
fn many_short_lines_are_written_whole() {
    let message = b".\r\n".repeat(LARGE);
    let mut sink = Sink::new(100_000, Ok(0));
    let mut long = writer(&mut sink);
    assert_eq!(long.write(&message).ok(), Some(3 * LARGE));
    long.finish().expect("a terminator");
    let wire = [&b"..\r\n".repeat(LARGE)[..], b".\r\n"].concat();
    assert_eq!(sink.taken, wire);
}

#[test]
fn reports_an_error_while_writing_the_terminator() {
    let mut sink = Sink::new(3, Err(ErrorKind::BrokenPipe));
    let mut failing = writer(&mut sink);
    assert_eq!(failing.write(b"a\r\n").ok(), Some(3));
    failing.flush().expect("a flush");
    let (error, inner) = failing.finish().map(drop).unwrap_err().into_parts();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    assert_eq!(inner.taken, b"a\r\n", "the writer is returned");

    let mut sink = Sink::new(100, Err(ErrorKind::StorageFull));
    let error = writer(&mut sink).finish().map(drop).unwrap_err();
    assert_eq!(
        error.error().kind(),
        ErrorKind::StorageFull,
        "it was flushed"
    );
    assert_eq!(error.to_string(), error.error().to_string());
    assert_eq!(io::Error::from(error).kind(), ErrorKind::StorageFull);
}

#[test]
fn a_failed_write_is_not_blamed_on_the_message() {
    for (newline, message) in [
        (BareNewline::Canonicalize, b"ab\n".repeat(LARGE)),
        (BareNewline::Reject, b"a\r".to_vec()),
    ] {
        let mut sink = Sink::new(0, Err(ErrorKind::BrokenPipe));
        let mut failing = MultilineWriter::new(&mut sink, newline);
        let written = failing.write(&message).map(drop);
        assert!(written.and_then(|()| failing.flush()).is_err());
        let error = failing.finish().map(drop).unwrap_err();
        assert_eq!(error.error().kind(), ErrorKind::Other, "{newline:?}");
    }
}

/// Fails with an error that has a source.
struct Caused;

impl Write for Caused {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        let error = CString::from(c"\xff").into_string().unwrap_err();
        Err(io::Error::other(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_error_of_a_finish_has_the_source_of_the_writers_error() {
    let failing = MultilineWriter::new(Caused, BareNewline::Verbatim);
    let error = failing.finish().map(drop).unwrap_err();
    let source = error.source().expect("a source").to_string();
    assert_eq!(Some(source), error.error().source().map(|e| e.to_string()));
}

#[test]
fn flush_flushes_the_inner_writer() {
    let mut sink = Sink::new(100, Ok(0));
    let mut flushing = writer(&mut sink);
    flushing.flush().expect("a flush");
    assert_eq!(flushing.get_ref().flushed, 1);
    flushing.get_mut().taken.clear();
    flushing.finish().expect("a terminator");
    assert_eq!((sink.flushed, &sink.taken[..]), (2, &b".\r\n"[..]));
}

/// Fails at one call, a write or a flush, and accepts everything before and after it.
struct Recovering {
    fails_at: usize,
    calls: usize,
    taken: Vec<u8>,
}

impl Recovering {
    const fn new(fails_at: usize) -> Self {
        Self {
            fails_at,
            calls: 0,
            taken: Vec::new(),
        }
    }

    fn call(&mut self) -> io::Result<()> {
        self.calls += 1;
        match self.calls == self.fails_at {
            true => Err(ErrorKind::TimedOut.into()),
            false => Ok(()),
        }
    }
}

impl Write for Recovering {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.call()?;
        self.taken.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call()
    }
}

#[test]
fn a_writer_stays_failed_where_the_inner_one_recovers() {
    for (fails_at, taken) in [(1, &b""[..]), (2, b"a")] {
        let mut sink = Recovering::new(fails_at);
        let mut failing = MultilineWriter::new(&mut sink, BareNewline::Verbatim);
        assert_eq!(failing.write(b"a").ok(), Some(1));
        let error = failing.flush().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(failing.write(b"b").is_err());
        assert!(failing.flush().is_err());
        assert!(failing.finish().is_err());
        assert_eq!(sink.taken, taken, "nothing follows what was lost");
    }
}

#[test]
fn consuming_nothing_keeps_a_held_cr() {
    let mut reader = MultilineReader::new((&b".\r"[..]).chain(&b"x\r\n.\r\n"[..]));
    assert_eq!(reader.fill_buf().unwrap(), b"\r");
    reader.consume(0);
    assert_eq!(reader.fill_buf().unwrap(), b"\r");
    reader.consume(1);
    assert_eq!(reader.fill_buf().unwrap(), b"x\r\n");
}
