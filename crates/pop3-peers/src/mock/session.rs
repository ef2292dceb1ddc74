//! A session from the greeting to QUIT.

use std::{path::PathBuf, time::Duration};

use super::{
    Failure, Flaw, Orders,
    flaw::Moment,
    journal::Journal,
    listing::{self, Wanted},
    wire::{Filled, Socket},
};

/// The longest accepted status line or line of a listing.
const MAX_LINE: usize = 2048;

/// The timeout of clients whose flaw is a short timeout: longer than a server on
/// a busy machine takes to answer.
pub(super) const IMPATIENCE: Duration = Duration::from_secs(3);

pub(super) struct Session {
    pub(super) flaw: Option<Flaw>,
    pub(super) wire: Socket,
    pub(super) maildir: PathBuf,
    /// The server's answer to STAT, which it repeats while the session is in
    /// step.
    pub(super) stat: Vec<u8>,
    /// Whether the server accepts pipelined commands.
    pipelining: bool,
    /// What earlier runs have stored.
    pub(super) journal: Journal,
    /// What earlier runs have requested.
    pub(super) attempts: Journal,
    /// Messages to store at the end, for flaws that wait until then.
    pub(super) held: Vec<(Wanted, Vec<u8>)>,
}

impl Session {
    pub(super) fn run(orders: &Orders) -> Result<(), Failure> {
        let beside = |name| orders.maildir.with_file_name(name);
        let mut session = Self {
            flaw: orders.flaw,
            wire: Socket::connect(&orders.host, orders.port)?,
            maildir: orders.maildir.clone(),
            stat: Vec::new(),
            pipelining: false,
            journal: Journal::open(beside("journal")),
            attempts: Journal::open(beside("attempts")),
            held: Vec::new(),
        };
        session.open(orders)?;
        session.says(Moment::AfterLogin)?;
        let mut first_failure = None;
        let mut fetched = Vec::new();
        let mut ahead = Vec::new();
        for wanted in listing::wanted(&mut session)? {
            if session.is_done_with(&wanted) {
                fetched.push(wanted.number);
                continue;
            }
            match session.pipelining {
                true => ahead.push(wanted),
                false => match session.fetch(std::slice::from_ref(&wanted)) {
                    Ok(()) => fetched.push(wanted.number),
                    Err(Failure::Said(_)) if session.has(Flaw::DeletesWithoutLooking) => {
                        fetched.push(wanted.number);
                    }
                    Err(Failure::Said(_)) if session.may_skip(&wanted) => {}
                    Err(failure) => return Err(failure),
                },
            }
            if session.has(Flaw::OnlyTheFirst) {
                break;
            }
        }
        if !ahead.is_empty() {
            session.fetch(&ahead)?;
        }
        fetched.extend(ahead.iter().map(|wanted| wanted.number));
        for number in fetched {
            let deleted = session.reply_to(&format!("DELE {number}"))?;
            if !is_positive(&deleted) {
                first_failure.get_or_insert("a message was not deleted");
            }
        }
        session.says(Moment::AtTheEnd)?;
        match session.ask("QUIT") {
            Err(Failure::Closed) if session.flaw == Some(Flaw::ListingEndsWithTheConnection) => {}
            quit => drop(quit?),
        }
        match (first_failure, session.flaw) {
            (Some(what), _) => Err(what.into()),
            (None, _) => session.store_held(),
        }
    }

    /// Reads the greeting, starts TLS and logs in.
    fn open(&mut self, orders: &Orders) -> Result<(), Failure> {
        let (user, password) = (&orders.user, &orders.password);
        if self.has(Flaw::SpeaksFirst) && orders.cafile.is_none() {
            self.wire
                .send(format!("USER {user}\r\nPASS {password}\r\n").as_bytes())?;
            for _ in 0..3 {
                positive(self.status()?)?;
            }
            return Ok(());
        }
        let greeting = self.status()?;
        let greeted = is_positive(&greeting);
        let ignored = self.has(Flaw::GreetingIgnored) || self.has(Flaw::RefusedGreetingMeansNoTls);
        if !greeted && !ignored {
            return Err("the greeting is no +OK".into());
        }
        let mut capabilities = self.capabilities()?;
        if let Some(cafile) = &orders.cafile
            && (greeted || !self.has(Flaw::RefusedGreetingMeansNoTls))
            && !self.start_tls(&orders.host, cafile)?
        {
            return self.log_in(user, password);
        }
        if orders.cafile.is_some() && !self.has(Flaw::KeepsCapabilities) {
            capabilities = self.capabilities()?;
        }
        self.pipelining = capabilities.iter().any(|line| line == b"PIPELINING");
        self.says(Moment::BeforeLogin)?;
        let sasl = capabilities.iter().any(|line| line.starts_with(b"SASL"));
        if sasl && self.has(Flaw::KeepsCapabilities) {
            self.ask("AUTH PLAIN")?;
        }
        if greeting.contains(&b'<') && self.has(Flaw::ApopByAnyStamp) {
            self.ask(&format!("APOP {user} c4c9334bac560ecc979e58001b3e22fb"))?;
        }
        self.log_in(user, password)
    }

    /// Starts TLS. Returns whether the connection is under TLS; if not, the
    /// login goes on without.
    fn start_tls(&mut self, host: &str, cafile: &std::path::Path) -> Result<bool, Failure> {
        self.wire.send(b"STLS\r\n")?;
        if self.has(Flaw::SilentStlsMeansClear)
            && self.wire.buffer.is_empty()
            && self.wire.fill(Some(IMPATIENCE))? == Filled::Nothing
        {
            return Ok(false);
        }
        if !is_positive(&self.status()?) {
            return match self.has(Flaw::StlsIsOptional) {
                true => Ok(false),
                false => Err("STLS was refused".into()),
            };
        }
        if self.has(Flaw::SpeaksClearAfterStls) {
            return Ok(true);
        }
        if !self.wire.buffer.is_empty() && !self.has(Flaw::KeepsPlaintextReplies) {
            return Err("octets came before TLS".into());
        }
        let any = self.has(Flaw::AnyCertificate);
        self.wire.start_tls(host, cafile, any)?;
        Ok(true)
    }

    fn log_in(&mut self, user: &str, password: &str) -> Result<(), Failure> {
        for command in [format!("USER {user}"), format!("PASS {password}")] {
            let answer = self.reply_to(&command)?;
            if !self.has(Flaw::LoginRefusalIgnored) {
                positive(answer)?;
            }
            if command.starts_with("USER") {
                self.says(Moment::AfterUser)?;
                if matches!(self.flaw, Some(Flaw::Says(Moment::AfterUser, _))) {
                    positive(self.reply_to(&command)?)?;
                }
            }
        }
        Ok(())
    }

    fn capabilities(&mut self) -> Result<Vec<Vec<u8>>, Failure> {
        loop {
            let Some(lines) = self.listing("CAPA")? else {
                return match self.has(Flaw::NeedsCapa) {
                    true => Err("the server has no CAPA".into()),
                    false => Ok(Vec::new()),
                };
            };
            let bare = |line: &Vec<u8>| line == b"IMPLEMENTATION";
            if self.has(Flaw::NeedsCapabilityArguments) && lines.iter().any(bare) {
                return Err("a capability lacks its argument".into());
            }
            let odd = |line: &Vec<u8>| line == b"foo";
            if !(self.has(Flaw::AsksCapaAgain) && lines.iter().any(odd)) {
                return Ok(lines);
            }
        }
    }

    /// Whether an earlier run has completed everything that comes before DELE.
    fn is_done_with(&self, wanted: &Wanted) -> bool {
        let id = wanted.unique_id.as_ref();
        let stored = self.journal.count(id) > 0 && !self.has(Flaw::ForgetsWhatItStored);
        stored || self.has(Flaw::GivesUp) && self.attempts.count(id) > 1
    }

    /// Whether the client skips a message that was refused.
    fn may_skip(&self, wanted: &Wanted) -> bool {
        match self.flaw {
            Some(Flaw::StatIsBelieved | Flaw::ListNumbersWrap | Flaw::UidlNumbersWrap) => {
                wanted.number != 1
            }
            _ => false,
        }
    }

    /// Sends a command that it should not send, and ignores the answer.
    fn says(&mut self, moment: Moment) -> Result<(), Failure> {
        let Some(Flaw::Says(at, line)) = self.flaw else {
            return Ok(());
        };
        if at != moment {
            return Ok(());
        }
        let answer = self.reply_to(line)?;
        let listing = matches!(line, "RETR  1" | "LIST" | "UIDL") || line.starts_with("TOP");
        if answer.starts_with(b"+") && listing {
            self.message(0)?;
        }
        if line.starts_with("QUIT") {
            // The server has closed.
            match moment {
                Moment::AtTheEnd => std::process::exit(0),
                _ => return Err(Failure::Closed),
            }
        }
        Ok(())
    }

    /// Sends a command that must succeed; returns the text after `+OK`.
    pub(super) fn ask(&mut self, command: &str) -> Result<Vec<u8>, Failure> {
        let status = positive(self.reply_to(command)?)?;
        let text = &status[3..];
        Ok(text.strip_prefix(b" ").unwrap_or(text).to_vec())
    }

    /// Reads a multi-line reply; returns nothing if it is refused.
    pub(super) fn listing(&mut self, command: &str) -> Result<Option<Vec<Vec<u8>>>, Failure> {
        if !is_positive(&self.reply_to(command)?) {
            return Ok(None);
        }
        let mut lines = Vec::new();
        loop {
            let line = match self.line() {
                Err(Failure::Closed) if self.has(Flaw::ListingEndsWithTheConnection) => break,
                line => line?,
            };
            match line.strip_prefix(b".") {
                Some(b"") => break,
                None if line == b"+OK" && self.has(Flaw::Impatient) => break,
                Some(line) => lines.push(line.to_vec()),
                None => lines.push(line),
            }
        }
        Ok(Some(lines))
    }

    pub(super) fn reply_to(&mut self, command: &str) -> Result<Vec<u8>, Failure> {
        self.wire.send(format!("{command}\r\n").as_bytes())?;
        self.status()
    }

    pub(super) fn status(&mut self) -> Result<Vec<u8>, Failure> {
        let status = self.line()?;
        if self.has(Flaw::RefusesLongStatus) && status.len() > 255 {
            return Err("a status line is too long".into());
        }
        let lax = self.has(Flaw::StatusEndsAtCrlfAlone) || self.has(Flaw::OddStatusIsData);
        if status.contains(&b'\n') && !lax {
            return Err("a bare LF in a status line".into());
        }
        Ok(status)
    }

    /// Reads a line without its CRLF.
    fn line(&mut self) -> Result<Vec<u8>, Failure> {
        let limit = match self.flaw {
            Some(Flaw::KeepsEndlessLines) => usize::MAX,
            Some(Flaw::StatusBuffer512) => 100_000,
            _ => MAX_LINE,
        };
        let mut scanned: usize = 0;
        loop {
            let from = scanned.saturating_sub(1);
            let end = self.wire.buffer[from..]
                .windows(2)
                .position(|two| two == b"\r\n");
            if let Some(end) = end.map(|end| end + from) {
                let mut line = self.wire.take(end + 2);
                line.truncate(end);
                return match end > limit {
                    true => Err("a line is too long".into()),
                    false => Ok(line),
                };
            }
            scanned = self.wire.buffer.len();
            if scanned > limit {
                return Err("a line is too long".into());
            }
            if scanned > 0 && self.has(Flaw::AReadIsAStatus) {
                return Err("half a line".into());
            }
            let time = self.has(Flaw::Impatient).then_some(IMPATIENCE);
            match self.wire.fill(time)? {
                Filled::Octets => {}
                Filled::End => return Err(Failure::Closed),
                Filled::Nothing => return Ok(b"+OK".to_vec()),
            }
        }
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}

pub(super) fn is_positive(status: &[u8]) -> bool {
    let rest = status.strip_prefix(b"+OK");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\t')))
}

pub(super) fn positive(status: Vec<u8>) -> Result<Vec<u8>, Failure> {
    match is_positive(&status) {
        true => Ok(status),
        false => Err(Failure::Said(format!("refused: {}", status.escape_ascii()))),
    }
}
