#![no_main]

use pop3_testkit::{check, generate::Script};

libfuzzer_sys::fuzz_target!(|script: Script| check::duplex(&script));
