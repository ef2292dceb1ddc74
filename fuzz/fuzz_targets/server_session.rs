#![no_main]

use dot_stuffing_testkit::generate::Octets;
use pop3_testkit::{check, known_bugs};

libfuzzer_sys::fuzz_target!(|octets: Octets| {
    check::server_session(known_bugs::subjects().servers, &octets.0);
});
