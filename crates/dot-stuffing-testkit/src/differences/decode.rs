//! The differences of decoders.

use super::{Difference, Setting, generated, in_words, judge, search};
use crate::{
    check::forms,
    chunk,
    generate::shown,
    oracle::{self, Fault, Outcome, Rules, Transcript},
    view::Decode,
};

/// Returns the differences between a decoder and the model, by each of
/// [`Rules::policies`] that the decoder follows.
///
/// What follows from the data matters: the octets, the end, and the reason of a
/// refusal. A decoder may hold back octets of a block that is truncated or refused.
/// The offset of a refusal and the number of stuffed lines are not compared;
/// [`check::multiline_decode`](crate::check::multiline_decode) compares these too.
///
/// # Panics
///
/// If the decoder follows none of these.
#[must_use]
pub fn decode(decoder: &dyn Decode) -> Vec<Difference> {
    let rules = Rules::policies().into_iter();
    let settings = rules.filter(|rules| decoder.follows(rules));
    let settings = settings.map(|rules| setting(decoder, rules));
    let more = generated().flat_map(|wire| forms(&wire, chunk::seed(&wire)));
    search(decoder.name(), &settings.collect::<Vec<_>>(), more)
}

fn setting(decoder: &dyn Decode, rules: Rules) -> Setting<'_> {
    let judge = judge(
        move |wire| oracle::decode(&rules, wire),
        move |pieces| {
            let mut returned = Transcript::default();
            decoder.decode(&rules, pieces, &mut returned);
            returned
        },
        |_, expected, returned| compare(expected, returned),
        text,
    );
    (in_words(&rules), judge)
}

fn compare(expected: &Transcript, returned: &Transcript) -> Option<&'static str> {
    let is_part = expected.data.starts_with(&returned.data);
    let data = "returns other octets than those of the message";
    match (expected.outcome, returned.outcome) {
        (Outcome::Ended { consumed: end, .. }, Outcome::Ended { consumed, .. }) => {
            match consumed.cmp(&end) {
                std::cmp::Ordering::Less => Some("ends before the terminator"),
                std::cmp::Ordering::Greater => Some("goes on after the terminator"),
                std::cmp::Ordering::Equal => (expected.data != returned.data).then_some(data),
            }
        }
        (Outcome::Ended { .. }, Outcome::Truncated(_) | Outcome::Hung) => {
            Some("does not recognize the terminator")
        }
        (Outcome::Truncated(_), Outcome::Ended { .. }) => Some("ends without a terminator"),
        (_, Outcome::Hung) => Some("never returns"),
        (Outcome::Truncated(_), Outcome::Truncated(_)) => (!is_part).then_some(data),
        (Outcome::Failed(right, _), Outcome::Failed(fault, _)) if right == fault => {
            (!is_part).then_some(data)
        }
        (Outcome::Failed(..), Outcome::Failed(..)) => Some("refuses for another reason"),
        (Outcome::Failed(..), _) => Some("accepts what the rules refuse"),
        (_, Outcome::Failed(..)) => Some("refuses what the rules accept"),
        // The oracle always returns.
        (Outcome::Hung, _) => None,
    }
}

fn text(transcript: &Transcript) -> String {
    let outcome = match transcript.outcome {
        Outcome::Truncated(_) => "no end".to_owned(),
        Outcome::Ended { consumed, .. } => format!("end before octet {consumed}"),
        Outcome::Failed(fault, at) => format!("{} refused at octet {at}", of_fault(fault)),
        Outcome::Hung => "it does not return".to_owned(),
    };
    format!("`{}`, {outcome}", shown(&transcript.data))
}

const fn of_fault(fault: Fault) -> &'static str {
    match fault {
        Fault::BareCr => "bare CR",
        Fault::BareLf => "bare LF",
        Fault::LineTooLong => "an overlong line",
        Fault::TooLong => "an overlong block",
        Fault::UnstuffedDot => "an unstuffed dot",
    }
}
