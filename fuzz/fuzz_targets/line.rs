#![no_main]

use dot_stuffing_testkit::{check, generate::Octets};
use pop3_testkit::known_bugs::subjects;

libfuzzer_sys::fuzz_target!(|octets: Octets| check::line_sampled(
    &subjects().line_splitters,
    &octets.0
));
