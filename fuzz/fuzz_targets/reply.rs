#![no_main]

use pop3_testkit::{check, mutants::under_fuzz};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    check::reply(&under_fuzz().reply_lines, octets);
    check::reply_is_sound(octets);
});
