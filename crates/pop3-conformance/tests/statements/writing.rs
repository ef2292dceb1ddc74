//! The client's side of a command, and the server's: what is sent, and what is
//! made of it.

use pop3_proto::{
    Argument, Command, CommandErrorKind, LanguageRange, Mechanism, MessageNumber, Secret,
};

/// The octets of a command.
pub(crate) fn sent(command: Command<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    command
        .encode(&mut octets)
        .expect("a command of usual length");
    octets
}

pub(crate) fn number(number: u32) -> MessageNumber {
    MessageNumber::new(number).expect("1 or more")
}

/// Why a server refuses a line.
pub(crate) fn refusal(line: &str) -> CommandErrorKind {
    match Command::parse(line.as_bytes()) {
        Ok(command) => panic!("{line} was read as {command:?}"),
        Err(error) => error.kind(),
    }
}

/// Each command with its arguments as they must arrive.
pub(crate) fn every_command() -> Vec<(Command<'static>, &'static str)> {
    let name = Argument::new("contoso/assistant/boss@contoso.example").unwrap();
    let secret = |text| Secret::new(text).unwrap();
    let mechanism = Mechanism::new("PLAIN").unwrap();
    let auth = |initial_response| Command::Auth {
        mechanism,
        initial_response,
    };
    let digest = secret("c4c9334bac560ecc979e58001b3e22fb");
    vec![
        (
            Command::Apop { name, digest },
            "APOP contoso/assistant/boss@contoso.example c4c9334bac560ecc979e58001b3e22fb",
        ),
        (auth(None), "AUTH PLAIN"),
        (auth(Some(secret("AGEAYg=="))), "AUTH PLAIN AGEAYg=="),
        (Command::AuthList, "AUTH"),
        (Command::Capa, "CAPA"),
        (Command::Dele(number(7)), "DELE 7"),
        (Command::LangList, "LANG"),
        (Command::Lang(LanguageRange::new("de").unwrap()), "LANG de"),
        (Command::List(None), "LIST"),
        (Command::List(Some(number(7))), "LIST 7"),
        (Command::Noop, "NOOP"),
        (Command::Pass(secret("tanstaaf")), "PASS tanstaaf"),
        (Command::Quit, "QUIT"),
        (Command::Retr(number(u32::MAX)), "RETR 4294967295"),
        (Command::Rset, "RSET"),
        (Command::Stat, "STAT"),
        (Command::Stls, "STLS"),
        (Command::Top(number(7), 0), "TOP 7 0"),
        (Command::Uidl(None), "UIDL"),
        (Command::Uidl(Some(number(7))), "UIDL 7"),
        (
            Command::User(name),
            "USER contoso/assistant/boss@contoso.example",
        ),
        (Command::Utf8, "UTF8"),
    ]
}
