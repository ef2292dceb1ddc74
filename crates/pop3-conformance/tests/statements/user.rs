//! Sections 2.2.15 and 2.2.16: USER and PASS.

use pop3_proto::{Argument, ArgumentErrorKind, Command, CommandErrorKind, Secret};

use crate::writing::{refusal, sent};

#[test]
fn c0042_user_carries_one_argument() {
    for name in ["mrose", "contoso/assistant/boss@contoso.example", "a b"] {
        let user = Command::User(Argument::new(name).unwrap());
        assert_eq!(sent(user), format!("USER {name}\r\n").as_bytes());
        // What is sent arrives, all of it in one argument.
        assert_eq!(Command::parse(format!("USER {name}").as_bytes()), Ok(user));
    }
    let empty = Argument::new("").unwrap_err();
    assert_eq!(empty.kind(), ArgumentErrorKind::Empty);
    assert_eq!(refusal("USER"), CommandErrorKind::MissingArgument);
    let empty = CommandErrorKind::Argument(ArgumentErrorKind::Empty);
    assert_eq!(refusal("USER "), empty);
}

#[test]
fn c0042_a_name_that_does_not_fit_is_not_sent_in_part() {
    let name = "x".repeat(Command::MAX_OCTETS - "USER \r\n".len());
    assert_eq!(
        sent(Command::User(Argument::new(&name).unwrap())).len(),
        255
    );
    let name = format!("{name}x");
    let mut octets = b"NOOP\r\n".to_vec();
    let user = Command::User(Argument::new(&name).unwrap());
    let error = user.encode(&mut octets).unwrap_err();
    assert_eq!(error.kind(), CommandErrorKind::TooLong);
    assert_eq!(octets, b"NOOP\r\n");
}

#[test]
fn c0046_pass_carries_one_argument() {
    for password in ["tanstaaf", " two  words ", "x"] {
        let pass = Command::Pass(Secret::new(password).unwrap());
        assert_eq!(sent(pass), format!("PASS {password}\r\n").as_bytes());
        // Spaces are part of the one argument (RFC 1939 §7).
        assert_eq!(
            Command::parse(format!("PASS {password}").as_bytes()),
            Ok(pass)
        );
    }
    assert!(Secret::new("").is_err());
    assert_eq!(refusal("PASS"), CommandErrorKind::MissingArgument);
    let empty = CommandErrorKind::Argument(ArgumentErrorKind::Empty);
    assert_eq!(refusal("PASS "), empty);
}
