//! A connection to a server, command by command.

use std::{
    fmt,
    io::{self, BufReader, BufWriter, ErrorKind, Read, Write},
    net::{TcpStream, ToSocketAddrs as _},
    ops::Range,
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use dot_stuffing::{BareNewline, MultilineEncoder};

use super::{
    Address, LmtpServer,
    reply::{LINE, Malformed, Partial, Reply},
};
use crate::{
    delivery::spool::{BLOCK, read},
    disk::File,
};

/// How long to wait for the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    pub(super) greeting: Duration,
    pub(super) command: Duration,
    pub(super) data: Duration,
    /// For the server to read a piece of a message.
    pub(super) piece: Duration,
    /// For the reply to a message.
    pub(super) outcome: Duration,
    /// For the reply to QUIT, on which nothing depends.
    pub(super) quit: Duration,
}

impl Limits {
    /// As in RFC 5321 §4.5.3.2.
    pub(super) const STANDARD: Self = Self {
        connect: Duration::from_secs(300),
        greeting: Duration::from_secs(300),
        command: Duration::from_secs(300),
        data: Duration::from_secs(120),
        piece: Duration::from_secs(180),
        outcome: Duration::from_secs(600),
        quit: Duration::from_secs(5),
    };
}

/// A connection after LHLO.
pub(super) struct Connection {
    stream: BufReader<Stream>,
    limits: Limits,
    /// The command whose reply is due.
    after: &'static str,
    takes_sizes: bool,
    takes_8_bits: bool,
    /// Whether it is between two messages.
    is_between: bool,
}

/// A message in the spool.
pub(super) struct Message<'a, F> {
    pub(super) spool: &'a F,
    pub(super) octets: Range<u64>,
}

/// Why a connection cannot be used any more.
#[derive(Debug)]
pub(super) enum Broken {
    Unreachable(io::Error),
    /// The server does not want to talk.
    Refused {
        after: &'static str,
        reply: Reply,
    },
    Closed(Closed),
    TimedOut(&'static str),
    Malformed(String),
    /// The spool cannot be read.
    Spool(io::Error),
}

/// How a connection ended.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) after: &'static str,
    /// The last words of the server.
    pub(super) words: Vec<u8>,
}

impl Connection {
    pub(super) fn open(server: &LmtpServer, limits: Limits) -> Result<Self, Broken> {
        let mut this = Self {
            stream: BufReader::new(Stream::open(server, limits).map_err(Broken::Unreachable)?),
            limits,
            after: "the connection was made",
            takes_sizes: false,
            takes_8_bits: false,
            is_between: false,
        };
        let greeting = this.reply(limits.greeting)?;
        this.accept(greeting)?;
        // A server learns nothing from the name of a client that it lets in anyway.
        let hello = this.command("LHLO", "LHLO localhost", limits.command)?;
        let hello = this.accept(hello)?;
        this.takes_sizes = hello.announces(b"SIZE");
        this.takes_8_bits = hello.announces(b"8BITMIME");
        this.is_between = true;
        Ok(this)
    }

    pub(super) fn mail<F: File>(
        &mut self,
        sender: Option<&Address>,
        message: &Message<'_, F>,
    ) -> Result<Reply, Broken> {
        let sender = sender.map_or("", Address::as_str);
        let mut line = format!("MAIL FROM:<{sender}>");
        if self.takes_sizes {
            let octets = message.octets.end - message.octets.start;
            line.push_str(&format!(" SIZE={octets}"));
        }
        if self.takes_8_bits && message.has_8_bits().map_err(Broken::Spool)? {
            line.push_str(" BODY=8BITMIME");
        }
        self.is_between = false;
        let reply = self.answer("MAIL", &line)?;
        self.is_between = !reply.is_positive();
        Ok(reply)
    }

    pub(super) fn rcpt(&mut self, recipient: &Address) -> Result<Reply, Broken> {
        self.answer("RCPT", &format!("RCPT TO:<{recipient}>"))
    }

    pub(super) fn data(&mut self) -> Result<Reply, Broken> {
        let reply = self.command("DATA", "DATA", self.limits.data)?;
        match reply.is_go_ahead() || reply.is_negative() {
            true => Ok(reply),
            false => Err(self.unexpected(&reply)),
        }
    }

    /// Ends a transaction in which nothing was sent. If that fails, the connection
    /// [can no longer be used](Self::is_between).
    pub(super) fn reset(&mut self) {
        let reply = self.answer("RSET", "RSET");
        self.is_between = reply.is_ok_and(|reply| reply.is_positive());
    }

    /// Whether the next message may be sent.
    pub(super) const fn is_between(&self) -> bool {
        self.is_between
    }

    /// Sends the octets of a message, and the terminator.
    pub(super) fn send<F: File>(&mut self, message: &Message<'_, F>) -> Result<(), Broken> {
        self.after = "the message";
        // RFC 5321 §2.3.8: CR and LF may appear only together.
        let mut encoder = MultilineEncoder::new(BareNewline::Canonicalize);
        let mut to = BufWriter::with_capacity(BLOCK, self.stream.get_mut());
        let mut sent = Ok(());
        let copied = read(
            message.spool,
            message.octets.start,
            message.octets.end,
            |_, piece| {
                sent = encoder
                    .encode(piece)
                    .try_for_each(|octets| to.write_all(octets.map_err(io::Error::other)?));
                match &sent {
                    Ok(()) => Ok(()),
                    // Any error ends the copy.
                    Err(error) => Err(error.kind().into()),
                }
            },
        );
        let ended = match (sent, copied) {
            (Err(error), _) => Err(error),
            // Without the terminator, the server has no complete message.
            (Ok(()), Err(error)) => {
                let _unsent = to.into_parts();
                return Err(Broken::Spool(error));
            }
            (Ok(()), Ok(())) => encoder
                .finish()
                .map_err(io::Error::other)
                .and_then(|end| to.write_all(end))
                .and_then(|()| to.flush()),
        };
        let _unsent = to.into_parts();
        ended.map_err(|error| self.failed(&error))
    }

    /// Reads the reply for one recipient after the message.
    pub(super) fn outcome(&mut self) -> Result<Reply, Broken> {
        let reply = self.reply(self.limits.outcome)?;
        let reply = self.settle(reply)?;
        self.is_between = true;
        Ok(reply)
    }

    /// Sends a command that a positive reply ends.
    fn answer(&mut self, name: &'static str, line: &str) -> Result<Reply, Broken> {
        let reply = self.command(name, line, self.limits.command)?;
        self.settle(reply)
    }

    fn command(
        &mut self,
        name: &'static str,
        line: &str,
        limit: Duration,
    ) -> Result<Reply, Broken> {
        if !self.stream.buffer().is_empty() {
            let what = format!("unsolicited octets before {name}");
            return Err(Broken::Malformed(what));
        }
        self.after = name;
        let octets = format!("{line}\r\n");
        let sent = self.stream.get_mut().write_all(octets.as_bytes());
        sent.map_err(|error| self.failed(&error))?;
        let reply = self.reply(limit)?;
        match reply.closes() {
            true => Err(self.closed(reply.line())),
            false => Ok(reply),
        }
    }

    /// Refuses replies that end no command.
    fn settle(&self, reply: Reply) -> Result<Reply, Broken> {
        if reply.closes() {
            return Err(self.closed(reply.line()));
        }
        match reply.is_positive() || reply.is_negative() {
            true => Ok(reply),
            false => Err(self.unexpected(&reply)),
        }
    }

    /// Requires a positive reply before the first message.
    fn accept(&self, reply: Reply) -> Result<Reply, Broken> {
        match reply.is_positive() {
            true => Ok(reply),
            false => Err(Broken::Refused {
                after: self.after,
                reply,
            }),
        }
    }

    fn reply(&mut self, limit: Duration) -> Result<Reply, Broken> {
        let deadline = Instant::now() + limit;
        let mut partial = Partial::default();
        loop {
            let line = self.line(deadline)?;
            match partial.line(&line) {
                Ok(None) => {}
                Ok(Some(reply)) => return Ok(reply),
                Err(Malformed(what)) => return Err(Broken::Malformed(what)),
            }
        }
    }

    /// Reads a line, with its line end.
    fn line(&mut self, deadline: Instant) -> Result<Vec<u8>, Broken> {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            if line.len() == LINE {
                let what = format!("a line of a reply is longer than {LINE} octets");
                return Err(Broken::Malformed(what));
            }
            if self.stream.buffer().is_empty() {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(Broken::TimedOut(self.after));
                }
                let set = self.stream.get_ref().wait_at_most(left);
                set.map_err(|error| self.failed(&error))?;
            }
            // `bytes` reads again after a signal.
            match self.stream.by_ref().bytes().next() {
                Some(Ok(octet)) => line.push(octet),
                Some(Err(error)) => return Err(self.failed(&error)),
                None => return Err(self.closed(&[])),
            }
        }
        Ok(line)
    }

    fn failed(&self, error: &io::Error) -> Broken {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Broken::TimedOut(self.after),
            _ => self.closed(error.to_string().as_bytes()),
        }
    }

    fn closed(&self, words: &[u8]) -> Broken {
        Broken::Closed(Closed {
            after: self.after,
            words: words.to_vec(),
        })
    }

    fn unexpected(&self, reply: &Reply) -> Broken {
        Broken::Malformed(format!(
            "unexpected reply after {}: {}",
            self.after,
            reply.line().escape_ascii()
        ))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_between && self.stream.get_mut().write_all(b"QUIT\r\n").is_ok() {
            let _ = self.reply(self.limits.quit);
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(
                f,
                "cannot connect: {error}; start the LMTP server, or name another one with --to"
            ),
            Self::Refused { after, reply } => write!(
                f,
                "the LMTP server refuses the client after {after}: {}",
                reply.line().escape_ascii()
            ),
            Self::Closed(Closed { after, words }) if words.is_empty() => {
                write!(f, "the LMTP server closed the connection after {after}")
            }
            Self::Closed(Closed { after, words }) => write!(
                f,
                "the LMTP server closed the connection after {after}: {}",
                words.escape_ascii()
            ),
            Self::TimedOut(after) => write!(
                f,
                "the LMTP server did not answer in time after {after}; the next run tries again"
            ),
            Self::Malformed(what) => write!(f, "the LMTP server breaks the protocol: {what}"),
            Self::Spool(error) => write!(f, "cannot read the spool: {error}"),
        }
    }
}

impl<F: File> Message<'_, F> {
    fn has_8_bits(&self) -> io::Result<bool> {
        let mut has = false;
        read(
            self.spool,
            self.octets.start,
            self.octets.end,
            |_, octets| {
                has |= !octets.is_ascii();
                Ok(())
            },
        )?;
        Ok(has)
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn open(server: &LmtpServer, limits: Limits) -> io::Result<Self> {
        let (host, port) = match server {
            LmtpServer::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_write_timeout(Some(limits.piece))?;
                return Ok(Self::Unix(stream));
            }
            LmtpServer::Tcp(host, port) => (host, port),
        };
        let mut last = io::Error::other("the name has no address");
        for address in (&**host, *port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, limits.connect) {
                Ok(stream) => {
                    stream.set_write_timeout(Some(limits.piece))?;
                    stream.set_nodelay(true)?;
                    return Ok(Self::Tcp(stream));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn wait_at_most(&self, limit: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(Some(limit)),
            Self::Unix(stream) => stream.set_read_timeout(Some(limit)),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(octets),
            Self::Unix(stream) => stream.read(octets),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(octets),
            Self::Unix(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
