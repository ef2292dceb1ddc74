#![no_main]

use dot_stuffing_testkit::generate::Octets;
use pop3_testkit::{check, known_bugs};

libfuzzer_sys::fuzz_target!(|octets: Octets| {
    check::client_session(known_bugs::subjects().clients, &octets.0);
});
