//! The differences of line splitters.

use super::{Difference, Setting, generated, in_words, inputs, judge, search, strings};
use crate::{
    generate::shown,
    oracle::{self, LineEvent, Lines, Rules},
    view::{MAX_LINE, SplitLines},
};

/// Returns the differences between a line splitter and the model, by each of
/// [`Rules::line_endings`] that the splitter follows. The reason and the offset of a
/// refusal are not compared.
///
/// # Panics
///
/// If the splitter follows none of these.
#[must_use]
pub fn split_lines(splitter: &dyn SplitLines) -> Vec<Difference> {
    let rules = Rules::line_endings().into_iter();
    let settings = rules.filter(|rules| splitter.follows(rules));
    let settings = settings.map(|rules| setting(splitter, rules));
    let more = inputs::around_the_limit((0..=4).flat_map(strings)).chain(generated());
    search(splitter.name(), &settings.collect::<Vec<_>>(), more)
}

fn setting(splitter: &dyn SplitLines, rules: Rules) -> Setting<'_> {
    let model = move |wire: &[u8]| oracle::lines(&rules, MAX_LINE, wire);
    let judge = judge(
        model,
        move |pieces| splitter.lines(&rules, pieces),
        move |wire, expected, returned| {
            compare(expected, returned, || model(&[wire, b"\r\n"].concat()))
        },
        text,
    );
    (in_words(&rules), judge)
}

/// `ended` are the lines of a stream with a line end after its last octet.
fn compare(expected: &Lines, returned: &Lines, ended: impl Fn() -> Lines) -> Option<&'static str> {
    let pairs = expected.events.iter().zip(&returned.events);
    for pair in pairs {
        match pair {
            (LineEvent::Line(expected), LineEvent::Line(returned)) if expected == returned => {}
            (LineEvent::Refused(..), LineEvent::Refused(..)) => {}
            (LineEvent::Line(_), LineEvent::Line(_)) => return Some("returns another line"),
            (LineEvent::Line(_), _) => return Some("refuses a line that the rules accept"),
            (LineEvent::Refused(..), _) => return Some("returns a line that the rules refuse"),
        }
    }
    let (due, came) = (expected.events.len(), returned.events.len());
    if came < due {
        return Some("loses a line");
    }
    if came > due && returned.events == ended().events {
        return Some("takes the end of the stream for the end of a line");
    }
    if came > due {
        return Some("ends a line where the rules see no line end");
    }
    match (expected.whole, returned.whole) {
        (true, false) => Some("waits for more after a whole line"),
        (false, true) => Some("does not say that the stream stops within a line"),
        _ => None,
    }
}

fn text(lines: &Lines) -> String {
    let event = |event: &LineEvent| match event {
        LineEvent::Line(line) => format!("line `{}`", shown(line)),
        LineEvent::Refused(..) => "a refusal".to_owned(),
    };
    let mut events: Vec<String> = lines.events.iter().map(event).collect();
    events.push(match lines.whole {
        true => "end".to_owned(),
        false => "truncated".to_owned(),
    });
    events.join(", ")
}
