#![no_main]

use dot_stuffing_testkit::generate::Octets;
use pop3_testkit::{check, known_bugs::subjects};

libfuzzer_sys::fuzz_target!(|octets: Octets| check::response(subjects().replies, &octets.0));
