#![no_main]

use pop3_testkit::{check, generate::Octets, mutants::under_fuzz};

libfuzzer_sys::fuzz_target!(|octets: Octets| check::response(under_fuzz().replies, &octets.0));
