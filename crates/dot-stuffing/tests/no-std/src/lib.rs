//! Proof that the core of dot-stuffing needs neither std nor an allocator: if
//! std were linked, there would be two panic handlers, which is error E0152; if
//! alloc were, there would be no global allocator, which is an error too.

#![no_std]
#![forbid(unsafe_code)]

use core::panic::PanicInfo;

use dot_stuffing::{BareNewline, Inspector, LineDecoder, MultilineDecoder, MultilineEncoder};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Uses all of the core.
pub fn count(wire: &[u8]) -> Option<u64> {
    let mut inspector = Inspector::new();
    let mut anomalies = 0;
    inspector.inspect(wire, |_| anomalies += 1);

    let mut lines = LineDecoder::<512>::new();
    let status = lines.decode(wire).ok()?.consumed;

    let mut encoder = MultilineEncoder::new(BareNewline::Canonicalize);
    let mut decoder = MultilineDecoder::new();
    for octets in encoder.encode(&wire[status..]) {
        decoder.feed(&mut octets.ok()?).for_each(drop);
    }
    decoder.feed(&mut encoder.finish().ok()?).for_each(drop);
    decoder
        .finish()
        .ok()
        .map(|complete| complete.octets + anomalies)
}
