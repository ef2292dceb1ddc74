//! A filter: a multi-line block on standard input, its message on standard
//! output, in constant memory.
//!
//! ```text
//! printf 'Hello\r\n..dot\r\n.\r\n' | cargo run -p dot-stuffing --example unstuff
//! ```

use std::io::{self, BufRead as _, BufReader, Write as _};

use dot_stuffing::MultilineReader;

fn main() -> io::Result<()> {
    let mut message = MultilineReader::new(BufReader::new(io::stdin()));
    let mut stdout = io::stdout().lock();
    loop {
        let octets = message.fill_buf()?;
        if octets.is_empty() {
            break;
        }
        stdout.write_all(octets)?;
        let octets = octets.len();
        message.consume(octets);
    }
    let complete = message.finish()?;
    eprintln!(
        "{} octets, {} lines stuffed",
        complete.octets, complete.stuffed_lines
    );
    Ok(())
}
