//! `cargo xtask exhaustive`

use crate::shell::{command, run};

/// Decode and encode every string of nine octets that matter, each cut in
/// eight ways (`cargo test` does all cuts of up to eight octets), and explore
/// every session of one event more than `cargo test` does
#[derive(clap::Args)]
pub(crate) struct Exhaustive {
    /// Octets of the strings
    #[arg(long, default_value_t = 9)]
    length: u32,
    /// Events of sessions beyond those that `cargo test` explores
    #[arg(long, default_value_t = 1)]
    further: u32,
}

impl Exhaustive {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let mut codec = command("cargo test --release -p dot-stuffing --test exhaustive");
        run(codec.env("POP3_EXHAUSTIVE_LENGTH", self.length.to_string()))?;
        let sessions = "cargo test --release -p pop3-proto --test exhaustive -- --nocapture";
        run(command(sessions).env("POP3_EXHAUSTIVE_FURTHER", self.further.to_string()))
    }
}
