//! Writes `CONFORMANCE.md` to stdout: the statements, and the tests of each.
//!
//! ```text
//! cargo run -p pop3-conformance --example conformance > CONFORMANCE.md
//! ```

mod report;

fn main() -> std::io::Result<()> {
    print!("{}", report::render(&report::tests()?));
    Ok(())
}
