//! Single commands: the greeting, one-line replies, listings, and AUTH.

use pop3_proto::{
    DropListing,
    client::{Event, LineError, Session},
};
use zeroize::Zeroizing;

use super::{Error, Refusal, RetrieveError, driver::Call, refusal::Words};

/// Waits for the greeting.
pub(super) struct Greeting;

impl Call for Greeting {
    type Output = ();
    type Error = Error;

    fn event(&mut self, event: Event<'_>, words: Words<'_>) -> Result<Option<()>, Error> {
        match event {
            Event::Greeting(status) if status.is_positive() => Ok(Some(())),
            Event::Greeting(status) => Err(Error::Refused(Refusal::of_greeting(&status, words))),
            _ => Ok(None),
        }
    }
}

/// A command with a one-line reply, of which only success matters.
pub(super) struct Ask;

impl Call for Ask {
    type Output = ();
    type Error = Error;

    fn event(&mut self, event: Event<'_>, words: Words<'_>) -> Result<Option<()>, Error> {
        match event {
            Event::Status(reply) if reply.is_positive() => Ok(Some(())),
            Event::Status(reply) => Err(Error::Refused(Refusal::of(&reply, words))),
            _ => Ok(None),
        }
    }
}

/// STAT.
pub(super) struct Stat;

impl Call for Stat {
    type Output = DropListing;
    type Error = Error;

    fn event(&mut self, event: Event<'_>, words: Words<'_>) -> Result<Option<DropListing>, Error> {
        match event {
            Event::Status(reply) if reply.is_positive() => {
                let listing = reply.drop_listing();
                listing.map(Some).map_err(|error| Error::Malformed {
                    request: reply.request,
                    error,
                    text: words.shown(reply.status.text()),
                })
            }
            Event::Status(reply) => Err(Error::Refused(Refusal::of(&reply, words))),
            _ => Ok(None),
        }
    }
}

/// The summary of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The number of well-formed lines.
    pub entries: u64,
    /// The number of malformed lines, which were skipped.
    pub malformed: u64,
    /// The error of the first malformed line.
    pub first_malformed: Option<LineError>,
    /// The highest message-number. More than `entries` means gaps.
    pub highest: u32,
}

/// A command whose reply is a listing.
pub(super) struct Listing<F> {
    /// Called with each line, and at the end.
    pub(super) on_event: F,
    pub(super) first_malformed: Option<LineError>,
}

impl<F: FnMut(Event<'_>)> Call for Listing<F> {
    type Output = Listed;
    type Error = Error;

    fn event(&mut self, event: Event<'_>, words: Words<'_>) -> Result<Option<Listed>, Error> {
        match event {
            Event::Status(reply) if !reply.is_positive() => {
                return Err(Error::Refused(Refusal::of(&reply, words)));
            }
            Event::Malformed(error) => {
                self.first_malformed.get_or_insert(error);
            }
            Event::End(end) => {
                let listed = Listed {
                    entries: end.entries,
                    malformed: end.malformed,
                    first_malformed: self.first_malformed,
                    highest: end.highest,
                };
                (self.on_event)(Event::End(end));
                return Ok(Some(listed));
            }
            event => (self.on_event)(event),
        }
        Ok(None)
    }
}

/// A step of AUTH.
pub(super) struct Authenticate;

/// The result of a step of AUTH.
pub(super) enum Answer {
    /// A challenge, in base64 or in what the server sends instead.
    Challenge(Zeroizing<Vec<u8>>),
    Accepted,
    Refused(Refusal),
}

impl Call for Authenticate {
    type Output = Answer;
    type Error = Error;

    fn event(&mut self, event: Event<'_>, words: Words<'_>) -> Result<Option<Answer>, Error> {
        Ok(match event {
            Event::Challenge(octets) => Some(Answer::Challenge(Zeroizing::new(octets.to_vec()))),
            Event::Status(reply) if reply.is_positive() => Some(Answer::Accepted),
            Event::Status(reply) => Some(Answer::Refused(Refusal::of(&reply, words))),
            _ => None,
        })
    }
}

/// An exchange of the caller.
pub(super) struct Foreign<'e, E>(pub(super) &'e mut E);

impl<E: pop3_proto::client::Exchange> Call for Foreign<'_, E> {
    type Output = E::Output;
    type Error = RetrieveError<E::Error>;

    fn next(
        &mut self,
        session: &mut Session,
        now: std::time::Instant,
    ) -> Result<Option<E::Output>, Self::Error> {
        self.0.next(session, now).map_err(RetrieveError::Sink)
    }

    fn event(&mut self, event: Event<'_>, _: Words<'_>) -> Result<Option<E::Output>, Self::Error> {
        self.0.event(event).map_err(RetrieveError::Sink)?;
        Ok(None)
    }
}
