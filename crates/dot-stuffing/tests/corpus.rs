//! The checks on the files of `corpus/`: the seeds of the fuzz targets, and
//! every input that once showed a bug.

use pop3_testkit::{corpus, generate::Octets, mutants};

fn replay(target: &str, check: fn(&Octets)) {
    let inputs = corpus::inputs(target);
    assert!(!inputs.is_empty(), "there is a corpus for {target}");
    for (name, input) in inputs {
        println!("{name}");
        check(&Octets::expand(&input));
    }
}

#[test]
fn multiline_decode() {
    replay("multiline_decode", mutants::fuzz_multiline_decode);
}

#[test]
fn multiline_roundtrip() {
    replay("multiline_roundtrip", mutants::fuzz_multiline_roundtrip);
}

#[test]
fn line() {
    replay("line", mutants::fuzz_line);
}
