//! Captures the replies of real servers that corpus/captures/manifest.tsv names,
//! octet by octet: `cargo run -p pop3-peers --example capture`.

#[cfg(unix)]
mod replies;

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    replies::main()
}

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!("not available on this system: it needs Unix");
    std::process::ExitCode::FAILURE
}
