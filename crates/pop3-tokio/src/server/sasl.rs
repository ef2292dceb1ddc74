//! The server's half of a SASL exchange, step by step (RFC 5034).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pop3_proto::server::HiddenText;

use super::{
    User,
    scram::{ClientFirst, Expected},
    users::Users,
};
use crate::tls::random;

/// Octets of the server's nonce, before base64.
const NONCE: usize = 18;

/// What to do next.
pub(super) enum Step {
    /// Send this challenge, already in base64, and wait for the response.
    Challenge(String),
    /// Check the user's password.
    Check { name: String, password: HiddenText },
    /// The client has proved its identity.
    Proven(User),
    /// The client has not proved its identity. Contains the name, if one was given.
    Refused(Option<String>),
    /// The operating system returned no random octets.
    Failed,
}

/// An exchange that waits for the client.
pub(super) struct SaslExchange {
    /// The users when it began.
    users: Arc<Users>,
    waits_for: Response,
}

enum Response {
    Plain,
    LoginName,
    LoginPassword(String),
    ScramFirst,
    ScramFinal(Box<Expected>, String, Option<User>),
    /// An empty response to the server's proof.
    ScramEnd(User),
    /// The exchange is over.
    Nothing,
}

impl SaslExchange {
    /// Begins an exchange; `None` for an unknown mechanism.
    pub(super) fn new(mechanism: &str, users: Arc<Users>) -> Option<Self> {
        let waits_for = match mechanism {
            "PLAIN" => Response::Plain,
            "LOGIN" => Response::LoginName,
            "SCRAM-SHA-256" => Response::ScramFirst,
            _ => return None,
        };
        Some(Self { users, waits_for })
    }

    /// The users when the exchange began.
    pub(super) const fn users(&self) -> &Arc<Users> {
        &self.users
    }

    /// The first step, without or with an initial response.
    pub(super) fn begin(&mut self, initial_response: Option<&str>) -> Step {
        match (initial_response, &self.waits_for) {
            // RFC 5034 §4: an empty initial response.
            (Some("="), _) => self.respond(""),
            (Some(base64), _) => self.respond(base64),
            // Clients expect exactly these prompts.
            (None, Response::LoginName) => Step::Challenge(STANDARD.encode("Username:")),
            (None, _) => Step::Challenge(String::new()),
        }
    }

    /// The step after a response.
    pub(super) fn respond(&mut self, base64: &str) -> Step {
        let waits_for = std::mem::replace(&mut self.waits_for, Response::Nothing);
        let decoded = STANDARD.decode(base64).ok();
        let Some(text) = decoded.and_then(|octets| String::from_utf8(octets).ok()) else {
            return Step::Refused(None);
        };
        match waits_for {
            Response::Plain => plain(&text),
            Response::LoginName => {
                self.waits_for = Response::LoginPassword(text);
                Step::Challenge(STANDARD.encode("Password:"))
            }
            Response::LoginPassword(name) => Step::Check {
                name,
                password: HiddenText::from(text.as_str()),
            },
            Response::ScramFirst => self.scram_first(&text),
            Response::ScramFinal(expected, name, user) => match (expected.check(&text), user) {
                (Some(proof), Some(user)) => {
                    self.waits_for = Response::ScramEnd(user);
                    Step::Challenge(STANDARD.encode(proof))
                }
                _ => Step::Refused(Some(name)),
            },
            Response::ScramEnd(user) if text.is_empty() => Step::Proven(user),
            Response::ScramEnd(user) => Step::Refused(Some(user.name().to_owned())),
            Response::Nothing => Step::Refused(None),
        }
    }

    fn scram_first(&mut self, text: &str) -> Step {
        let Some(first) = ClientFirst::parse(text) else {
            return Step::Refused(None);
        };
        let name = first.name.clone();
        let Some((keys, user)) = self.users.accounts.scram(&name) else {
            return Step::Refused(Some(name));
        };
        let user = user.cloned();
        let Ok(nonce) = random::<NONCE>() else {
            return Step::Failed;
        };
        let (message, expected) = first.answer(keys, &STANDARD.encode(nonce));
        self.waits_for = Response::ScramFinal(Box::new(expected), name, user);
        Step::Challenge(STANDARD.encode(message))
    }
}

/// Reads the message of PLAIN (RFC 4616). No user may act as another one.
fn plain(text: &str) -> Step {
    let parts: Vec<&str> = text.split('\0').collect();
    let [identity, name, password] = parts[..] else {
        // Do not log a name: any part may be the password.
        return Step::Refused(None);
    };
    let is_own = identity.is_empty() || identity == name;
    match is_own && !name.is_empty() && !password.is_empty() {
        true => Step::Check {
            name: name.to_owned(),
            password: HiddenText::from(password),
        },
        false => Step::Refused(Some(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::{Response, SaslExchange, Step, plain};
    use crate::server::{Accounts, users::CurrentUsers};

    /// RFC 5802 §3: nothing comes after the server's proof.
    #[test]
    fn the_answer_to_the_proof_of_the_server_is_empty() {
        let accounts = Accounts::single("mrose", "tanstaaf").unwrap();
        let users = CurrentUsers::new(accounts).get();
        let user = users.accounts.users().next().unwrap().clone();
        let step = |text: &str| {
            let mut exchange = SaslExchange {
                users: Arc::clone(&users),
                waits_for: Response::ScramEnd(user.clone()),
            };
            exchange.respond(&STANDARD.encode(text))
        };
        assert!(matches!(step(""), Step::Proven(_)));
        assert!(matches!(step("more"), Step::Refused(Some(name)) if name == "mrose"));
    }

    /// Names are logged, and in a malformed message any part may be the password.
    #[test]
    fn a_malformed_message_has_no_name() {
        for message in ["tanstaaf", "mrose\0tanstaaf", "\0mrose\0x\0tanstaaf"] {
            assert!(matches!(plain(message), Step::Refused(None)), "{message:?}");
        }
    }
}
