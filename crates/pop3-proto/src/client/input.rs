//! Handles the server's octets.

use std::time::Instant;

use dot_stuffing::{Chunk, Decoded, MultilineDecoder};

use super::{
    End, Event, LineError, Reply, Request, Retrieved, Session, SessionError, State, Timer,
    listing::{Advance, ListingDecoder},
    session::{Reading, in_block},
    state::{Core, Next},
};
use crate::{ReplyError, ReplyKind, first_line::FirstLine};

impl Session {
    /// Decodes the server's octets up to the next event.
    ///
    /// Call it again with the octets that are not consumed, until none are left:
    /// there may be no event although some are left. How the octets are cut into
    /// inputs does not change the events, except for how message octets are cut.
    ///
    /// Octets after the reply to QUIT, or after a negative greeting, are ignored,
    /// because they cannot change the meaning of that reply.
    ///
    /// # Errors
    ///
    /// If the session has ended. Each further call repeats the error.
    // Always inline: otherwise each entry of a listing goes through memory.
    #[inline(always)]
    pub fn handle_input<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<Decoded<Event<'a>>, SessionError> {
        match self.fast_path(input) {
            Some(step) => Ok(step),
            None => self.any_input(now, input),
        }
    }

    /// A shortcut for listings with many lines.
    #[inline(always)]
    fn fast_path<'a>(&mut self, input: &'a [u8]) -> Option<Decoded<Event<'a>>> {
        match self.reading {
            Reading::Listing(ref mut listing) if self.core.failure.is_none() => {
                listing.decode_fast(input)
            }
            _ => None,
        }
    }

    fn any_input<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<Decoded<Event<'a>>, SessionError> {
        if let Some((error, _)) = self.core.failure {
            return Err(error);
        }
        if input.is_empty() {
            return Ok(step(0, None));
        }
        if let State::Update | State::Closed = self.core.state {
            return Ok(step(input.len(), None));
        }
        let mut at = 0;
        if let Reading::Listing(listing) = &mut self.reading {
            self.core.timers.arm(Timer::Reply, now);
            let advance = match listing.advance(input) {
                Ok(advance) => advance,
                Err(error) => return Err(self.core.fail(error)),
            };
            at = advance.consumed;
            match advance.event {
                None => return Ok(step(at, None)),
                Some(Advance::Line) => {}
                Some(Advance::Malformed(error)) => {
                    return Ok(step(at, Some(self.core.malformed(error)?)));
                }
                Some(Advance::End(end)) => {
                    if end.request == Request::Capa {
                        self.core.capabilities = core::mem::take(&mut listing.capabilities);
                    }
                    self.reading = Reading::Nothing;
                    self.core.answered(now);
                    return Ok(step(at, Some(Event::End(end))));
                }
            }
        }
        match self.reading {
            Reading::Nothing | Reading::FirstLine(_) => self.first_line(now, input),
            Reading::Listing(ref mut listing) => {
                let line = match listing.line(input, at) {
                    Ok(line) => line,
                    Err(error) => return Err(self.core.fail(error)),
                };
                let event = match line.event {
                    Some(Err(error)) => Some(self.core.malformed(error)?),
                    Some(Ok(event)) => Some(event),
                    None => None,
                };
                Ok(step(line.consumed, event))
            }
            Reading::Message(request, ref mut block) => {
                let read = match message(request, block, self.core.id, input) {
                    Ok(read) => read,
                    Err(error) => return Err(self.core.fail(error)),
                };
                self.core.timers.arm(Timer::Reply, now);
                if let Some(Event::End(_)) = read.event {
                    self.reading = Reading::Nothing;
                    self.core.answered(now);
                }
                Ok(read)
            }
        }
    }

    fn first_line<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<Decoded<Event<'a>>, SessionError> {
        let Self {
            first_lines,
            reading,
            core,
        } = self;
        let expected = match *reading {
            Reading::FirstLine(request) => Ok(request),
            _ => {
                core.heard.begin();
                core.expected()
            }
        };
        let decoded = expected.and_then(|request| {
            let kind = match request {
                Some(Request::Auth) => ReplyKind::Sasl,
                _ => ReplyKind::Line,
            };
            let decoded = first_lines.decode(kind, input);
            Ok((request, decoded.map_err(SessionError::Reply)?))
        });
        let (request, Decoded { consumed, event }) = match decoded {
            Ok(decoded) => decoded,
            Err(error) => {
                core.heard.push(input);
                return Err(core.fail(error));
            }
        };
        core.heard.push(&input[..consumed]);
        let Some(line) = event else {
            *reading = Reading::FirstLine(request);
            return Ok(step(consumed, None));
        };
        let event = match core.first_line(request, line, now) {
            Ok(event) => event,
            Err(error) => return Err(core.fail(error)),
        };
        *reading = match event {
            Some(Event::Status(reply)) if reply.is_positive() => core.block(reply.request),
            _ => Reading::Nothing,
        };
        if core.state == State::Handshake && consumed < input.len() {
            // The reply is still reported, as if a read had ended after it.
            core.heard.begin();
            core.heard.push(&input[consumed..]);
            core.fail(SessionError::PlaintextAfterStls);
        }
        Ok(step(consumed, event))
    }

    /// Handles that the server closed the connection.
    ///
    /// # Errors
    ///
    /// Unless the session had ended by [QUIT](State::Update) or by the
    /// [server](State::Closed). Outstanding replies will not arrive, an incomplete
    /// message stays incomplete, and nothing was deleted.
    pub fn handle_eof(&mut self) -> Result<(), SessionError> {
        if let Some((error, _)) = self.core.failure {
            return Err(error);
        }
        if let State::Update | State::Closed = self.core.state {
            return Ok(());
        }
        let missing = match &self.reading {
            Reading::Nothing | Reading::FirstLine(_) => None,
            Reading::Listing(listing) => listing.block().finish().err(),
            Reading::Message(_, block) => block.finish().err(),
        };
        let error = match missing {
            Some(error) => in_block(error),
            None => SessionError::Closed(self.core.queue.expected()),
        };
        Err(self.core.fail(error))
    }
}

/// Decodes the next part of the message in the reply to a request.
fn message<'a>(
    request: Request,
    block: &mut MultilineDecoder,
    session: u64,
    input: &'a [u8],
) -> Result<Decoded<Event<'a>>, SessionError> {
    let decoded = block.decode(input).map_err(in_block)?;
    let event = match decoded.event {
        None => None,
        Some(Chunk::Data(octets)) => Some(Event::Data(octets)),
        Some(Chunk::End) => {
            let complete = block.finish().map_err(in_block)?;
            let retrieved = match request {
                Request::Retr(number) => Some(Retrieved {
                    number,
                    session,
                    octets: complete.octets,
                }),
                _ => None,
            };
            Some(Event::End(End {
                request,
                complete,
                retrieved,
                entries: 0,
                malformed: 0,
                highest: 0,
            }))
        }
    };
    Ok(step(decoded.consumed, event))
}

impl Core {
    /// The request that the next reply answers; `None` if it is the greeting.
    fn expected(&self) -> Result<Option<Request>, SessionError> {
        match (self.state, self.queue.expected()) {
            (State::Handshake, _) => Err(SessionError::PlaintextAfterStls),
            (State::Greeting, _) => Ok(None),
            (_, None) => Err(SessionError::Reply(ReplyError::Unsolicited)),
            (_, request) => Ok(request),
        }
    }

    /// Handles the first line of the reply to a request, or of the greeting.
    fn first_line<'a>(
        &mut self,
        request: Option<Request>,
        line: FirstLine<'a>,
        now: Instant,
    ) -> Result<Option<Event<'a>>, SessionError> {
        Ok(match (line, request) {
            (FirstLine::Challenge(challenge), _) => match self.challenge(challenge.len(), now)? {
                Next::Nothing => None,
                _ => Some(Event::Challenge(challenge)),
            },
            (FirstLine::Status(status), None) => {
                self.greeted(&status, now);
                Some(Event::Greeting(status))
            }
            (FirstLine::Status(status), Some(request)) => {
                match self.status(request, status.is_positive(), now)? {
                    Next::Nothing => None,
                    Next::EmptyChallenge => Some(Event::Challenge(b"")),
                    Next::Status => Some(Event::Status(Reply {
                        request,
                        status,
                        fields: self.config.profile.fields,
                    })),
                }
            }
        })
    }

    /// What follows the first line of a positive reply to a request.
    fn block(&self, request: Request) -> Reading {
        let rule = self.config.reply_rule();
        if request.is_message() {
            Reading::Message(request, rule.block(ReplyKind::Message))
        } else if request.is_listing() {
            Reading::Listing(Box::new(ListingDecoder::new(
                request,
                rule,
                self.config.profile.fields,
                self.config.limits.listing_entries,
            )))
        } else {
            Reading::Nothing
        }
    }

    /// Handles a malformed line of a listing.
    fn malformed(&mut self, error: LineError) -> Result<Event<'static>, SessionError> {
        match self.config.stop_at_malformed_line {
            true => Err(self.fail(SessionError::Line(error))),
            false => Ok(Event::Malformed(error)),
        }
    }
}

const fn step<E>(consumed: usize, event: Option<E>) -> Decoded<E> {
    Decoded { consumed, event }
}
