//! Runs the checks on the files of `corpus/`: seeds of the fuzz targets, and inputs
//! that once showed a bug.

use std::path::Path;

use dot_stuffing_testkit::{check, corpus, generate::Octets, view};

fn replay(target: &str, check: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus");
    let inputs = corpus::inputs(&corpus, target);
    assert!(!inputs.is_empty(), "there is a corpus for {target}");
    for (name, input) in inputs {
        println!("{name}");
        check(&Octets::expand(&input).0);
    }
}

#[test]
fn multiline_decode_corpus() {
    replay("multiline_decode", |wire| {
        check::multiline_decode(view::decoders(), wire);
    });
}

#[test]
fn multiline_roundtrip_corpus() {
    replay("multiline_roundtrip", |message| {
        check::multiline_roundtrip(view::encoders(), message);
    });
}

#[test]
fn line_corpus() {
    replay("line", |wire| check::line(view::line_splitters(), wire));
}
