//! `cargo xtask powerloss`: tests what is on the disk after a loss of power.
//!
//! The real `pop3 fetch` delivers to real file systems on disks that record each
//! write and each flush ([`disk`]). Crash states are derived from the record
//! ([`states`]): all writes before the last flush, and of the later ones all, none,
//! a subset, or parts. Each crash state is mounted, and `pop3 fetch` runs until it
//! settles. Then the [`oracle`] judges what is stored.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod beside;
#[cfg(target_os = "linux")]
mod bite;
#[cfg(target_os = "linux")]
mod campaign;
#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod errors;
#[cfg(target_os = "linux")]
mod experiment;
#[cfg(target_os = "linux")]
mod file_system;
#[cfg(target_os = "linux")]
mod mail;
#[cfg(target_os = "linux")]
mod oracle;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod random;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod states;
#[cfg(target_os = "linux")]
mod table;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    command::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("powerloss: skipped: it needs Linux");
    ExitCode::SUCCESS
}
