//! docs/benchmarks.svg: decoding whole blocks, relative to the memchr limit.

use std::path::Path;

use anyhow::Context as _;
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{PAYLOADS, digits};

const OURS: RGBColor = RGBColor(0x25, 0x63, 0xeb);
const LIMIT: RGBColor = RGBColor(0x6b, 0x72, 0x80);
const LOOP: RGBColor = RGBColor(0xd9, 0x77, 0x06);
const PEER: RGBColor = RGBColor(0xbe, 0x18, 0x5d);

/// The measured subjects, in the order of the tables and the plot.
pub(super) const SUBJECTS: [(&str, RGBColor); 20] = [
    ("slices", OURS),
    ("Bytes", OURS),
    ("BufRead", OURS),
    ("into a Vec", OURS),
    ("Inspector", OURS),
    ("Verbatim", OURS),
    ("Canonicalize", OURS),
    ("client::Session", OURS),
    ("ResponseDecoder", OURS),
    ("MaildropIndex", OURS),
    ("memchr limit", LIMIT),
    ("memmem finder", LIMIT),
    ("memcpy", LIMIT),
    ("codec alone", LIMIT),
    ("byte loop", LOOP),
    ("memchr by line", LOOP),
    ("memchr line ends", LOOP),
    ("smtp-proto", PEER),
    ("LinesCodec", PEER),
    ("pop3-codec", PEER),
];

const WIDTH: u32 = 800;
const HEAD: u32 = 84;
/// The height of a bar with the space around it, and of the other parts of a panel.
const BAR: u32 = 16;
const AXIS: u32 = 56;

/// Draws a panel for each payload; `figures` gives the ratio and the speed of a subject.
pub(super) fn draw(
    path: &Path,
    figures: impl Fn(&str, &str) -> Option<(f64, f64)>,
) -> anyhow::Result<()> {
    let panel = |payload| {
        let bars = SUBJECTS.iter().filter_map(|(name, colour)| {
            let (ratio, speed) = figures(payload, name)?;
            Some((*name, *colour, ratio, speed))
        });
        (payload, bars.collect::<Vec<_>>())
    };
    let mut panels: Vec<_> = PAYLOADS.map(panel).to_vec();
    panels.retain(|(_, bars)| !bars.is_empty());
    let most = panels.iter().map(|(_, bars)| bars.len()).max();
    let bars = most.context("nothing to draw")? as u32;
    let height = HEAD + panels.len() as u32 * (bars * BAR + AXIS);

    let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let (head, body) = area.split_vertically(HEAD);
    let title = "Decoding speed relative to memchr";
    head.draw_text(title, &("sans-serif", 24).into_text_style(&area), (24, 12))?;
    let small = ("sans-serif", 15).into_text_style(&area);
    let about = "64 MiB blocks, one core, logarithmic. memchr looks for an octet that is not there: \
                 1 is the speed of memory.";
    head.draw_text(about, &small, (24, 38))?;
    let legend = [
        (24, OURS, "dot-stuffing"),
        (160, LIMIT, "limits of the machine"),
        (340, LOOP, "loops without a library"),
        (530, PEER, "other libraries"),
    ];
    for (x, colour, words) in legend {
        head.draw(&Rectangle::new([(x, 60), (x + 12, 72)], colour.filled()))?;
        head.draw_text(words, &small, (x + 18, 60))?;
    }

    for (part, (payload, bars)) in body.split_evenly((panels.len(), 1)).iter().zip(&panels) {
        let mut chart = ChartBuilder::on(part)
            .caption(payload, ("sans-serif", 18))
            .margin_left(120)
            .margin_right(40)
            .x_label_area_size(24)
            .build_cartesian_2d((0.001..5.0).log_scale(), bars.len() as f64..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_max_light_lines(0)
            .x_label_formatter(&|ratio| ratio.to_string())
            .draw()?;
        let beside = |side| small.pos(Pos::new(side, VPos::Center));
        for (at, (name, colour, ratio, speed)) in bars.iter().enumerate() {
            let top = at as f64;
            let corners = [(0.001, top + 0.1), (*ratio, top + 0.9)];
            let figures = format!("\u{a0}{} ×, {} GB/s", digits(*ratio), digits(*speed));
            let bar = Rectangle::new(corners, colour.filled());
            chart.draw_series([bar])?;
            let name = Text::new(
                format!("{name}\u{a0}"),
                (0.001, top + 0.5),
                beside(HPos::Right),
            );
            chart.draw_series([name])?;
            let figures = Text::new(figures, (*ratio, top + 0.5), beside(HPos::Left));
            chart.draw_series([figures])?;
        }
    }
    Ok(area.present()?)
}
