//! Models one direction of a connection.

use dot_stuffing_testkit::chunk;

/// The number of octets that are accepted at once, and the number that arrive at
/// once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// All octets.
    Whole,
    /// One octet; if there are many, one at a time only near a CR, LF or dot.
    Octets,
    /// Up to seven octets; if there are very many, up to 448.
    Short,
    /// Up to 6000 octets.
    Long,
}

impl Cut {
    /// All kinds of cuts.
    pub const ALL: [Self; 4] = [Self::Whole, Self::Octets, Self::Short, Self::Long];
}

/// The number of octets from which they count as many, because single octets would
/// take too long.
const MANY: usize = 64;

#[derive(Debug)]
pub(crate) struct Wire {
    octets: Vec<u8>,
    /// The number of octets at the front that have arrived.
    arrived: usize,
    cut: Cut,
    state: u64,
}

impl Wire {
    pub(crate) const fn new(cut: Cut, seed: u64) -> Self {
        Self {
            octets: Vec::new(),
            arrived: 0,
            cut,
            state: seed,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Accepts a piece of these octets, and returns its length.
    pub(crate) fn send(&mut self, octets: &[u8]) -> usize {
        let draw = self.draw();
        let length = self.cut.length(octets, draw);
        self.octets.extend_from_slice(&octets[..length]);
        length
    }

    /// Returns the piece that arrives next.
    pub(crate) fn arriving(&mut self) -> Option<&[u8]> {
        let draw = self.draw();
        let octets = &self.octets[self.arrived..];
        let length = self.cut.length(octets, draw);
        (length > 0).then(|| &octets[..length])
    }

    /// Removes `octets` octets, which the receiver has consumed.
    pub(crate) fn taken(&mut self, octets: usize) {
        self.arrived += octets;
        if self.arrived == self.octets.len() {
            self.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.octets.clear();
        self.arrived = 0;
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.state = chunk::hash(&[self.state]);
        self.state
    }
}

impl Cut {
    fn length(self, octets: &[u8], draw: u64) -> usize {
        let is_mark = |octet: &u8| matches!(octet, b'\r' | b'\n' | b'.');
        let are_many = octets.len() > MANY;
        let length = match self {
            Self::Whole => octets.len(),
            Self::Octets if are_many => octets[1..].iter().position(is_mark).unwrap_or(MANY).max(1),
            Self::Octets => 1,
            Self::Short if octets.len() > 10 * MANY => 64 * (1 + draw as usize % 7),
            Self::Short => 1 + draw as usize % 7,
            Self::Long => 1 + draw as usize % 6000,
        };
        length.min(octets.len())
    }
}
