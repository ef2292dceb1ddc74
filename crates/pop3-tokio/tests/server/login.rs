//! Logins: which succeed, and by which mechanism.

use std::{net::IpAddr, time::Duration};

use hmac::{Hmac, KeyInit as _, Mac as _};
use pop3_proto::{Expiry, Profile};
use pop3_tokio::client::{self, Credentials, Endpoint, Method, Scheme};
use pop3_tokio::server::{Accounts, Ended, MAX_LOGIN_DELAY, ScramKeys, Server, hash_password};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncRead, AsyncWrite, duplex},
    time::Instant,
};

use crate::drive::{Client, PASSWORD, Running, accounts, base64, settings, store};

const NEAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const FAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

fn both_kinds() -> Accounts {
    let argon2 = hash_password("argon").unwrap();
    let scram = ScramKeys::new("scram").unwrap();
    Accounts::parse(&format!(
        "# users\n\na:{argon2}\ns:{scram}:/maildirs/of:s\nb:{argon2}\nb:{scram}:its\n"
    ))
    .unwrap()
}

#[test]
fn accounts_are_read_from_lines() {
    let accounts = both_kinds();
    let check = |name, password| {
        let user = accounts.check(name, password);
        user.map(|user| (user.name(), user.maildir().and_then(|path| path.to_str())))
    };
    assert_eq!(check("a", "argon"), Some(("a", None)));
    assert_eq!(check("s", "scram"), Some(("s", Some("/maildirs/of:s"))));
    assert_eq!(check("b", "argon"), Some(("b", Some("its"))));
    assert_eq!(check("b", "scram"), Some(("b", Some("its"))));
    for (name, password) in [
        ("a", "scram"),
        ("s", "argon"),
        ("a", ""),
        ("nobody", "argon"),
        ("nobody", "scram"),
        ("", "argon"),
        ("# users", ""),
    ] {
        assert_eq!(check(name, password), None, "{name} {password}");
    }
    assert!(!format!("{accounts:?}").contains("argon2"));
}

#[test]
fn names_an_unusable_line() {
    let hash = hash_password("x").unwrap();
    let keys = ScramKeys::new("x").unwrap().to_string();
    for line in [
        "name".to_owned(),
        format!(":{hash}"),
        "name:password".to_owned(),
        "name:".to_owned(),
        "name:$argon2id$v=19$m=16,t=2,p=1".to_owned(),
        "name:$argon2id$v=19$m=16,t=2,p=1$c2FsdHNhbHQ".to_owned(),
        "name:$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo".to_owned(),
        format!("name:{}", keys.replace("4096", "1")),
        format!("name:{}", keys.replace("4096", "1000001")),
        format!("na\u{fffd}me:{hash}"),
        format!("\u{ad}:{hash}"),
        format!("name:{}", &keys[..keys.len() - 4]),
        format!("name:{}", keys.replace("256", "1")),
        format!("one:{hash}"),
        format!("one:{keys}:elsewhere"),
        format!("na\u{1b}me:{hash}"),
    ] {
        let error = Accounts::parse(&format!("one:{hash}:there\n{line}\n")).unwrap_err();
        assert_eq!(error.line(), 2, "{line}: {error}");
        assert!(!error.to_string().contains("argon2id$"), "{error}");
    }
}

/// The example of RFC 7677 §3.
#[test]
fn computes_the_keys_of_the_rfc() {
    let keys = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
                WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
                wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    let read = ScramKeys::parse(keys).unwrap();
    assert!(read.is_password("pencil"));
    assert!(!read.is_password("pen"));
    assert_eq!(read.to_string(), keys);
    // RFC 4013 §3: the soft hyphen maps to nothing.
    assert!(read.is_password("pen\u{ad}cil"));
}

/// The server reads keys in the form that our client computes.
#[test]
fn reads_keys_of_a_million_iterations() {
    let keys = ScramKeys::new("x").unwrap().to_string();
    assert!(ScramKeys::parse(&keys.replace("$4096:", "$1000000:")).is_some());
}

/// RFC 4013, RFC 5034 §4: the accounts file and the client may spell the name
/// differently.
#[tokio::test]
async fn compares_names_after_saslprep() {
    let (composed, decomposed) = ("jos\u{e9}", "jose\u{301}");
    for (known, given) in [(composed, decomposed), (decomposed, composed)] {
        let accounts = Accounts::single(known, PASSWORD).unwrap();
        let server = Running::new(Server::new(store(&[]), accounts).settings(settings())).await;
        let accepted = "+OK maildrop locked and ready";

        let mut client = server.client().await;
        let (answer, _) = scram(&mut client, given, PASSWORD, true).await;
        assert_eq!(answer, accepted);
        client.quit().await;

        let mut client = server.client().await;
        let plain = base64(format!("\0{given}\0{PASSWORD}"));
        assert_eq!(client.ask(&format!("AUTH PLAIN {plain}")).await, accepted);
        client.quit().await;
    }
}

/// RFC 4616 §2: this also holds for a user whose password is empty.
#[tokio::test]
async fn refuses_plain_without_exactly_a_name_and_a_password() {
    let accounts = Accounts::single("mrose", "").unwrap();
    let server = Running::new(Server::new(store(&[]), accounts).settings(settings())).await;
    for message in ["\0mrose\0", "\0\0", "\0mrose\0\0", "mrose\0", "", "\0mrose"] {
        let mut client = server.client().await;
        let plain = base64(message);
        let plain = if plain.is_empty() { "=" } else { &plain };
        let answer = client.ask(&format!("AUTH PLAIN {plain}")).await;
        assert!(answer.starts_with("-ERR"), "{message:?}: {answer}");
    }
}

#[tokio::test]
async fn every_mechanism_lets_the_user_in() {
    let server = Running::new(Server::new(store(&[]), accounts()).settings(settings())).await;
    let accepted = "+OK maildrop locked and ready";

    let mut client = server.client().await;
    let offered = String::from_utf8(client.block("CAPA").await).unwrap();
    assert!(
        offered.contains("SASL SCRAM-SHA-256 PLAIN LOGIN\r\n"),
        "{offered}"
    );
    let plain = base64(format!("\0mrose\0{PASSWORD}"));
    assert_eq!(client.ask(&format!("AUTH PLAIN {plain}")).await, accepted);
    client.quit().await;

    let mut client = server.client().await;
    assert_eq!(client.ask("AUTH PLAIN").await, "+ ");
    let plain = base64(format!("mrose\0mrose\0{PASSWORD}"));
    assert_eq!(client.ask(&plain).await, accepted);
    client.quit().await;

    let mut client = server.client().await;
    assert_eq!(client.ask("auth login").await, "+ VXNlcm5hbWU6");
    assert_eq!(client.ask(&base64("mrose")).await, "+ UGFzc3dvcmQ6");
    assert_eq!(client.ask(&base64(PASSWORD)).await, accepted);
    client.quit().await;

    let mut client = server.client().await;
    let (answer, _) = scram(&mut client, "mrose", PASSWORD, true).await;
    assert_eq!(answer, accepted);
    client.quit().await;
}

/// The client's half of SCRAM-SHA-256. Returns the last answer, and the salt.
async fn scram<T: AsyncRead + AsyncWrite + Unpin>(
    client: &mut Client<T>,
    name: &str,
    password: &str,
    initial: bool,
) -> (String, String) {
    scram_around(client, name, password, initial, || {}).await
}

/// As `scram`, and does something before it sends the proof.
pub(crate) async fn scram_around<T: AsyncRead + AsyncWrite + Unpin>(
    client: &mut Client<T>,
    name: &str,
    password: &str,
    initial: bool,
    before_proof: impl FnOnce(),
) -> (String, String) {
    let first_bare = format!("n={name},r=nonce");
    let first = base64(format!("n,,{first_bare}"));
    let challenge = match initial {
        true => client.ask(&format!("AUTH SCRAM-SHA-256 {first}")).await,
        false => {
            assert_eq!(client.ask("AUTH SCRAM-SHA-256").await, "+ ");
            client.ask(&first).await
        }
    };
    let decode = |base64: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.decode(base64).unwrap()
    };
    let server_first = String::from_utf8(decode(&challenge[2..])).unwrap();
    let mut attributes = server_first.split(',');
    let nonce = attributes.next().unwrap();
    assert!(nonce.starts_with("r=nonce") && nonce.len() > 20, "{nonce}");
    let salt = attributes.next().unwrap().strip_prefix("s=").unwrap();
    assert_eq!(attributes.next(), Some("i=4096"));

    let mac = |key: &[u8], text: &[u8]| -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text);
        mac.finalize().into_bytes().into()
    };
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &decode(salt), 4096, &mut salted);
    let client_key = mac(&salted, b"Client Key");
    let without_proof = format!("c=biws,{nonce}");
    let transcript = format!("{first_bare},{server_first},{without_proof}");
    let signature = mac(&Sha256::digest(client_key), transcript.as_bytes());
    let proof: Vec<u8> = client_key
        .iter()
        .zip(signature)
        .map(|(a, b)| a ^ b)
        .collect();
    let last = format!("{without_proof},p={}", base64(proof));
    before_proof();
    let mut answer = client.ask(&base64(last)).await;
    if let Some(challenge) = answer.strip_prefix("+ ") {
        let expected = base64(mac(&mac(&salted, b"Server Key"), transcript.as_bytes()));
        assert_eq!(decode(challenge), format!("v={expected}").into_bytes());
        answer = client.ask("").await;
    }
    (answer, salt.to_owned())
}

#[tokio::test]
async fn the_wrong_password_is_refused_by_every_mechanism() {
    let mut settings = settings();
    settings.login_attempts = 100;
    let server = Running::new(Server::new(store(&[]), accounts()).settings(settings)).await;
    let mut client = server.client().await;
    let refused = "-ERR [AUTH] login failed";
    client.ask("USER mrose").await;
    assert_eq!(client.ask("PASS tan staaf ").await, refused);
    client.ask("USER nobody").await;
    assert_eq!(client.ask("PASS tan staaf").await, refused);
    for plain in [
        "\0mrose\0tan",
        "\0mrose\0tan staaf\0",
        "other\0mrose\0tan staaf",
        "mrose",
        "\0\0",
    ] {
        let answer = client.ask(&format!("AUTH PLAIN {}", base64(plain))).await;
        assert_eq!(answer, refused, "{plain:?}");
    }
    assert_eq!(client.ask("AUTH PLAIN =").await, refused);
    assert_eq!(
        client.ask(&format!("AUTH LOGIN {}", base64("mrose"))).await,
        "+ UGFzc3dvcmQ6"
    );
    assert_eq!(client.ask(&base64("wrong")).await, refused);
    assert_eq!(scram(&mut client, "mrose", "wrong", false).await.0, refused);
    for first in [
        "p=tls-unique,,n=mrose,r=nonce",
        "n,a=other,n=mrose,r=nonce",
        "n,,n=mrose",
        "n,,n=mrose,r=",
        "n,,n=mr=ose,r=nonce",
        "n,,m=x,n=mrose,r=nonce",
        "",
    ] {
        client.ask("AUTH SCRAM-SHA-256").await;
        assert_eq!(client.ask(&base64(first)).await, refused, "{first}");
    }
    // A canceled exchange counts neither as a login nor as a failure.
    client.ask("AUTH PLAIN").await;
    assert_eq!(client.ask("*").await, "-ERR authentication canceled");
    client.log_in().await;
}

#[tokio::test]
async fn accepts_a_proof_in_one_exchange_only() {
    let server = Running::new(Server::new(store(&[]), accounts()).settings(settings())).await;
    let mut client = server.client().await;
    let first = base64("n,,n=mrose,r=nonce");
    let mut nonces = Vec::new();
    for _ in 0..2 {
        nonces.push(client.ask(&format!("AUTH SCRAM-SHA-256 {first}")).await);
        client.ask("*").await;
    }
    assert_ne!(nonces[0], nonces[1]);
}

/// An unknown user gets a salt like that of a known user, the same each time.
#[tokio::test]
async fn scram_does_not_reveal_which_users_exist() {
    let mut settings = settings();
    settings.login_attempts = 100;
    let keys = ScramKeys::new("scram").unwrap();
    let accounts = Accounts::parse(&format!("s:{keys}\n")).unwrap();
    let server = Running::new(Server::new(store(&[]), accounts).settings(settings)).await;
    let mut client = server.client().await;
    let mut salts = Vec::new();
    for name in ["nobody", "nobody", "someone", "a", "s"] {
        let (answer, salt) = scram(&mut client, name, "argon", true).await;
        assert_eq!(answer, "-ERR [AUTH] login failed", "{name}");
        salts.push(salt);
    }
    assert_eq!(salts[0], salts[1]);
    assert_ne!(salts[0], salts[2]);
    assert!(salts.iter().all(|salt| salt.len() == salts[4].len()));
}

/// Each user logs in with the right password, by each announced method, by USER and
/// PASS, and by the method that a client chooses for itself.
#[tokio::test]
async fn every_announced_method_lets_every_user_in() {
    let argon2 = |password| hash_password(password).unwrap();
    let scram = |password| ScramKeys::new(password).unwrap().to_string();
    for (users, announced) in [
        (
            vec![("a", argon2("pa"), "pa"), ("s", scram("ps"), "ps")],
            &["PLAIN", "LOGIN"][..],
        ),
        (vec![("a", argon2("pa"), "pa")], &["PLAIN", "LOGIN"]),
        (
            vec![("s", scram("ps"), "ps"), ("t", scram("pt"), "pt")],
            &["SCRAM-SHA-256", "PLAIN", "LOGIN"],
        ),
        (
            vec![("b", argon2("pb"), "pb"), ("b", scram("pb"), "pb")],
            &["SCRAM-SHA-256", "PLAIN", "LOGIN"],
        ),
    ] {
        let lines = users
            .iter()
            .map(|(name, hash, _)| format!("{name}:{hash}\n"));
        let accounts = Accounts::parse(&lines.collect::<String>()).unwrap();
        let server = Server::new(store(&[]), accounts).settings(settings());
        let server = Running::new(server).await;
        let endpoint = Endpoint::at(Scheme::Pop3, server.address);
        let client_settings = client::Settings::new(Profile::RFC1939);
        let connect = async || {
            client::Client::connect(&endpoint, &client_settings)
                .await
                .unwrap()
        };
        for (name, _, password) in users {
            let credentials = Credentials::password(name, password);
            let mut client = connect().await;
            client.login(&credentials).await.unwrap();
            client.quit().await.unwrap();

            let client = connect().await;
            let offered: Vec<_> = client.announced().sasl().map(str::to_owned).collect();
            assert_eq!(offered, announced);
            drop(client);
            for method in announced.iter().copied().chain(["USER"]) {
                let mut client = connect().await;
                let method: Method = method.parse().unwrap();
                client.login_by(method, &credentials).await.unwrap();
                client.quit().await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn refuses_a_mechanism_that_is_not_offered() {
    let server = Server::new(store(&[]), both_kinds()).settings(settings());
    let server = Running::new(server).await;
    let mut client = server.client().await;
    let offered = String::from_utf8(client.block("CAPA").await).unwrap();
    assert!(offered.contains("SASL PLAIN LOGIN\r\n"), "{offered}");
    let answer = client.ask("AUTH SCRAM-SHA-256").await;
    assert_eq!(answer, "-ERR no such mechanism");
    client.ask("USER s").await;
    assert_eq!(
        client.ask("PASS scram").await,
        "+OK maildrop locked and ready"
    );
}

#[tokio::test]
async fn announces_expire_if_set() {
    let capabilities = async |expire| {
        let mut settings = settings();
        settings.expire = expire;
        let server = Server::new(store(&[]), accounts()).settings(settings);
        let server = Running::new(server).await;
        let mut client = server.client().await;
        String::from_utf8(client.block("CAPA").await).unwrap()
    };
    assert!(!capabilities(None).await.contains("EXPIRE"));
    let never = capabilities(Some(Expiry::Never)).await;
    assert!(never.contains("\r\nEXPIRE NEVER\r\n"), "{never}");
    let days = capabilities(Some(Expiry::Days(30))).await;
    assert!(days.contains("\r\nEXPIRE 30\r\n"), "{days}");
}

#[tokio::test]
async fn refuses_remote_passwords_without_tls() {
    let server = Server::new(store(&[]), accounts()).settings(settings());
    let (near, far) = duplex(4096);
    let attended = async { server.attend(far, FAR).await };
    let talk = async {
        let mut client = Client(near);
        client.line().await;
        let offered = String::from_utf8(client.block("CAPA").await).unwrap();
        assert!(offered.contains("SASL SCRAM-SHA-256\r\n"), "{offered}");
        assert!(!offered.contains("USER"), "{offered}");
        for command in ["USER mrose", "AUTH PLAIN", "AUTH LOGIN"] {
            let answer = client.ask(command).await;
            assert!(answer.starts_with("-ERR "), "{command}: {answer}");
        }
        let (answer, _) = scram(&mut client, "mrose", PASSWORD, true).await;
        assert_eq!(answer, "+OK maildrop locked and ready");
        client.quit().await;
    };
    tokio::join!(attended, talk);
}

#[tokio::test]
async fn accepts_remote_passwords_without_tls_on_request() {
    let mut settings = settings();
    settings.dangerous_plaintext_without_tls = true;
    let server = Server::new(store(&[]), accounts()).settings(settings);
    let (near, far) = duplex(4096);
    let talk = async {
        let mut client = Client(near);
        client.line().await;
        client.log_in().await;
        client.quit().await;
    };
    tokio::join!(server.attend(far, FAR), talk);
}

#[tokio::test(start_paused = true)]
async fn delays_each_rejection_longer_and_then_closes_the_connection() {
    let mut settings = settings();
    settings.login_attempts = 7;
    settings.login_delay = Duration::from_secs(1);
    let server = Server::new(store(&[]), accounts()).settings(settings);
    let (near, far) = duplex(4096);
    let attended = server.attend(far, NEAR);
    let talk = async {
        let mut client = Client(near);
        client.line().await;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            client.ask("USER mrose").await;
            let before = Instant::now();
            let answer = client.ask("PASS wrong").await;
            assert_eq!(answer, "-ERR [AUTH] login failed");
            pauses.push(before.elapsed().as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 16, 16]);
        assert_eq!(MAX_LOGIN_DELAY.as_secs(), 16);
        assert_eq!(client.rest().await, b"");
    };
    let (ended, ()) = tokio::join!(attended, talk);
    assert!(matches!(ended, Ended::LoginAttempts), "{ended:?}");
}
