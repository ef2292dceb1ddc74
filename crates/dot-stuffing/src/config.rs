//! The configuration of a decoder: policies and limits.

/// Whether an irregularity is accepted or rejected.
///
/// ```
/// use dot_stuffing::{Config, Policy};
///
/// let strict = Config::new().unstuffed_dot(Policy::Reject);
/// assert_ne!(strict, Config::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Accept it.
    #[default]
    Accept,
    /// Reject it with a [`DecodeError`](crate::DecodeError).
    Reject,
}

/// What ends a line, and the policies for a bare CR and a bare LF.
///
/// The default is RFC 1939 §3: only CRLF ends a line; a bare CR or LF is an
/// ordinary octet.
///
/// ```
/// use dot_stuffing::{Config, ErrorKind, LineEndings, MultilineDecoder, Policy};
///
/// let strict = LineEndings::new().bare_lf(Policy::Reject);
/// let mut decoder = MultilineDecoder::with_config(Config::new().line_endings(strict));
/// let error = decoder.feed(&mut &b"a\nb\r\n.\r\n"[..]).find_map(Result::err).unwrap();
/// assert_eq!((error.kind(), error.offset()), (ErrorKind::BareLf, 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LineEndings {
    pub(crate) bare_cr: Policy,
    pub(crate) bare_lf: Policy,
    pub(crate) lf_terminates: bool,
}

impl LineEndings {
    /// Only CRLF ends a line; a bare CR or LF passes unchanged.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bare_cr: Policy::Accept,
            bare_lf: Policy::Accept,
            lf_terminates: false,
        }
    }

    /// Sets the policy for a CR that is not followed by LF.
    ///
    /// Reject it if the mail goes to software that accepts CR as a line end: there,
    /// a `.` between two CRs may end the message (RFC 5321 §2.3.8 forbids bare CR
    /// on the wire). The CR itself is returned before the next octet can show that
    /// it is bare.
    ///
    /// ```
    /// use dot_stuffing::{Config, ErrorKind, LineEndings, MultilineDecoder, Policy};
    ///
    /// let strict = LineEndings::new().bare_cr(Policy::Reject);
    /// let mut decoder = MultilineDecoder::with_config(Config::new().line_endings(strict));
    /// let mut input = &b"a\rb"[..];
    /// let mut feed = decoder.feed(&mut input);
    /// assert_eq!(feed.next(), Some(Ok(&b"a\r"[..])));
    /// assert_eq!(feed.next().unwrap().unwrap_err().kind(), ErrorKind::BareCr);
    /// ```
    #[must_use]
    pub const fn bare_cr(mut self, policy: Policy) -> Self {
        self.bare_cr = policy;
        self
    }

    /// Sets the policy for an LF that is not preceded by CR.
    ///
    /// Reject it if the mail goes to software that accepts LF as a line end: SMTP
    /// smuggling uses LF-dot-LF (RFC 5321 §2.3.8 forbids bare LF on the wire). This
    /// takes precedence over
    /// [`dangerous_lf_terminates`](Self::dangerous_lf_terminates).
    #[must_use]
    pub const fn bare_lf(mut self, policy: Policy) -> Self {
        self.bare_lf = policy;
        self
    }

    /// Sets whether a bare LF ends a line, so that LF-dot-LF ends a block and a dot
    /// after a bare LF is removed.
    ///
    /// Use this only with peers that always send LF alone. It is dangerous because
    /// a message stored with a bare LF before a dot ends early: the sender of a
    /// mail decides where your reader ends it, and the rest is read as the server's
    /// replies.
    ///
    /// ```
    /// use dot_stuffing::{Config, LineEndings, MultilineDecoder};
    ///
    /// let lenient = LineEndings::new().dangerous_lf_terminates(true);
    /// let mut decoder = MultilineDecoder::with_config(Config::new().line_endings(lenient));
    /// let message: Vec<_> = decoder.feed(&mut &b"a\n..b\n.\n"[..]).collect::<Result<_, _>>()?;
    /// assert_eq!(message.concat(), b"a\n.b\n");
    /// assert!(decoder.finish().is_ok());
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    #[must_use]
    pub const fn dangerous_lf_terminates(mut self, yes: bool) -> Self {
        self.lf_terminates = yes;
        self
    }

    /// Whether a bare LF ends a line: one that is rejected does not.
    pub(crate) const fn lf_ends_lines(self) -> bool {
        self.lf_terminates && matches!(self.bare_lf, Policy::Accept)
    }

    /// Whether a search for CRLF-dot finds everything that matters.
    pub(crate) const fn only_crlf_matters(self) -> bool {
        matches!(
            (self.bare_cr, self.bare_lf, self.lf_terminates),
            (Policy::Accept, Policy::Accept, false)
        )
    }

    /// Whether CR and LF occur only as CRLF.
    pub(crate) const fn only_crlf_passes(self) -> bool {
        matches!(
            (self.bare_cr, self.bare_lf),
            (Policy::Reject, Policy::Reject)
        )
    }
}

/// What a decoder may look for after a stuffed dot, in place of each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortcut {
    /// It must see each event.
    None,
    /// The next CRLF-dot.
    CrlfDot,
    /// The next CR or LF, which must begin a CRLF-dot.
    OnlyCrlf,
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
/// let mut input = &b"12345\r\n.\r\n"[..];
/// let mut feed = decoder.feed(&mut input);
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
    /// RFC 1939 §3, without limits.
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

    /// RFC 1939 §3: the same as [`new`](Self::new). A bare CR or LF is an octet like
    /// any other, because mailboxes contain them, and a client that cannot read one
    /// message cannot delete it.
    ///
    /// ```
    /// use dot_stuffing::{Config, MultilineDecoder};
    ///
    /// let mut decoder = MultilineDecoder::with_config(Config::pop3());
    /// let message: Vec<_> = decoder.feed(&mut &b"a\n.\n\r\n.\r\n"[..]).collect::<Result<_, _>>()?;
    /// assert_eq!(message.concat(), b"a\n.\n\r\n");
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    #[must_use]
    pub const fn pop3() -> Self {
        Self::new()
    }

    /// The mail after DATA in SMTP, for a server: a bare CR or LF is rejected (RFC
    /// 5321 §2.3.8), because the next server might see the end of the mail there. A
    /// single dot before other octets is removed (§4.5.2).
    ///
    /// It has no limits. The 1,000 octets of a line (§4.5.3.1.6) are the least that a
    /// receiver must accept, and §4.5.3.1 asks for as few limits as possible. Set
    /// [`max_octets`](Self::max_octets) to the size that you announce (RFC 1870), and
    /// answer 552 if it is exceeded. Before that reply,
    /// [`skip_to_end`](crate::MultilineDecoder::skip_to_end) finds the end of the
    /// mail.
    ///
    /// ```
    /// use dot_stuffing::{Config, ErrorKind, MultilineDecoder};
    ///
    /// let mut decoder = MultilineDecoder::with_config(Config::smtp());
    /// let mut input = &b"mail\n.\nMAIL FROM:<forged@example>\r\n.\r\n"[..];
    /// let error = decoder.feed(&mut input).find_map(Result::err).unwrap();
    /// assert_eq!((error.kind(), error.offset()), (ErrorKind::BareLf, 4));
    /// ```
    #[must_use]
    pub const fn smtp() -> Self {
        let strict = LineEndings::new()
            .bare_cr(Policy::Reject)
            .bare_lf(Policy::Reject);
        Self::new().line_endings(strict)
    }

    /// A multi-line data block of NNTP: a bare CR or LF is rejected (RFC 3977
    /// §3.1.1, rule 1). A single dot before other octets is removed (rule 5). There
    /// is no limit (§3.1.1 places none on lines).
    ///
    /// The same rule forbids NUL, which the decoder passes;
    /// [`Inspector`](crate::Inspector) finds it.
    ///
    /// ```
    /// use dot_stuffing::{Config, ErrorKind, MultilineDecoder};
    ///
    /// let mut decoder = MultilineDecoder::with_config(Config::nntp());
    /// let mut input = &b"article\r.\r\n.\r\n"[..];
    /// let error = decoder.feed(&mut input).find_map(Result::err).unwrap();
    /// assert_eq!((error.kind(), error.offset()), (ErrorKind::BareCr, 7));
    /// ```
    #[must_use]
    pub const fn nntp() -> Self {
        // The rules of SMTP for line ends.
        Self::smtp()
    }

    /// The same rules for the end of a block, without anything that rejects.
    pub(crate) const fn without_refusals(&self) -> Self {
        let lf_ends_lines = self.line_endings.lf_ends_lines();
        Self::new()
            .line_endings(LineEndings::new().dangerous_lf_terminates(lf_ends_lines))
            .dot_line_ends(self.dot_line_ends)
    }

    /// The shortcut for stuffed lines under this configuration.
    pub(crate) const fn shortcut(&self) -> Shortcut {
        if matches!(self.unstuffed_dot, Policy::Reject) || self.max_line_octets != u64::MAX {
            Shortcut::None
        } else if self.line_endings.only_crlf_matters() {
            Shortcut::CrlfDot
        } else if self.line_endings.only_crlf_passes() {
            Shortcut::OnlyCrlf
        } else {
            Shortcut::None
        }
    }

    /// Sets what ends a line.
    #[must_use]
    pub const fn line_endings(mut self, line_endings: LineEndings) -> Self {
        self.line_endings = line_endings;
        self
    }

    /// Sets the policy for a line that begins with one dot followed by other
    /// octets, such as `.x`, which a sender that stuffs dots never sends.
    ///
    /// If it is accepted, the dot is removed, as RFC 1939 §3 and MS-STANOPOP3 V0002
    /// say. Reject it to detect senders that do not stuff: their blocks may end at
    /// a line of the message itself.
    ///
    /// ```
    /// use dot_stuffing::{Config, ErrorKind, MultilineDecoder, Policy};
    ///
    /// let config = Config::new().unstuffed_dot(Policy::Reject);
    /// let mut decoder = MultilineDecoder::with_config(config);
    /// let error = decoder.feed(&mut &b"..a\r\n.b\r\n"[..]).find_map(Result::err).unwrap();
    /// assert_eq!((error.kind(), error.offset()), (ErrorKind::UnstuffedDot, 5));
    /// ```
    #[must_use]
    pub const fn unstuffed_dot(mut self, policy: Policy) -> Self {
        self.unstuffed_dot = policy;
        self
    }

    /// Sets whether any line that begins with a dot ends the block. The rest of
    /// that line is read and dropped.
    ///
    /// Outlook reads the replies to LIST, UIDL and CAPA in this way, because their
    /// lines never begin with a dot (MS-STANOPOP3 V0002). Do not use it for
    /// messages.
    ///
    /// ```
    /// use dot_stuffing::{Config, MultilineDecoder};
    ///
    /// let mut decoder = MultilineDecoder::with_config(Config::new().dot_line_ends(true));
    /// let mut input = &b"TOP\r\n.anything\r\n+OK"[..];
    /// let mut feed = decoder.feed(&mut input);
    /// assert_eq!(feed.next(), Some(Ok(&b"TOP\r\n"[..])));
    /// assert_eq!(feed.next(), None);
    /// assert_eq!(input, b"+OK");
    /// ```
    #[must_use]
    pub const fn dot_line_ends(mut self, yes: bool) -> Self {
        self.dot_line_ends = yes;
        self
    }

    /// Sets the maximum number of octets of a decoded block. The default is no
    /// limit.
    ///
    /// The octets up to the limit are returned before the error.
    #[must_use]
    pub const fn max_octets(mut self, octets: u64) -> Self {
        self.max_octets = octets;
        self
    }

    /// Sets the maximum number of octets of a decoded line, including its line end
    /// but not a removed dot. The default is no limit; RFC 5321 §4.5.3.1.6 limits
    /// senders to 1,000, but many send more. The terminator does not count. In a
    /// line that [`dot_line_ends`](Self::dot_line_ends) drops, the dot and the line
    /// end do not count.
    ///
    /// The octets up to the limit are returned before the error.
    ///
    /// ```
    /// use dot_stuffing::{Config, ErrorKind, MultilineDecoder};
    ///
    /// let mut decoder = MultilineDecoder::with_config(Config::new().max_line_octets(4));
    /// let error = decoder.feed(&mut &b"ab\r\n..ab\r\n"[..]).find_map(Result::err).unwrap();
    /// assert_eq!((error.kind(), error.offset()), (ErrorKind::LineTooLong, 9));
    /// ```
    #[must_use]
    pub const fn max_line_octets(mut self, octets: u64) -> Self {
        self.max_line_octets = octets;
        self
    }
}
