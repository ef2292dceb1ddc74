//! Every view of the line decoder, on every plan, is the oracle.

use crate::{
    chunk,
    oracle::{self, Rules},
    view::{LINE_MAX, SplitLines},
};

/// A stream of lines, by RFC 1939 and by rules drawn from the octets.
pub fn line(views: &[&dyn SplitLines], wire: &[u8]) {
    let seed = chunk::seed(wire);
    for rules in [Rules::RFC1939, Rules::drawn(chunk::hash(&[seed]))] {
        let expected = oracle::lines(&rules, LINE_MAX, wire);
        for plan in chunk::plans(wire, seed) {
            for view in views {
                let lines = view.lines(&rules, &plan);
                assert_eq!(lines, expected, "{} by {rules:?} of {plan:?}", view.name());
            }
        }
    }
}
