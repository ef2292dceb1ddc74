//! Every view of the decoder agrees with the oracle, however the input is cut.

use dot_stuffing::{AnomalyKind, Inspector};

use crate::{
    chunk,
    generate::shown,
    oracle::{self, Finding, Inspection, Outcome, Rules, Transcript},
    view::Decode,
};

/// Decodes wire octets as they are, cut short, and with a terminator and more
/// octets appended; by RFC 1939 and by rules drawn from the octets; on every plan.
pub fn multiline_decode(views: &[&dyn Decode], wire: &[u8]) {
    let seed = chunk::seed(wire);
    let framing = Rules::framing();
    for wire in &forms(wire, seed) {
        let plans = chunk::plans(wire, seed);
        for rules in [
            Rules::RFC1939,
            framing[seed as usize % framing.len()],
            Rules::drawn(chunk::hash(&[seed, 1])),
        ] {
            let expected = oracle::decode(&rules, wire);
            for plan in &plans {
                block(views, &rules, wire, plan, &expected);
            }
        }
        inspection(&plans, &oracle::inspect(wire));
    }
}

/// Checks one form of the octets, one plan, and one or two views of
/// [`multiline_decode`], for a fuzzer that calls this often.
pub fn multiline_decode_sampled(views: &[&dyn Decode], wire: &[u8]) {
    let seed = chunk::seed(wire);
    let draw = |what| chunk::hash(&[seed, what]);
    let view = |what| &views[draw(what) as usize % views.len()..][..1];
    let wire = &forms(wire, seed)[draw(1) as usize % 3];
    let plan = chunk::drawn_plan(wire, seed);
    let by_rfc = oracle::decode(&Rules::RFC1939, wire);
    block(view(2), &Rules::RFC1939, wire, &plan, &by_rfc);
    let rules = Rules::drawn(draw(3));
    if views.iter().any(|view| view.follows(&rules)) {
        block(view(4), &rules, wire, &plan, &oracle::decode(&rules, wire));
    }
    if draw(5) % 4 == 0 {
        inspection(&[plan], &oracle::inspect(wire));
    }
}

/// Returns the octets, a prefix of them, and a block that certainly ends before its
/// last octet.
pub(crate) fn forms(wire: &[u8], seed: u64) -> [Vec<u8>; 3] {
    let prefix = chunk::hash(&[seed]) as usize % (wire.len() + 1);
    let ended = [wire, b"\r\n.\r\n+OK\r\n.\r\n"].concat();
    [wire.to_vec(), wire[..prefix].to_vec(), ended]
}

/// Checks one block by one set of rules on one plan.
pub fn block(
    views: &[&dyn Decode],
    rules: &Rules,
    wire: &[u8],
    chunks: &[&[u8]],
    expected: &Transcript,
) {
    let mut transcript = Transcript::default();
    for view in views.iter().filter(|view| view.follows(rules)) {
        transcript.data.clear();
        transcript.outcome = Outcome::Hung;
        view.decode(rules, chunks, &mut transcript);
        if transcript != *expected {
            let cuts: Vec<_> = chunks.iter().map(|chunk| chunk.len()).collect();
            panic!(
                "{} by {rules:?}\n of `{}`\n cut {cuts:?}\n gave `{}`, {:?}\n not  `{}`, {:?}",
                view.name(),
                shown(wire),
                shown(&transcript.data),
                transcript.outcome,
                shown(&expected.data),
                expected.outcome,
            );
        }
    }
}

/// The inspector reports the same on every plan.
pub fn inspection(plans: &[Vec<&[u8]>], expected: &Inspection) {
    for plan in plans {
        let mut inspector = Inspector::new();
        let mut findings = Vec::new();
        for chunk in plan {
            inspector.inspect(chunk, |anomaly| {
                findings.push((anomaly.offset as usize, finding(anomaly.kind)));
            });
        }
        findings.sort_unstable();
        let longest = inspector.longest_line();
        let longest = (longest.offset as usize, longest.octets as usize);
        assert_eq!(
            Inspection { findings, longest },
            *expected,
            "inspection of {plan:?}"
        );
    }
}

fn finding(kind: AnomalyKind) -> Finding {
    match kind {
        AnomalyKind::AfterEnd => Finding::AfterEnd,
        AnomalyKind::BareCrBesideDot => Finding::BareCrBesideDot,
        AnomalyKind::BareLfBesideDot => Finding::BareLfBesideDot,
        AnomalyKind::Nul => Finding::Nul,
        AnomalyKind::UnstuffedDot => Finding::UnstuffedDot,
        other => panic!("{other:?} is unknown"),
    }
}
