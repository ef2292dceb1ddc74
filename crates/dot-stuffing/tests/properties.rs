//! Runs the checks on generated input.

use dot_stuffing_testkit::{check, generate::cases, view};

const CASES: u64 = 500;

#[test]
fn every_view_of_the_decoder_agrees_with_the_oracle() {
    for wire in cases(CASES) {
        check::multiline_decode(view::decoders(), &wire.0);
    }
}

#[test]
fn every_view_of_the_encoder_agrees_with_the_oracle_and_decodes() {
    for message in cases(CASES) {
        check::multiline_roundtrip(view::encoders(), &message.0);
    }
}

#[test]
fn the_line_decoder_agrees_with_the_oracle() {
    for wire in cases(CASES) {
        check::line(view::line_splitters(), &wire.0);
    }
}
