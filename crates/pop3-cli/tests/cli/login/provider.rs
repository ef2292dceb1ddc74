//! An identity provider in memory, and a POP3 server that accepts its tokens.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth2::url::form_urlencoded;
use sha2::{Digest as _, Sha256};

/// What the provider knows.
#[derive(Default)]
pub(crate) struct Book {
    /// Device codes, by user code, and whether the user has allowed access.
    devices: HashMap<String, bool>,
    /// Challenges and redirect URIs, by authorization code.
    grants: HashMap<String, (String, String)>,
    /// The refresh token that is valid now.
    refresh: Option<String>,
    /// The access token that the POP3 server accepts now.
    pub(crate) access: Option<String>,
    /// How many tokens were issued.
    pub(crate) issued: u32,
    /// How often a refresh token came that was used before.
    reused: u32,
    /// Seconds until an access token expires.
    pub(crate) lifetime: u64,
    /// The error code for each request for tokens.
    pub(crate) refusal: Option<String>,
    /// Whether the metadata has no endpoint for devices.
    pub(crate) has_no_devices: bool,
    /// Whether no refresh token is issued.
    pub(crate) has_no_refresh: bool,
    /// Whether the POP3 server is too busy for a login.
    pub(crate) is_busy: bool,
    /// Members of the metadata that replace others.
    pub(crate) metadata: Vec<(&'static str, String)>,
}

impl Book {
    /// The user enters this code and allows access.
    pub(crate) fn allow(&mut self, user_code: &str) {
        *self.devices.get_mut(user_code).unwrap() = true;
    }

    fn issue(&mut self) -> String {
        self.issued += 1;
        let access = format!("hush-access-{:0>40}", self.issued);
        let refresh = format!("hush-refresh-{:0>40}", self.issued);
        let mut answer = serde_json::json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        });
        if !self.has_no_refresh {
            answer["refresh_token"] = refresh.clone().into();
        }
        self.access = Some(access);
        self.refresh = Some(refresh);
        answer.to_string()
    }

    /// The answer to a request for tokens: a status and a body.
    fn tokens(&mut self, fields: &HashMap<String, String>) -> (u16, String) {
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        let refused = |code: &str| {
            let secret = field("refresh_token");
            let description = format!("no {secret}\u{1b}[2J");
            let body = serde_json::json!({"error": code, "error_description": description});
            (400, body.to_string())
        };
        if let Some(code) = &self.refusal {
            return refused(code);
        }
        assert_eq!(field("client_id"), "my-client");
        match field("grant_type") {
            "refresh_token" if self.refresh.as_deref() == Some(field("refresh_token")) => {
                (200, self.issue())
            }
            "refresh_token" => {
                self.reused += 1;
                refused("invalid_grant")
            }
            "authorization_code" => {
                let (challenge, redirect) = self.grants.remove(field("code")).unwrap();
                assert_eq!(field("redirect_uri"), redirect);
                let digest = Sha256::digest(field("code_verifier"));
                assert_eq!(URL_SAFE_NO_PAD.encode(digest), challenge);
                (200, self.issue())
            }
            "urn:ietf:params:oauth:grant-type:device_code" => {
                match self.devices[field("device_code")] {
                    true => (200, self.issue()),
                    false => refused("authorization_pending"),
                }
            }
            other => panic!("{other}"),
        }
    }

    fn answer(&mut self, base: &str, line: &str, body: &str) -> (u16, String) {
        let target = line.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, body));
        let fields = fields(query);
        match path {
            "/.well-known/openid-configuration" => {
                let mut metadata = serde_json::json!({
                    "issuer": base,
                    "authorization_endpoint": format!("{base}/authorize"),
                    "token_endpoint": format!("{base}/token"),
                    // As long as that of large providers.
                    "claims_supported": vec!["claim"; 1000],
                });
                if !self.has_no_devices {
                    metadata["device_authorization_endpoint"] = format!("{base}/device").into();
                }
                for (name, value) in &self.metadata {
                    metadata[name] = value.clone().into();
                }
                (200, metadata.to_string())
            }
            "/device" => {
                assert_eq!(fields["scope"], "offline_access");
                let code = format!("CODE-{}", self.devices.len());
                self.devices.insert(code.clone(), false);
                let body = serde_json::json!({
                    "device_code": code, "user_code": code, "interval": 0, "expires_in": 600,
                    "verification_uri": format!("{base}/enter"),
                });
                (200, body.to_string())
            }
            "/authorize" => {
                assert_eq!(fields["code_challenge_method"], "S256");
                assert_eq!(fields["response_type"], "code");
                assert_eq!(fields["prompt"], "consent");
                // As long as those of large providers.
                let code = format!("code/{}{:0>2000}", self.grants.len(), 0);
                let redirect = fields["redirect_uri"].clone();
                let grant = (fields["code_challenge"].clone(), redirect.clone());
                self.grants.insert(code.clone(), grant);
                let query: String = form_urlencoded::Serializer::new(String::new())
                    .append_pair("code", &code)
                    .append_pair("state", &fields["state"])
                    .finish();
                (302, format!("{redirect}?{query}"))
            }
            "/token" => self.tokens(&fields),
            _ => (404, String::new()),
        }
    }
}

fn fields(text: &str) -> HashMap<String, String> {
    form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

/// The provider and the server.
pub(crate) struct Provider {
    /// Its issuer URL.
    pub(crate) issuer: String,
    /// The URL of an account at the server.
    pub(crate) account: String,
    book: Arc<Mutex<Book>>,
}

impl Provider {
    pub(crate) fn new() -> Self {
        Self::with(|stream| stream)
    }

    /// A provider that speaks through what `wrap` makes of a connection, under TLS
    /// if that is not the connection itself.
    pub(crate) fn with<S: Read + Write>(
        wrap: impl Fn(TcpStream) -> S + Clone + Send + 'static,
    ) -> Self {
        let book = Arc::new(Mutex::new(Book {
            lifetime: 3600,
            ..Book::default()
        }));
        let of_thread = Arc::clone(&book);
        let scheme = match std::any::type_name::<S>() == std::any::type_name::<TcpStream>() {
            true => "http://127.0.0.1",
            false => "https://localhost",
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("{scheme}:{}", listener.local_addr().unwrap().port());
        let base = issuer.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (base, book, wrap) = (base.clone(), Arc::clone(&of_thread), wrap.clone());
                thread::spawn(move || serve_http(wrap(stream.unwrap()), &base, &book));
            }
        });
        let of_thread = Arc::clone(&book);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let account = format!("pop3://me@{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let book = Arc::clone(&of_thread);
                thread::spawn(move || serve_pop3(stream.unwrap(), &book));
            }
        });
        Self {
            issuer,
            account,
            book,
        }
    }

    /// How many tokens were issued, and how many refresh tokens came twice.
    pub(crate) fn issued_and_reused(&self) -> (u32, u32) {
        let book = self.book();
        (book.issued, book.reused)
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }
}

fn serve_http(stream: impl Read + Write, base: &str, book: &Mutex<Book>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).ok()?;
        let header = header.trim_end().to_ascii_lowercase();
        if let Some(octets) = header.strip_prefix("content-length: ") {
            length = octets.parse().unwrap();
        }
        if header.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    let (status, body) = book.lock().unwrap().answer(base, &line, &body);
    let length = body.len();
    let answer = match status {
        302 => format!("HTTP/1.1 302 Found\r\nLocation: {body}\r\nContent-Length: 0\r\n\r\n"),
        _ => format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: \
             close\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    };
    stream.get_mut().write_all(answer.as_bytes()).ok()?;
    stream.get_mut().flush().ok()
}

fn serve_pop3(mut stream: TcpStream, book: &Mutex<Book>) -> Option<()> {
    stream.write_all(b"+OK\r\n").ok()?;
    let mut is_response = false;
    for line in BufReader::new(stream.try_clone().ok()?).lines() {
        let line = line.ok()?;
        let reply = match &*line {
            response if is_response => {
                is_response = false;
                let book = book.lock().unwrap();
                let access = book.access.clone();
                match access.is_some_and(|token| response == xoauth2(&token)) {
                    _ if book.is_busy => "-ERR [SYS/TEMP] later\r\n",
                    true => "+OK\r\n",
                    false => "-ERR no\r\n",
                }
            }
            "CAPA" => "+OK\r\nUSER\r\nUIDL\r\nRESP-CODES\r\nSASL XOAUTH2\r\n.\r\n",
            "AUTH XOAUTH2" => {
                is_response = true;
                "+ \r\n"
            }
            "STAT" => "+OK 1 3\r\n",
            "LIST" => "+OK\r\n1 3\r\n.\r\n",
            "UIDL" => "+OK\r\n1 unique-1\r\n.\r\n",
            "RETR 1" => "+OK\r\nx\r\n.\r\n",
            "QUIT" => "+OK\r\n",
            _ => "-ERR what?\r\n",
        };
        stream.write_all(reply.as_bytes()).ok()?;
    }
    Some(())
}

fn xoauth2(token: &str) -> String {
    base64::engine::general_purpose::STANDARD
        .encode(format!("user=me\u{1}auth=Bearer {token}\u{1}\u{1}"))
}
