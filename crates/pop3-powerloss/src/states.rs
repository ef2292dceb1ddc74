//! Crash states: the possible remains of a record after a loss of power.

use std::fmt;

use crate::{
    disk::{Event, Image},
    random::Random,
    server::Maildrop,
};

/// The state at a moment: the disks, and the maildrop of the server.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) images: Vec<Image>,
    pub(crate) maildrop: Maildrop,
}

/// The events after a moment.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) start: Moment,
    pub(crate) events: Vec<Event>,
}

/// The fate of the writes that no flush has covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unflushed {
    All,
    None,
    /// Each write is on the disk or not.
    Some,
    /// Each write is on the disk, or not, or only some of its sectors are.
    Torn,
}

/// A loss of power: the event before which it occurs, and what it leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loss {
    pub(crate) before: usize,
    pub(crate) unflushed: Unflushed,
}

const SECTOR: usize = 512;

impl Record {
    /// Draws a loss. Errors are most likely at the end, and just before a flush is
    /// done.
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

    /// Returns the state that a loss leaves.
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
        // A subset may have many writes or few.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn write(disk: usize, at: u64, octet: u8) -> Event {
        Event::Write {
            disk,
            at,
            octets: vec![octet; 1024].into(),
        }
    }

    fn record() -> Record {
        let start = Moment {
            images: vec![Image::zero(8192), Image::zero(8192)],
            maildrop: Maildrop::default(),
        };
        let events = vec![
            write(0, 0, 1),
            write(1, 0, 1),
            Event::Flush { disk: 0 },
            write(0, 2048, 2),
            write(1, 2048, 2),
        ];
        Record { start, events }
    }

    /// Returns what each disk has of its first and its second write.
    fn left(before: usize, unflushed: Unflushed, seed: u64) -> [[Vec<u8>; 2]; 2] {
        let loss = Loss { before, unflushed };
        let moment = record().after(loss, &mut Random::new(&[seed]));
        let of = |disk: usize| [0, 2048].map(|at| moment.images[disk].read(at, 1024));
        [of(0), of(1)]
    }

    #[test]
    fn only_flushed_writes_surely_survive() {
        let (none, one, two) = (vec![0; 1024], vec![1; 1024], vec![2; 1024]);
        let zero = || none.clone();
        assert_eq!(
            left(5, Unflushed::None, 1),
            [[one.clone(), zero()], [zero(), zero()]]
        );
        assert_eq!(
            left(5, Unflushed::All, 1),
            [[one.clone(), two.clone()], [one.clone(), two]]
        );
        assert_eq!(
            left(2, Unflushed::None, 1),
            [[zero(), zero()], [zero(), zero()]]
        );
        assert_eq!(
            left(2, Unflushed::All, 1),
            [[one.clone(), zero()], [one, zero()]]
        );
    }

    #[test]
    fn sectors_of_a_torn_write_are_old_or_new() {
        let mut torn = 0;
        for seed in 0..100 {
            let [[first, second], _] = left(5, Unflushed::Torn, seed);
            assert_eq!(first, [1; 1024]);
            for sector in second.chunks(SECTOR) {
                assert!(sector == [0; SECTOR] || sector == [2; SECTOR]);
            }
            torn += usize::from(second[0] != second[1023]);
        }
        assert!(torn > 0);
    }
}
