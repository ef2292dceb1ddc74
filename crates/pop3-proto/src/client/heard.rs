//! The current or last line of the server.

use super::{Awaited, Pending, Request, pending::Progress};

/// The current or last first line of a reply.
#[derive(Debug)]
pub(super) struct Heard {
    octets: [u8; Pending::MAX_CAME],
    kept: usize,
    total: u64,
    last_is_cr: bool,
    has_crlf: bool,
    has_bare_lf: bool,
    /// Whether the line is complete, and so not part of the next reply.
    pub(super) is_whole: bool,
    /// Whether a login is outstanding or was the last command: the octets may
    /// repeat secrets.
    pub(super) may_repeat_secret: bool,
    /// The last answered request, and whether it was refused.
    last: Option<Request>,
    refused: bool,
}

impl Heard {
    pub(super) const fn new() -> Self {
        Self {
            octets: [0; Pending::MAX_CAME],
            kept: 0,
            total: 0,
            last_is_cr: false,
            has_crlf: false,
            has_bare_lf: false,
            is_whole: false,
            may_repeat_secret: false,
            last: None,
            refused: false,
        }
    }

    /// Begins another line.
    pub(super) const fn begin(&mut self) {
        self.kept = 0;
        self.total = 0;
        self.last_is_cr = false;
        self.has_crlf = false;
        self.has_bare_lf = false;
        self.is_whole = false;
        self.refused = false;
    }

    pub(super) fn push(&mut self, octets: &[u8]) {
        if !self.may_repeat_secret {
            let kept = octets.len().min(Pending::MAX_CAME - self.kept);
            self.octets[self.kept..self.kept + kept].copy_from_slice(&octets[..kept]);
            self.kept += kept;
        }
        for &octet in octets {
            if octet == b'\n' {
                self.has_crlf |= self.last_is_cr;
                self.has_bare_lf |= !self.last_is_cr;
            }
            self.last_is_cr = octet == b'\r';
        }
        self.total += octets.len() as u64;
    }

    /// Ends the first line of a reply.
    pub(super) const fn answered(&mut self, request: Request, positive: bool) {
        self.is_whole = true;
        self.last = Some(request);
        self.refused = !positive;
    }

    /// Returns what is pending, given the awaited reply and the octets of its
    /// `block`, if it has begun.
    pub(super) fn pending(&self, awaited: Awaited, block: Option<u64>) -> Pending {
        let progress = match block {
            Some(octets) => Progress::Block(octets),
            None if self.is_whole || self.total == 0 => Progress::Nothing {
                refused: self.last.filter(|_| self.refused),
            },
            None => Progress::Line,
        };
        Pending {
            awaited: match awaited {
                Awaited::Nothing(_) => Awaited::Nothing(self.last),
                awaited => awaited,
            },
            progress,
            came: self.octets[..self.kept].into(),
            total: self.total,
            ends_with_lf_alone: self.has_bare_lf && !self.has_crlf,
            // Octets that were not kept are hidden, including those of an earlier
            // line. If none came, no text mentions them.
            is_hidden: self.kept == 0,
        }
    }
}
