#![no_main]

use pop3_testkit::{check, generate::Octets, mutants};

libfuzzer_sys::fuzz_target!(|octets: Octets| {
    check::client_session(mutants::under_fuzz().clients, &octets.0);
});
