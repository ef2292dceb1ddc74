//! Servers that repeat what the client sent: none of it may appear in any output.

use std::collections::HashSet;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use pop3_tokio::client::{Client, Code, Credentials, Error, LoginError, Method};
use proptest::{prelude::*, sample::Index};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, duplex},
    net::TcpListener,
};

use crate::harness::{cleartext, endpoint, with};

const CAPABILITIES: &str = "+OK\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n\
    SASL PLAIN LOGIN CRAM-MD5 NTLM SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER\r\n.\r\n";

/// How a server writes the text that it repeats.
#[derive(Clone, Copy, Debug)]
enum Writing {
    Raw,
    Base64,
    Base64Within,
    Base64UrlSafe,
    Base64Twice,
    Hex,
    HexInPairs,
    Percent,
    PercentWhereNeeded,
    Backslash,
    BackslashWhereNeeded,
    Octal,
    QuotedPrintable,
    References,
}

const WRITINGS: [Writing; 14] = [
    Writing::Raw,
    Writing::Base64,
    Writing::Base64Within,
    Writing::Base64UrlSafe,
    Writing::Base64Twice,
    Writing::Hex,
    Writing::HexInPairs,
    Writing::Percent,
    Writing::PercentWhereNeeded,
    Writing::Backslash,
    Writing::BackslashWhereNeeded,
    Writing::Octal,
    Writing::QuotedPrintable,
    Writing::References,
];

impl Writing {
    fn write(self, octets: &[u8]) -> Vec<u8> {
        let each = |write: &dyn Fn(u8) -> String| {
            let written: Vec<String> = octets.iter().map(|octet| write(*octet)).collect();
            written.concat()
        };
        let base64 = |octets: &[u8]| BASE64_STANDARD.encode(octets);
        let text = match self {
            Self::Raw => return octets.to_vec(),
            Self::Base64 => base64(octets),
            Self::Base64Within => base64(&[b"to: ", octets, b" from"].concat()),
            Self::Base64UrlSafe => BASE64_URL_SAFE_NO_PAD.encode(octets),
            Self::Base64Twice => base64(base64(octets).as_bytes()),
            Self::Hex => each(&|octet| format!("{octet:02x}")),
            Self::HexInPairs => each(&|octet| format!("0x{octet:02x}, ")),
            Self::Percent => each(&|octet| format!("%{octet:02x}")),
            Self::PercentWhereNeeded => each(&|octet| match octet {
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(octet).to_string(),
                _ => format!("%{octet:02X}"),
            }),
            Self::Backslash => each(&|octet| format!("\\x{octet:02x}")),
            Self::BackslashWhereNeeded => octets.escape_ascii().to_string(),
            Self::Octal => each(&|octet| format!("\\{octet:03o}")),
            Self::QuotedPrintable => each(&|octet| format!("={octet:02X}")),
            Self::References => match core::str::from_utf8(octets) {
                Ok(text) => text
                    .chars()
                    .map(|c| format!("&#{};", u32::from(c)))
                    .collect(),
                Err(_) => base64(octets),
            },
        };
        text.into_bytes()
    }

    /// Whether the text is still readable after a change of case.
    fn bears_case(self) -> bool {
        !matches!(self, Self::Base64Within | Self::Base64Twice)
    }
}

#[derive(Clone, Copy, Debug)]
enum Case {
    Kept,
    Upper,
    Lower,
    ByTurns,
}

impl Case {
    fn apply(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Kept => octets.to_vec(),
            Self::Upper => octets.to_ascii_uppercase(),
            Self::Lower => octets.to_ascii_lowercase(),
            Self::ByTurns => {
                let turned = octets.iter().enumerate().map(|(at, octet)| match at % 2 {
                    0 => octet.to_ascii_uppercase(),
                    _ => octet.to_ascii_lowercase(),
                });
                turned.collect()
            }
        }
    }
}

/// The text that a server repeats, and how it writes it.
#[derive(Clone, Debug)]
struct Echo {
    /// The index of the command or response that the text is taken from.
    line: Index,
    /// Whether the server repeats the decoded text of a base64 argument instead of
    /// the argument.
    decoded: bool,
    start: Index,
    octets: usize,
    writing: Writing,
    case: Case,
    case_first: bool,
    around: [String; 2],
}

fn echoes() -> impl Strategy<Value = Echo> {
    let case = prop::sample::select(&[Case::Kept, Case::Upper, Case::Lower, Case::ByTurns][..]);
    (
        any::<Index>(),
        any::<bool>(),
        any::<Index>(),
        6..30_usize,
        prop::sample::select(&WRITINGS[..]),
        case,
        any::<bool>(),
        ["[ -~]{0,12}", "[ -~]{0,12}"].prop_map(|[before, after]| [before + " ", after]),
    )
        .prop_map(
            |(line, decoded, start, octets, writing, case, case_first, around)| Echo {
                line,
                decoded,
                start,
                octets,
                writing,
                case,
                case_first,
                around,
            },
        )
}

impl Echo {
    /// The server's reply.
    fn of(&self, told: &[String]) -> Vec<u8> {
        let line = &told[self.line.index(told.len())];
        let argument = argument(line);
        let decoded = BASE64_STANDARD.decode(argument).ok();
        let octets = match decoded.filter(|octets| self.decoded && octets.len() >= 6) {
            Some(octets) => octets,
            None => line.as_bytes().to_vec(),
        };
        // Repeats at least one octet of the argument: the keyword before it is
        // public.
        let public = line.len() - argument.len();
        let least = match octets == line.as_bytes() {
            true => public.saturating_sub(5).min(octets.len().saturating_sub(6)),
            false => 0,
        };
        let start = least
            + self
                .start
                .index((octets.len() - least).saturating_sub(5).max(1));
        let part = &octets[start..(start + self.octets).min(octets.len())];
        let cased = |octets: &[u8]| self.case.apply(octets);
        let written = match self.case_first || !self.writing.bears_case() {
            true => self.writing.write(&cased(part)),
            false => cased(&self.writing.write(part)),
        };
        let [before, after] = &self.around;
        let answer = [b"-ERR ", before.as_bytes(), &written, after.as_bytes()].concat();
        let line = answer
            .into_iter()
            .filter(|octet| !matches!(octet, b'\r' | b'\n'));
        line.chain(*b"\r\n").collect()
    }
}

fn argument(line: &str) -> &str {
    match line.split_once(' ') {
        Some(("PASS", argument)) => argument,
        Some(_) => line.rsplit(' ').next().unwrap_or(line),
        None => line,
    }
}

/// Plays a server that sends the challenges that the method needs, and then
/// `answer` of what it received. Returns what it received.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    challenges: usize,
    answer: impl Fn(&[String]) -> Vec<u8>,
) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut told: Vec<String> = Vec::new();
    stream
        .write_all(b"+OK <1.2@example.org>\r\n")
        .await
        .unwrap();
    let mut line = String::new();
    let mut first = String::new();
    while stream
        .read_line(&mut line)
        .await
        .is_ok_and(|octets| octets > 0)
    {
        let text = line.trim_end_matches("\r\n").to_owned();
        line.clear();
        let (keyword, argument) = text.split_once(' ').unwrap_or((&text, ""));
        let reply = match keyword {
            "CAPA" if told.is_empty() => CAPABILITIES.into(),
            "USER" => b"+OK\r\n".to_vec(),
            "AUTH" if !argument.contains(' ') => {
                first = argument.to_owned();
                b"+ \r\n".to_vec()
            }
            _ => {
                // This is OAUTHBEARER's response to any complaint.
                if !matches!(&*text, "CAPA" | "" | "*" | "AQ==") {
                    told.push(text.clone());
                }
                let mechanism = match argument.split_once(' ') {
                    Some((mechanism, _)) if keyword == "AUTH" => mechanism,
                    _ => &first,
                };
                match told.len() <= challenges && !matches!(&*text, "*" | "CAPA") {
                    true => challenge(mechanism, &told),
                    false => answer(&told),
                }
            }
        };
        if stream.write_all(&reply).await.is_err() {
            break;
        }
    }
    told
}

/// A challenge after which a client of the mechanism continues.
fn challenge(mechanism: &str, told: &[String]) -> Vec<u8> {
    let last = told.last().map_or("", |line| argument(line));
    let last = BASE64_STANDARD.decode(last).unwrap_or_default();
    let octets = match mechanism {
        "NTLM" => {
            let mut octets = b"NTLMSSP\0\x02\0\0\0".to_vec();
            octets.extend_from_slice(&[0; 8]);
            octets.extend_from_slice(&[0x33, 0x82, 0x8a, 0xe2]);
            octets.extend_from_slice(&[7; 8]);
            octets
        }
        "XOAUTH2" | "OAUTHBEARER" => {
            // Repeats the token in place of the status.
            let said = String::from_utf8_lossy(&last).into_owned();
            let token = said.split("Bearer ").nth(1).unwrap_or_default();
            let token: String = token.chars().filter(|c| !c.is_control()).collect();
            serde_json::json!({ "status": token })
                .to_string()
                .into_bytes()
        }
        _ => {
            let bare = String::from_utf8_lossy(&last).into_owned();
            let nonce = bare.split_once(",r=").map_or("", |(_, nonce)| nonce);
            format!("r={nonce}x,s=c2FsdA==,i=4096").into_bytes()
        }
    };
    format!("+ {}\r\n", BASE64_STANDARD.encode(octets)).into_bytes()
}

/// The output of a failed login, and what the server received.
fn outputs(
    method: Method,
    credentials: &Credentials,
    challenges: usize,
    answer: impl Fn(&[String]) -> Vec<u8>,
) -> (String, Vec<String>) {
    let mut settings = cleartext();
    settings.dangerous_apop_in_cleartext = true;
    let url = endpoint("pop3://mail.example.org");
    let session = async |mut client: Client| {
        let error = client.login_by(method, credentials).await.unwrap_err();
        let mut outputs = format!("{error}\n{error:?}\n{client:?}\n");
        // The connection stays open, and the server continues.
        for _ in 0..2 {
            if let Err(error) = client.capabilities(|_| {}).await {
                outputs += &format!("{error}\n{error:?}\n");
            }
        }
        outputs
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        match method.takes_token() {
            false => {
                let (near, far) = duplex(1 << 16);
                let client =
                    async { session(Client::on(near, &url, &settings).await.unwrap()).await };
                tokio::join!(client, serve(far, challenges, answer))
            }
            true => {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                settings.addresses = vec![listener.local_addr().unwrap()];
                settings.dangerous_token_in_cleartext = true;
                let client =
                    async { session(Client::connect(&url, &settings).await.unwrap()).await };
                let server = async {
                    let stream = listener.accept().await.unwrap().0;
                    serve(stream, challenges, answer).await
                };
                tokio::join!(client, server)
            }
        }
    })
}

fn runs(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let lower = text.to_ascii_lowercase();
    let runs: Vec<Vec<u8>> = lower.windows(6).map(<[u8]>::to_vec).collect();
    runs.into_iter()
}

/// All runs of six octets in the repeated text and in its encoded forms.
fn derived(secret: &str, told: &[String]) -> HashSet<Vec<u8>> {
    let mut sources = vec![secret.as_bytes().to_vec()];
    for line in told {
        sources.push(argument(line).as_bytes().to_vec());
        sources.extend(BASE64_STANDARD.decode(argument(line)));
    }
    let writings = |source: &Vec<u8>| {
        let written = WRITINGS.map(|writing| writing.write(source));
        let shifted = [0, 1, 2].map(|before| {
            let padded = [&vec![0; before][..], source].concat();
            BASE64_STANDARD.encode(padded).as_bytes()[4 * before.min(1)..].to_vec()
        });
        written.into_iter().chain(shifted).collect::<Vec<_>>()
    };
    let written = sources.iter().flat_map(writings);
    written
        .flat_map(|text| runs(&text).collect::<Vec<_>>())
        .collect()
}

/// A server may know the password before the client sends it, or when the client
/// has sent only a proof of it.
#[tokio::test]
async fn hides_the_password_from_the_first_command_on() {
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nSASL CRAM-MD5\r\nRESP-CODES\r\n.\r\n"),
        ("AUTH CRAM-MD5\r\n", "-ERR [AUTH] not tanstaaf\r\n"),
        ("AUTH CRAM-MD5\r\n", "-ERR [X-TANSTAAF] not tanstaaf\r\n"),
    ];
    let credentials = Credentials::password("tim", "tanstaaf");
    let codes = with(cleartext(), &steps, async |mut client: Client| {
        let mut codes = Vec::new();
        for _ in 0..2 {
            let error = client.login_by(Method::CramMd5, &credentials).await;
            let Err(Error::Login(LoginError::Refused { refusal, .. })) = error else {
                panic!("{error:?}");
            };
            assert_eq!(
                refusal.text,
                "(not shown: it repeats what was sent to log in)"
            );
            codes.push(refusal.code);
        }
        codes
    });
    // A known response code repeats nothing, even if the text after it does.
    assert_eq!(codes.await, [Some(Code::Auth), None]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn shows_nothing_that_a_server_repeats(
        method in prop::sample::select(&Method::ALL[..]),
        user in "[a-z]{6,12}(@[a-z]{3,8}\\.example)?",
        secret in "[ -~\u{e4}\u{e9}\u{416}]{6,24}",
        challenges in 0..3_usize,
        echo in echoes(),
    ) {
        // Tokens neither begin nor end with a space, and PASS takes ASCII.
        let secret = secret.replace(|c: char| method != Method::Plain && !c.is_ascii(), "z");
        let credentials = match method.takes_token() {
            true => Credentials::oauth_token(&user, &secret),
            false => Credentials::password(&user, &secret),
        };
        let (output, told) = outputs(method, &credentials, challenges, |told| echo.of(told));
        let silent = |_: &[String]| b"-ERR\r\n".to_vec();
        let (mut own, _) = outputs(method, &credentials, challenges, silent);
        own += "not shown: it repeats what was sent to log in";
        let own: HashSet<Vec<u8>> = runs(own.as_bytes()).collect();
        let derived = derived(&secret, &told);
        for run in runs(output.as_bytes()).filter(|run| !own.contains(run)) {
            let said = format!("{} of {told:?}: {output}", run.escape_ascii());
            prop_assert!(!derived.contains(&run), "{said}");
        }
        let [before, _] = &echo.around;
        let shows = before.trim().len() > 5 && output.contains(before.trim());
        prop_assert!(!shows, "{told:?}: {output}");
    }
}
