#![no_main]

use dot_stuffing_testkit::{check, generate::Octets};
use pop3_testkit::known_bugs::subjects;

libfuzzer_sys::fuzz_target!(|octets: Octets| check::multiline_decode_sampled(
    &subjects().decoders,
    &octets.0
));
