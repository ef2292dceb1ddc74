#![no_main]

use pop3_testkit::{check, generate::Octets, known_bugs};

libfuzzer_sys::fuzz_target!(|octets: Octets| {
    check::client_session(known_bugs::subjects().clients, &octets.0);
});
