//! The line of the server that comes, or came last.

use super::{Awaited, Pending, Request, pending::Progress};

/// The first line that comes, or came last.
#[derive(Debug)]
pub(super) struct Heard {
    octets: [u8; Pending::MAX_CAME],
    kept: usize,
    total: u64,
    last_is_cr: bool,
    has_crlf: bool,
    has_bare_lf: bool,
    /// The line is whole: it is no part of what is awaited any more.
    pub(super) is_whole: bool,
    /// A login is on its way, or nothing was answered after it: the octets may
    /// repeat what was sent.
    pub(super) may_repeat_secret: bool,
    /// The last request that was answered, and whether it was refused.
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

    /// Another line begins.
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
        let free = Pending::MAX_CAME - self.kept;
        if !self.may_repeat_secret && free > 0 {
            let kept = octets.len().min(free);
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

    /// The first line of a reply is whole.
    pub(super) const fn answered(&mut self, request: Request, positive: bool) {
        self.is_whole = true;
        self.last = Some(request);
        self.refused = !positive;
    }

    /// What is pending, while `awaited` is due and of its block, if that has
    /// begun, so many octets came.
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
            // Hidden is what was not kept, also of a line before.
            is_hidden: self.kept == 0 && self.total > 0,
        }
    }
}
