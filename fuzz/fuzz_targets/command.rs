#![no_main]

use pop3_testkit::{check, known_bugs::subjects};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| check::command(subjects().commands, octets));
