//! A session from the greeting to QUIT.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    Failure, Flaw, Orders, block,
    flaw::Moment,
    listing::{self, Wanted},
    wire::{Filled, Wire},
};

/// The longest status line, and line of a listing, that is taken.
const LINE_MAX: usize = 2048;

/// The longest line of a message, for who has such a limit.
const MAIL_LINE_MAX: usize = 500;

/// How long those wait who do not wait long.
const IMPATIENCE: Duration = Duration::from_millis(400);

/// How long a message may take, for who has such a limit.
const SLOW: Duration = Duration::from_millis(800);

pub(super) struct Session {
    pub(super) flaw: Option<Flaw>,
    wire: Wire,
    maildir: PathBuf,
    /// What is stored at the end, by those who wait for it.
    held: Vec<(u64, Vec<u8>)>,
}

impl Session {
    pub(super) fn run(orders: &Orders) -> Result<(), Failure> {
        let mut session = Self {
            flaw: orders.flaw,
            wire: Wire::connect(&orders.host, orders.port)?,
            maildir: orders.maildir.clone(),
            held: Vec::new(),
        };
        session.open(orders)?;
        session.says(Moment::AfterLogin)?;
        let mut first_failure = None;
        let mut fetched = Vec::new();
        for wanted in listing::wanted(&mut session)? {
            match session.fetch(&wanted) {
                Ok(()) => fetched.push(wanted.number),
                Err(Failure::Said(_)) if session.has(Flaw::DeletesWithoutLooking) => {
                    fetched.push(wanted.number);
                }
                Err(Failure::Said(_)) if session.may_skip(&wanted) => {}
                Err(failure) => return Err(failure),
            }
            if session.has(Flaw::OnlyTheFirst) {
                break;
            }
        }
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

    /// The greeting, TLS and the login.
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

    /// Whether the connection is under TLS now; if not, the login goes on.
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

    /// RETR, and the message into the Maildir.
    fn fetch(&mut self, wanted: &Wanted) -> Result<(), Failure> {
        let number = wanted.number;
        let status = self.reply_to(&format!("RETR {number}"))?;
        let mut message = Vec::new();
        let is_odd =
            !(status == b"+OK" || status.starts_with(b"+OK ") || status.starts_with(b"-ERR"));
        match self.flaw {
            Some(Flaw::RetrIsAlwaysPositive) if status.first() != Some(&b'+') => {}
            Some(Flaw::OddStatusIsData) if is_odd => {
                message = [&status[..], b"\r\n"].concat();
            }
            Some(Flaw::StatusBuffer512) if status.len() > 510 => {
                message = [&status[510..], b"\r\n"].concat();
            }
            Some(Flaw::StatusIsACString) if status.contains(&0) => {
                let nul = status.iter().position(|&octet| octet == 0).unwrap_or(0);
                message = [&status[nul..], b"\r\n"].concat();
            }
            Some(Flaw::EightBitStatusSkips) if !status.is_ascii() => std::process::exit(0),
            Some(Flaw::StatusEndsAtCrlfAlone) if status.starts_with(b"+OK\n") => {}
            Some(Flaw::RefusesABareOk) if status == b"+OK" => return Err("+OK and no text".into()),
            _ => drop(positive(status)?),
        }
        message.extend(self.message(number)?);
        if let Some(size) = wanted.size.and_then(|size| usize::try_from(size).ok()) {
            match self.flaw {
                Some(Flaw::TrustsSizes) => message.truncate(size),
                Some(Flaw::LargeSizeIsTruncation) if message.len() < size => {
                    return Err("the message is smaller than LIST says".into());
                }
                _ => {}
            }
        }
        if let (Some(Flaw::UidIsAPath), Some(id)) = (self.flaw, &wanted.unique_id) {
            let home = self.maildir.parent().map(PathBuf::from).unwrap_or_default();
            let _ = fs::write(home.join(String::from_utf8_lossy(id).into_owned()), b"seen");
        }
        match self.has(Flaw::StoresAfterQuit) {
            true => self.held.push((number, message)),
            false => self.store(number, &message)?,
        }
        Ok(())
    }

    /// The octets of a message, decoded.
    fn message(&mut self, number: u64) -> Result<Vec<u8>, Failure> {
        let began = Instant::now();
        let mut scanned = 0;
        let end = loop {
            if let Some(end) = block::end(&self.wire.buffer, scanned, self.flaw) {
                break end;
            }
            scanned = self.wire.buffer.len();
            let all = block::End {
                data: scanned,
                after: scanned,
            };
            let time = match self.flaw {
                Some(Flaw::Impatient | Flaw::DotCrEndsInTime) => Some(IMPATIENCE),
                _ => None,
            };
            if self.has(Flaw::StoresAsItComes) && scanned > 0 {
                fs::write(
                    self.maildir.join(format!("new/{number}")),
                    &self.wire.buffer,
                )?;
            }
            let filled = self.wire.fill(time)?;
            let buffer = &self.wire.buffer;
            let dotted = || {
                let line = buffer.rsplit(|&octet| octet == b'\n').next();
                line.is_some_and(|line| line.starts_with(b"."))
            };
            match (filled, self.flaw) {
                (Filled::End, Some(Flaw::ClosedIsTheEnd)) => break all,
                (Filled::End, Some(Flaw::ClosedAfterADotIsTheEnd)) if dotted() => break all,
                (Filled::End, Some(Flaw::SpinsAtTheEnd)) => self.spin()?,
                (Filled::End, _) => return Err(Failure::Closed),
                (Filled::Nothing, Some(Flaw::Impatient)) => break all,
                (Filled::Nothing, _) if buffer.ends_with(b"\r\n.\r") => break all,
                (Filled::Octets, Some(Flaw::SlowIsTheEnd)) if began.elapsed() > SLOW => break all,
                _ => {}
            }
        };
        let reads = self.wire.reads.clone();
        let mut wire = self.wire.take(end.after);
        wire.truncate(end.data);
        let long = |line: &[u8]| line.len() > MAIL_LINE_MAX;
        if self.has(Flaw::RefusesLongLines) && wire.split(|&octet| octet == b'\n').any(long) {
            return Err("a line of the message is too long".into());
        }
        let mut message = block::decode(&wire, &reads, self.flaw);
        if self.has(Flaw::JunkIntoTheMail) {
            let rest = self.wire.buffer.len();
            message.extend(self.wire.take(rest));
        }
        Ok(message)
    }

    /// Writes until somebody stops it.
    fn spin(&self) -> Result<(), Failure> {
        let mut file = fs::File::create(self.maildir.join("tmp/endless"))?;
        loop {
            file.write_all(&[b'\n'; 1 << 16])?;
        }
    }

    fn store(&self, number: u64, message: &[u8]) -> Result<(), Failure> {
        let name = (0..).map(|copy| self.maildir.join(format!("new/{number}.{copy}")));
        let free = name.into_iter().find(|path| !path.exists());
        let tmp = self.maildir.join(format!("tmp/{number}"));
        fs::write(&tmp, message)?;
        let path = match self.has(Flaw::StoresAsItComes) {
            true => self.maildir.join(format!("new/{number}")),
            false => free.ok_or("no name is free")?,
        };
        Ok(fs::rename(tmp, path)?)
    }

    fn store_held(&mut self) -> Result<(), Failure> {
        for (number, message) in std::mem::take(&mut self.held) {
            self.store(number, &message)?;
        }
        Ok(())
    }

    /// Whether a message that was refused is passed over.
    fn may_skip(&self, wanted: &Wanted) -> bool {
        match self.flaw {
            Some(Flaw::StatIsBelieved | Flaw::ListNumbersWrap | Flaw::UidlNumbersWrap) => {
                wanted.number != 1
            }
            _ => false,
        }
    }

    /// A command that it should not send, and whose answer it does not heed.
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
            std::process::exit(0);
        }
        Ok(())
    }

    /// A command that has to succeed; what follows `+OK`.
    pub(super) fn ask(&mut self, command: &str) -> Result<Vec<u8>, Failure> {
        let status = positive(self.reply_to(command)?)?;
        let text = &status[3..];
        Ok(text.strip_prefix(b" ").unwrap_or(text).to_vec())
    }

    /// A multi-line reply; nothing if it is refused.
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

    fn reply_to(&mut self, command: &str) -> Result<Vec<u8>, Failure> {
        self.wire.send(format!("{command}\r\n").as_bytes())?;
        self.status()
    }

    fn status(&mut self) -> Result<Vec<u8>, Failure> {
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

    /// A line without its CRLF.
    fn line(&mut self) -> Result<Vec<u8>, Failure> {
        let limit = match self.flaw {
            Some(Flaw::KeepsEndlessLines) => usize::MAX,
            Some(Flaw::StatusBuffer512) => 100_000,
            _ => LINE_MAX,
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

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}

fn is_positive(status: &[u8]) -> bool {
    let rest = status.strip_prefix(b"+OK");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\t')))
}

fn positive(status: Vec<u8>) -> Result<Vec<u8>, Failure> {
    match is_positive(&status) {
        true => Ok(status),
        false => Err(Failure::Said(format!("refused: {}", status.escape_ascii()))),
    }
}
