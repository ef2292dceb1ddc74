//! A message in memory.

use dot_stuffing::Complete;
use pop3_proto::{MessageNumber, client::Retrieved};

use super::{Client, Error, Refusal, RetrieveError, Sink};

impl Client {
    /// Retrieves a message of at most `max_octets` into memory, with the proof that
    /// [`delete`](Self::delete) asks for.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the server refuses the message. [`Error::TooLarge`] if the
    /// message is longer: the rest of it is not read, so later calls return
    /// [`Error::Interrupted`].
    pub async fn retrieve_to_vec(
        &mut self,
        number: MessageNumber,
        max_octets: usize,
    ) -> Result<(Vec<u8>, Retrieved), Error> {
        let mut message = Message {
            number,
            max_octets,
            octets: Vec::new(),
            retrieved: None,
        };
        match self.retrieve([number], &mut message).await {
            Ok(_) => match message.retrieved {
                Some(retrieved) => Ok((message.octets, retrieved)),
                None => Err(Error::Interrupted),
            },
            Err(RetrieveError::Client(error) | RetrieveError::Sink(error)) => Err(error),
        }
    }
}

struct Message {
    number: MessageNumber,
    max_octets: usize,
    octets: Vec<u8>,
    retrieved: Option<Retrieved>,
}

impl Sink for Message {
    type Error = Error;

    fn begin(&mut self, _: MessageNumber, _: Option<u64>) -> Result<(), Error> {
        Ok(())
    }

    fn data(&mut self, octets: &[u8]) -> Result<(), Error> {
        if octets.len() > self.max_octets - self.octets.len() {
            return Err(Error::TooLarge {
                number: self.number,
                max_octets: self.max_octets,
            });
        }
        self.octets.extend_from_slice(octets);
        Ok(())
    }

    fn end(&mut self, retrieved: Retrieved, _: Complete) -> Result<(), Error> {
        self.retrieved = Some(retrieved);
        Ok(())
    }

    fn refused(&mut self, _: MessageNumber, refusal: Refusal) -> Result<(), Error> {
        Err(Error::Refused(refusal))
    }
}
