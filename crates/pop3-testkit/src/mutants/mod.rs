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

/// What a fuzz target runs its check on: all views, or the one mutant that the
/// variable `POP3_MUTANT` names.
pub fn under_fuzz() -> &'static UnderFuzz {
    static UNDER_FUZZ: OnceLock<UnderFuzz> = OnceLock::new();
    UNDER_FUZZ.get_or_init(|| match std::env::var("POP3_MUTANT") {
        Ok(name) => UnderFuzz::only(&name),
        Err(_) => UnderFuzz {
            decoders: view::decoders().to_vec(),
            encoders: view::encoders().to_vec(),
            line_splitters: view::line_splitters().to_vec(),
        },
    })
}

/// What the checks of the fuzz targets are run on.
#[derive(Default)]
pub struct UnderFuzz {
    /// For `multiline_decode`.
    pub decoders: Vec<&'static dyn Decode>,
    /// For `multiline_roundtrip`.
    pub encoders: Vec<&'static dyn Encode>,
    /// For `line`.
    pub line_splitters: Vec<&'static dyn SplitLines>,
}

impl UnderFuzz {
    fn only(name: &str) -> Self {
        let mutant = all().iter().find(|mutant| mutant.name == name);
        let mut only = Self::default();
        match mutant.map(|mutant| &mutant.role) {
            Some(Role::Decoder(mutant)) => only.decoders.push(&**mutant),
            Some(Role::Encoder(mutant)) => only.encoders.push(&**mutant),
            Some(Role::LineSplitter(mutant)) => only.line_splitters.push(&**mutant),
            None => panic!("POP3_MUTANT: there is no mutant `{name}`"),
        }
        only
    }
}
