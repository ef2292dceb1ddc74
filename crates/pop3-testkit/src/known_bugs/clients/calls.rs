//! Faulty clients that send, wait or remember wrongly.

use std::time::Instant;

use pop3_proto::{
    Command,
    client::{Capabilities, ClientError, SessionError, State},
};

use crate::view::{Client, ClientSession};

/// Keeps the capabilities from before TLS.
pub(super) struct Remembers {
    pub(super) inner: ClientSession,
    pub(super) before: Option<Capabilities>,
}

impl Client for Remembers {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn handle_tls(&mut self, now: Instant) -> Result<(), ClientError> {
        self.before = Some(self.inner.session().capabilities().clone());
        self.inner.handle_tls(now)
    }

    fn capabilities(&mut self) -> Capabilities {
        let now = self.inner.session().capabilities();
        match &self.before {
            Some(before) if !now.is_known() => before.clone(),
            _ => now.clone(),
        }
    }
}

/// Sends the initial response in the line of AUTH, however long that line becomes.
pub(super) struct Inlines {
    pub(super) inner: ClientSession,
    pub(super) line: Option<Vec<u8>>,
}

impl Client for Inlines {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn enqueue(&mut self, now: Instant, command: &Command<'_>) -> Result<(), ClientError> {
        self.inner.enqueue(now, command)?;
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
        let sent = self.inner.transmit(now);
        self.line.take().unwrap_or(sent)
    }
}

/// Never times out in a handshake.
pub(super) struct Patient(pub(super) ClientSession);

impl Client for Patient {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.0
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), SessionError> {
        match self.0.state() {
            State::Handshake => Ok(()),
            _ => self.0.handle_timeout(now),
        }
    }
}
