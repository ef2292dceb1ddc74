//! Everything a decoder can be told: policies and limits.

/// Whether an irregularity is let through or refused.
///
/// ```
/// use dot_stuffing::{Config, Policy};
///
/// let strict = Config::new().unstuffed_dot(Policy::Reject);
/// assert_ne!(strict, Config::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Let it through.
    #[default]
    Accept,
    /// Refuse it with a [`DecodeError`](crate::DecodeError).
    Reject,
}

/// What counts as the end of a line, and what becomes of a CR or LF that
/// stands alone.
///
/// The default is RFC 1939 §3: CRLF ends a line, and nothing else does; a lone
/// CR or LF is an octet like any other.
///
/// ```
/// use dot_stuffing::{Config, ErrorKind, LineEndings, MultilineDecoder, Policy};
///
/// let strict = LineEndings::new().bare_lf(Policy::Reject);
/// let mut decoder = MultilineDecoder::with_config(Config::new().line_endings(strict));
/// let error = decoder.feed(b"a\nb\r\n.\r\n").find_map(Result::err).unwrap();
/// assert_eq!((error.kind(), error.offset()), (ErrorKind::BareLf, 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LineEndings {
    pub(crate) bare_cr: Policy,
    pub(crate) bare_lf: Policy,
    pub(crate) lf_terminates: bool,
}

impl LineEndings {
    /// CRLF ends a line; a bare CR or LF passes untouched.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bare_cr: Policy::Accept,
            bare_lf: Policy::Accept,
            lf_terminates: false,
        }
    }

    /// What to do with a CR that no LF follows.
    ///
    /// Reject it where mail goes on to software that takes CR for a line end:
    /// a `.` between two of them may end the message there (RFC 5321 §2.3.8
    /// forbids them on the wire). The CR itself is handed out before the octet
    /// after it can show that it was bare.
    ///
    /// ```
    /// use dot_stuffing::{Config, ErrorKind, LineEndings, MultilineDecoder, Policy};
    ///
    /// let strict = LineEndings::new().bare_cr(Policy::Reject);
    /// let mut decoder = MultilineDecoder::with_config(Config::new().line_endings(strict));
    /// let mut feed = decoder.feed(b"a\rb");
    /// assert_eq!(feed.next(), Some(Ok(&b"a\r"[..])));
    /// assert_eq!(feed.next().unwrap().unwrap_err().kind(), ErrorKind::BareCr);
    /// ```
    #[must_use]
    pub const fn bare_cr(mut self, policy: Policy) -> Self {
        self.bare_cr = policy;
        self
    }

    /// What to do with an LF that no CR precedes.
    ///
    /// Reject it where mail goes on to software that takes LF for a line end:
    /// LF-dot-LF is what SMTP smuggling is made of (RFC 5321 §2.3.8 forbids
    /// it on the wire). Takes precedence over
    /// [`dangerous_lf_terminates`](Self::dangerous_lf_terminates).
    #[must_use]
    pub const fn bare_lf(mut self, policy: Policy) -> Self {
        self.bare_lf = policy;
        self
    }

    /// Lets an LF end a line also where no CR precedes it, so that LF-dot-LF
    /// ends a block and a dot after a bare LF is removed.
    ///
    /// Only for peers known to send LF alone throughout. Dangerous, because a
    /// message stored with a bare LF before a dot then ends early: the sender
    /// of a mail decides where your reader believes that it stops, and what
    /// follows is taken for the server's words.
    ///
    /// ```
    /// use dot_stuffing::{Config, LineEndings, MultilineDecoder};
    ///
    /// let lenient = LineEndings::new().dangerous_lf_terminates(true);
    /// let mut decoder = MultilineDecoder::with_config(Config::new().line_endings(lenient));
    /// let message: Vec<_> = decoder.feed(b"a\n..b\n.\n").collect::<Result<_, _>>()?;
    /// assert_eq!(message.concat(), b"a\n.b\n");
    /// assert!(decoder.finish().is_ok());
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    #[must_use]
    pub const fn dangerous_lf_terminates(mut self, yes: bool) -> Self {
        self.lf_terminates = yes;
        self
    }

    /// Whether a scan that looks for CRLF-dot alone sees all that matters.
    pub(crate) const fn only_crlf_matters(self) -> bool {
        matches!(
            (self.bare_cr, self.bare_lf, self.lf_terminates),
            (Policy::Accept, Policy::Accept, false)
        )
    }
}

/// How a [`MultilineDecoder`](crate::MultilineDecoder) reads a block: policies
/// and limits, chosen at run time.
///
/// The default is RFC 1939 §3 without limits.
///
/// ```
/// use dot_stuffing::{Config, ErrorKind, MultilineDecoder};
///
/// let config = Config::new().max_octets(4);
/// let mut decoder = MultilineDecoder::with_config(config);
/// let mut feed = decoder.feed(b"12345\r\n.\r\n");
/// assert_eq!(feed.next(), Some(Ok(&b"1234"[..])));
/// let error = feed.next().unwrap().unwrap_err();
/// assert_eq!((error.kind(), error.offset()), (ErrorKind::TooLong, 4));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    pub(crate) line_endings: LineEndings,
    pub(crate) unstuffed_dot: Policy,
    pub(crate) dot_line_ends: bool,
    pub(crate) max_octets: u64,
    pub(crate) max_line_octets: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// RFC 1939 §3, no limits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            line_endings: LineEndings::new(),
            unstuffed_dot: Policy::Accept,
            dot_line_ends: false,
            max_octets: u64::MAX,
            max_line_octets: u64::MAX,
        }
    }

    /// Whether nothing but CRLF-dot and `max_octets` needs attention, up to a
    /// dot that ends the block.
    pub(crate) const fn has_fast_path(&self) -> bool {
        self.line_endings.only_crlf_matters()
            && matches!(self.unstuffed_dot, Policy::Accept)
            && self.max_line_octets == u64::MAX
    }

    /// What ends a line.
    #[must_use]
    pub const fn line_endings(mut self, line_endings: LineEndings) -> Self {
        self.line_endings = line_endings;
        self
    }

    /// What to do with a line that begins with one dot and goes on, such as
    /// `.x`, which no sender that stuffs can produce.
    ///
    /// Accepted, its dot is removed, as RFC 1939 §3 and MS-STANOPOP3 V0002
    /// say. Reject it to find senders that do not stuff: what they send may
    /// end at a line of the message itself.
    ///
    /// ```
    /// use dot_stuffing::{Config, ErrorKind, MultilineDecoder, Policy};
    ///
    /// let config = Config::new().unstuffed_dot(Policy::Reject);
    /// let mut decoder = MultilineDecoder::with_config(config);
    /// let error = decoder.feed(b"..a\r\n.b\r\n").find_map(Result::err).unwrap();
    /// assert_eq!((error.kind(), error.offset()), (ErrorKind::UnstuffedDot, 5));
    /// ```
    #[must_use]
    pub const fn unstuffed_dot(mut self, policy: Policy) -> Self {
        self.unstuffed_dot = policy;
        self
    }

    /// Ends the block at any line that begins with a dot; the rest of that
    /// line is read and dropped.
    ///
    /// This is how Outlook reads the answers to LIST, UIDL and CAPA, whose
    /// lines never begin with a dot (MS-STANOPOP3 V0002). Never for messages.
    ///
    /// ```
    /// use dot_stuffing::{Config, MultilineDecoder};
    ///
    /// let mut decoder = MultilineDecoder::with_config(Config::new().dot_line_ends(true));
    /// let mut feed = decoder.feed(b"TOP\r\n.anything\r\n+OK");
    /// assert_eq!(feed.next(), Some(Ok(&b"TOP\r\n"[..])));
    /// assert_eq!(feed.next(), None);
    /// assert_eq!(feed.rest(), b"+OK");
    /// ```
    #[must_use]
    pub const fn dot_line_ends(mut self, yes: bool) -> Self {
        self.dot_line_ends = yes;
        self
    }

    /// The most octets a decoded block may have. Unlimited at first.
    ///
    /// The octets up to the limit are handed out before the error.
    #[must_use]
    pub const fn max_octets(mut self, octets: u64) -> Self {
        self.max_octets = octets;
        self
    }

    /// The most octets a decoded line may have, its line end included, a
    /// removed dot not. Unlimited at first; RFC 5321 §4.5.3.1.6 asks senders
    /// to keep to 1,000, and many do not.
    ///
    /// The octets up to the limit are handed out before the error.
    ///
    /// ```
    /// use dot_stuffing::{Config, ErrorKind, MultilineDecoder};
    ///
    /// let mut decoder = MultilineDecoder::with_config(Config::new().max_line_octets(4));
    /// let error = decoder.feed(b"ab\r\n..ab\r\n").find_map(Result::err).unwrap();
    /// assert_eq!((error.kind(), error.offset()), (ErrorKind::LineTooLong, 9));
    /// ```
    #[must_use]
    pub const fn max_line_octets(mut self, octets: u64) -> Self {
        self.max_line_octets = octets;
        self
    }
}
