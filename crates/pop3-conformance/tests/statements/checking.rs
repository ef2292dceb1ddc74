//! What a check of a statement is, how checks become tests, and what a fault
//! is, which shows that a check can fail.

/// The reason why a check does not pass.
#[derive(Debug)]
pub(crate) enum Flaw {
    /// The statement is violated.
    Violation(String),
    /// The check cannot decide, because an earlier step failed.
    Unable(String),
}

pub(crate) type Verdict = Result<(), Flaw>;

/// Fails a test on any flaw.
#[track_caller]
pub(crate) fn passes(verdict: Verdict) {
    match verdict {
        Ok(()) => {}
        Err(Flaw::Violation(what)) => panic!("{what}"),
        Err(Flaw::Unable(why)) => panic!("cannot be checked: {why}"),
    }
}

/// A check of a statement on one side of the connection. Its name begins with
/// the statement's id.
pub(crate) struct Check<S: ?Sized> {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) run: fn(&mut S) -> Verdict,
}

impl<S: ?Sized> Check<S> {
    /// The id as the document writes it.
    pub(crate) fn id(&self) -> String {
        self.name[..5].to_uppercase()
    }
}

/// A faulty side that breaks one statement.
#[derive(Clone, Copy)]
pub(crate) struct Fault<F> {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) fault: F,
    /// Other statements that it must break too, each with the reason.
    pub(crate) also: &'static [(&'static str, &'static str)],
}

/// The ids of the checks that find a violation.
pub(crate) fn found<S: ?Sized + 'static>(
    checks: impl Iterator<Item = &'static Check<S>>,
    mut run: impl FnMut(&Check<S>) -> Result<(), Flaw>,
) -> Vec<String> {
    let mut found: Vec<String> = checks
        .filter(|check| matches!(run(check), Err(Flaw::Violation(_))))
        .map(Check::id)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Compares the table's row of a fault with what the checks found.
pub(crate) fn compare<F>(fault: &Fault<F>, found: &[String]) -> Result<(), String> {
    let also = fault.also.iter().map(|(id, _)| *id);
    let mut expected: Vec<&str> = also.chain([fault.id]).collect();
    expected.sort_unstable();
    match found == expected {
        true => Ok(()),
        false => Err(format!("{} {}: found {found:?}", fault.id, fault.what)),
    }
}

/// Ends a check with a violation unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err($crate::checking::Flaw::Violation(format!($($what)+)));
        }
    };
}

/// Lists the checks of a file, and makes a test of each on the correct side.
macro_rules! checks {
    ($side:ty, $sound:ident: $($name:ident),+ $(,)?) => {
        pub(crate) const CHECKS: &[$crate::checking::Check<$side>] = &[$(
            $crate::checking::Check { name: stringify!($name), file: file!(), run: |side| $name(side) },
        )+];

        mod on_ours {
            $(
                #[test]
                fn $name() {
                    super::$sound(super::$name);
                }
            )+
        }
    };
}
