//! Faulty codecs, each a bug that some mail software has, in our terms. They
//! show that the checks bite: what no test can tell from a mutant, no test
//! protects.

mod decoders;
mod encoders;
mod line_splitters;

use std::sync::OnceLock;

use crate::{
    check,
    generate::Octets,
    view::{self, Decode, Encode, SplitLines},
};

/// A faulty codec.
pub struct Mutant {
    /// What it does wrong.
    pub name: &'static str,
    /// Who does it, or did.
    pub source: &'static str,
    /// What it stands in for.
    pub role: Role,
}

/// What a mutant stands in for, and so which check must catch it.
pub enum Role {
    /// A decoder of blocks.
    Decoder(Box<dyn Decode + Send>),
    /// An encoder of messages.
    Encoder(Box<dyn Encode + Send>),
    /// A splitter of lines.
    LineSplitter(Box<dyn SplitLines + Send>),
}

/// All mutants.
#[must_use]
pub fn all() -> &'static [Mutant] {
    static ALL: OnceLock<Vec<Mutant>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut mutants = decoders::all();
        mutants.extend(encoders::all());
        mutants.extend(line_splitters::all());
        mutants
    })
}

impl Mutant {
    /// The fuzz target whose check must catch it.
    #[must_use]
    pub fn target(&self) -> &'static str {
        match self.role {
            Role::Decoder(_) => "multiline_decode",
            Role::Encoder(_) => "multiline_roundtrip",
            Role::LineSplitter(_) => "line",
        }
    }

    /// Runs that check on the mutant; a panic is a catch.
    pub fn check(&self, octets: &Octets) {
        match &self.role {
            Role::Decoder(mutant) => check::multiline_decode(&[&**mutant], &octets.0),
            Role::Encoder(mutant) => check::multiline_roundtrip(&[&**mutant], &octets.0),
            Role::LineSplitter(mutant) => check::line(&[&**mutant], &octets.0),
        }
    }
}

/// The mutant that the variable `POP3_MUTANT` names, for a fuzz target to be
/// tried on.
///
/// # Panics
///
/// If there is no mutant of that name.
fn named() -> Option<&'static Mutant> {
    static NAMED: OnceLock<Option<&'static Mutant>> = OnceLock::new();
    *NAMED.get_or_init(|| {
        let name = std::env::var("POP3_MUTANT").ok()?;
        let mutant = all().iter().find(|mutant| mutant.name == name);
        Some(mutant.unwrap_or_else(|| panic!("POP3_MUTANT: there is no mutant `{name}`")))
    })
}

/// The check of the fuzz target `multiline_decode`.
pub fn fuzz_multiline_decode(wire: &Octets) {
    match named() {
        Some(mutant) => mutant.check(wire),
        None => check::multiline_decode(view::decoders(), &wire.0),
    }
}

/// The check of the fuzz target `multiline_roundtrip`.
pub fn fuzz_multiline_roundtrip(message: &Octets) {
    match named() {
        Some(mutant) => mutant.check(message),
        None => check::multiline_roundtrip(view::encoders(), &message.0),
    }
}

/// The check of the fuzz target `line`.
pub fn fuzz_line(wire: &Octets) {
    match named() {
        Some(mutant) => mutant.check(wire),
        None => check::line(view::line_splitters(), &wire.0),
    }
}
