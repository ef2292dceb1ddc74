#![no_main]

use pop3_testkit::{check, generate::Octets, mutants::under_fuzz};

libfuzzer_sys::fuzz_target!(|octets: Octets| check::multiline_decode_sampled(
    &under_fuzz().decoders,
    &octets.0
));
