#![no_main]

use pop3_simulation::{Scenario, known_bugs};

libfuzzer_sys::fuzz_target!(|scenario: Scenario| known_bugs::check_subject(&scenario));
