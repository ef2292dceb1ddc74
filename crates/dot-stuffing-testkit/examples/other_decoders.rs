//! Runs the checks on the receiver of DATA of smtp-proto and on the `LinesCodec` of
//! tokio-util, and prints the differences that they find.
//!
//! `LinesCodec` splits at LF by design. The differences are what it costs to read a
//! protocol with it whose lines end with CRLF.

use bytes::BytesMut;
use dot_stuffing_testkit::{
    differences,
    oracle::{Fault, LineEvent, Lines, Outcome, Rules, Transcript},
    view::{Decode, MAX_LINE, SplitLines},
};
use smtp_proto::request::receiver::DataReceiver;
use tokio_util::codec::{Decoder, LinesCodec, LinesCodecError};

/// smtp-proto's receiver of a message after the command DATA.
struct SmtpProto;

impl Decode for SmtpProto {
    fn name(&self) -> &'static str {
        "smtp-proto: DataReceiver"
    }

    /// It has no settings.
    fn follows(&self, rules: &Rules) -> bool {
        *rules == Rules::RFC1939
    }

    fn decode(&self, _: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        let mut receiver = DataReceiver::new();
        let mut received = 0;
        for chunk in chunks {
            let mut octets = chunk.iter();
            let ended = receiver.ingest(&mut octets, &mut transcript.data);
            received += chunk.len() - octets.len();
            if ended {
                transcript.outcome = Outcome::Ended {
                    consumed: received,
                    stuffed: 0,
                };
                return;
            }
        }
        transcript.outcome = Outcome::Truncated(received);
    }
}

/// tokio-util's codec for lines.
struct TokioUtil;

impl SplitLines for TokioUtil {
    fn name(&self) -> &'static str {
        "tokio-util: LinesCodec"
    }

    /// It has no settings but the maximum length.
    fn follows(&self, rules: &Rules) -> bool {
        *rules == Rules::RFC1939
    }

    fn lines(&self, _: &Rules, chunks: &[&[u8]]) -> Lines {
        // The maximum does not count LF.
        let mut codec = LinesCodec::new_with_max_length(MAX_LINE - 1);
        let mut input = BytesMut::new();
        let mut events = Vec::new();
        for chunk in chunks {
            input.extend_from_slice(chunk);
            while let Some(event) = event(codec.decode(&mut input)) {
                events.push(event);
            }
        }
        while let Some(event) = event(codec.decode_eof(&mut input)) {
            events.push(event);
        }
        // It has no way to say that the last line is not whole.
        Lines {
            events,
            whole: true,
        }
    }
}

/// The reasons and offsets of refusals are not compared, and the codec has no offsets.
fn event(decoded: Result<Option<String>, LinesCodecError>) -> Option<LineEvent> {
    match decoded {
        Ok(line) => line.map(|line| LineEvent::Line(line.into_bytes())),
        Err(_) => Some(LineEvent::Refused(Fault::LineTooLong, 0)),
    }
}

fn main() {
    let decoder = (SmtpProto.name(), differences::decode(&SmtpProto));
    let splitter = (TokioUtil.name(), differences::split_lines(&TokioUtil));
    for (name, differences) in [decoder, splitter] {
        println!("{name}");
        for difference in differences {
            println!("- {difference}");
        }
    }
}

#[cfg(test)]
mod tests {
    use dot_stuffing_testkit::differences::{self, Difference};

    use super::{SmtpProto, TokioUtil};

    fn has(differences: &[Difference], what: &str, input: &[u8]) -> bool {
        let mut differences = differences.iter();
        differences.any(|difference| difference.what == what && difference.input == input)
    }

    #[test]
    fn finds_the_bugs_of_smtp_proto() {
        let found = differences::decode(&SmtpProto);
        let data = "returns other octets than those of the message";
        assert!(has(&found, data, b"."), "a dot on the first line stays");
        let terminator = "does not recognize the terminator";
        assert!(has(&found, terminator, b".\r\n"), "an empty block");
        let ends = "ends without a terminator";
        assert!(has(&found, ends, b"\r\n.\r\r\n"), "CRLF dot CR CR LF");
    }

    #[test]
    fn finds_where_lines_codec_departs_from_crlf_lines() {
        let found = differences::split_lines(&TokioUtil);
        let ends = "ends a line where the rules see no line end";
        assert!(has(&found, ends, b"\n"), "LF alone");
        let truncated = "takes the end of the stream for the end of a line";
        assert!(has(&found, truncated, b"."), "a line that is cut off");
        let refused = "refuses a line that the rules accept";
        let not_utf_8 = |difference: &Difference| {
            difference.what == refused && str::from_utf8(&difference.input).is_err()
        };
        assert!(found.iter().any(not_utf_8), "only UTF-8");
    }
}
