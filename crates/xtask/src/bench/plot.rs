//! The plot, drawn by hand: an SVG without fonts or scripts of its own, on a
//! light ground so that it can be read on a dark page.

use crate::bench::{
    measure::{Id, Kind, Measurements, Payload, Subject},
    ratio::digits,
};

const WIDTH: f64 = 800.0;
/// Where the bars begin and where the axis ends.
const LEFT: f64 = 128.0;
const RIGHT: f64 = 648.0;
/// The right edges of the two columns of numbers.
const RATIOS: f64 = 712.0;
const SPEEDS: f64 = 772.0;
/// The ends of the axis, as powers of ten.
const LEAST: f64 = -3.0;
const MOST: f64 = 0.2;
const HEAD: f64 = 92.0;
const FOOT: f64 = 46.0;
const PANEL_HEAD: f64 = 34.0;
const BAR: f64 = 12.0;
const STEP: f64 = 16.0;

/// Decoding whole blocks, relative to the memchr limit.
pub(crate) fn svg(measured: &Measurements) -> String {
    let mut subjects = measured.subjects_of("decode");
    subjects.retain(|subject| subject.name != LIMIT);
    let payloads = measured.payloads_of("decode");
    let panel_height = PANEL_HEAD + STEP * subjects.len() as f64;
    let bottom = HEAD + panel_height * payloads.len() as f64;
    let height = bottom + FOOT;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="12" fill="#1f2937" role="img">
<title>Decoding speed relative to memchr</title>
<rect x="0.5" y="0.5" width="{}" height="{}" rx="8" fill="#ffffff" stroke="#d1d5db"/>
<text x="24" y="36" font-size="19" font-weight="600">Decoding speed relative to memchr</text>
<text x="24" y="56" fill="#4b5563">64 MiB blocks, one core, logarithmic. memchr looks for an octet that is not there: 1 is the speed of memory.</text>
"##,
        WIDTH - 1.0,
        height - 1.0,
    );
    legend(&mut svg);
    axis(&mut svg, bottom);
    let mut top = HEAD;
    for payload in payloads {
        panel(&mut svg, measured, payload, &subjects, top);
        top += panel_height;
    }
    svg.push_str("</svg>\n");
    svg
}

const LIMIT: &str = "memchr limit";

fn legend(svg: &mut String) {
    let mut x = 24.0;
    for (kind, words) in [
        (Kind::Ours, "dot-stuffing"),
        (Kind::Limit, "limits of the machine"),
        (Kind::Loop, "loops without a library"),
        (Kind::Peer, "other libraries"),
    ] {
        *svg += &format!(
            "<rect x=\"{x}\" y=\"68\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{}\"/>\n<text x=\"{}\" y=\"78\">{words}</text>\n",
            colour(kind),
            x + 18.0,
        );
        x += 52.0 + 6.2 * words.len() as f64;
    }
}

fn axis(svg: &mut String, bottom: f64) {
    for (ratio, label) in [(0.001, "0.001"), (0.01, "0.01"), (0.1, "0.1"), (1.0, "1")] {
        let x = place(ratio);
        let stroke = match label {
            "1" => r##"stroke="#6b7280" stroke-width="1.5""##,
            _ => r##"stroke="#e5e7eb""##,
        };
        let y = bottom + 18.0;
        *svg += &format!(
            r##"<path d="M{x:.1} {HEAD}V{bottom:.1}" {stroke}/>
<text x="{x:.1}" y="{y:.1}" text-anchor="middle" fill="#4b5563">{label}</text>
"##
        );
    }
    let x = f64::midpoint(LEFT, RIGHT);
    let y = bottom + 36.0;
    *svg += &format!(
        r##"<text x="{x:.1}" y="{y:.1}" text-anchor="middle" fill="#4b5563">times the speed of memchr</text>
"##
    );
}

fn panel(
    svg: &mut String,
    measured: &Measurements,
    payload: &Payload,
    subjects: &[&Subject],
    top: f64,
) {
    let limit = Id::new("decode", &payload.name, LIMIT, "whole");
    let Payload { name, about } = payload;
    let y = top + PANEL_HEAD - 10.0;
    *svg += &format!(
        r##"<rect x="20" y="{:.1}" width="760" height="18" fill="#f3f4f6"/>
<text x="24" y="{y:.1}"><tspan font-weight="600">{name}</tspan><tspan fill="#4b5563" dx="8">{about}</tspan></text>
<g text-anchor="end" fill="#4b5563"><text x="{RATIOS}" y="{y:.1}">× memchr</text><text x="{SPEEDS}" y="{y:.1}">GB/s</text></g>
"##,
        y - 13.5
    );
    for (at, subject) in subjects.iter().enumerate() {
        let id = limit.with_subject(&subject.name);
        let (Some(ratio), Some(speed)) = (measured.ratio(&id, &limit), measured.speed(&id)) else {
            continue;
        };
        let top = top + PANEL_HEAD + STEP * at as f64;
        let y = top + BAR - 2.0;
        let weight = if subject.kind == Kind::Ours { 600 } else { 400 };
        *svg += &format!(
            r##"<rect x="{LEFT}" y="{top:.1}" width="{:.1}" height="{BAR}" rx="2" fill="{}"/>
<g text-anchor="end" font-weight="{weight}"><text x="{:.1}" y="{y:.1}">{}</text><text x="{RATIOS}" y="{y:.1}">{}</text><text x="{SPEEDS}" y="{y:.1}">{}</text></g>
"##,
            place(ratio.median) - LEFT,
            colour(subject.kind),
            LEFT - 8.0,
            subject.name,
            digits(ratio.median),
            digits(speed),
        );
    }
}

/// Where a ratio stands on the axis.
fn place(ratio: f64) -> f64 {
    let part = (ratio.log10() - LEAST) / (MOST - LEAST);
    LEFT + (RIGHT - LEFT) * part.clamp(0.0, 1.0)
}

const fn colour(kind: Kind) -> &'static str {
    match kind {
        Kind::Ours => "#2563eb",
        Kind::Limit => "#6b7280",
        Kind::Loop => "#d97706",
        Kind::Peer => "#be185d",
    }
}
