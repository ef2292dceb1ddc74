#![no_main]

use dot_stuffing_testkit::generate::Octets;

#[path = "../../crates/pop3-conformance/tests/any_octets/check_server.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|octets: Octets| check::check_server(&octets.0));
