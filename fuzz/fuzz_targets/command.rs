#![no_main]

use pop3_testkit::{check, mutants::under_fuzz};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| check::command(under_fuzz().commands, octets));
