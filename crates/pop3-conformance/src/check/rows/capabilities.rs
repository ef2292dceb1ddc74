//! CAPA, and whether its announcements are true.

use pop3_proto::{Capability, Counted};

use super::{Check, Finding, Observed, Phase, no_session, shown, untestable};
use crate::{
    Strength::Must,
    check::{dialogue::TroubleKind, observed::Pipelined, prober::lines},
};

pub(super) static CLAUSES: [Check; 3] = [
    Check {
        id: "rfc2449-capa",
        title: "CAPA is answered with a list of capabilities (RFC 2449 §§4, 5)",
        strength: Must,
        phases: &[],
        outlook: |_| "It ends the list at a line that begins with a dot (V0002), and takes the rest for other replies; it does not use what it cannot read.",
        judge: |seen, _| capa(seen),
    },
    Check {
        id: "rfc2449-announced",
        title: "TOP and UIDL work where they are announced (RFC 2449 §§6.2, 6.8)",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It relies on what is announced: without UIDL it cannot leave mail on the server.",
        judge: |seen, _| announced(seen),
    },
    Check {
        id: "rfc2449-pipelining",
        title: "Commands sent together are answered in order, where PIPELINING is announced (RFC 2449 §6.6)",
        strength: Must,
        phases: &[Phase::Reading, Phase::Pipelining],
        outlook: |_| "The document does not say that it pipelines; clients that do hang or confuse answers.",
        judge: |seen, _| pipelining(seen),
    },
];

fn capa(seen: &Observed) -> Finding {
    let reply = match &seen.capa {
        Some(Ok(reply)) if reply.positive => reply,
        Some(Err(trouble)) if trouble.kind == TroubleKind::NoBlock => {
            return Finding::Violation(trouble.shown.clone());
        }
        Some(answer) => return untestable(format!("Needs CAPA:\n{}", shown(answer))),
        None => return no_session(seen),
    };
    for line in lines(&reply.block) {
        let tag = line.split(|octet| matches!(octet, b' ' | b'\t')).next();
        let is_tag = |tag: &[u8]| !tag.is_empty() && !tag.contains(&b'.');
        if Capability::parse(&line).is_err() || !tag.is_some_and(is_tag) {
            return Finding::Violation(format!("C: CAPA\nS: {}", seen.secrets.quoted(&line, 80)));
        }
    }
    Finding::Pass(reply.shown.clone())
}

fn announced(seen: &Observed) -> Finding {
    if seen.capabilities.is_empty() {
        return untestable("Needs CAPA.");
    }
    let announces = |is: Capability<'_>| {
        let mut lines = seen.capabilities.iter();
        lines.any(|line| Capability::parse(line) == Ok(is))
    };
    let sample = seen.reading.samples.first();
    let uidl = seen.reading.uidl.as_ref();
    let top = sample.and_then(|sample| sample.top_0.as_ref());
    let answers = [
        uidl.filter(|_| announces(Capability::Uidl)),
        top.filter(|_| announces(Capability::Top)),
    ];
    let (mut works, mut unanswered) = (None, None);
    for answer in answers.into_iter().flatten() {
        match answer {
            Ok(reply) if !reply.positive => {
                return Finding::Violation(format!("(announced)\n{}", reply.shown));
            }
            Ok(reply) => works = Some(&reply.shown),
            Err(trouble) => _ = unanswered.get_or_insert(&trouble.shown),
        }
    }
    match (unanswered, works) {
        (Some(shown), _) => untestable(format!("(announced)\nNeeds an answer:\n{shown}")),
        (None, Some(shown)) => Finding::Pass(format!("(announced)\n{shown}")),
        (None, None) => untestable("Needs TOP or UIDL among the capabilities, and a message."),
    }
}

/// Judges the first pipeline with a fault, or else the first of all.
fn pipelining(seen: &Observed) -> Finding {
    let mut findings = seen.reading.pipelined.iter().map(in_order);
    let first = findings.next();
    let violation = first
        .iter()
        .any(|finding| matches!(finding, Finding::Violation(_)));
    let later = match violation {
        true => None,
        false => findings.find(|finding| matches!(finding, Finding::Violation(_))),
    };
    later
        .or(first)
        .unwrap_or_else(|| untestable("Needs a server that announces PIPELINING."))
}

/// Passes if each command got the same reply as alone.
fn in_order(pipelined: &Pipelined) -> Finding {
    let sent = pipelined.alone.len();
    let mut told = format!("({} at once)", Counted(sent, "command"));
    for (asked, alone) in pipelined.pipelined.iter().zip(&pipelined.alone) {
        let alone = match alone {
            Some(Ok(reply)) => reply,
            // The command got no reply alone either, which another row judges.
            _ => return untestable(format!("Needs an answer to {} alone.", asked.command)),
        };
        told = format!("{told}\nC: {}\n{}", asked.command, shown(&asked.answer));
        match &asked.answer {
            Ok(reply) if asked.is_answered_as(reply, alone) => {}
            Err(trouble) if trouble.kind.is_ours() => return untestable(told),
            answer => {
                let of = |block: &[u8]| Counted(block.len(), "octet").to_string();
                let came = answer
                    .as_ref()
                    .map_or("none".to_owned(), |reply| of(&reply.block));
                return Finding::Violation(format!(
                    "{told}\n(alone:)\n{}\n(the block: {came}, and alone {})",
                    alone.shown,
                    of(&alone.block)
                ));
            }
        }
    }
    match pipelined.pipelined.len() == sent {
        true => Finding::Pass(told),
        false => untestable(format!("{told}\n(no session)")),
    }
}
