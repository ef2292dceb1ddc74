//! Faulty clients that send, wait or remember wrongly.

use std::time::Instant;

use pop3_proto::{
    Command,
    client::{Capabilities, ClientError, SessionError, State},
};

use crate::view::{Client, Sound};

/// Says that the server can do what it said before TLS.
pub(super) struct Remembers {
    pub(super) sound: Sound,
    pub(super) before: Option<Capabilities>,
}

impl Client for Remembers {
    fn sound(&mut self) -> &mut Sound {
        &mut self.sound
    }

    fn handle_tls(&mut self, now: Instant) -> Result<(), ClientError> {
        self.before = Some(self.sound.session().capabilities().clone());
        self.sound.handle_tls(now)
    }

    fn capabilities(&mut self) -> Capabilities {
        let now = self.sound.session().capabilities();
        match &self.before {
            Some(before) if !now.is_known() => before.clone(),
            _ => now.clone(),
        }
    }
}

/// Sends the initial response in the line of AUTH, however long that gets.
pub(super) struct Inlines {
    pub(super) sound: Sound,
    pub(super) line: Option<Vec<u8>>,
}

impl Client for Inlines {
    fn sound(&mut self) -> &mut Sound {
        &mut self.sound
    }

    fn enqueue(&mut self, now: Instant, command: &Command<'_>) -> Result<(), ClientError> {
        self.sound.enqueue(now, command)?;
        if let Command::Auth {
            mechanism,
            initial_response: Some(response),
        } = command
        {
            let (name, response) = (mechanism.as_str(), response.expose());
            self.line = Some(format!("AUTH {name} {response}\r\n").into_bytes());
        }
        Ok(())
    }

    fn transmit(&mut self, now: Instant) -> Vec<u8> {
        let sent = self.sound.transmit(now);
        self.line.take().unwrap_or(sent)
    }
}

/// Never gives a handshake up.
pub(super) struct Patient(pub(super) Sound);

impl Client for Patient {
    fn sound(&mut self) -> &mut Sound {
        &mut self.0
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), SessionError> {
        match self.0.state() {
            State::Handshake => Ok(()),
            _ => self.0.handle_timeout(now),
        }
    }
}
