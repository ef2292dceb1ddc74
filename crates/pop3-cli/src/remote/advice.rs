//! Advice on what a user can try when a session with a server fails.

use core::fmt;

use pop3_proto::{
    ReplyError,
    client::{Awaited, Pending, SessionError, SessionFailure},
};
use pop3_tokio::client::{Distrust, Error, Scheme, Waiting};

use super::Remote;

/// An error of a session, with advice on what to try.
pub(crate) struct WithAdvice<'a> {
    pub(super) remote: &'a Remote,
    pub(super) error: &'a Error,
}

impl fmt::Display for WithAdvice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)?;
        match self.advice() {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl WithAdvice<'_> {
    fn advice(&self) -> Option<String> {
        let account = self.remote.account();
        let scheme = self.remote.endpoint.scheme;
        let tls = || format!("use pop3s://{account}");
        Some(match self.error {
            Error::Certificate { reason, .. } => of_distrust(reason)?.to_owned(),
            Error::Tls {
                came: Some(came), ..
            } if scheme == Scheme::Pop3s => {
                match came.starts_with(b"+OK") || came.starts_with(b"-ERR") {
                    true => format!("use pop3://{account}"),
                    false => other_protocol(came),
                }
            }
            Error::TlsPort { .. } => tls(),
            Error::Connect { .. } => "check the host and the port, which is usually 995 for \
                 pop3s:// and 110 for pop3://"
                .to_owned(),
            Error::Timeout(Waiting::Session, _) => "raise --session-timeout SECONDS".into(),
            Error::Timeout(Waiting::Greeting, _) if self.is_port_for_tls() => tls(),
            Error::Timeout(_, Some(pending)) if pending.ends_with_lf_alone() => {
                "RFC 1939 §3 requires CRLF: the server must be fixed".to_owned()
            }
            Error::Timeout(Waiting::Greeting, _) => {
                let or_tls = match scheme {
                    Scheme::Pop3 => format!(" (if it is a port for TLS, {})", tls()),
                    Scheme::Pop3s => String::new(),
                };
                format!(
                    "check that this is the port of a POP3 server{or_tls}; --timeout SECONDS \
                     allows a longer wait"
                )
            }
            Error::Timeout(..) => "--timeout SECONDS allows a longer wait".to_owned(),
            Error::Io(_, Some(pending)) => self.of_end(pending),
            Error::Session(failure) => return self.of_failure(failure),
            // For most profiles, any greeting but +OK is a refusal.
            Error::Refused(refusal) if refusal.request.is_none() => {
                return known_protocol(refusal.text.as_bytes());
            }
            _ => return None,
        })
    }

    fn of_failure(&self, failure: &SessionFailure) -> Option<String> {
        let pending = &failure.pending;
        let is_greeting = pending.awaited() == Awaited::Greeting;
        Some(match failure.error {
            SessionError::Reply(ReplyError::Status(_)) if is_greeting => {
                other_protocol(pending.came())
            }
            // The block is not limited: only its end can be missing.
            SessionError::Closed(_)
            | SessionError::Reply(ReplyError::NoReply | ReplyError::Block(_)) => {
                self.of_end(pending)
            }
            SessionError::Reply(ReplyError::Unsolicited) if pending.came().starts_with(b"-ERR") => {
                "try again later".to_owned()
            }
            SessionError::Reply(_) if self.remote.settings.pipelining && !is_greeting => {
                "if it happens again, try --no-pipelining".to_owned()
            }
            _ => return None,
        })
    }

    /// Advice for a connection that ended.
    fn of_end(&self, pending: &Pending) -> String {
        match pending.awaited() {
            _ if pending.ends_with_lf_alone() => {
                "RFC 1939 §3 requires CRLF: the server must be fixed".to_owned()
            }
            Awaited::Greeting if self.is_port_for_tls() => {
                format!("use pop3s://{}", self.remote.account())
            }
            Awaited::Greeting => {
                "check that this is the port of a POP3 server, or try again later".to_owned()
            }
            _ => "try again later".to_owned(),
        }
    }

    /// Whether a server on this port most likely expects TLS (RFC 8314 §3.3).
    fn is_port_for_tls(&self) -> bool {
        let endpoint = &self.remote.endpoint;
        endpoint.scheme == Scheme::Pop3 && endpoint.port == 995
    }
}

const fn of_distrust(reason: &Distrust) -> Option<&'static str> {
    Some(match reason {
        Distrust::Expired(_) => {
            "the server needs a new one; if you know this one, --fingerprint SHA256 trusts it alone"
        }
        Distrust::NotYetValid(_) => "check this computer's clock",
        Distrust::WrongName(_) => {
            "use a name from the certificate in the URL; if you know the certificate, \
             --fingerprint SHA256 trusts it alone"
        }
        Distrust::SelfSigned => {
            "if it is your server's, trust it with --ca-file FILE or --fingerprint SHA256"
        }
        Distrust::UnknownAuthority => "if you know the authority, trust it with --ca-file FILE",
        _ => return None,
    })
}

/// Names the protocol of the port, guessed from the first octets of the server.
fn other_protocol(came: &[u8]) -> String {
    let known = known_protocol(came);
    known.unwrap_or_else(|| "check that this is the port of a POP3 server".to_owned())
}

fn known_protocol(came: &[u8]) -> Option<String> {
    let protocols: [(&[u8], &str); 8] = [
        (b"* OK", "an IMAP"),
        (b"200 ", "a news"),
        (b"220 ", "an SMTP or FTP"),
        (b"220-", "an SMTP or FTP"),
        (b"<!DOCTYPE", "a web"),
        (b"<html", "a web"),
        (b"HTTP/", "a web"),
        (b"SSH-", "an SSH"),
    ];
    let (_, kind) = protocols
        .iter()
        .find(|(first, _)| came.starts_with(first))?;
    Some(format!(
        "this is {kind} server; POP3 has another port, usually 995 for pop3s:// and 110 for pop3://"
    ))
}

#[cfg(test)]
mod tests {
    use std::{io, time::Instant};

    use pop3_proto::{
        Profile,
        client::{Config, Session, Transport},
    };

    use super::*;
    use crate::remote::RemoteOptions;

    fn advice(url: &str, error: &Error) -> String {
        let remote = RemoteOptions::default().remote(url).unwrap();
        remote.with_advice(error).to_string()
    }

    /// A port that is for TLS (RFC 8314 §3.3) keeps silent without it.
    #[test]
    fn pop3_on_port_995_is_told_of_pop3s() {
        let silent = Error::Timeout(Waiting::Greeting, None);
        let option = "--timeout";
        let said = advice("pop3://me@example.org:995", &silent);
        assert!(said.ends_with("pop3s://me@example.org:995"), "{said}");
        assert!(!said.contains(option), "{said}");
        for url in ["pop3://me@example.org", "pop3s://me@example.org"] {
            let said = advice(url, &silent);
            assert!(said.contains(option), "{said}");
            let is_told = said.contains("pop3s://");
            assert_eq!(is_told, url.starts_with("pop3:"), "{said}");
        }
    }

    #[test]
    fn an_end_in_place_of_the_greeting_on_port_995_is_told_of_pop3s() {
        let config = Config::new(Profile::RFC1939, Transport::Cleartext);
        let mut session = Session::new(config, Instant::now());
        let error = session.handle_eof().unwrap_err();
        let pending = session.pending();
        let reset = io::ErrorKind::ConnectionReset.into();
        let reset = Error::Io(reset, Some(pending.clone()));
        let closed = Error::Session(SessionFailure { error, pending });
        for error in [reset, closed] {
            let said = advice("pop3://me@example.org:995", &error);
            assert!(said.ends_with("use pop3s://me@example.org:995"), "{said}");
            let said = advice("pop3://me@example.org", &error);
            assert!(said.ends_with("try again later"), "{said}");
        }
    }

    /// After STLS a server that answers in the clear is one of POP3.
    #[test]
    fn only_pop3s_is_told_of_pop3() {
        let came: Box<[u8]> = b"+OK ready\r\n".as_slice().into();
        let error = Error::Tls {
            host: "example.org".to_owned(),
            reason: "no TLS".to_owned(),
            came: Some(came),
        };
        let other = "pop3://me@example.org";
        assert!(advice("pop3s://me@example.org", &error).contains(other));
        assert!(!advice("pop3://me@example.org", &error).contains(other));
    }
}
