//! The rules for which commands may be sent when.

use super::{
    ClientError, DeleteProof, Request, Response, State, Transport,
    queue::{Outgoing, wipe},
    state::{Core, SaslState},
};
use crate::{Command, MAX_SASL_LINE, Mechanism, Secret};

impl Core {
    /// Checks whether a command may be sent now. The most useful errors for a
    /// caller come first.
    pub(super) fn check(&self, command: &Command<'_>) -> Result<(), ClientError> {
        let request = Request::of(command);
        self.check_state(request)?;
        if self.config.profile.never_sends.includes(command) {
            return Err(ClientError::NeverSent {
                keyword: command.keyword(),
                profile: self.config.profile.name,
            });
        }
        if !matches!(self.exchange, SaslState::None)
            || self.queue.requests().any(Request::changes_state)
        {
            return Err(ClientError::Busy);
        }
        match command {
            Command::Pass(_) if !self.user_accepted => return Err(ClientError::PassWithoutUser),
            Command::Pass(_) | Command::Quit => {}
            _ if self.user_accepted => return Err(ClientError::PassOrQuitDue),
            _ => {}
        }
        self.check_tls(command)?;
        match command {
            Command::Apop { name, .. } if name.as_str().contains(' ') => Err(ClientError::ApopName),
            Command::Apop { digest, .. } if !is_digest(digest.expose()) => {
                Err(ClientError::ApopDigest)
            }
            Command::Apop { name, .. } => self.check_ascii(name.as_str()),
            Command::Auth {
                initial_response: Some(response),
                ..
            } if response.expose() != "=" => check_base64(*response),
            Command::Pass(secret) => self.check_ascii(secret.expose()),
            Command::User(name) => self.check_ascii(name.as_str()),
            _ => match request.number() {
                Some(number) if self.deleted.contains(&number) => Err(ClientError::Deleted(number)),
                _ => Ok(()),
            },
        }
    }

    fn check_state(&self, request: Request) -> Result<(), ClientError> {
        let allowed = match request {
            Request::Apop
            | Request::Auth
            | Request::AuthList
            | Request::Pass
            | Request::Stls
            | Request::User
            | Request::Utf8 => self.state == State::Authorization,
            Request::Capa | Request::Lang | Request::LangList | Request::Quit => {
                matches!(self.state, State::Authorization | State::Transaction)
            }
            Request::Dele(_)
            | Request::List(_)
            | Request::Noop
            | Request::Retr(_)
            | Request::Rset
            | Request::Stat
            | Request::Top(..)
            | Request::Uidl(_) => self.state == State::Transaction,
        };
        match allowed {
            true => Ok(()),
            false => Err(ClientError::WrongState {
                keyword: request.keyword(),
                state: self.state,
            }),
        }
    }

    fn check_tls(&self, command: &Command<'_>) -> Result<(), ClientError> {
        let exposes = !self.under_tls && self.config.transport != Transport::Cleartext;
        match command {
            Command::Stls if self.under_tls || self.utf8 => Err(ClientError::StlsNotAllowed),
            Command::Apop { .. } | Command::Auth { .. } | Command::Pass(_) | Command::User(_)
                if exposes =>
            {
                Err(ClientError::TlsNeeded)
            }
            Command::Apop { .. }
                if self.apop_timestamp.is_none()
                    || !self.under_tls && !self.config.dangerous_apop_in_cleartext =>
            {
                Err(ClientError::ApopNotOffered)
            }
            _ => Ok(()),
        }
    }

    fn check_ascii(&self, text: &str) -> Result<(), ClientError> {
        let utf8 = self.capabilities.is_current() && self.capabilities.utf8() == Some(true);
        match text.is_ascii() || utf8 {
            true => Ok(()),
            false => Err(ClientError::NotAscii),
        }
    }

    pub(super) fn check_proof(&self, proof: DeleteProof) -> Result<(), ClientError> {
        if proof.session.is_some_and(|session| session != self.id) {
            return Err(ClientError::ForeignProof);
        }
        match self.deleted.len() < self.config.limits.listing_entries as usize {
            true => Ok(()),
            false => Err(ClientError::QueueFull),
        }
    }

    /// Queues a checked command.
    pub(super) fn push(&mut self, command: &Command<'_>) -> Result<(), ClientError> {
        if let Command::Auth {
            mechanism,
            initial_response,
        } = command
        {
            return self.push_auth(*mechanism, *initial_response);
        }
        // Reserve enough that the octets never move: they may be secret.
        let mut line = Vec::with_capacity(64 + argument_octets(command));
        command.encode(&mut line)?;
        let pushed = self.push_line(Request::of(command), &line);
        wipe(&mut line);
        pushed
    }

    fn push_line(&mut self, request: Request, line: &[u8]) -> Result<(), ClientError> {
        if self.queue.octets() + line.len() > self.config.limits.queue_octets {
            return Err(ClientError::QueueFull);
        }
        self.heard.may_repeat_secret |= request.is_login();
        self.queue.push(request, line);
        self.release();
        Ok(())
    }

    /// Queues AUTH in one line if that fits 255 octets, or else in two steps (RFC
    /// 5034 §4).
    fn push_auth(
        &mut self,
        mechanism: Mechanism<'_>,
        initial_response: Option<Secret<'_>>,
    ) -> Result<(), ClientError> {
        let octets = initial_response.map_or(0, |response| 1 + response.expose().len());
        let fits = "AUTH \r\n".len() + mechanism.as_str().len() + octets <= Command::MAX_OCTETS;
        let mut line = Vec::with_capacity(Command::MAX_OCTETS);
        Command::Auth {
            mechanism,
            initial_response: initial_response.filter(|_| fits),
        }
        .encode(&mut line)?;
        let later = match initial_response.filter(|_| !fits) {
            Some(response) => Some(response_line(response.expose())?),
            None => None,
        };
        let pushed = self.push_line(Request::Auth, &line);
        wipe(&mut line);
        pushed?;
        self.exchange = match (initial_response, fits) {
            (Some(_), true) => SaslState::Running,
            _ => SaslState::Started {
                initial_response: later,
            },
        };
        Ok(())
    }

    /// Queues the response to a challenge.
    pub(super) fn push_response(&mut self, response: Response<'_>) -> Result<(), ClientError> {
        if !matches!(self.exchange, SaslState::Challenged) {
            return Err(ClientError::NoChallenge);
        }
        let line = response_line(match response {
            Response::Cancel => "*",
            Response::Empty => "",
            Response::Base64(secret) => {
                check_base64(secret)?;
                secret.expose()
            }
        })?;
        self.push_line(Request::Auth, line.as_slice())?;
        self.exchange = match response {
            Response::Cancel => SaslState::Canceled,
            _ => SaslState::Running,
        };
        Ok(())
    }
}

/// Checks for base64 digits, with `=` only at the end (RFC 4648 §4). The server
/// checks for complete groups.
fn check_base64(response: Secret<'_>) -> Result<(), ClientError> {
    let text = response.expose();
    let digits = text.trim_end_matches('=');
    let is_digit = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    let is_padded = !digits.is_empty() && text.len() - digits.len() <= 2;
    match is_padded && digits.bytes().all(is_digit) {
        true => Ok(()),
        false => Err(ClientError::NotBase64),
    }
}

/// 32 hexadecimal digits in lower case (RFC 1939 §7).
fn is_digest(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
}

fn argument_octets(command: &Command<'_>) -> usize {
    match command {
        Command::Apop { name, digest } => name.as_str().len() + digest.expose().len(),
        Command::Pass(secret) => secret.expose().len(),
        Command::User(name) => name.as_str().len(),
        Command::Lang(range) => range.as_str().len(),
        _ => 0,
    }
}

fn response_line(text: &str) -> Result<Outgoing, ClientError> {
    if text.len() + 2 > MAX_SASL_LINE {
        return Err(ClientError::ResponseTooLong);
    }
    let mut line = Outgoing::default();
    line.push(text.as_bytes());
    line.push(b"\r\n");
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::{argument_octets, response_line};
    use crate::{Argument, Command, LanguageRange, MAX_SASL_LINE, Secret, client::ClientError};

    #[test]
    fn reserves_room_for_all_octets_that_may_be_secret() {
        let (name, digest) = (
            Argument::new("mrose").unwrap(),
            Secret::new("c4c9").unwrap(),
        );
        for (command, octets) in [
            (Command::Apop { name, digest }, 9),
            (Command::Pass(digest), 4),
            (Command::User(name), 5),
            (Command::Lang(LanguageRange::new("de").unwrap()), 2),
            (Command::Noop, 0),
        ] {
            assert_eq!(argument_octets(&command), octets, "{command:?}");
        }
    }

    #[test]
    fn a_response_may_be_as_long_as_a_challenge() {
        let most = "x".repeat(MAX_SASL_LINE - 2);
        let line = response_line(&most).unwrap();
        assert_eq!(line.len(), MAX_SASL_LINE);
        assert_eq!(
            response_line(&format!("{most}x")).err(),
            Some(ClientError::ResponseTooLong)
        );
        assert_eq!(response_line("").unwrap().as_slice(), b"\r\n");
    }
}
