//! Deadlines: one at a time, for what the session waits for now.

use core::fmt;
use std::time::Instant;

use super::Timeouts;

/// What was waited for.
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
    armed: Option<(Timer, Instant)>,
}

impl Timers {
    pub(super) const fn new(timeouts: Timeouts) -> Self {
        Self {
            timeouts,
            armed: None,
        }
    }

    /// Waits anew, from `now` on.
    pub(super) fn arm(&mut self, timer: Timer, now: Instant) {
        let timeout = match timer {
            Timer::Greeting => self.timeouts.greeting,
            Timer::Reply => self.timeouts.reply,
            Timer::Idle => self.timeouts.idle,
            Timer::Stls => self.timeouts.stls,
        };
        // A time beyond what the clock can show never comes.
        self.armed = now.checked_add(timeout).map(|due| (timer, due));
    }

    /// Waits from `now` on, unless it waits for the same already.
    pub(super) fn keep_or_arm(&mut self, timer: Timer, now: Instant) {
        if self.armed.is_none_or(|(armed, _)| armed != timer) {
            self.arm(timer, now);
        }
    }

    pub(super) const fn disarm(&mut self) {
        self.armed = None;
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.armed.map(|(_, due)| due)
    }

    pub(super) fn expired(&self, now: Instant) -> Option<Timer> {
        let (timer, due) = self.armed?;
        (now >= due).then_some(timer)
    }
}
