//! Runs the checks on generated input.

use pop3_testkit::{check, generate::octets, view};
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_view_of_the_decoder_agrees_with_the_oracle(wire in octets()) {
        check::multiline_decode(view::decoders(), &wire.0);
    }

    #[test]
    fn every_view_of_the_encoder_agrees_with_the_oracle_and_decodes(message in octets()) {
        check::multiline_roundtrip(view::encoders(), &message.0);
    }

    #[test]
    fn the_line_decoder_agrees_with_the_oracle(wire in octets()) {
        check::line(view::line_splitters(), &wire.0);
    }
}
