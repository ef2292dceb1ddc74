//! Decoding, encoding, splitting lines and inspecting do not allocate.

use std::hint::black_box;

use allocation_counter::measure;
use dot_stuffing::{
    BareNewline, Config, Inspector, LineDecoder, MultilineDecoder, MultilineEncoder,
};

/// Input with stuffed and unstuffed dots, bare newlines, a held CR, and text for both scans.
const WIRE: &[u8] = b"..stuffed\r\n.\rheld\r\nbare \r and \n\r\n.x\r\n\r\nand text that goes on for longer than the near search looks, so that the far one is used as well\r\n..\r\n.\r\n";

fn assert_no_allocation(run: impl FnOnce()) {
    assert_eq!(measure(run).count_total, 0);
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(black_box(vec![0_u8; 9]))).count_total, 1);
}

#[test]
fn decoding() {
    for config in [
        Config::new(),
        Config::new().max_octets(1000).max_line_octets(500),
    ] {
        for cut in 1..WIRE.len() {
            assert_no_allocation(|| {
                let mut decoder = MultilineDecoder::with_config(config);
                let mut octets = 0;
                for mut chunk in WIRE.chunks(cut) {
                    octets += decoder
                        .feed(&mut chunk)
                        .flatten()
                        .map(<[u8]>::len)
                        .sum::<usize>();
                }
                assert_eq!(
                    decoder.finish().map(|complete| complete.octets),
                    Ok(octets as u64)
                );
            });
        }
    }
}

#[test]
fn failing() {
    assert_no_allocation(|| {
        let mut decoder = MultilineDecoder::with_config(Config::new().max_octets(3));
        let mut input = black_box(WIRE);
        decoder.feed(&mut input).for_each(drop);
        assert!(decoder.skip_to_end(&mut input));
        assert!(decoder.finish().is_err());
    });
}

#[test]
fn encoding() {
    for newline in [BareNewline::Canonicalize, BareNewline::Verbatim] {
        assert_no_allocation(|| {
            let mut encoder = MultilineEncoder::new(newline);
            encoder.encode(black_box(WIRE)).for_each(drop);
            assert!(encoder.finish().is_ok());
        });
    }
}

#[test]
fn lines_and_inspection() {
    assert_no_allocation(|| {
        let mut lines = LineDecoder::<512>::new();
        let mut inspector = Inspector::new();
        for chunk in WIRE.chunks(7) {
            let mut input = chunk;
            while let Ok(consumed @ 1..) = lines.decode(input).map(|step| step.consumed) {
                input = &input[consumed..];
            }
            inspector.inspect(chunk, |anomaly| {
                black_box(anomaly);
            });
        }
    });
}
