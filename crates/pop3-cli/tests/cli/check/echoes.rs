//! `pop3 check` against servers that repeat the login: no report form and no
//! error shows six consecutive octets of the secret, however the server encodes
//! it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use super::{USER, check, json, rows};

/// Contains octets that each encoding and each report form escapes.
const SECRET: &str = "Zq7+xW/9v&k<Tp\"m\\4";

/// What AUTH PLAIN sends, without the first digits, which depend on [`USER`]
/// alone.
const PLAIN: &str = "AFpxNyt4Vy85diZrPFRwIm1cNA==";

const FORMS: [&str; 4] = ["text", "json", "html", "junit"];

/// An encoding of the repeated text.
type Writing = (&'static str, fn(&str) -> String);

const WRITINGS: [Writing; 18] = [
    ("as it is", str::to_owned),
    ("in upper case", str::to_uppercase),
    ("in lower case", str::to_lowercase),
    ("in the other case", |text| {
        let other = |char: char| match char.is_ascii_uppercase() {
            true => char.to_ascii_lowercase(),
            false => char.to_ascii_uppercase(),
        };
        text.chars().map(other).collect()
    }),
    ("its first six octets", |text| text[..6].to_owned()),
    ("six octets from within", |text| text[5..11].to_owned()),
    ("its last six octets", |text| {
        text[text.len() - 6..].to_owned()
    }),
    ("in base64", |text| base64(text.as_bytes())),
    ("in base64 after an octet", |text| {
        base64(format!("-{text}").as_bytes())
    }),
    ("in base64 after two octets", |text| {
        base64(format!("--{text}").as_bytes())
    }),
    ("in base64 of lower case", |text| {
        base64(text.to_lowercase().as_bytes())
    }),
    ("in base64 twice", |text| {
        base64(base64(text.as_bytes()).as_bytes())
    }),
    ("in hexadecimal", |text| {
        each(text, |octet| format!("{octet:02x}"))
    }),
    ("in pairs of hexadecimal digits", |text| {
        each(text, |octet| format!("0x{octet:02X}, "))
    }),
    ("URL-encoded", |text| {
        each(text, |octet| format!("%{octet:02X}"))
    }),
    ("URL-encoded where needed", |text| {
        each(text, |octet| match octet.is_ascii_alphanumeric() {
            true => char::from(octet).to_string(),
            false => format!("%{octet:02x}"),
        })
    }),
    ("in backslash escapes", |text| {
        each(text, |octet| format!("\\{octet:03o}"))
    }),
    ("in character references", |text| {
        each(text, |octet| format!("&#{octet};"))
    }),
];

fn each(text: &str, write: impl Fn(u8) -> String) -> String {
    text.bytes().map(write).collect()
}

fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | usize::from(group.get(at).copied().unwrap_or(0))
        });
        let digit = move |at: usize| char::from(DIGITS[bits >> (18 - 6 * at) & 63]);
        let digits: String = (0..=group.len()).map(digit).collect();
        format!("{digits:=<4}")
    };
    octets.chunks(3).map(group).collect()
}

/// How the server treats the login and where it repeats the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    ByUser,
    ByPlain,
    Refused,
    /// The repeated text is each number of a listing, and so each number in
    /// later commands.
    InNumbers,
    /// After three connections, the server sends the text instead of a
    /// greeting.
    Once,
}

/// A server that puts `said` into all its answers.
fn serve(said: String, login: Login) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("pop3://{USER}@{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            answer(stream.unwrap(), &said, login, number);
        }
    });
    url
}

fn answer(mut stream: TcpStream, said: &str, login: Login, number: usize) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let is_over = login == Login::Once && number > 2;
    let greeting = match is_over {
        true => format!("{said}\r\n"),
        false => format!("+OK {said}\r\n"),
    };
    if stream.write_all(greeting.as_bytes()).is_err() || is_over {
        return;
    }
    while let Some(Ok(line)) = lines.next() {
        let (word, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let message = format!("{said}: {word}\r\n\r\n..{said}\r\n{said}\r\n");
        let reply = match (word, argument) {
            ("CAPA", _) => {
                let login = match login {
                    Login::ByPlain => "SASL PLAIN",
                    _ => "USER",
                };
                format!(
                    "+OK {said}\r\n{login}\r\nTOP\r\nUIDL\r\nPIPELINING\r\n\
                     IMPLEMENTATION {said}\r\n{said} {said}\r\n..{said}\r\n.\r\n"
                )
            }
            ("PASS" | "AUTH", _) if login == Login::Refused => format!("-ERR {line} {said}\r\n"),
            ("PASS" | "AUTH" | "USER", _) => format!("+OK {said}\r\n"),
            ("STAT", _) => format!("+OK 2 {said}\r\n"),
            ("LIST" | "UIDL", "") if login == Login::InNumbers => {
                format!("+OK\r\n{said} {said}\r\n.\r\n")
            }
            ("LIST" | "UIDL", "") => {
                let octets = message.replace("\r\n..", "\r\n.").len();
                format!("+OK {said}\r\n1 {said}\r\n2 {octets}\r\n2 {said}\r\n{said}\r\n.\r\n")
            }
            ("LIST" | "UIDL", _) => format!("+OK {argument} {said}\r\n"),
            ("RETR" | "TOP", "2" | "2 0" | "2 1") => format!("+OK {said}\r\n{message}.\r\n"),
            ("QUIT", _) => format!("+OK {said}\r\n"),
            ("NOOP" | "XQZT" | "DELE" | "RSET", _) => format!("+OK {said}\r\n"),
            _ => format!("-ERR {line} {said}\r\n"),
        };
        if stream.write_all(reply.as_bytes()).is_err() || word == "QUIT" || line.len() > 1000 {
            return;
        }
    }
}

/// The texts of a report in lower case, without the escapes of its form.
fn unescaped(output: &str) -> String {
    let html = output.replace("&lt;", "<").replace("&gt;", ">");
    let html = html.replace("&quot;", "\"").replace("&#34;", "\"");
    let html = html.replace("&#39;", "'").replace("&amp;", "&");
    let json = output.replace("\\\"", "\"").replace("\\\\", "\\");
    format!("{output}\n{html}\n{json}").to_lowercase()
}

/// Six consecutive octets of `text` that the output contains, if there are any.
fn leaked(output: &str, text: &str) -> Option<String> {
    let output = unescaped(output);
    let text = text.to_lowercase();
    let runs = text.as_bytes().windows(6).map(String::from_utf8_lossy);
    let mut found = runs.filter(|run| output.contains(&**run));
    found.next().map(Into::into)
}

/// Runs the command in each form; returns everything that it wrote, with the
/// options.
fn outputs(said: &str, login: Login, secret: &str) -> Vec<(i32, String)> {
    let run = |form: &&str| {
        let url = serve(said.to_owned(), login);
        let options = ["--format", form, "--destructive", "--timeout", "20"];
        let run = check(&url, &options, secret);
        let stdout = String::from_utf8_lossy(&run.stdout);
        (run.status.unwrap(), format!("{stdout}\n{}", run.stderr))
    };
    FORMS.iter().map(run).collect()
}

/// The output contains nothing of the secret, however the server encodes it.
fn hides(login: Login) {
    for (how, write) in WRITINGS {
        for sent in [SECRET, PLAIN] {
            let said = write(sent);
            for (status, output) in outputs(&said, login, SECRET) {
                let is_as_wanted = match login {
                    Login::Refused => status == 77,
                    _ => status == 1,
                };
                assert!(is_as_wanted, "{how}: {status}: {output}");
                for text in [SECRET, PLAIN, &said] {
                    let leaked = leaked(&output, text);
                    assert_eq!(leaked, None, "{sent} {how}, {login:?}: {output}");
                }
            }
        }
    }
}

#[test]
fn shows_nothing_of_a_password_that_every_answer_repeats() {
    hides(Login::ByUser);
}

#[test]
fn shows_nothing_of_sasl_plain_that_every_answer_repeats() {
    hides(Login::ByPlain);
}

#[test]
fn shows_nothing_of_a_password_that_the_refusal_repeats() {
    hides(Login::Refused);
}

#[test]
fn shows_nothing_of_a_password_that_a_later_connection_greets_with() {
    hides(Login::Once);
}

#[test]
fn shows_no_number_that_repeats_the_password() {
    let secret = "73190428";
    for said in [secret, "17319042", "3190428", "73190427"] {
        for login in [Login::ByUser, Login::InNumbers] {
            for (status, output) in outputs(said, login, secret) {
                assert_eq!(status, 1, "{output}");
                assert_eq!(leaked(&output, secret), None, "{said}: {output}");
            }
        }
    }
}

#[test]
fn shows_text_that_repeats_no_secret() {
    let url = serve("Hello, mrose".to_owned(), Login::ByUser);
    let report = json(&check(&url, &["--format", "json"], SECRET));
    let shown = report.to_string();
    assert!(shown.contains("S: +OK Hello, mrose"), "{report:#}");
    assert!(shown.contains("C: PASS ***"), "{report:#}");
    assert!(!shown.contains("not shown"), "{report:#}");
    assert!(rows(&report, "fail").contains("C0017"), "{report:#}");
}
