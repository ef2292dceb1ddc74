#![no_main]

use pop3_testkit::{check, generate::Octets};

libfuzzer_sys::fuzz_target!(|octets: Octets| {
    check::audit_client(&octets.0);
});
