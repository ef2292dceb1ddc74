#![no_main]

use pop3_testkit::{check, generate::Octets, mutants};

libfuzzer_sys::fuzz_target!(|octets: Octets| {
    check::server_session(mutants::under_fuzz().servers, &octets.0);
});
