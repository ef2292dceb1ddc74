//! The ratios that must be reached.

use crate::bench::{
    measure::{Id, Measurements},
    ratio::Ratio,
};

/// A ratio that must be reached.
struct Target {
    /// Direction, payload, subject and form, with slashes between them.
    id: &'static str,
    against: Against,
    least: f64,
}

/// What a subject is compared with, on the same payload in the same form.
enum Against {
    Subject(&'static str),
    FastestPeer,
}

const fn target(id: &'static str, subject: &'static str, least: f64) -> Target {
    let against = Against::Subject(subject);
    Target { id, against, least }
}

const TARGETS: [Target; 24] = [
    target("decode/base64/slices/whole", "memchr limit", 0.85),
    target("decode/blank/slices/whole", "memchr limit", 0.85),
    target("decode/endless/slices/whole", "memchr limit", 0.85),
    target("decode/prose/slices/whole", "memchr limit", 0.6),
    target("decode/base64/slices/whole", "memcpy", 2.0),
    target("decode/blank/slices/whole", "memcpy", 2.0),
    target("decode/endless/slices/whole", "memcpy", 2.0),
    Target {
        id: "decode/base64/slices/whole",
        against: Against::FastestPeer,
        least: 30.0,
    },
    target("decode/base64/slices/cached", "memmem finder", 0.8),
    target("decode/prose/slices/cached", "memmem finder", 0.8),
    target("decode/blank/slices/cached", "memmem finder", 0.8),
    target("decode/endless/slices/cached", "memmem finder", 0.8),
    target("decode/dots/slices/whole", "byte loop", 1.0),
    target("decode/base64/slices/whole", "byte loop", 1.0),
    target("decode/prose/slices/whole", "byte loop", 1.0),
    target("decode/blank/slices/whole", "byte loop", 1.0),
    target("decode/endless/slices/whole", "byte loop", 1.0),
    target("decode/base64/into a Vec/whole", "memcpy", 0.9),
    target("encode/base64/Verbatim/whole", "memchr limit", 0.85),
    target("encode/base64/Canonicalize/whole", "memchr by line", 0.9),
    target(
        "reply/LIST/client::Session/long-reads",
        "memchr line ends",
        0.5,
    ),
    target(
        "reply/UIDL/client::Session/long-reads",
        "memchr line ends",
        0.5,
    ),
    target("reply/RETR/ResponseDecoder/long-reads", "codec alone", 0.9),
    target("reply/RETR/client::Session/long-reads", "codec alone", 0.9),
];

/// What became of a target.
pub(crate) struct Verdict {
    pub(crate) id: Id,
    pub(crate) against: String,
    pub(crate) least: f64,
    pub(crate) reached: Option<Ratio>,
}

impl Verdict {
    /// Whether the ratio was reached; one that was not measured was not.
    pub(crate) fn holds(&self) -> bool {
        self.reached.is_some_and(|ratio| ratio.median >= self.least)
    }
}

/// Judges the targets on all payloads that were measured.
pub(crate) fn judge(measured: &Measurements) -> Vec<Verdict> {
    let judge = |target: &Target| {
        let mut parts = target.id.split('/');
        let mut part = || parts.next().unwrap_or_default();
        let id = Id::new(part(), part(), part(), part());
        let (against, shown) = match target.against {
            Against::Subject(subject) => (subject, subject.to_owned()),
            Against::FastestPeer => match measured.fastest_peer(&id) {
                Some(peer) => (&peer.name[..], format!("fastest peer: {}", peer.name)),
                None => ("", "fastest peer".to_owned()),
            },
        };
        let reached = measured.ratio(&id, &id.with_subject(against));
        Verdict {
            id,
            against: shown,
            least: target.least,
            reached,
        }
    };
    let is_measured = |verdict: &Verdict| {
        let mut payloads = measured.payloads.iter();
        payloads.any(|payload| payload.name == verdict.id.payload)
    };
    TARGETS.iter().map(judge).filter(is_measured).collect()
}
