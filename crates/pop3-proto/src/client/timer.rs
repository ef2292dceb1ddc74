//! The deadline for what the session currently waits for.

use core::fmt;
use std::time::Instant;

use super::Timeouts;

/// What the session waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// The greeting (MS-STANOPOP3 C0002).
    Greeting,
    /// A reply, or the rest of one (C0005, C0006, C0014).
    Reply,
    /// The caller's next command.
    Idle,
    /// The handshake after STLS.
    Stls,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "the greeting",
            Self::Reply => "a reply",
            Self::Idle => "the next command",
            Self::Stls => "the TLS handshake",
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Timers {
    timeouts: Timeouts,
    /// What the session waits for, and since when.
    armed: Option<(Timer, Instant)>,
}

impl Timers {
    pub(super) const fn new(timeouts: Timeouts) -> Self {
        Self {
            timeouts,
            armed: None,
        }
    }

    /// Starts to wait at `now`.
    pub(super) const fn arm(&mut self, timer: Timer, now: Instant) {
        self.armed = Some((timer, now));
    }

    /// Starts to wait at `now`, unless it already waits for the same.
    pub(super) fn keep_or_arm(&mut self, timer: Timer, now: Instant) {
        if self.armed.is_none_or(|(armed, _)| armed != timer) {
            self.arm(timer, now);
        }
    }

    pub(super) const fn disarm(&mut self) {
        self.armed = None;
    }

    /// The deadline; `None` also if the clock cannot represent it.
    pub(super) fn due(&self) -> Option<Instant> {
        let (timer, since) = self.armed?;
        since.checked_add(match timer {
            Timer::Greeting => self.timeouts.greeting,
            Timer::Reply => self.timeouts.reply,
            Timer::Idle => self.timeouts.idle,
            Timer::Stls => self.timeouts.stls,
        })
    }

    pub(super) fn expired(&self, now: Instant) -> Option<Timer> {
        let (timer, _) = self.armed?;
        (now >= self.due()?).then_some(timer)
    }
}
