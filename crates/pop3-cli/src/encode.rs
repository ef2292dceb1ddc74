//! `pop3 encode`: turns a message into the block that carries it on the wire.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dot_stuffing::{BareNewline, EncodeError, MultilineEncoder};

use crate::{
    exit::{Exit, Failure},
    input::Input,
    output::Output,
};

pub(crate) const NAME: &str = "encode";

const AFTER_HELP: &str = "\
Adds a dot to each line that begins with one, and ends the block with the terminator, a line that is a single dot. \
If the message does not end with CRLF, CRLF is added. If the message is rejected, no terminator is written.

Exit status:
   0  the block is complete
  64  wrong usage
  65  the message has a bare CR or LF, and --newline reject was given
  66  the input cannot be opened
  73  the output file cannot be created
  74  reading or writing failed
 141  the reader of the output closed it early";

/// Turn a message into the multi-line block that carries it on the wire
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Encode {
    /// Message to encode; standard input if absent or -
    file: Option<PathBuf>,

    /// Write the block to FILE; it changes only if the exit status is 0
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Treat a bare CR or bare LF in this way
    #[arg(long, value_enum, default_value_t = Newline::Canonicalize)]
    newline: Newline,
}

#[derive(Clone, Copy, ValueEnum)]
enum Newline {
    /// Replace it with CRLF
    Canonicalize,
    /// Reject the message
    Reject,
    /// Keep it: a reader that accepts LF as a line end may then see a terminator
    /// that the message forged
    Verbatim,
}

impl Encode {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut input = Input::open(self.file.as_deref(), NAME, "a message")?;
        let mut output = Output::create(self.output.as_deref())?;
        let mut encoder = MultilineEncoder::new(match self.newline {
            Newline::Canonicalize => BareNewline::Canonicalize,
            Newline::Reject => BareNewline::Reject,
            Newline::Verbatim => BareNewline::Verbatim,
        });
        loop {
            let message = input.fill()?;
            if message.is_empty() {
                break;
            }
            let encoded = encoder.encode(message).try_for_each(|octets| match octets {
                Ok(octets) => output.write(octets),
                Err(error) => Err(refusal(error)),
            });
            // The reader gets everything before this waits for more input.
            output.flush()?;
            encoded?;
            let octets = message.len();
            input.consume(octets);
        }
        output.write(encoder.finish().map_err(refusal)?)?;
        input.close();
        output.keep()
    }
}

fn refusal(error: EncodeError) -> Failure {
    Failure::new(
        Exit::Data,
        format_args!("{error}; --newline canonicalize replaces it with CRLF"),
    )
}
