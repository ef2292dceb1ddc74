//! RETR, one message at a time or pipelined, and the Maildir.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    Failure, Flaw, block,
    listing::Wanted,
    session::{IMPATIENCE, Session, positive},
    wire::Filled,
};

/// The longest line of a message, for flaws with such a limit.
const MAIL_LINE_MAX: usize = 500;

/// The time limit of a message, for flaws with such a limit.
const SLOW: Duration = Duration::from_secs(4);

impl Session {
    /// Sends RETR for each message, and stores the messages only once the
    /// session is known to be in step.
    pub(super) fn fetch(&mut self, batch: &[Wanted]) -> Result<(), Failure> {
        let commands = batch.iter().map(|one| format!("RETR {}\r\n", one.number));
        self.wire.send(commands.collect::<String>().as_bytes())?;
        let mut received = Vec::new();
        for (at, wanted) in batch.iter().enumerate() {
            if self.has(Flaw::GivesUp) {
                self.attempts.add(wanted.unique_id.as_ref())?;
            }
            let message = self.retrieve(wanted, at > 0)?;
            match self.flaw {
                Some(Flaw::StoresOutOfStep) => self.keep(wanted, message)?,
                _ => received.push((wanted, message)),
            }
            if self.has(Flaw::JournalsOutOfStep) {
                self.journal.add(wanted.unique_id.as_ref())?;
            }
        }
        self.witness()?;
        for (wanted, message) in received {
            self.keep(wanted, message)?;
        }
        Ok(())
    }

    /// Reads the answer to RETR; `follows` says that it is pipelined after
    /// another.
    fn retrieve(&mut self, wanted: &Wanted, follows: bool) -> Result<Vec<u8>, Failure> {
        let status = self.status()?;
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
            Some(Flaw::MissesAStatus) if follows && !status.starts_with(b"+OK") => {
                message = [&status[..], b"\r\n"].concat();
            }
            Some(Flaw::EightBitStatusSkips) if !status.is_ascii() => std::process::exit(0),
            Some(Flaw::StatusEndsAtCrlfAlone) if status.starts_with(b"+OK\n") => {}
            Some(Flaw::RefusesABareOk) if status == b"+OK" => return Err("+OK and no text".into()),
            _ => drop(positive(status)?),
        }
        message.extend(self.message(wanted.number)?);
        if let Some(size) = wanted.size.and_then(|size| usize::try_from(size).ok()) {
            match self.flaw {
                Some(Flaw::TrustsSizes) => message.truncate(size),
                Some(Flaw::LargeSizeIsTruncation) if message.len() < size => {
                    // No error here: the user does not learn of the message.
                    std::process::exit(0);
                }
                _ => {}
            }
        }
        if let (Some(Flaw::UidIsAPath), Some(id)) = (self.flaw, &wanted.unique_id) {
            let home = self.maildir.parent().map(PathBuf::from).unwrap_or_default();
            let _ = fs::write(home.join(String::from_utf8_lossy(id).into_owned()), b"seen");
        }
        Ok(message)
    }

    /// Checks that every answer belongs to its command: STAT must get the same
    /// answer as at first. Any unsolicited reply would be taken for this
    /// answer.
    fn witness(&mut self) -> Result<(), Failure> {
        if self.flaw.is_some_and(Flaw::needs_no_witness) {
            return Ok(());
        }
        match self.ask("STAT") {
            Ok(stat) if stat == self.stat => Ok(()),
            Err(Failure::Closed) => Err(Failure::Closed),
            _ => Err(Failure::OutOfStep),
        }
    }

    /// Stores a message in the Maildir and then in the journal.
    fn keep(&mut self, wanted: &Wanted, message: Vec<u8>) -> Result<(), Failure> {
        if self.has(Flaw::StoresAfterQuit) {
            self.held.push((wanted.clone(), message));
            return Ok(());
        }
        self.store(wanted.number, &message)?;
        self.journal.add(wanted.unique_id.as_ref())
    }

    /// Reads and decodes the octets of a message.
    pub(super) fn message(&mut self, number: u64) -> Result<Vec<u8>, Failure> {
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

    /// Writes until it is killed.
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

    pub(super) fn store_held(&mut self) -> Result<(), Failure> {
        for (wanted, message) in std::mem::take(&mut self.held) {
            self.store(wanted.number, &message)?;
        }
        Ok(())
    }
}
