//! Sections 2.2.2 and 2.2.3: the numbers of messages, QUIT before login.

use pop3_proto::{
    Command, CommandErrorKind, FieldRule, ListingErrorKind, MessageNumber, ScanListing,
};

use crate::writing::{refusal, sent};

#[test]
fn c0011_the_nth_message_has_the_number_n() {
    assert_eq!(MessageNumber::from_index(0), Some(MessageNumber::FIRST));
    assert_eq!(MessageNumber::FIRST.get(), 1);
    for index in [0, 1, 2, 999, u32::MAX as usize - 1] {
        let number = MessageNumber::from_index(index).unwrap();
        assert_eq!((number.get() as usize, number.index()), (index + 1, index));
    }
    assert_eq!(MessageNumber::from_index(u32::MAX as usize), None);
}

#[test]
fn c0011_no_message_has_the_number_0() {
    assert_eq!(MessageNumber::new(0), None);
    for rule in [FieldRule::RFC1939, FieldRule::OUTLOOK] {
        for line in ["0 120", "-1 120", "4294967296 120", "+1 120"] {
            let error = ScanListing::parse(line.as_bytes(), rule).unwrap_err();
            assert_eq!(error.kind(), ListingErrorKind::MessageNumber, "{line}");
        }
    }
    assert_eq!(refusal("RETR 0"), CommandErrorKind::MessageNumber);
}

#[test]
fn c0012_quit_before_login_goes_without_arguments() {
    assert_eq!(sent(Command::Quit), b"QUIT\r\n");
    assert_eq!(Command::parse(b"QUIT"), Ok(Command::Quit));
    for line in ["QUIT now", "quit 1", "QUIT "] {
        assert_eq!(refusal(line), CommandErrorKind::ExtraArgument, "{line}");
    }
}
