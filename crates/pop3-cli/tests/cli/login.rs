//! `pop3 login` and logins with tokens, against an identity provider.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    process::{Child, ChildStderr, Command},
    sync::Arc,
};

use tempfile::TempDir;
use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::{Run, pop3};

use provider::Provider;

mod provider;

/// A command for the account of `provider`, of a user whose home is `home`.
fn command(name: &str, provider: &Provider, home: &TempDir) -> Command {
    let mut command = pop3([name, &provider.account, "--dangerous-token-in-cleartext"]);
    command
        .args(["--oauth", &provider.issuer])
        .args(["--oauth-client-id", "my-client"])
        .env("HOME", home.path())
        .env_remove("XDG_STATE_HOME")
        .env_remove("XDG_CONFIG_HOME");
    command
}

/// Runs a command that needs nothing from the user. No output shows a token.
#[track_caller]
fn ends(mut command: Command) -> Run {
    let run = Run::from(command.output().unwrap());
    assert!(!format!("{run:?}").contains("hush-"), "{run:?}");
    run
}

/// A login that waits for the user.
struct Waiting {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Waiting {
    fn new(mut login: Command) -> Self {
        let mut child = login.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// The rest of the next line after `start`.
    fn line(&mut self, start: &str) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        let rest = line.trim_end().strip_prefix(start);
        rest.unwrap_or_else(|| panic!("{line}")).to_owned()
    }

    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        assert!(!rest.contains("hush-"), "{rest}");
        (self.child.wait().unwrap().code(), rest)
    }
}

/// Logs in with a code. Returns what else is shown.
fn log_in(provider: &Provider, login: Command) -> String {
    let mut waiting = Waiting::new(login);
    let said = waiting.line("On any device, open ");
    let (page, code) = said.split_once(" and enter the code ").unwrap();
    assert_eq!(page, format!("{}/enter", provider.issuer));
    provider.book().allow(code);
    let (status, rest) = waiting.end();
    assert_eq!(status, Some(0), "{rest}");
    assert!(rest.ends_with("The server accepted the token.\n"), "{rest}");
    rest
}

/// Sends a GET request, and returns the status line and the Location.
fn get(url: &str) -> (String, Option<String>) {
    let (authority, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    // A browser sends the cookies of all ports of a host.
    let cookies = "Cookie: a=b\r\n".repeat(2000);
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {authority}\r\n{cookies}\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    // This is an error if the request was not read to its end.
    stream.read_to_string(&mut answer).unwrap();
    let mut lines = answer.lines();
    let status = lines.next().unwrap().to_owned();
    let mut headers = lines.take_while(|line| !line.is_empty());
    let location = headers.find_map(|line| Some(line.strip_prefix("Location: ")?.to_owned()));
    (status, location)
}

#[test]
fn a_code_entered_on_any_device_is_asked_for_once() {
    let (provider, home) = (Provider::new(), TempDir::new().unwrap());
    let shown = log_in(&provider, command("login", &provider, &home));
    let tokens = home.path().join(".local/state/pop3/tokens");
    let place = format!("are kept: {}/me%40", tokens.display());
    assert!(shown.contains(&place), "{shown}");
    assert_eq!(
        fs::metadata(&tokens).unwrap().permissions().mode() & 0o777,
        0o700
    );
    for entry in fs::read_dir(&tokens).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let run = ends(command("list", &provider, &home));
    assert_eq!(run.status, Some(0), "{run:?}");
    let mut fetch = command("fetch", &provider, &home);
    let run = ends({
        fetch.args(["--to", "-", "--raw"]);
        fetch
    });
    assert_eq!(
        (run.status, &*run.stdout),
        (Some(0), &b"x\n"[..]),
        "{run:?}"
    );
    assert_eq!(provider.book().issued, 1);

    for entry in fs::read_dir(&tokens).unwrap() {
        let file = entry.unwrap().path();
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
    }
    let run = ends(command("list", &provider, &home));
    assert_eq!(run.status, Some(74), "{run:?}");
    assert!(run.stderr.contains("cannot read "), "{run:?}");
}

#[test]
fn a_browser_brings_the_code_and_anything_else_is_ignored() {
    let (provider, home) = (Provider::new(), TempDir::new().unwrap());
    provider.book().has_no_devices = true;
    let mut waiting = Waiting::new(command("login", &provider, &home));
    let url = waiting.line("Open this page in a browser on this computer: ");
    let (_, location) = get(&url);
    let location = location.unwrap();
    let (base, _) = location.split_once('?').unwrap();
    for other in [
        format!("{base}favicon.ico"),
        format!("{base}?code=forged&state=x"),
    ] {
        assert_eq!(get(&other).0, "HTTP/1.1 404 Not Found");
    }
    // A browser may connect early and send nothing.
    let silent = TcpStream::connect(base.trim_matches('/').strip_prefix("http://").unwrap());
    drop(silent.unwrap());
    assert_eq!(get(&location).0, "HTTP/1.1 200 OK");
    let (status, rest) = waiting.end();
    assert_eq!(status, Some(0), "{rest}");
    assert_eq!(ends(command("list", &provider, &home)).status, Some(0));
}

#[test]
fn a_refusal_in_the_browser_ends_the_login() {
    let (provider, home) = (Provider::new(), TempDir::new().unwrap());
    let mut login = command("login", &provider, &home);
    login.arg("--browser");
    let mut waiting = Waiting::new(login);
    let url = waiting.line("Open this page in a browser on this computer: ");
    let location = get(&url).1.unwrap();
    get(&location.replace("code=", "error=access_denied&was="));
    let (status, rest) = waiting.end();
    assert_eq!(status, Some(77), "{rest}");
    assert!(
        rest.contains("answered access_denied; run pop3 login again"),
        "{rest}"
    );
}

#[test]
fn renews_a_token_that_expires_and_one_that_the_server_refuses() {
    let (provider, home) = (Provider::new(), TempDir::new().unwrap());
    // In less than the two minutes of precaution.
    provider.book().lifetime = 100;
    log_in(&provider, command("login", &provider, &home));
    // The login itself has already renewed it.
    assert_eq!(provider.book().issued, 2);
    provider.book().lifetime = 3600;
    for issued in [3, 3] {
        assert_eq!(ends(command("list", &provider, &home)).status, Some(0));
        assert_eq!(provider.book().issued, issued);
    }
    provider.book().access = Some(String::from("revoked"));
    let run = ends(command("list", &provider, &home));
    assert_eq!(run.status, Some(0), "{run:?}");
    assert_eq!(provider.issued_and_reused(), (4, 0));
    // No other token helps against this.
    provider.book().is_busy = true;
    assert_eq!(ends(command("list", &provider, &home)).status, Some(75));
    assert_eq!(provider.issued_and_reused(), (4, 0));
}

#[test]
fn commands_at_the_same_time_renew_a_token_once() {
    let (provider, home) = (Provider::new(), TempDir::new().unwrap());
    provider.book().lifetime = 100;
    log_in(&provider, command("login", &provider, &home));
    let before = provider.book().issued;
    provider.book().lifetime = 3600;
    let children: Vec<Child> = (0..6)
        .map(|_| command("list", &provider, &home).spawn().unwrap())
        .collect();
    for child in children {
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!(run.status, Some(0), "{run:?}");
    }
    assert_eq!(provider.issued_and_reused(), (before + 1, 0));
}

#[test]
fn errors_of_the_provider_say_what_to_do() {
    let (provider, home) = (Provider::new(), TempDir::new().unwrap());
    provider.book().lifetime = 0;
    log_in(&provider, command("login", &provider, &home));
    for (code, status, advice) in [
        ("invalid_grant", 77, "run pop3 login again"),
        ("invalid_client", 77, "check --oauth-client-id"),
        ("invalid_scope", 77, "check --oauth-scope"),
        ("temporarily_unavailable", 75, "try again later"),
        ("other", 76, "check the registration"),
    ] {
        provider.book().refusal = Some(code.to_owned());
        let run = ends(command("list", &provider, &home));
        assert_eq!(run.status, Some(status), "{run:?}");
        assert!(
            run.stderr.contains(&format!("{code} (no […]); {advice}")),
            "{run:?}"
        );
        assert!(!run.stderr.contains('\u{1b}'), "{run:?}");
    }
}

#[test]
fn mistakes_are_said_before_anything_is_asked() {
    let (provider, home) = (Provider::new(), TempDir::new().unwrap());
    let run = ends(command("list", &provider, &home));
    assert_eq!(run.status, Some(77), "{run:?}");
    assert!(
        run.stderr.ends_with(": no token is kept: run pop3 login\n"),
        "{run:?}"
    );

    let url = &*provider.account;
    let realm = format!("{}/realm", provider.issuer);
    let id = ["--oauth-client-id", "my-client"];
    for (arguments, status, said) in [
        (vec![], 64, "no provider is given"),
        (vec!["--oauth", "google"], 64, "no client id for google"),
        (
            vec!["--oauth", "gogle", id[0], id[1]],
            64,
            "gogle is no provider",
        ),
        (
            vec!["--oauth", "http://example.org", id[0], id[1]],
            64,
            "begins with https://",
        ),
        (
            vec!["--oauth", "http://127.0.0.1:1", id[0], id[1]],
            69,
            "the request failed: ",
        ),
        (
            vec!["--oauth", &realm, id[0], id[1]],
            69,
            "the answer has the HTTP status 404; check the issuer URL",
        ),
        (
            vec![
                "--oauth",
                "google",
                id[0],
                id[1],
                "--oauth-client-secret-file",
                "/none",
            ],
            66,
            "cannot read the client secret from /none",
        ),
    ] {
        let mut login = pop3(["login", url]);
        login.args(arguments).env("HOME", home.path());
        let run = ends(login);
        assert_eq!(run.status, Some(status), "{run:?}");
        assert!(run.stderr.contains(said), "{run:?}");
    }
}

#[test]
fn metadata_that_would_send_secrets_elsewhere_is_refused() {
    for (name, value, status, said) in [
        (
            "issuer",
            "https://other.example",
            69,
            "of the issuer https://other.example;",
        ),
        (
            "token_endpoint",
            "http://idp.example/",
            76,
            "is no https:// URL",
        ),
        (
            "device_authorization_endpoint",
            "x",
            76,
            "the endpoint x, which",
        ),
    ] {
        let (provider, home) = (Provider::new(), TempDir::new().unwrap());
        provider.book().metadata = vec![(name, value.to_owned())];
        let run = ends(command("login", &provider, &home));
        assert_eq!(run.status, Some(status), "{run:?}");
        assert!(run.stderr.contains(said), "{run:?}");
    }
}

#[test]
fn a_provider_without_refresh_tokens_is_no_success() {
    let (provider, home) = (Provider::new(), TempDir::new().unwrap());
    provider.book().has_no_refresh = true;
    let mut waiting = Waiting::new(command("login", &provider, &home));
    let said = waiting.line("On any device, open ");
    provider.book().allow(said.rsplit_once(' ').unwrap().1);
    let (status, rest) = waiting.end();
    assert_eq!(status, Some(76), "{rest}");
    assert!(rest.contains("issued no refresh token"), "{rest}");
}

#[test]
fn a_command_keeps_the_tokens() {
    let (provider, home) = (Provider::new(), TempDir::new().unwrap());
    let keeper = home.path().join("keeper");
    let store = home.path().join("store");
    let script = format!(
        "#!/bin/sh\ncase $1 in store) cat > {0};; get) if test -e {0}; then cat {0}; fi;; *) exit \
         3;; esac\n",
        store.display()
    );
    fs::write(&keeper, script).unwrap();
    let with = |name| {
        let mut command = command(name, &provider, &home);
        command.args(["--oauth-store-command", &format!("sh {}", keeper.display())]);
        command
    };
    assert_eq!(ends(with("list")).status, Some(77));
    let shown = log_in(&provider, with("login"));
    assert!(
        shown.contains("are kept: --oauth-store-command\n"),
        "{shown}"
    );
    assert_eq!(ends(with("list")).status, Some(0));
    assert!(
        fs::read_to_string(&store)
            .unwrap()
            .contains("hush-refresh-")
    );
    assert!(!home.path().join(".local").exists());

    fs::write(&store, "{\"refresh\": \"hush-refresh-0\", }").unwrap();
    let run = ends(with("list"));
    assert_eq!(run.status, Some(65), "{run:?}");
    fs::write(&keeper, "exit 9").unwrap();
    let run = ends(with("list"));
    assert_eq!(run.status, Some(74), "{run:?}");
    assert!(run.stderr.contains("exit status: 9"), "{run:?}");
}

/// The certificate of the provider must be one that the user trusts.
#[test]
fn a_provider_under_tls_must_prove_its_name() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([String::from("localhost")]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let wrap = move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        StreamOwned::new(connection, stream)
    };
    let (provider, home) = (Provider::with(wrap), TempDir::new().unwrap());
    let run = ends(command("login", &provider, &home));
    assert_eq!(run.status, Some(69), "{run:?}");

    let file = home.path().join("ca.pem");
    fs::write(&file, cert.pem()).unwrap();
    let mut login = command("login", &provider, &home);
    login.arg("--ca-file").arg(&file);
    log_in(&provider, login);
}

/// The account of a configuration file has the same options.
#[test]
fn an_account_of_the_configuration_file_logs_in_with_its_token() {
    let (provider, home) = (Provider::new(), TempDir::new().unwrap());
    let config = home.path().join("config.toml");
    let text = format!(
        "[accounts.work]\nurl = \"{}\"\nto = \"-\"\noauth = \"{}\"\noauth-client-id = \
         \"my-client\"\ndangerous-token-in-cleartext = true\n",
        provider.account, provider.issuer
    );
    fs::write(&config, text).unwrap();
    let of_file = |arguments: &[&str]| {
        let mut command = pop3(arguments);
        command
            .arg("--config")
            .arg(&config)
            .env("HOME", home.path());
        command
    };
    log_in(&provider, of_file(&["login", "work"]));
    let run = ends(of_file(&["fetch", "work", "--raw"]));
    assert_eq!(
        (run.status, &*run.stdout),
        (Some(0), &b"x\n"[..]),
        "{run:?}"
    );
}
