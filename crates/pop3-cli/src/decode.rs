//! `pop3 decode`: wire block to message.

use std::path::PathBuf;

use clap::Args;
use dot_stuffing::{
    Complete, Config, DecodeError, ErrorKind, LineDecoder, LineEndings, MultilineDecoder, Policy,
};
use pop3_proto::{Counted, Escaped};

use crate::{
    exit::{Exit, Failure, say},
    input::Input,
    inspection::Inspection,
    output::Output,
};

pub(crate) const NAME: &str = "decode";

/// The most octets of a first line, CRLF included (RFC 2449 §4).
const STATUS_LINE: usize = 512;

const AFTER_HELP: &str = "\
Reads up to the terminator, a line that is a dot alone, and takes the stuffed dots away. All other octets pass untouched. \
Without --output, what comes before an error has been written by then. Offsets are octets from the first octet of the \
block; with --reply that is the octet after the status line.

Octets after the terminator are an error, unless --allow-rest or --rest FILE is given: the sender may have let a line \
of the message pass for the terminator. To know that there are none, the input is read to its end.

Exit status:
   0  the block was whole
  64  wrong usage
  65  the block is truncated or malformed, or octets follow it
  66  the input cannot be opened
  73  an output file cannot be created
  74  reading or writing failed
  76  with --reply: -ERR, or no status line
 141  the reader of the output closed it early";

/// Turn a multi-line block from the wire into the message it carries
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Decode {
    /// The block; standard input if absent or -
    file: Option<PathBuf>,

    /// Write the message here; FILE stays as it was unless the exit status is 0
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Expect a status line before the block, as in the reply to RETR
    #[arg(long)]
    reply: bool,

    /// Stop reading at the end of the block, whatever follows
    #[arg(long, conflicts_with = "rest")]
    allow_rest: bool,

    /// Write here what follows the block
    #[arg(long, value_name = "FILE")]
    rest: Option<PathBuf>,

    /// Print what is irregular in the block on stderr: 20 of each kind, the
    /// number of others, and the longest line. Changes nothing else
    #[arg(long)]
    inspect: bool,

    /// Print one line of figures on stderr
    #[arg(long)]
    report: bool,

    #[command(flatten, next_help_heading = "What to refuse and accept")]
    policies: Policies,
}

#[derive(Args)]
struct Policies {
    /// Refuse a CR that no LF follows
    #[arg(long)]
    reject_bare_cr: bool,

    /// Refuse an LF that no CR precedes
    #[arg(long)]
    reject_bare_lf: bool,

    /// Refuse a line that begins with a single dot and goes on
    #[arg(long)]
    reject_unstuffed_dot: bool,

    /// Refuse a message of more than N octets
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
    max_octets: u64,

    /// Refuse a line of more than N octets, its line end included
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
    max_line_octets: u64,

    /// Let LF alone end a line, and so LF-dot-LF the block. For peers that send
    /// LF throughout; else the author of a mail can forge its end
    #[arg(long)]
    dangerous_lf_terminates: bool,

    /// End the block at any line that begins with a dot, as Outlook reads LIST,
    /// UIDL and CAPA. Never for messages
    #[arg(long)]
    dot_line_ends: bool,
}

impl Decode {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut input = Input::open(self.file.as_deref(), NAME, "a block")?;
        let mut output = Output::create(self.output.as_deref())?;
        let mut rest = None;
        if let Some(path) = &self.rest {
            let rest = rest.insert(Output::create(Some(path))?);
            if rest.is_same(&output) {
                return Err(Failure::new(
                    Exit::Usage,
                    "--rest and the message would go to one place; name another FILE",
                ));
            }
        }

        let begin = match self.reply {
            true => self.read_status_line(&mut input)?,
            false => 0,
        };
        let mut inspection = self.inspect.then(|| Inspection::new(NAME));
        let decoded = self.decode(&mut input, &mut output, inspection.as_mut());
        if let Some(inspection) = inspection {
            inspection.summarise();
        }
        let complete = decoded?;
        if self.report {
            say(
                NAME,
                format_args!(
                    "octets={} wire-octets={} stuffed-lines={} block-offset={begin}",
                    complete.octets, complete.wire_octets, complete.stuffed_lines
                ),
            );
        }

        match rest {
            Some(mut rest) => {
                copy(&mut input, &mut rest)?;
                rest.keep()?;
            }
            None if self.allow_rest => {}
            None => refuse_rest(&mut input, complete.wire_octets)?,
        }
        output.keep()
    }

    /// Reads the status line and gives its octets, CRLF included.
    fn read_status_line(&self, input: &mut Input) -> Result<u64, Failure> {
        let mut lines = LineDecoder::<STATUS_LINE>::with_line_endings(self.policies.line_endings());
        let mut read = 0;
        loop {
            let octets = input.fill()?;
            if octets.is_empty() {
                return Err(Failure::new(
                    Exit::Data,
                    format_args!("truncated: no status line after {}", Counted(read, "octet")),
                ));
            }
            let line = lines.decode(octets).map_err(|error| {
                Failure::new(
                    Exit::Protocol,
                    format_args!("bad status line: {error}; without --reply a block is read"),
                )
            })?;
            let status = line.event.map(check_status_line);
            let consumed = line.consumed;
            input.consume(consumed);
            read += consumed as u64;
            if let Some(status) = status {
                return status.map(|()| read);
            }
        }
    }

    /// Decodes the block; whatever comes of it, what was decoded is written.
    fn decode(
        &self,
        input: &mut Input,
        output: &mut Output,
        mut inspection: Option<&mut Inspection>,
    ) -> Result<Complete, Failure> {
        let mut decoder = MultilineDecoder::with_config(self.policies.config());
        loop {
            let wire = input.fill()?;
            if wire.is_empty() {
                return decoder.finish().map_err(|error| self.refusal(error));
            }
            let mut feed = decoder.feed(wire);
            let decoded = feed.try_for_each(|data| match data {
                Ok(data) => output.write(data),
                Err(error) => Err(self.refusal(error)),
            });
            let consumed = wire.len() - feed.rest().len();
            if let Some(inspection) = &mut inspection {
                inspection.inspect(&wire[..consumed]);
            }
            // A reader gets all there is before more input is waited for.
            output.flush()?;
            decoded?;
            input.consume(consumed);
            if let Ok(complete) = decoder.finish() {
                return Ok(complete);
            }
        }
    }

    /// What is wrong, where, and what to do.
    fn refusal(&self, error: DecodeError) -> Failure {
        let Policies {
            max_octets,
            max_line_octets,
            ..
        } = self.policies;
        let what = match error.kind() {
            ErrorKind::BareCr => format!("{error}; without --reject-bare-cr it passes"),
            ErrorKind::BareLf => format!("{error}; without --reject-bare-lf it passes"),
            ErrorKind::LineTooLong => {
                format!("{error}; --max-line-octets allows {max_line_octets}")
            }
            ErrorKind::TooLong => format!("{error}; --max-octets allows {max_octets}"),
            ErrorKind::UnstuffedDot => {
                format!("{error}; without --reject-unstuffed-dot it is removed")
            }
            _ => error.to_string(),
        };
        Failure::new(Exit::Data, what)
    }
}

impl Policies {
    fn config(&self) -> Config {
        Config::new()
            .line_endings(self.line_endings())
            .unstuffed_dot(policy(self.reject_unstuffed_dot))
            .dot_line_ends(self.dot_line_ends)
            .max_octets(self.max_octets)
            .max_line_octets(self.max_line_octets)
    }

    fn line_endings(&self) -> LineEndings {
        LineEndings::new()
            .bare_cr(policy(self.reject_bare_cr))
            .bare_lf(policy(self.reject_bare_lf))
            .dangerous_lf_terminates(self.dangerous_lf_terminates)
    }
}

const fn policy(reject: bool) -> Policy {
    match reject {
        true => Policy::Reject,
        false => Policy::Accept,
    }
}

/// RFC 1939 §3: `+OK` and `-ERR`, in upper case. Some text may follow.
fn check_status_line(line: &[u8]) -> Result<(), Failure> {
    if line.starts_with(b"+OK") {
        return Ok(());
    }
    let shown = Escaped(&line[..line.len().min(80)]);
    let what = match line.starts_with(b"-ERR") {
        true => format!("the server refused: {shown}; there is no block to decode"),
        false => format!("no status line: {shown}; without --reply a block is read"),
    };
    Err(Failure::new(Exit::Protocol, what))
}

/// Reads to the end of the input, which should come at once.
fn refuse_rest(input: &mut Input, end: u64) -> Result<(), Failure> {
    let mut rest = 0;
    loop {
        let octets = input.fill()?.len();
        if octets == 0 {
            break;
        }
        input.consume(octets);
        rest += octets as u64;
    }
    let follow = match rest {
        0 => return Ok(()),
        1 => "follows",
        _ => "follow",
    };
    Err(Failure::new(
        Exit::Data,
        format_args!(
            "{} {follow} the end of the block at octet {end}; they were not decoded \
             (--allow-rest permits them, --rest FILE keeps them)",
            Counted(rest, "octet")
        ),
    ))
}

fn copy(input: &mut Input, output: &mut Output) -> Result<(), Failure> {
    loop {
        let octets = input.fill()?;
        if octets.is_empty() {
            return Ok(());
        }
        output.write(octets)?;
        output.flush()?;
        let octets = octets.len();
        input.consume(octets);
    }
}
