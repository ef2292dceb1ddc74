//! Measures `pop3 serve` beside Dovecot, in one run over loopback: sessions per
//! second, RETR on several connections, and the memory of idle sessions.
//!
//! `cargo build --release -p pop3-cli && cargo run --release -p benches --example serve [ROUNDS]`
//!
//! `… --example serve soak SECONDS` instead keeps `pop3 serve` busy for that time,
//! and fails if its memory or its number of open files grows.
//!
//! Without Dovecot, which `cargo xtask peers` installs, only `pop3 serve` is
//! measured.

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
