//! Asks the user for consent: with a code to enter on any device (RFC 8628), or in a
//! browser on this computer (RFC 8252, with RFC 7636).

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use oauth2::{
    AuthUrl, AuthorizationCode, CsrfToken, DeviceAuthorizationUrl, PkceCodeChallenge, RedirectUrl,
    StandardDeviceAuthorizationResponse, TokenUrl,
    basic::BasicTokenResponse,
    url::{Url, form_urlencoded},
};

use super::{OAuth, http::Http, provider::Endpoints, refusal, tokens::Tokens};
use crate::{
    clock::clock,
    exit::{Exit, Failure},
};

/// How to ask for consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// With a code, where the provider offers that; else in a browser.
    Any,
    /// In a browser on this computer.
    Browser,
}

/// The most octets of a request from the browser.
const REQUEST: u64 = 64 * 1024;

/// The longest wait for octets from a browser that connected: it may connect early
/// and say nothing.
const PATIENCE: Duration = Duration::from_secs(5);

impl OAuth {
    /// Asks the user for consent, obtains tokens, and keeps them. `tell` shows a text
    /// to the user. Returns where the tokens are kept.
    pub(crate) fn log_in(
        &self,
        consent: Consent,
        tell: &mut dyn FnMut(&str),
    ) -> Result<String, Failure> {
        let http = self.http()?;
        let endpoints = self.provider.endpoints(&http)?;
        let answer = match &endpoints.device {
            Some(device) if consent == Consent::Any => {
                self.by_code(&http, &endpoints, device, tell)?
            }
            _ => self.by_browser(&http, &endpoints, tell)?,
        };
        let tokens = Tokens::of(&answer, clock(), None);
        let tokens = tokens.ok_or_else(|| self.without_refresh())?;
        let _lock = self.store.lock()?;
        self.store.put(&tokens)?;
        Ok(self.store.place())
    }

    fn by_code(
        &self,
        http: &Http,
        endpoints: &Endpoints,
        device: &Url,
        tell: &mut dyn FnMut(&str),
    ) -> Result<BasicTokenResponse, Failure> {
        let client = self
            .client()
            .set_token_uri(TokenUrl::from_url(endpoints.token.clone()))
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(device.clone()));
        let details: StandardDeviceAuthorizationResponse = client
            .exchange_device_code()
            .add_scopes(self.scopes())
            .request(http)
            .map_err(|error| self.refused(error))?;
        tell(&format!(
            "On any device, open {} and enter the code {}",
            details.verification_uri().as_str().escape_debug(),
            details.user_code().secret().escape_debug()
        ));
        client
            .exchange_device_access_token(&details)
            .request(http, thread::sleep, None)
            .map_err(|error| self.refused(error))
    }

    fn by_browser(
        &self,
        http: &Http,
        endpoints: &Endpoints,
        tell: &mut dyn FnMut(&str),
    ) -> Result<BasicTokenResponse, Failure> {
        let cannot = |error: io::Error| {
            Failure::new(
                Exit::Io,
                format_args!("cannot listen on 127.0.0.1 for the answer of the browser: {error}"),
            )
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        // Any port is allowed on a loopback address (RFC 8252 §7.3).
        let redirect = RedirectUrl::new(format!("http://{address}/"))
            .map_err(|error| Failure::new(Exit::Io, format_args!("http://{address}/: {error}")))?;
        let client = self
            .client()
            .set_auth_uri(AuthUrl::from_url(endpoints.authorization.clone()))
            .set_token_uri(TokenUrl::from_url(endpoints.token.clone()))
            .set_redirect_uri(redirect);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(self.scopes())
            .set_pkce_challenge(challenge);
        for (name, value) in self.provider.parameters() {
            request = request.add_extra_param(*name, *value);
        }
        let (url, state) = request.url();
        tell(&format!(
            "Open this page in a browser on this computer: {url}"
        ));
        let code = loop {
            let (stream, _) = listener.accept().map_err(cannot)?;
            // Anything else that connects here is no reason to stop waiting.
            if let Ok(Some(code)) = answer_of(stream, &state) {
                break code;
            }
        };
        let code = code.map_err(|error| {
            let (exit, advice) = refusal::advice(&error);
            let (account, provider) = (&self.account, self.provider.name());
            let error = refusal::shown(&error);
            Failure::new(
                exit,
                format_args!("{account}: {provider} answered {error}; {advice}"),
            )
        })?;
        client
            .exchange_code(code)
            .set_pkce_verifier(verifier)
            .request(http)
            .map_err(|error| self.refused(error))
    }
}

/// Reads a request of the browser and answers it. Returns the code, or the error code
/// of the provider, if the request has our `state`.
fn answer_of(
    mut stream: TcpStream,
    state: &CsrfToken,
) -> io::Result<Option<Result<AuthorizationCode, String>>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?.take(REQUEST));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let found = consent_in(&line, state);
    let (status, text) = match &found {
        Some(Ok(_)) => ("200 OK", "You can close this page and return to pop3."),
        Some(Err(_)) => ("200 OK", "The provider refused. Return to pop3."),
        None => ("404 Not Found", "There is nothing here."),
    };
    // The browser may report an error if its request is not read to its end.
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim_end().is_empty() {
            break;
        }
    }
    let length = text.len();
    // An answer that cannot be shown does not change what was granted.
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \
         {length}\r\nConnection: close\r\n\r\n{text}"
    );
    Ok(found)
}

/// The code or the error in a request line such as `GET /?code=…&state=… HTTP/1.1`
/// (RFC 6749 §4.1.2).
fn consent_in(line: &str, state: &CsrfToken) -> Option<Result<AuthorizationCode, String>> {
    let target = line.strip_prefix("GET /?")?.split(' ').next()?;
    let (mut code, mut error, mut is_ours) = (None, None, false);
    for (name, value) in form_urlencoded::parse(target.as_bytes()) {
        match &*name {
            "code" => code = Some(value.into_owned()),
            "error" => error = Some(value.into_owned()),
            "state" => is_ours = value == state.secret().as_str(),
            _ => {}
        }
    }
    match (is_ours, code, error) {
        (true, _, Some(error)) => Some(Err(error)),
        (true, Some(code), None) => Some(Ok(AuthorizationCode::new(code))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_code_only_with_the_state_of_this_login() {
        let state = CsrfToken::new(String::from("s t"));
        let consent = |line: &str| {
            let found = consent_in(line, &state);
            found.map(|found| found.map(|code| code.secret().clone()))
        };
        for (line, found) in [
            ("GET /?code=c%2F1&state=s+t HTTP/1.1", Some(Ok("c/1"))),
            (
                "GET /?state=s%20t&error=access_denied HTTP/1.1",
                Some(Err("access_denied")),
            ),
            ("GET /?code=c&state=other HTTP/1.1", None),
            ("GET /?code=c HTTP/1.1", None),
            ("GET /?state=s+t HTTP/1.1", None),
            ("GET /favicon.ico HTTP/1.1", None),
            ("POST /?code=c&state=s+t HTTP/1.1", None),
            ("\r\n", None),
        ] {
            let found = found.map(|found| found.map(str::to_owned).map_err(str::to_owned));
            assert_eq!(consent(line), found, "{line}");
        }
    }
}
