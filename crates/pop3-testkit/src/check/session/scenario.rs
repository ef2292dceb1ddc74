//! What a client's driver does, drawn from two octets.

use pop3_proto::{
    Argument, Command, LanguageRange, Mechanism, MessageNumber, Secret, client::Limits,
};

/// How much a wary client accepts.
const WARY: Limits = {
    let mut limits = Limits::DEFAULT;
    limits.message_octets = 8;
    limits.listing_octets = 24;
    limits.listing_entries = 2;
    limits.challenge_octets = 4;
    limits.challenges = 1;
    limits
};

/// What a client's driver does.
pub(super) struct Scenario {
    pub(super) outlook: bool,
    pub(super) silent: bool,
    /// Whether the next step waits for the end of a flight.
    pub(super) paced: bool,
    /// Whether it accepts little, and stops at a malformed line.
    pub(super) wary: bool,
    /// Whether it begins without TLS, and shows nothing secret then.
    pub(super) stls: bool,
    /// What the server says before the drawn octets.
    pub(super) prologue: &'static [u8],
    /// Which of [`RESPONSES`] is the first.
    pub(super) first_response: usize,
    /// What to do when all replies are there. Commands that stand together are
    /// sent together.
    pub(super) steps: Vec<Vec<Command<'static>>>,
}

impl Scenario {
    pub(super) fn new(header: u8, drawn: u8) -> Self {
        const LOGGED_IN: &[u8] = b"+OK\r\n\x01+OK\r\n\x01+OK\r\n\x01";
        const PIPELINING: &[u8] =
            b"+OK\r\n\x01+OK\r\n\x01+OK\r\n\x01+OK\r\nPIPELINING\r\n.\r\n\x01";
        let login = || {
            let name = Argument::new("mrose").map(Command::User);
            let password = Secret::new("tanstaaf").map(Command::Pass);
            [name, password].map(|command| vec![command.expect("an argument")])
        };
        let one = |command| vec![command];
        let (first, second) = (MessageNumber::FIRST, MessageNumber::new(2));
        let second = second.unwrap_or(first);
        let mut transaction = vec![
            Command::Stat,
            Command::List(None),
            Command::Uidl(None),
            Command::List(Some(second)),
            Command::Retr(first),
            Command::Dele(first),
            Command::Capa,
            Command::Top(first, 1),
            Command::Uidl(Some(second)),
            Command::Noop,
            Command::Retr(first),
            Command::Quit,
        ];
        let wary = header & 8 == 8;
        if wary {
            transaction.insert(6, Command::Rset);
        }
        let length = transaction.len();
        transaction.rotate_left(usize::from(header >> 4) % length);
        let (stls, prologue, steps): (bool, &'static [u8], Vec<_>) = match drawn % 5 {
            0 if wary => {
                let english = LanguageRange::new("en").expect("a language range");
                let mut steps = vec![Command::Utf8, Command::LangList, Command::Lang(english)];
                steps.extend([apop(), Command::LangList, Command::Stat, Command::Quit]);
                (false, &b""[..], steps.into_iter().map(one).collect())
            }
            0 => {
                let mut steps = vec![one(Command::Capa)];
                steps.extend(login());
                steps.extend([one(Command::Stat), one(Command::Quit)]);
                (false, &b""[..], steps)
            }
            1 => {
                let steps = login().into_iter();
                let steps = steps.chain(transaction.into_iter().map(one));
                (false, LOGGED_IN, steps.collect())
            }
            2 => {
                transaction.retain(|command| !matches!(command, Command::Quit | Command::Dele(_)));
                transaction.push(Command::Quit);
                let steps = login().into_iter();
                let steps = steps.chain([one(Command::Capa), transaction]);
                (false, PIPELINING, steps.collect())
            }
            3 => {
                let mut steps = vec![one(Command::Capa), one(Command::Stls), one(Command::Capa)];
                if wary {
                    // With UTF8, or with the greeting forgotten.
                    steps.insert(1, one(Command::Utf8));
                    steps.insert(3, one(apop()));
                }
                steps.extend(login());
                steps.push(one(Command::Quit));
                (true, b"+OK\r\n\x01", steps)
            }
            _ => {
                let auth = |octets: usize| Command::Auth {
                    mechanism: Mechanism::new("XOAUTH2").expect("a mechanism"),
                    initial_response: match octets {
                        0 => None,
                        _ => Secret::new(&TOKEN[..octets]).ok(),
                    },
                };
                let mut steps = vec![one(auth(0)), one(auth(240)), one(auth(241))];
                steps.extend([one(auth(0)), one(Command::Quit)]);
                if wary {
                    steps.insert(0, one(Command::AuthList));
                }
                steps.rotate_left(usize::from(header >> 4) % 4);
                (false, b"+OK\r\n\x01", steps)
            }
        };
        Self {
            outlook: header & 1 == 1,
            silent: header & 2 == 2,
            paced: header & 4 == 4,
            wary,
            stls,
            prologue,
            first_response: usize::from(header >> 6),
            steps,
        }
    }
    /// How much the client accepts.
    pub(super) const fn limits(&self) -> Limits {
        match self.wary {
            true => WARY,
            false => Limits::DEFAULT,
        }
    }
}

fn apop() -> Command<'static> {
    Command::Apop {
        name: Argument::new("mrose").expect("a name"),
        digest: Secret::new("c4c9334bac560ecc979e58001b3e22fb").expect("a digest"),
    }
}

/// Base64 for an initial response.
const TOKEN: &str = {
    const OCTETS: &[u8; 241] = &[b'A'; 241];
    match std::str::from_utf8(OCTETS) {
        Ok(token) => token,
        Err(_) => "",
    }
};

/// The answers to the challenges of a session, in turn.
pub(super) const RESPONSES: [&str; 4] = ["YWJj", "*", "", "*"];
