//! Readers and writers over failing I/O report each error, and never report a
//! whole block after one.

use std::io::{self, BufRead, BufReader, ErrorKind, IoSlice, Read, Write};

use dot_stuffing::{BareNewline, Config, MultilineReader, MultilineWriter};

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

fn writer(sink: &mut Sink) -> MultilineWriter<&mut Sink> {
    MultilineWriter::new(sink, BareNewline::Canonicalize)
}

#[test]
fn a_writer_that_failed_sends_no_terminator() {
    for (then, kind) in [
        (Ok(0), ErrorKind::WriteZero),
        (Err(ErrorKind::BrokenPipe), ErrorKind::BrokenPipe),
    ] {
        let mut sink = Sink::new(3, then);
        let mut failing = writer(&mut sink);
        let error = failing.write(b"abcdef").unwrap_err();
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
    assert!(strict.finish().is_err());
    assert_eq!(sink.taken, b"");

    // A CR may be the last octet of a message only if an LF follows.
    let mut strict = MultilineWriter::new(&mut sink, BareNewline::Reject);
    assert_eq!(strict.write(b"a\r").ok(), Some(2));
    assert!(strict.finish().is_err());
    assert_eq!(sink.taken, b"a\r");
}

#[test]
fn many_short_lines_are_written_whole() {
    let message = b".\r\n".repeat(100);
    let mut sink = Sink::new(1000, Ok(0));
    let mut long = writer(&mut sink);
    assert_eq!(long.write(&message).ok(), Some(300));
    long.finish().expect("a terminator");
    let wire = [&b"..\r\n".repeat(100)[..], b".\r\n"].concat();
    assert_eq!(sink.taken, wire);
}

#[test]
fn reports_an_error_while_writing_the_terminator() {
    let mut sink = Sink::new(3, Err(ErrorKind::BrokenPipe));
    let mut failing = writer(&mut sink);
    assert_eq!(failing.write(b"a\r\n").ok(), Some(3));
    let error = failing.finish().map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);

    let mut sink = Sink::new(100, Err(ErrorKind::StorageFull));
    let error = writer(&mut sink).finish().map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull, "it was flushed");
}

#[test]
fn flush_flushes_the_inner_writer() {
    let mut sink = Sink::new(100, Ok(0));
    let mut flushing = writer(&mut sink);
    flushing.flush().expect("a flush");
    flushing.finish().expect("a terminator");
    assert_eq!((sink.flushed, &sink.taken[..]), (2, &b".\r\n"[..]));
}

/// Fails once and then accepts everything.
struct Recovering(bool, Vec<u8>);

impl Write for Recovering {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match std::mem::replace(&mut self.0, true) {
            false => Err(ErrorKind::TimedOut.into()),
            true => self.1.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_stays_failed_where_the_inner_one_recovers() {
    let mut sink = Recovering(false, Vec::new());
    let mut failing = MultilineWriter::new(&mut sink, BareNewline::Verbatim);
    let error = failing.write(b"a").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(failing.write(b"b").is_err());
    assert!(failing.finish().is_err());
    assert_eq!(sink.1, b"", "nothing follows what was lost");
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
