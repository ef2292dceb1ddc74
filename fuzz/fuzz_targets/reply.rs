#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| pop3_testkit::check::reply(octets));
