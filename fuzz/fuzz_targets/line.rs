#![no_main]

use pop3_testkit::{check, generate::Octets, known_bugs::subjects};

libfuzzer_sys::fuzz_target!(|octets: Octets| check::line_sampled(
    &subjects().line_splitters,
    &octets.0
));
