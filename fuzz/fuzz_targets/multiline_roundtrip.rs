#![no_main]

use pop3_testkit::{check, generate::Octets, known_bugs::subjects};

libfuzzer_sys::fuzz_target!(|octets: Octets| check::multiline_roundtrip_sampled(
    &subjects().encoders,
    &octets.0
));
