//! Every view of the line decoder agrees with the oracle, however the input is cut.

use crate::{
    chunk,
    oracle::{self, Rules},
    view::{MAX_LINE, SplitLines},
};

/// Splits a stream into lines, by RFC 1939 and by rules drawn from the octets, on
/// every plan.
pub fn line(views: &[&dyn SplitLines], wire: &[u8]) {
    let plans = chunk::plans(wire, chunk::seed(wire));
    stream(views, wire, &plans);
}

/// Checks one plan of [`line()`], for a fuzzer that calls this often.
pub fn line_sampled(views: &[&dyn SplitLines], wire: &[u8]) {
    let seed = chunk::seed(wire);
    let plan = chunk::drawn_plan(wire, seed);
    stream(views, wire, &[plan]);
}

fn stream(views: &[&dyn SplitLines], wire: &[u8], plans: &[Vec<&[u8]>]) {
    for rules in [Rules::RFC1939, Rules::drawn(chunk::seed(wire))] {
        let expected = oracle::lines(&rules, MAX_LINE, wire);
        for plan in plans {
            for view in views.iter().filter(|view| view.follows(&rules)) {
                let lines = view.lines(&rules, plan);
                assert_eq!(lines, expected, "{} by {rules:?} of {plan:?}", view.name());
            }
        }
    }
}
