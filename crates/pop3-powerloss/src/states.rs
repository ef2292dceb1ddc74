//! Crash states: what a loss of power may leave of a record.

use std::fmt;

use crate::{
    disk::{Event, Image},
    random::Random,
    server::Maildrop,
};

/// What is left of a moment: the disks, and what the server has.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) images: Vec<Image>,
    pub(crate) maildrop: Maildrop,
}

/// What happened from a moment on.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) start: Moment,
    pub(crate) events: Vec<Event>,
}

/// What becomes of the writes that no flush has covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unflushed {
    All,
    None,
    /// Each is there or not.
    Some,
    /// Each is there, or not, or some of its sectors are.
    Torn,
}

/// A loss of power: before which event, and what it leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loss {
    pub(crate) before: usize,
    pub(crate) unflushed: Unflushed,
}

const SECTOR: usize = 512;

impl Record {
    /// Draws a loss. The end, and the moments just before a flush is done, are
    /// where most is at stake.
    pub(crate) fn draw(&self, random: &mut Random) -> Loss {
        let events = self.events.len();
        let before = match random.below(8) {
            0 => events,
            1..=3 => {
                let from = random.below(events);
                let next = self.events[from..]
                    .iter()
                    .position(|event| !matches!(event, Event::Write { .. }));
                next.map_or(events, |next| from + next + random.below(2))
            }
            _ => random.below(events + 1),
        };
        let unflushed = match random.below(6) {
            0 => Unflushed::All,
            1 | 2 => Unflushed::None,
            3 | 4 => Unflushed::Some,
            _ => Unflushed::Torn,
        };
        Loss { before, unflushed }
    }

    /// What that loss leaves.
    pub(crate) fn after(&self, loss: Loss, random: &mut Random) -> Moment {
        let mut left = self.start.clone();
        let events = &self.events[..loss.before];
        let safe: Vec<usize> = (0..left.images.len())
            .map(|disk| {
                let is_flush =
                    |event: &Event| matches!(event, Event::Flush { disk: of } if *of == disk);
                events.iter().rposition(is_flush).unwrap_or_default()
            })
            .collect();
        // Of a subset, much or little.
        let kept = 1 + random.below(9);
        for (number, event) in events.iter().enumerate() {
            match event {
                Event::Write { disk, at, octets } => {
                    let is_there = number < safe[*disk]
                        || match loss.unflushed {
                            Unflushed::All => true,
                            Unflushed::None => false,
                            Unflushed::Some | Unflushed::Torn => random.below(10) < kept,
                        };
                    let image = &mut left.images[*disk];
                    if is_there {
                        image.write(*at, octets);
                    } else if loss.unflushed == Unflushed::Torn && random.one_in(2) {
                        let mut at = *at;
                        for sector in octets.chunks(SECTOR) {
                            if random.one_in(2) {
                                image.write(at, sector);
                            }
                            at += sector.len() as u64;
                        }
                    }
                }
                Event::Deleted(unique_ids) => left.maildrop.delete(unique_ids),
                Event::Flush { .. } | Event::Ended(_) => {}
            }
        }
        left
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.unflushed {
            Unflushed::All => "all",
            Unflushed::None => "none",
            Unflushed::Some => "some",
            Unflushed::Torn => "parts",
        };
        write!(
            f,
            "power lost before event {}, {what} of the unflushed writes there",
            self.before
        )
    }
}
