//! How `fetch`, `list` and `check` reach a server: options, password and login.

use std::{env, net::IpAddr, path::PathBuf, time::Duration};

use clap::Args;
use pop3_proto::Profile;
use pop3_tokio::client::{
    Client, Credentials, Endpoint, Error, ErrorKind, Fingerprint, Method, Proxy, Settings,
};

use crate::exit::{Exit, Failure};

mod advice;
pub(crate) mod oauth;
pub(crate) mod password;

use advice::WithAdvice;
use oauth::{OAuth, OAuthOptions};
use password::PasswordOptions;

/// Options for one server.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RemoteOptions {
    /// Behave like this release of Outlook, or like rfc1939
    #[arg(long, value_name = "NAME", value_parser = profile_name)]
    pub(crate) profile: Option<String>,

    /// Log in only with this method: SCRAM-SHA-256, PLAIN, XOAUTH2, NTLM, USER,
    /// APOP…
    #[arg(long, value_name = "METHOD", value_parser = method_name)]
    pub(crate) auth: Option<String>,

    #[command(flatten)]
    pub(crate) password: PasswordOptions,

    #[command(flatten)]
    pub(crate) oauth: OAuthOptions,

    /// Also trust the certificates in this PEM file: authorities, or the server's
    /// own certificate, for the names in it and until it expires
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Require TLS, and trust only the certificate with this SHA-256 fingerprint,
    /// whatever its issuer, names and dates
    #[arg(long, value_name = "SHA256")]
    #[arg(conflicts_with_all = ["insecure_plaintext", "dangerous_accept_invalid_certs"])]
    pub(crate) fingerprint: Option<Fingerprint>,

    /// Present the certificate in this PEM file, which also has its private key, to a
    /// server that asks for one
    #[arg(long, value_name = "FILE")]
    pub(crate) client_certificate: Option<PathBuf>,

    /// Connect through this SOCKS5 proxy, socks5://HOST:PORT, which also resolves the
    /// server's name; default: ALL_PROXY, if it names such a proxy. Give a user and a
    /// password for the proxy only there or in the configuration file, because other
    /// users can see the options of a command
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<Proxy>,

    /// Connect from this address of this machine
    #[arg(long, value_name = "IP")]
    pub(crate) source_address: Option<IpAddr>,

    /// Continue without TLS if the server does not announce STLS or refuses it
    /// (anyone between you and the server can then read the password and the mail)
    #[arg(long)]
    pub(crate) insecure_plaintext: bool,

    /// Send an access token without TLS to a server on a loopback address
    #[arg(long, conflicts_with = "require_tls")]
    pub(crate) dangerous_token_in_cleartext: bool,

    /// Require TLS even to loopback addresses (a tunnel may listen there)
    #[arg(long, conflicts_with = "insecure_plaintext")]
    pub(crate) require_tls: bool,

    /// Accept any certificate; anyone between you and the server can then read the
    /// password
    #[arg(long)]
    pub(crate) dangerous_accept_invalid_certs: bool,

    /// Send each command only after the reply to the previous one
    #[arg(long)]
    pub(crate) no_pipelining: bool,

    /// Wait at most SECONDS for the connection, for the greeting, and for more
    /// octets of a reply
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: Option<u64>,

    /// Give up when the whole session takes longer than SECONDS
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) session_timeout: Option<u64>,
}

fn profile_name(name: &str) -> Result<String, String> {
    match Profile::by_name(name) {
        Some(profile) => Ok(profile.name.to_owned()),
        None => {
            let names = Profile::ALL.map(|profile| profile.name).join(" ");
            Err(format!("no such profile; choose one of {names}"))
        }
    }
}

fn method_name(name: &str) -> Result<String, String> {
    match name.parse::<Method>() {
        Ok(method) => Ok(method.name().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A server, a way to log in, and how to behave.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(crate) endpoint: Endpoint,
    pub(crate) user: String,
    pub(crate) settings: Settings,
    method: Option<Method>,
    password: PasswordOptions,
    pub(crate) oauth: Option<OAuth>,
}

impl RemoteOptions {
    /// These options; those that are not given come from `others`.
    #[cfg(unix)]
    pub(crate) fn or(self, others: &Self) -> Self {
        Self {
            profile: self.profile.or_else(|| others.profile.clone()),
            auth: self.auth.or_else(|| others.auth.clone()),
            password: self.password.or(&others.password),
            oauth: self.oauth.or(&others.oauth),
            ca_file: self.ca_file.or_else(|| others.ca_file.clone()),
            fingerprint: self.fingerprint.or(others.fingerprint),
            client_certificate: self
                .client_certificate
                .or_else(|| others.client_certificate.clone()),
            proxy: self.proxy.or_else(|| others.proxy.clone()),
            source_address: self.source_address.or(others.source_address),
            insecure_plaintext: self.insecure_plaintext || others.insecure_plaintext,
            dangerous_token_in_cleartext: self.dangerous_token_in_cleartext
                || others.dangerous_token_in_cleartext,
            require_tls: self.require_tls || others.require_tls,
            dangerous_accept_invalid_certs: self.dangerous_accept_invalid_certs
                || others.dangerous_accept_invalid_certs,
            no_pipelining: self.no_pipelining || others.no_pipelining,
            timeout: self.timeout.or(others.timeout),
            session_timeout: self.session_timeout.or(others.session_timeout),
        }
    }

    pub(crate) fn remote(&self, url: &str) -> Result<Remote, Failure> {
        let usage = |what: String| Failure::new(Exit::Usage, what);
        let endpoint: Endpoint = url
            .parse()
            .map_err(|error| usage(format!("the URL is not valid: {error}")))?;
        let Some(user) = endpoint.user.clone() else {
            return Err(usage(format!(
                "the URL names no user: write {}://USER@{}",
                url.split("://").next().unwrap_or("pop3s"),
                endpoint.authority()
            )));
        };
        let mut settings = Settings::new(self.profile()?);
        settings.pipelining = !self.no_pipelining;
        if let Some(timeout) = self.timeout.map(Duration::from_secs) {
            let timeouts = &mut settings.timeouts;
            timeouts.connect = timeout;
            timeouts.tls = timeout;
            timeouts.greeting = timeout;
            timeouts.reply = timeout;
        }
        settings.timeouts.session = self.session_timeout.map(Duration::from_secs);
        // Where the file says one and the command line the other, TLS is required.
        settings.insecure_plaintext = self.insecure_plaintext && !self.require_tls;
        settings.dangerous_token_in_cleartext = self.dangerous_token_in_cleartext;
        settings.require_tls = self.require_tls;
        settings.tls.dangerous_accept_invalid_certs = self.dangerous_accept_invalid_certs;
        settings.tls.ca_files.extend(self.ca_file.clone());
        settings.tls.fingerprint = self.fingerprint;
        settings.tls.client_certificate = self.client_certificate.clone();
        settings.proxy = match &self.proxy {
            Some(proxy) => Some(proxy.clone()),
            None => usual_proxy()?,
        };
        settings.source_address = self.source_address;
        let method = match &self.auth {
            Some(name) => Some(
                name.parse::<Method>()
                    .map_err(|error| usage(error.to_string()))?,
            ),
            None => None,
        };
        let mut remote = Remote {
            endpoint,
            user,
            settings,
            method,
            password: self.password.clone(),
            oauth: None,
        };
        let ca_file = self.ca_file.as_ref();
        remote.oauth = self.oauth.account(&remote.account(), ca_file)?;
        Ok(remote)
    }

    /// The profile. The default is the newest release that tells messages with
    /// equal unique-ids apart, so that it misses no message.
    fn profile(&self) -> Result<Profile, Failure> {
        let Some(name) = &self.profile else {
            return Ok(Profile::OUTLOOK_NEW);
        };
        let name = profile_name(name).map_err(|error| Failure::new(Exit::Usage, error))?;
        Ok(Profile::by_name(&name).unwrap_or(Profile::OUTLOOK_NEW))
    }
}

/// The proxy that `ALL_PROXY` names, if it is one of SOCKS5. Proxies of other kinds
/// are for HTTP.
fn usual_proxy() -> Result<Option<Proxy>, Failure> {
    let value = ["ALL_PROXY", "all_proxy"].into_iter().find_map(|name| {
        let value = env::var(name)
            .ok()
            .filter(|value| value.starts_with("socks5"))?;
        Some((name, value))
    });
    let Some((name, value)) = value else {
        return Ok(None);
    };
    match value.parse() {
        Ok(proxy) => Ok(Some(proxy)),
        Err(error) => Err(Failure::new(Exit::Usage, format_args!("{name}: {error}"))),
    }
}

impl Remote {
    /// The account as the journal names it: user, host and port, however the URL
    /// spells them.
    pub(crate) fn account(&self) -> String {
        let place = self.endpoint.authority().to_ascii_lowercase();
        format!("{}@{place}", self.user)
    }

    /// Whether only a person can give the password.
    #[cfg(unix)]
    pub(crate) fn asks_for_password(&self) -> bool {
        self.oauth.is_none() && self.password.is_typed(&self.user, &self.endpoint.host)
    }

    /// Finds the password, or asks for it; or obtains an access token.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let user = self.user.clone();
        if let Some(oauth) = &self.oauth {
            let token = oauth.access_token()?;
            return Ok(Credentials::OAuthToken { user, token });
        }
        let password = {
            let host = self.endpoint.host.as_str();
            self.password.find(&self.account(), (&user, host))?
        };
        Ok(match self.method.is_some_and(Method::takes_token) {
            true => Credentials::OAuthToken {
                user,
                token: password,
            },
            false => Credentials::Password { user, password },
        })
    }

    /// Connects and logs in. Does so once more with a new access token if the server
    /// refuses a kept one.
    pub(crate) async fn log_in(&self, credentials: &Credentials) -> Result<Client, Failure> {
        let done = self.try_log_in(credentials).await;
        let done = match (done, &self.oauth, credentials) {
            (Err(error), Some(oauth), Credentials::OAuthToken { user, token })
                if error.kind() == ErrorKind::Authentication =>
            {
                let token = oauth.after_refusal(token).await?;
                let user = user.clone();
                self.try_log_in(&Credentials::OAuthToken { user, token })
                    .await
            }
            (done, ..) => done,
        };
        done.map_err(|error| self.failure(&error))
    }

    async fn try_log_in(&self, credentials: &Credentials) -> Result<Client, Error> {
        let mut settings = self.settings.clone();
        settings.dangerous_apop_in_cleartext =
            settings.insecure_plaintext && self.method == Some(Method::Apop);
        let mut client = Client::connect(&self.endpoint, &settings).await?;
        match self.method {
            Some(method) => client.login_by(method, credentials).await?,
            None => client.login(credentials).await.map(drop)?,
        }
        Ok(client)
    }

    /// The failure, with its account and with advice.
    pub(crate) fn failure(&self, error: &Error) -> Failure {
        let exit = match error.kind() {
            ErrorKind::Usage => Exit::Usage,
            ErrorKind::Unavailable => Exit::Unavailable,
            ErrorKind::Temporary => Exit::Temporary,
            ErrorKind::Authentication => Exit::NoPermission,
            _ => Exit::Protocol,
        };
        let said = self.with_advice(error);
        Failure::new(exit, format_args!("{}: {said}", self.account()))
    }

    /// The error, with advice on what to try.
    pub(crate) const fn with_advice<'a>(&'a self, error: &'a Error) -> WithAdvice<'a> {
        let remote = self;
        WithAdvice { remote, error }
    }
}

/// Runs a future on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::of_runtime)?;
    runtime.block_on(future)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_settings() {
        let url = "pop3://me@mail.example.org";
        let before = RemoteOptions::default().remote(url).unwrap().settings;
        assert!(before.pipelining && !before.insecure_plaintext && !before.require_tls);
        assert!(!before.tls.dangerous_accept_invalid_certs);
        let options = RemoteOptions {
            timeout: Some(7),
            session_timeout: Some(8),
            no_pipelining: true,
            ca_file: Some(PathBuf::from("/ca.pem")),
            dangerous_accept_invalid_certs: true,
            ..RemoteOptions::default()
        };
        let after = options.remote(url).unwrap().settings;
        let seconds = Duration::from_secs;
        let times = &after.timeouts;
        for time in [times.connect, times.tls, times.greeting, times.reply] {
            assert_eq!(time, seconds(7));
        }
        assert_eq!(times.session, Some(seconds(8)));
        assert_eq!(times.idle, before.timeouts.idle);
        assert!(!after.pipelining && after.tls.dangerous_accept_invalid_certs);
        assert_eq!(after.tls.ca_files, [PathBuf::from("/ca.pem")]);
    }

    #[test]
    fn tls_is_required_where_both_are_said() {
        for (require_tls, insecure_plaintext) in [(true, true), (true, false), (false, true)] {
            let options = RemoteOptions {
                require_tls,
                insecure_plaintext,
                ..RemoteOptions::default()
            };
            let settings = options.remote("pop3://me@example.org").unwrap().settings;
            assert_eq!(settings.require_tls, require_tls);
            assert_eq!(settings.insecure_plaintext, !require_tls);
        }
    }
}
