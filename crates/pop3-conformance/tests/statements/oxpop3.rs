//! MS-OXPOP3: NTLM and names of delegates, which Outlook adds to POP3. This
//! file tests our server; `fetch.rs` tests our client.

use std::time::Instant;

use pop3_proto::{
    Mechanism,
    server::{Config, Event, Login, Session, Tls, Verdict as Answer},
};
use pop3_testkit::store::{Locked, Store};

use crate::{
    checking::{Check, Fault, Flaw, Verdict, compare, found, passes},
    fetch::DELEGATES,
    page::Side,
};

/// The id, the section, the sides that it binds, and its text.
pub(crate) const REQUIREMENTS: &[(&str, &str, &[Side], &str)] = &[
    (
        "NTLM1",
        "2.2.1",
        &[Side::Server, Side::Client],
        "The exchange begins with AUTH NTLM and nothing more; the server answers `+`, a space and CRLF, or `-ERR` where it has no NTLM.",
    ),
    (
        "NTLM2",
        "2.2.1",
        &[Side::Server, Side::Client],
        "Each NTLM message is base64 on a line of its own, after `+` and a space if it is the server's.",
    ),
    (
        "NTLM3",
        "3.1.1.2",
        &[Side::Client],
        "The client sends NEGOTIATE first, and AUTHENTICATE when it has the CHALLENGE.",
    ),
    (
        "NTLM4",
        "3.1.5.2, 3.2.4",
        &[Side::Server, Side::Client],
        "`+OK` ends the exchange as a login, `-ERR` as none; the client then sends no more of it.",
    ),
    (
        "DELEG",
        "2.2.2",
        &[Side::Server, Side::Client],
        "The name of a delegate, in four forms with `/`, is one argument of USER, and goes unchanged.",
    ),
];

/// A server for one login after another.
#[derive(Clone, Copy)]
pub(crate) struct Server {
    /// What it sends for a reply.
    says: fn(&str) -> String,
    /// How it reads a line.
    reads: fn(&str) -> String,
}

const SOUND: Server = Server {
    says: |reply| reply.to_owned(),
    reads: |line| line.to_owned(),
};

/// The result of a client's lines.
#[derive(Debug, Default)]
struct Heard {
    /// The greeting, then a reply for each line.
    replies: Vec<String>,
    /// Names and NTLM messages that the driver received.
    driver: Vec<String>,
}

const CHALLENGE: &str = "TlRMTVNTUAACAAAA";

impl Server {
    /// Runs a session that offers NTLM or not, and accepts the login or not.
    fn hear(self, offers: bool, is_right: bool, lines: &[&str]) -> Result<Heard, Flaw> {
        let now = Instant::now();
        let ntlm = Mechanism::new("NTLM").expect("a mechanism");
        let config = Config::new().tls(Tls::Active);
        let mechanisms = [ntlm];
        let config = config.mechanisms(&mechanisms[..usize::from(offers)]);
        let config = config.map_err(|error| Flaw::Unable(error.to_string()))?;
        let mut session: Session<Locked> = Session::new(config, now);
        let mut challenges = ["", CHALLENGE].into_iter();
        let mut heard = Heard::default();
        for line in [""].iter().chain(lines) {
            let octets = match line.is_empty() {
                true => String::new(),
                false => format!("{}\r\n", (self.reads)(line)),
            };
            let (mut rest, mut reply) = (octets.as_bytes(), String::new());
            loop {
                let mut sent = 0;
                if let Some(octets) = session.poll_transmit() {
                    reply += &String::from_utf8_lossy(octets);
                    sent = octets.len();
                    session.handle_transmitted(now, sent);
                }
                let event = session.poll_event();
                let is_asked = matches!(&event, Some(Event::Login(_) | Event::SaslResponse(_)));
                match event {
                    Some(Event::Login(Login::Password { name, .. })) => heard.driver.push(name),
                    Some(Event::SaslResponse(text)) => heard.driver.push(text.expose().to_owned()),
                    Some(Event::Login(Login::Sasl { .. })) => {}
                    _ => {
                        let consumed = session.handle_input(now, rest);
                        rest = &rest[consumed..];
                        if consumed == 0 && sent == 0 && rest.is_empty() {
                            break;
                        }
                    }
                }
                match (
                    is_asked,
                    if offers && is_asked {
                        challenges.next()
                    } else {
                        None
                    },
                ) {
                    (true, Some(challenge)) => {
                        let asked = session.challenge(now, challenge);
                        asked.map_err(|error| Flaw::Unable(error.to_string()))?;
                    }
                    (true, None) if is_right => {
                        let locked = Store::default().lock();
                        session.answer(now, locked.map_or(Answer::InUse, Answer::Accept));
                    }
                    (true, None) => session.answer(now, Answer::Reject),
                    (false, _) => {}
                }
            }
            heard.replies.push((self.says)(&reply));
        }
        Ok(heard)
    }
}

const EXCHANGE: &[&str] = &["AUTH NTLM", "TlRMTVNTUAABAAAA", "TlRMTVNTUAADAAAA", "STAT"];

fn sound(check: fn(&mut Server) -> Verdict) {
    let mut server = SOUND;
    passes(check(&mut server));
}

checks! { Server, sound:
    ntlm1_the_server_says_whether_it_has_ntlm,
    ntlm2_messages_pass_unchanged_as_base64,
    ntlm4_the_last_reply_says_whether_it_is_a_login,
    deleg_names_of_delegates_come_as_they_are,
}

fn ntlm1_the_server_says_whether_it_has_ntlm(server: &mut Server) -> Verdict {
    let heard = server.hear(true, true, EXCHANGE)?;
    ensure!(heard.replies[1] == "+ \r\n", "{heard:?}");
    let heard = server.hear(false, true, &["AUTH NTLM"])?;
    ensure!(heard.replies[1].starts_with("-ERR"), "{heard:?}");
    Ok(())
}

fn ntlm2_messages_pass_unchanged_as_base64(server: &mut Server) -> Verdict {
    let heard = server.hear(true, true, EXCHANGE)?;
    ensure!(
        heard.replies[2] == format!("+ {CHALLENGE}\r\n"),
        "{heard:?}"
    );
    ensure!(heard.driver == EXCHANGE[1..3], "{heard:?}");
    Ok(())
}

fn ntlm4_the_last_reply_says_whether_it_is_a_login(server: &mut Server) -> Verdict {
    for is_right in [true, false] {
        let heard = server.hear(true, is_right, EXCHANGE)?;
        let (reply, stat) = (&heard.replies[3], &heard.replies[4]);
        let is_told = reply.starts_with("+OK") == is_right && reply.starts_with("-ERR") != is_right;
        ensure!(is_told && stat.starts_with("+OK") == is_right, "{heard:?}");
    }
    Ok(())
}

fn deleg_names_of_delegates_come_as_they_are(server: &mut Server) -> Verdict {
    for name in DELEGATES {
        let heard = server.hear(false, true, &[&format!("USER {name}"), "PASS x"])?;
        ensure!(heard.driver == [name], "{name}: {heard:?}");
    }
    Ok(())
}

pub(crate) const FAULTS: &[Fault<Server>] = &[
    Fault {
        id: "NTLM1",
        what: "says +OK where a challenge is due",
        fault: Server {
            says: |reply| reply.replace("+ \r\n", "+OK\r\n"),
            ..SOUND
        },
        also: &[],
    },
    Fault {
        id: "NTLM2",
        what: "leaves out the space before the challenge",
        fault: Server {
            says: |reply| reply.replace("+ T", "+T"),
            ..SOUND
        },
        also: &[],
    },
    Fault {
        id: "NTLM2",
        what: "reads base64 as upper case",
        fault: Server {
            reads: |line| {
                if line.starts_with("TlRM") {
                    line.to_uppercase()
                } else {
                    line.to_owned()
                }
            },
            ..SOUND
        },
        also: &[],
    },
    Fault {
        id: "NTLM4",
        what: "says +OK to a wrong password",
        fault: Server {
            says: |reply| reply.replace("-ERR [AUTH]", "+OK"),
            ..SOUND
        },
        also: &[],
    },
    Fault {
        id: "DELEG",
        what: "takes the part before the slash for the name",
        fault: Server {
            reads: |line| line.split('/').next().unwrap_or_default().to_owned(),
            ..SOUND
        },
        also: &[],
    },
];

#[test]
fn each_fault_fails_the_checks_of_its_requirement_and_no_other() {
    for fault in FAULTS {
        let found = found(CHECKS.iter(), |check: &Check<Server>| {
            let mut server = fault.fault;
            (check.run)(&mut server)
        });
        assert_eq!(compare(fault, &found), Ok(()));
    }
}
