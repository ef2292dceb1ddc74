//! Parses listings as they arrive: block, then lines, then entries.
//!
//! The block decoder runs ahead of the lines. Octets that it has seen are not
//! reported as consumed until they are split into lines, so that a line is a slice
//! of the input unless it is cut between inputs.

use dot_stuffing::{Decoded, LineDecoder, MultilineDecoder, Span};

use super::{
    Capabilities, End, Event, LineError, LineErrorKind, Request, SessionError, session::in_block,
};
use crate::{
    Capability, FieldRule, ListingError, MessageNumber, ReplyKind, ReplyRule, ScanListing,
    StatusLine, UniqueIdListing, listing_line::ListingLines,
};

/// The block of one listing.
#[derive(Debug)]
pub(super) struct ListingDecoder {
    request: Request,
    fields: FieldRule,
    max_lines: u64,
    block: MultilineDecoder,
    lines: LineDecoder<{ StatusLine::MAX_OCTETS }>,
    /// Whether the rest of an overlong line is being dropped.
    skipping: bool,
    /// Whether the next octet begins a line.
    line_begins: bool,
    /// Octets at the start of the next input that the block decoder has seen: first
    /// those to split into lines, then those that belong to no line.
    data: usize,
    dropped: usize,
    /// The number of lines so far.
    line: u64,
    /// Octets that the block decoder has found, and those before the last line.
    found: u64,
    line_start: u64,
    malformed: u64,
    numbers: Numbers,
    /// The capabilities in the lines of CAPA.
    pub(super) capabilities: Capabilities,
    fast_path: ListingLines,
}

/// The next part of a listing.
pub(super) enum Advance {
    /// A line, or a part of one.
    Line,
    Malformed(LineError),
    End(End),
}

impl ListingDecoder {
    pub(super) fn new(
        request: Request,
        reply: ReplyRule,
        fields: FieldRule,
        max_entries: u32,
    ) -> Self {
        // MS-STANOPOP3 V0002: only these three.
        let dot_line_ends = matches!(request, Request::Capa | Request::List(_) | Request::Uidl(_));
        let reply = ReplyRule {
            dot_line_ends_listing: reply.dot_line_ends_listing && dot_line_ends,
            ..reply
        };
        Self {
            request,
            fields,
            max_lines: u64::from(max_entries),
            block: reply.block(ReplyKind::Listing),
            lines: LineDecoder::with_line_endings(reply.line_endings),
            skipping: false,
            line_begins: true,
            data: 0,
            dropped: 0,
            line: 0,
            found: 0,
            line_start: 0,
            malformed: 0,
            numbers: Numbers {
                first: 0,
                seen: Vec::new(),
                max: max_entries,
            },
            capabilities: Capabilities::answered(),
            fast_path: ListingLines::new(),
        }
    }

    /// Returns the entry at the front of the input, if it has the common form and
    /// the block decoder has seen all of it. Changes nothing otherwise.
    #[inline(always)]
    pub(super) fn decode_fast<'a>(&mut self, input: &'a [u8]) -> Option<Decoded<Event<'a>>> {
        if self.data == 0 || !self.line_begins || self.line == self.max_lines {
            return None;
        }
        let (number, event, consumed) = match self.request {
            Request::List(_) => {
                let (listing, consumed) = self.fast_path.scan_listing(input)?;
                (listing.number, Event::Scan(listing), consumed)
            }
            Request::Uidl(_) => {
                let (listing, consumed) = self.fast_path.unique_id_listing(input)?;
                (listing.number, Event::UniqueId(listing), consumed)
            }
            _ => return None,
        };
        if consumed > self.data || self.numbers.insert(number).is_err() {
            return None;
        }
        self.data -= consumed;
        self.line += 1;
        Some(Decoded {
            consumed,
            event: Some(event),
        })
    }

    /// Decodes the block up to the next line, or to its end.
    pub(super) fn advance(&mut self, input: &[u8]) -> Result<Decoded<Advance>, SessionError> {
        let mut at = 0;
        if self.data == 0 {
            at = self.dropped.min(input.len());
            self.dropped -= at;
        }
        while self.data == 0 {
            let block = self.block.decode_span(&input[at..]).map_err(in_block)?;
            match block.event {
                Some(Span::Data(range)) => {
                    at += range.start;
                    self.data = range.len();
                    self.found += range.len() as u64;
                    self.dropped = block.consumed - range.end;
                }
                // This is never a line end: an LF would have made it the
                // terminator.
                Some(Span::Cr) => {
                    // Its octet was in an earlier input, so it consumes none.
                    self.begin_line();
                    self.found += 1;
                    self.line_begins = false;
                    if self.lines.decode(b"\r").is_err() {
                        self.skipping = true;
                        let error = over_long(&mut self.line, &mut self.malformed, self.line_start);
                        return Ok(step(at, Some(Advance::Malformed(error))));
                    }
                }
                Some(Span::End) => {
                    let complete = self.block.finish().map_err(in_block)?;
                    return Ok(step(
                        at + block.consumed,
                        Some(Advance::End(End {
                            request: self.request,
                            complete,
                            retrieved: None,
                            entries: self.line - self.malformed,
                            malformed: self.malformed,
                            highest: self.numbers.highest(),
                        })),
                    ));
                }
                None => return Ok(step(at + block.consumed, None)),
            }
        }
        Ok(step(at, Some(Advance::Line)))
    }

    /// Splits off and parses the line that ends at an offset of the input. May
    /// report nothing although input is left.
    pub(super) fn line<'a>(
        &'a mut self,
        input: &'a [u8],
        at: usize,
    ) -> Result<Decoded<Result<Event<'a>, LineError>>, SessionError> {
        let data = &input[at..input.len().min(at + self.data)];
        if self.skipping {
            self.lines.skip_line();
            let skipped = self.lines.decode(data).map_or(0, |step| step.consumed);
            self.data -= skipped;
            if self.lines.finish().is_ok() {
                self.skipping = false;
                self.line_begins = true;
            }
            return Ok(step(at + skipped, None));
        }
        if self.line == self.max_lines {
            return Err(SessionError::TooManyLines);
        }
        self.begin_line();
        let cut = match self.lines.decode(data) {
            Ok(cut) => cut,
            Err(_) => {
                self.skipping = true;
                let error = over_long(&mut self.line, &mut self.malformed, self.line_start);
                return Ok(step(at, Some(Err(error))));
            }
        };
        self.data -= cut.consumed;
        self.line_begins = cut.event.is_some();
        let at = at + cut.consumed;
        let Some(line) = cut.event else {
            return Ok(step(at, None));
        };
        self.line += 1;
        let event = entry(self.request, line, self.fields, &mut self.numbers);
        if let Ok(Event::Capability(capability)) = &event {
            self.capabilities.add(capability);
        }
        let event = event.map_err(|(offset, kind)| {
            self.malformed += 1;
            LineError {
                line: self.line,
                offset: self.line_start + offset as u64,
                kind,
            }
        });
        Ok(step(at, Some(event)))
    }

    /// Records the start of the line to which the next octet belongs.
    fn begin_line(&mut self) {
        if self.line_begins {
            self.line_start = self.found - self.data as u64;
        }
    }

    pub(super) const fn block(&self) -> &MultilineDecoder {
        &self.block
    }
}

/// The message-numbers of a listing.
#[derive(Debug)]
struct Numbers {
    /// The last number of the sequence from 1 without gaps; most listings need only
    /// this.
    first: u32,
    /// After the first gap, one bit for each number from 1.
    seen: Vec<u64>,
    max: u32,
}

impl Numbers {
    #[inline(always)]
    fn insert(&mut self, number: MessageNumber) -> Result<(), LineErrorKind> {
        // This does not exceed the limit: there were as many lines, which are
        // counted.
        if number.index() == self.first as usize && self.seen.is_empty() {
            self.first = number.get();
            return Ok(());
        }
        self.insert_any(number)
    }

    fn insert_any(&mut self, number: MessageNumber) -> Result<(), LineErrorKind> {
        if number.get() > self.max {
            return Err(LineErrorKind::NumberTooHigh(number));
        }
        let (word, bit) = (number.index() / 64, 1 << (number.index() % 64));
        if word >= self.seen.len() {
            self.seen.resize(word + 1, 0);
        }
        if number.get() <= self.first || self.seen[word] & bit != 0 {
            return Err(LineErrorKind::Duplicate(number));
        }
        self.seen[word] |= bit;
        Ok(())
    }

    fn highest(&self) -> u32 {
        let bits = self
            .seen
            .last()
            .map_or(0, |word| 64 * self.seen.len() as u32 - word.leading_zeros());
        bits.max(self.first)
    }
}

fn entry<'a>(
    request: Request,
    line: &'a [u8],
    fields: FieldRule,
    numbers: &mut Numbers,
) -> Result<Event<'a>, (usize, LineErrorKind)> {
    let malformed = |error: ListingError| (error.offset(), LineErrorKind::Listing(error));
    match request {
        Request::List(_) => {
            let listing = ScanListing::parse(line, fields).map_err(malformed)?;
            numbers.insert(listing.number).map_err(|kind| (0, kind))?;
            Ok(Event::Scan(listing))
        }
        Request::Uidl(_) => {
            let listing = UniqueIdListing::parse(line, fields).map_err(malformed)?;
            numbers.insert(listing.number).map_err(|kind| (0, kind))?;
            Ok(Event::UniqueId(listing))
        }
        Request::Capa => match Capability::parse(line) {
            Ok(capability) => Ok(Event::Capability(capability)),
            Err(error) => Err((error.offset(), LineErrorKind::Capability(error))),
        },
        _ => Ok(Event::Line(line)),
    }
}

/// Counts a line that is too long as malformed.
#[cold]
fn over_long(line: &mut u64, malformed: &mut u64, line_start: u64) -> LineError {
    *line += 1;
    *malformed += 1;
    LineError {
        line: *line,
        offset: line_start + StatusLine::MAX_OCTETS as u64,
        kind: LineErrorKind::TooLong,
    }
}

const fn step<E>(consumed: usize, event: Option<E>) -> Decoded<E> {
    Decoded { consumed, event }
}

#[cfg(test)]
mod tests {
    use super::{Advance, Event, LineErrorKind, ListingDecoder, Numbers};
    use crate::{MessageNumber, Profile, client::Request};

    fn decoder(request: Request) -> ListingDecoder {
        let Profile { reply, fields, .. } = Profile::RFC1939;
        ListingDecoder::new(request, reply, fields, 9)
    }

    #[test]
    fn takes_the_shortcut_up_to_the_last_line_that_was_seen() {
        let listings = [
            (
                Request::List(None),
                &b"1 1\r\n2 2\r\n3 3\r\n.\r\n+OK after it\r\n"[..],
            ),
            (
                Request::Uidl(None),
                b"1 12345678\r\n2 12345678\r\n3 12345678\r\n.\r\n+OK\r\n",
            ),
        ];
        for (request, listing) in listings {
            let mut decoder = decoder(request);
            // The block decoder has not seen anything yet.
            assert!(decoder.decode_fast(listing).is_none());
            let first = decoder.advance(listing).unwrap();
            assert!(matches!(first.event, Some(Advance::Line)));
            let line = decoder.line(listing, first.consumed).unwrap();
            assert!(matches!(line.event, Some(Ok(_))));
            let mut at = line.consumed;
            for number in 2..=3 {
                let step = decoder
                    .decode_fast(&listing[at..])
                    .expect("a line like most");
                let found = match step.event {
                    Some(Event::Scan(listing)) => listing.number,
                    Some(Event::UniqueId(listing)) => listing.number,
                    other => panic!("{other:?}"),
                };
                assert_eq!(found.get(), number);
                at += step.consumed;
            }
            assert!(decoder.decode_fast(&listing[at..]).is_none());
            let end = decoder.advance(&listing[at..]).unwrap();
            assert!(matches!(end.event, Some(Advance::End(end)) if end.entries == 3));
        }
    }

    #[test]
    fn counts_a_cr_held_between_inputs() {
        let mut decoder = decoder(Request::List(None));
        let mut offsets = Vec::new();
        for mut read in [&b"1 1\r\n.\r"[..], b"x\r\n.\r", b"y\r\nz\r\n.\r\n"] {
            while !read.is_empty() {
                let advance = decoder.advance(read).unwrap();
                read = &read[advance.consumed..];
                let Some(Advance::Line) = advance.event else {
                    continue;
                };
                let line = decoder.line(read, 0).unwrap();
                read = &read[line.consumed..];
                if let Some(Err(error)) = line.event {
                    offsets.push((error.line, error.offset));
                }
            }
        }
        // The lines are `CR x`, `CR y` and `z`.
        assert_eq!(offsets, [(2, 5), (3, 9), (4, 13)]);
    }

    #[test]
    fn accepts_each_number_up_to_the_limit_once() {
        let number = |number| MessageNumber::new(number).unwrap();
        let mut numbers = Numbers {
            first: 0,
            seen: Vec::new(),
            max: 70,
        };
        assert_eq!(numbers.insert(number(70)), Ok(()));
        let (again, above) = (numbers.insert(number(70)), numbers.insert(number(71)));
        assert_eq!(again, Err(LineErrorKind::Duplicate(number(70))));
        assert_eq!(above, Err(LineErrorKind::NumberTooHigh(number(71))));
        assert_eq!(numbers.highest(), 70);
    }
}
