//! Measures `pop3 fetch` and `pop3 serve` beside Dovecot, mpop, curl, and a
//! loop that only reads, in one run over loopback, and prints the figures that
//! they must reach.
//!
//! `cargo build --release -p pop3-cli && cargo run --release -p benches --example fetch [ROUNDS [PART]]`
//!
//! PART is `small`, `large` or `nothing-new`; by default all are measured.
//!
//! Needs the programs that `cargo xtask peers` installs. Every run of a client
//! has its own directory, and all are removed at the end: for minutes after an
//! inode is freed, ext4 does not reuse it and skips such inodes one by one,
//! which makes creating files just after removing many ten times as slow. Set
//! TMPDIR to a file system that nothing else uses.

#[cfg(target_os = "linux")]
mod measure;

#[cfg(target_os = "linux")]
fn main() -> measure::Outcome<()> {
    measure::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("not available on this system: it needs Linux");
    std::process::ExitCode::FAILURE
}
