#![no_main]

use dot_stuffing_testkit::generate::Octets;

#[path = "../../crates/pop3-conformance/tests/any_octets/audit_client.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|octets: Octets| {
    check::audit_client(&octets.0);
});
