//! The way of the server's octets through a session.

use std::time::Instant;

use dot_stuffing::Decoded;

use super::{
    Capabilities, End, Event, Reply, Request, Retrieved, Session, SessionError, State, Timer,
    listing::{Found, ListingDecoder},
    session::Reading,
    state::Next,
};
use crate::{ReplyError, ReplyKind, ReplyPart};

impl Session {
    /// Decodes the server's octets up to the next event.
    ///
    /// Call again with what is not consumed, until nothing is left: there may
    /// be no event although some is. How the octets are cut into inputs does
    /// not change the events, but for how message octets are cut.
    ///
    /// Octets after the reply to QUIT, or after a negative greeting, are ignored:
    /// they can no longer change what that reply said.
    ///
    /// # Errors
    ///
    /// If the session is over. The error repeats.
    // Always: else each entry of a listing goes through memory.
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

    /// The short way for a listing of a million lines.
    #[inline(always)]
    fn fast_path<'a>(&mut self, input: &'a [u8]) -> Option<Decoded<Event<'a>>> {
        if self.core.failure.is_some() {
            return None;
        }
        self.listing.as_mut()?.decode_fast(input)
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
            return Ok(Decoded {
                consumed: 0,
                event: None,
            });
        }
        if let State::Update | State::Closed = self.core.state {
            return Ok(Decoded {
                consumed: input.len(),
                event: None,
            });
        }
        match self.reading {
            Reading::Listing => return self.listing_input(now, input),
            Reading::Message(_) => {}
            Reading::FirstLine => {
                self.listing = None;
                if self.replies.is_idle() {
                    self.core.heard.begin();
                }
                if let Err(error) = self.expect() {
                    self.core.heard.push(input);
                    return Err(self.core.fail(error));
                }
            }
        }
        self.reply_input(now, input)
    }

    /// Tells the decoder what comes next, if anything may.
    fn expect(&mut self) -> Result<(), SessionError> {
        let kind = match (self.core.state, self.core.queue.expected()) {
            (State::Handshake, _) => return Err(SessionError::PlaintextAfterStls),
            (State::Greeting, _) => ReplyKind::Line,
            (_, None) => return Err(SessionError::Reply(ReplyError::Unsolicited)),
            (_, Some(Request::Auth)) => ReplyKind::Sasl,
            (_, Some(request)) if request.is_message() => ReplyKind::Message,
            // The block of a listing is not the decoder's business here.
            (_, Some(_)) => ReplyKind::Line,
        };
        self.replies.expect(kind);
        Ok(())
    }

    fn reply_input<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<Decoded<Event<'a>>, SessionError> {
        let Self {
            replies,
            listing,
            reading,
            gathering,
            core,
        } = self;
        let part = match replies.decode(input) {
            Ok(part) => part,
            Err(error) => {
                if let Reading::FirstLine = reading {
                    core.heard.push(input);
                }
                return Err(core.fail(SessionError::Reply(error)));
            }
        };
        let consumed = part.consumed;
        if let Reading::FirstLine = reading {
            core.heard.push(&input[..consumed]);
        }
        let event = match part.event {
            None => {
                if let Reading::Message(_) = reading {
                    core.timers.arm(Timer::Reply, now);
                }
                None
            }
            Some(ReplyPart::Data(octets)) => {
                core.timers.arm(Timer::Reply, now);
                Some(Event::Data(octets))
            }
            Some(ReplyPart::End(complete)) => {
                let Reading::Message(request) = *reading else {
                    // Never: no other reply has its block decoded here.
                    return Err(core.fail(SessionError::Reply(ReplyError::Unsolicited)));
                };
                let retrieved = match request {
                    Request::Retr(number) => Some(Retrieved {
                        number,
                        session: core.id,
                        octets: complete.octets,
                    }),
                    _ => None,
                };
                *reading = Reading::FirstLine;
                core.answered(now);
                Some(Event::End(End {
                    request,
                    complete,
                    retrieved,
                    entries: 0,
                    malformed: 0,
                    highest: 0,
                }))
            }
            Some(ReplyPart::Challenge(challenge)) => match core.challenge(challenge.len(), now) {
                Ok(Next::Nothing) => None,
                Ok(_) => Some(Event::Challenge(challenge)),
                Err(error) => return Err(core.fail(error)),
            },
            Some(ReplyPart::Status(status)) if core.state == State::Greeting => {
                core.greeted(&status, now);
                Some(Event::Greeting(status))
            }
            Some(ReplyPart::Status(status)) => {
                let positive = status.is_positive();
                let Some(request) = core.queue.expected() else {
                    let error = SessionError::Reply(ReplyError::Unsolicited);
                    return Err(core.fail(error));
                };
                let next = match core.status(request, positive, now) {
                    Ok(next) => next,
                    Err(error) => return Err(core.fail(error)),
                };
                if core.state == State::Handshake && consumed < input.len() {
                    core.heard.begin();
                    core.heard.push(&input[consumed..]);
                    return Err(core.fail(SessionError::PlaintextAfterStls));
                }
                if positive && request.is_message() {
                    *reading = Reading::Message(request);
                }
                if positive && request.is_listing() {
                    *reading = Reading::Listing;
                    *gathering = Capabilities::answered();
                    *listing = Some(ListingDecoder::new(
                        request,
                        core.config.reply_rule(),
                        core.config.profile.fields,
                        core.config.limits.listing_entries,
                    ));
                }
                match next {
                    Next::Nothing => None,
                    Next::EmptyChallenge => Some(Event::Challenge(b"")),
                    Next::Status => Some(Event::Status(Reply {
                        request,
                        status,
                        fields: core.config.profile.fields,
                    })),
                }
            }
        };
        Ok(Decoded { consumed, event })
    }

    fn listing_input<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<Decoded<Event<'a>>, SessionError> {
        let Self {
            listing,
            reading,
            gathering,
            core,
            ..
        } = self;
        let Some(listing) = listing else {
            // Never: the reading of a listing begins with one.
            return Err(core.fail(SessionError::Closed(None)));
        };
        core.timers.arm(Timer::Reply, now);
        let step = match listing.decode(input) {
            Ok(step) => step,
            Err(error) => return Err(core.fail(error)),
        };
        let event = match step.event {
            None => None,
            Some(Found::Entry(event)) => {
                if let Event::Capability(capability) = &event {
                    gathering.add(capability);
                }
                Some(event)
            }
            Some(Found::Malformed(error)) if core.config.stop_at_malformed_line => {
                return Err(core.fail(SessionError::Line(error)));
            }
            Some(Found::Malformed(error)) => Some(Event::Malformed(error)),
            Some(Found::End(end)) => {
                *reading = Reading::FirstLine;
                if end.request == Request::Capa {
                    core.capabilities = core::mem::take(gathering);
                }
                core.answered(now);
                Some(Event::End(end))
            }
        };
        Ok(Decoded {
            consumed: step.consumed,
            event,
        })
    }

    /// Says that the server closed the connection.
    ///
    /// # Errors
    ///
    /// Unless the session was over by [QUIT](State::Update) or by the server's
    /// [word](State::Closed): a reply that is due never comes, a message stays
    /// a part of one, and nothing was deleted.
    pub fn handle_eof(&mut self) -> Result<(), SessionError> {
        if let Some((error, _)) = self.core.failure {
            return Err(error);
        }
        if let State::Update | State::Closed = self.core.state {
            return Ok(());
        }
        let error = match (self.reading, &self.listing) {
            (Reading::Listing, Some(listing)) => listing.finish(),
            (Reading::Message(request), _) => match self.replies.finish() {
                Err(error) => SessionError::Reply(error),
                Ok(()) => SessionError::Closed(Some(request)),
            },
            _ => SessionError::Closed(self.core.queue.expected()),
        };
        Err(self.core.fail(error))
    }
}
