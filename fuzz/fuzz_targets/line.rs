#![no_main]

use pop3_testkit::{check, generate::Octets, mutants::under_fuzz};

libfuzzer_sys::fuzz_target!(|octets: Octets| check::line_sampled(
    &under_fuzz().line_splitters,
    &octets.0
));
