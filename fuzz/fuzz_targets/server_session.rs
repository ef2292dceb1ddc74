#![no_main]

use pop3_testkit::{check, generate::Octets, known_bugs};

libfuzzer_sys::fuzz_target!(|octets: Octets| {
    check::server_session(known_bugs::subjects().servers, &octets.0);
});
