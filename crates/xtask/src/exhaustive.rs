//! `cargo xtask exhaustive`

use crate::shell::{command, run};

/// Decode and encode every string of nine octets that matter, each cut in
/// eight ways (`cargo test` does all cuts of up to eight octets)
#[derive(clap::Args)]
pub(crate) struct Exhaustive {
    /// Octets of the strings
    #[arg(long, default_value_t = 9)]
    length: u32,
}

impl Exhaustive {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let mut test = command("cargo test --release -p dot-stuffing --test exhaustive");
        run(test.env("POP3_EXHAUSTIVE_LENGTH", self.length.to_string()))
    }
}
