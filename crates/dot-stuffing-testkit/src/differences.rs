//! Where a codec differs from the models, in words, each time with the shortest input
//! that was found.
//!
//! The inputs are, first, all strings of up to six octets over CR, LF, dot and `a`, cut
//! in every way; the empty one also without a piece. Then, on the
//! [plans](crate::chunk::plans), each octet value beside a dot and line ends; long lines
//! that end beside the end of one of [`BUFFERS`](crate::chunk::BUFFERS); for line
//! splitters, lines about as long as [`MAX_LINE`](crate::view::MAX_LINE); and
//! [generated](crate::generate::cases) octets. [`check`](crate::check) has functions
//! that panic with the same text.

mod decode;
mod encode;
mod inputs;
mod lines;

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    chunk,
    generate::{cases, shown},
    oracle::Rules,
};

pub use self::{decode::decode, encode::encode, lines::split_lines};

/// A difference between a codec and its model. Of all inputs that show the same kind
/// of difference, it has the shortest that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What the codec does wrong.
    pub what: String,
    /// The setting under which it does that.
    pub setting: String,
    /// The input.
    pub input: Vec<u8>,
    /// The lengths of the pieces in which the codec got the input.
    pub pieces: Vec<usize>,
    /// The right result.
    pub expected: String,
    /// The result of the codec.
    pub returned: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        write!(f, "  input     `{}`", shown(&self.input))?;
        if self.pieces.len() != 1 {
            write!(f, ", in pieces of {:?} octets", self.pieces)?;
        }
        writeln!(f, "\n  rules     {}", self.setting)?;
        writeln!(f, "  expected  {}", self.expected)?;
        write!(f, "  returned  {}", self.returned)
    }
}

/// The longest strings of which all are tried.
const LONGEST: u32 = 6;

const ALPHABET: [u8; 4] = [b'\r', b'\n', b'.', b'a'];

/// The number of generated inputs.
const CASES: u64 = 300;

/// A result that is not right.
struct Wrong {
    what: &'static str,
    expected: String,
    returned: String,
}

/// Compares the result for the pieces of an input with that of the model.
type Compare<'a> = &'a dyn Fn(&[&[u8]]) -> Option<Wrong>;

/// Runs the model on an input, then calls the function with a comparison against its
/// result.
type Judge<'a> = Box<dyn Fn(&[u8], &mut dyn FnMut(Compare<'_>)) + 'a>;

/// A setting of the codec in words, and the comparison under it.
type Setting<'a> = (String, Judge<'a>);

/// Judges a codec by the result of a model. `compare` gets the input, the result of the
/// model and that of the codec.
fn judge<'a, T: 'a>(
    model: impl Fn(&[u8]) -> T + 'a,
    codec: impl Fn(&[&[u8]]) -> T + 'a,
    compare: impl Fn(&[u8], &T, &T) -> Option<&'static str> + 'a,
    text: fn(&T) -> String,
) -> Judge<'a> {
    Box::new(move |input, on_plans| {
        let expected = model(input);
        on_plans(&|pieces| {
            let returned = codec(pieces);
            compare(input, &expected, &returned).map(|what| Wrong {
                what,
                expected: text(&expected),
                returned: text(&returned),
            })
        });
    })
}

/// Tries all inputs under all settings; `more` are tried last. A panic ends the search.
fn search(
    name: &str,
    settings: &[Setting<'_>],
    more: impl Iterator<Item = Vec<u8>>,
) -> Vec<Difference> {
    assert!(
        !settings.is_empty(),
        "{name} follows none of the rules that are tried, so nothing can be checked"
    );
    let mut found: Vec<Difference> = Vec::new();
    let is_new =
        |found: &[Difference], what: &str| found.iter().all(|difference| difference.what != what);
    for input in (0..=LONGEST).flat_map(strings) {
        let cuts = 1_u32 << input.len().saturating_sub(1);
        let none = input.is_empty().then(Vec::new);
        let cut = |mask| chunk::masked(&input, mask);
        let plans = || (0..cuts).map(cut).chain(none.clone());
        for setting in settings {
            let (difference, panicked) = first(setting, &input, plans());
            found.extend(difference.filter(|difference| is_new(&found, &difference.what)));
            if panicked {
                return found;
            }
        }
    }
    for input in inputs::octets().chain(inputs::around_buffers()).chain(more) {
        for setting in settings {
            let (difference, panicked) = by_plans(setting, &input);
            if let Some(difference) = difference.filter(|new| is_new(&found, &new.what)) {
                found.push(match panicked {
                    true => difference,
                    false => shorten(setting, difference),
                });
            }
            if panicked {
                return found;
            }
        }
    }
    found
}

/// Describes the rules without limits by what sets them apart from RFC 1939.
fn in_words(rules: &Rules) -> String {
    let more = [
        (rules.reject_bare_cr, ", and bare CR is refused"),
        (rules.reject_bare_lf, ", and bare LF is refused"),
        (
            rules.reject_unstuffed_dot,
            ", and unstuffed dots are refused",
        ),
        (rules.lf_terminates, ", but LF ends a line, too"),
        (
            rules.dot_line_ends,
            ", but any line with a dot in front ends the block",
        ),
    ];
    let more = more.into_iter().filter(|(applies, _)| *applies);
    more.fold("RFC 1939".to_owned(), |words, (_, more)| words + more)
}

/// Octets that are the same in every run.
fn generated() -> impl Iterator<Item = Vec<u8>> {
    cases(CASES).map(|case| case.0)
}

/// All strings of one length.
fn strings(length: u32) -> impl Iterator<Item = Vec<u8>> {
    let octet = |number: usize, place| ALPHABET[number >> (2 * place) & 3];
    let string = move |number| (0..length).map(|place| octet(number, place)).collect();
    (0..1 << (2 * length)).map(string)
}

fn by_plans(setting: &Setting<'_>, input: &[u8]) -> (Option<Difference>, bool) {
    let plans = chunk::plans(input, chunk::seed(input));
    first(setting, input, plans.into_iter())
}

/// Returns the first difference of the plans, of which the first gives the input whole,
/// and whether it is a panic.
fn first<'a>(
    (setting, judge): &Setting<'_>,
    input: &'a [u8],
    plans: impl Iterator<Item = Vec<&'a [u8]>>,
) -> (Option<Difference>, bool) {
    let (mut plans, mut found) = (plans.enumerate(), (None, false));
    judge(input, &mut |compare| {
        for (number, plan) in plans.by_ref() {
            let judged = catch_unwind(AssertUnwindSafe(|| compare(&plan)));
            let panicked = judged.is_err();
            let Some(wrong) = judged.unwrap_or_else(|panic| Some(of_panic(&*panic))) else {
                continue;
            };
            let cut = match number {
                0 => "",
                _ => ", depending on where the input is cut",
            };
            let difference = Difference {
                what: format!("{}{cut}", wrong.what),
                setting: setting.clone(),
                input: input.to_vec(),
                pieces: plan.iter().map(|piece| piece.len()).collect(),
                expected: wrong.expected,
                returned: wrong.returned,
            };
            found = (Some(difference), panicked);
            return;
        }
    });
    found
}

fn of_panic(panic: &(dyn Any + Send)) -> Wrong {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    Wrong {
        what: "panics",
        expected: "no panic".to_owned(),
        returned: text.unwrap_or("a panic without a text").to_owned(),
    }
}

/// Removes octets from the input for as long as what is wrong stays the same: halves of
/// it, quarters, and so on, down to a 128th.
fn shorten(setting: &Setting<'_>, mut shortest: Difference) -> Difference {
    let mut removed = shortest.input.len() / 2;
    while removed > shortest.input.len() / 128 {
        let mut at = 0;
        while at < shortest.input.len() {
            let end = shortest.input.len().min(at + removed);
            let shorter = [&shortest.input[..at], &shortest.input[end..]].concat();
            match by_plans(setting, &shorter).0 {
                Some(difference) if difference.what == shortest.what => shortest = difference,
                _ => at = end,
            }
        }
        removed /= 2;
    }
    shortest
}
