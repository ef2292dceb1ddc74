//! `pop3 decode`: turns a block from the wire into the message it carries.

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

/// The most octets in a first line, including its CRLF (RFC 2449 §4).
const STATUS_LINE: usize = 512;

const AFTER_HELP: &str = "\
Reads up to the terminator (a line that is a single dot) and removes the stuffed dots. All other octets pass unchanged. \
Without --output, the octets before an error have already been written. Offsets count from the first octet of the \
block; with --reply, that is the octet after the status line.

Octets after the terminator are an error unless --allow-rest or --rest FILE is given, because a sender that does not \
stuff dots may have sent a line of the message that looks like the terminator. To be sure that nothing follows, the \
input is read to its end.

Exit status:
   0  the block was complete
  64  wrong usage
  65  the block was truncated or malformed, or octets followed it
  66  the input cannot be opened
  73  an output file cannot be created
  74  reading or writing failed
  76  with --reply: the status line was -ERR or malformed
 141  the reader of the output closed it early";

/// Turn a multi-line block from the wire into the message it carries
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Decode {
    /// Block to decode; standard input if absent or -
    file: Option<PathBuf>,

    /// Write the message to FILE; it changes only if the exit status is 0
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Expect a status line before the block, as in the reply to RETR
    #[arg(long)]
    reply: bool,

    /// Stop reading at the end of the block, and ignore what follows
    #[arg(long, conflicts_with = "rest")]
    allow_rest: bool,

    /// Write the octets that follow the block to FILE
    #[arg(long, value_name = "FILE")]
    rest: Option<PathBuf>,

    /// Print anomalies in the block on stderr: the first 20 of each kind, the
    /// number of others, and the longest line. Changes nothing else
    #[arg(long)]
    inspect: bool,

    /// Print the numbers of octets and stuffed lines on stderr
    #[arg(long)]
    report: bool,

    #[command(flatten, next_help_heading = "What to reject and accept")]
    policies: Policies,
}

#[derive(Args)]
struct Policies {
    /// Reject a CR that is not followed by LF
    #[arg(long)]
    reject_bare_cr: bool,

    /// Reject an LF that is not preceded by CR
    #[arg(long)]
    reject_bare_lf: bool,

    /// Reject a line that begins with one dot followed by anything but CRLF or
    /// another dot
    #[arg(long)]
    reject_unstuffed_dot: bool,

    /// Reject a message of more than N octets
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
    max_octets: u64,

    /// Reject a line of more than N octets, including its line end
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
    max_line_octets: u64,

    /// Let a bare LF end a line, and LF-dot-LF end the block. Use it only with
    /// peers that send LF alone; with others, the author of a mail can forge its
    /// end
    #[arg(long)]
    dangerous_lf_terminates: bool,

    /// End the block at any line that begins with a dot, as Outlook reads LIST,
    /// UIDL and CAPA. Do not use it for messages
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
                    "--rest and --output name the same place; give --rest another FILE",
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

        match &mut rest {
            Some(rest) => copy(&mut input, rest)?,
            None if self.allow_rest => {}
            None => refuse_rest(&mut input, complete.wire_octets)?,
        }
        input.close();
        if let Some(rest) = rest {
            rest.keep()?;
        }
        output.keep()
    }

    /// Reads the status line and returns its length in octets, including CRLF.
    fn read_status_line(&self, input: &mut Input) -> Result<u64, Failure> {
        let mut lines = LineDecoder::<STATUS_LINE>::with_line_endings(self.policies.line_endings());
        let mut read = 0;
        loop {
            let octets = input.fill()?;
            if octets.is_empty() {
                return Err(Failure::new(
                    Exit::Data,
                    format_args!(
                        "truncated: the input ended before a status line, after {}",
                        Counted(read, "octet")
                    ),
                ));
            }
            let line = lines.decode(octets).map_err(|error| {
                Failure::new(
                    Exit::Protocol,
                    format_args!(
                        "malformed status line: {error}; remove --reply if the input is a block alone"
                    ),
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

    /// Decodes the block. Writes what was decoded before an error, too.
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
            let mut rest = wire;
            let decoded = decoder.feed(&mut rest).try_for_each(|data| match data {
                Ok(data) => output.write(data),
                Err(error) => Err(self.refusal(error)),
            });
            let consumed = wire.len() - rest.len();
            if let Some(inspection) = &mut inspection {
                inspection.inspect(&wire[..consumed]);
            }
            // The reader gets everything before this waits for more input.
            output.flush()?;
            decoded?;
            input.consume(consumed);
            if let Ok(complete) = decoder.finish() {
                return Ok(complete);
            }
        }
    }

    /// The error: what is wrong, where, and what to do.
    fn refusal(&self, error: DecodeError) -> Failure {
        let Policies {
            max_octets,
            max_line_octets,
            ..
        } = self.policies;
        let what = match error.kind() {
            ErrorKind::BareCr => format!("{error}; remove --reject-bare-cr to accept it"),
            ErrorKind::BareLf => format!("{error}; remove --reject-bare-lf to accept it"),
            ErrorKind::LineTooLong => {
                format!("{error}; raise --max-line-octets, which is {max_line_octets}")
            }
            ErrorKind::TooLong => format!("{error}; raise --max-octets, which is {max_octets}"),
            ErrorKind::UnstuffedDot => {
                format!("{error}; remove --reject-unstuffed-dot to accept it")
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
        false => {
            format!("not a status line: {shown}; remove --reply if the input is a block alone")
        }
    };
    Err(Failure::new(Exit::Protocol, what))
}

/// Fails unless the input ends here.
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
             (--allow-rest ignores them, --rest FILE keeps them)",
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
