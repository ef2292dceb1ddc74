//! The differences of encoders.

use super::{Difference, Setting, generated, judge, search};
use crate::{
    generate::shown,
    oracle::{self, Newline, Outcome, Refusal, Rules},
    view::Encode,
};

/// Returns the differences between an encoder and the model, with each setting for
/// newlines that the encoder follows. The offset of a refusal is not compared.
///
/// # Panics
///
/// If the encoder follows none of [`Newline::ALL`].
#[must_use]
pub fn encode(encoder: &dyn Encode) -> Vec<Difference> {
    let settings = Newline::ALL.into_iter();
    let settings = settings.filter(|newline| encoder.follows(*newline));
    let settings = settings.map(|newline| setting(encoder, newline));
    search(encoder.name(), &settings.collect::<Vec<_>>(), generated())
}

fn setting(encoder: &dyn Encode, newline: Newline) -> Setting<'_> {
    let judge = judge(
        move |message| oracle::encode(newline, message),
        move |pieces| encoder.encode(newline, pieces),
        move |message, expected, returned| compare(newline, message, expected, returned),
        text,
    );
    let newlines = match newline {
        Newline::Canonicalize => "bare CR and LF become CRLF",
        Newline::Reject => "bare CR and LF are refused",
        Newline::Verbatim => "bare CR and LF stay as they are",
    };
    (newlines.to_owned(), judge)
}

fn compare(
    newline: Newline,
    message: &[u8],
    expected: &Result<Vec<u8>, Refusal>,
    returned: &Result<Vec<u8>, Refusal>,
) -> Option<&'static str> {
    let wire = match (expected, returned) {
        (Ok(expected), Ok(returned)) if expected == returned => return None,
        (Ok(_), Ok(returned)) => returned,
        (Ok(_), Err(_)) => return Some("refuses what the rules accept"),
        (Err(_), Ok(_)) => return Some("accepts what the rules refuse"),
        (Err(Refusal::BareCr(_)), Err(Refusal::BareCr(_)))
        | (Err(Refusal::BareLf(_)), Err(Refusal::BareLf(_))) => return None,
        (Err(_), Err(_)) => return Some("refuses for another reason"),
    };
    let decoded = oracle::decode(&Rules::RFC1939, wire);
    Some(match decoded.outcome {
        Outcome::Ended { consumed, .. } if consumed < wire.len() => {
            "ends the block before the end of the message"
        }
        Outcome::Ended { .. } if Ok(decoded.data) == oracle::canonical(newline, message) => {
            "writes the right message in another form"
        }
        Outcome::Ended { .. } => "writes a block that decodes to another message",
        _ => "writes no terminator",
    })
}

fn text(wire: &Result<Vec<u8>, Refusal>) -> String {
    match wire {
        Ok(wire) => format!("`{}`", shown(wire)),
        Err(Refusal::BareCr(at)) => format!("bare CR refused at octet {at}"),
        Err(Refusal::BareLf(at)) => format!("bare LF refused at octet {at}"),
    }
}
