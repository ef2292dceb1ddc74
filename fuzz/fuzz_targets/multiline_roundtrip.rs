#![no_main]

use pop3_testkit::{check, generate::Octets, mutants::under_fuzz};

libfuzzer_sys::fuzz_target!(|octets: Octets| check::multiline_roundtrip_sampled(
    &under_fuzz().encoders,
    &octets.0
));
