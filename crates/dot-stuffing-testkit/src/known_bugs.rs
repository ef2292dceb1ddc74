//! Decoders, encoders and line splitters, each with a bug that other mail software
//! has. They show that the checks work: a rule is tested only if some test fails
//! when the rule is broken.

mod decoders;
mod encoders;
mod line_splitters;

use std::sync::OnceLock;

use crate::{
    check,
    view::{Decode, Encode, SplitLines},
};

/// Faulty code.
pub struct KnownBug {
    /// What the code does wrong.
    pub name: &'static str,
    /// The software that has, or had, this bug.
    pub source: &'static str,
    /// The faulty code, by what it replaces.
    pub role: Role,
}

/// The kind of code that a known bug replaces, and so the check that must catch it.
pub enum Role {
    /// A decoder of blocks.
    Decoder(Box<dyn Decode + Send>),
    /// An encoder of messages.
    Encoder(Box<dyn Encode + Send>),
    /// A splitter of lines.
    LineSplitter(Box<dyn SplitLines + Send>),
}

/// All known bugs.
#[must_use]
pub fn all() -> &'static [KnownBug] {
    static ALL: OnceLock<Vec<KnownBug>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut bugs = decoders::all();
        bugs.extend(encoders::all());
        bugs.extend(line_splitters::all());
        bugs
    })
}

impl KnownBug {
    /// Runs the check of its role on the known bug; a panic means that the bug is
    /// caught.
    ///
    /// # Panics
    ///
    /// If these octets show the bug.
    pub fn check(&self, octets: &[u8]) {
        match &self.role {
            Role::Decoder(bug) => check::multiline_decode(&[&**bug], octets),
            Role::Encoder(bug) => check::multiline_roundtrip(&[&**bug], octets),
            Role::LineSplitter(bug) => check::line(&[&**bug], octets),
        }
    }
}
