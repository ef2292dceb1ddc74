//! Providers of access tokens: two by name, and any other by its issuer URL.

use oauth2::url::{Host, Url};
use serde::Deserialize;

use super::http::Http;
use crate::exit::{Exit, Failure};

/// A provider that has a name here.
#[derive(Debug)]
pub(super) struct Preset {
    name: &'static str,
    scope: &'static str,
    authorization: &'static str,
    token: &'static str,
    /// Absent where the provider does not grant access to mail in this way.
    device: Option<&'static str>,
    /// What the provider needs besides RFC 6749 to issue a refresh token.
    parameters: &'static [(&'static str, &'static str)],
}

const PRESETS: [Preset; 2] = [
    Preset {
        name: "google",
        scope: "https://mail.google.com/",
        authorization: "https://accounts.google.com/o/oauth2/v2/auth",
        token: "https://oauth2.googleapis.com/token",
        device: None,
        parameters: &[("access_type", "offline"), ("prompt", "consent")],
    },
    Preset {
        name: "microsoft",
        scope: "https://outlook.office.com/POP.AccessAsUser.All offline_access",
        authorization: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        token: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        device: Some("https://login.microsoftonline.com/common/oauth2/v2.0/devicecode"),
        parameters: &[],
    },
];

/// The scope that most other providers want for a refresh token (OpenID Connect
/// Core §11).
const OFFLINE: &str = "offline_access";

/// Issues access tokens.
#[derive(Clone, Debug)]
pub(super) enum Provider {
    Preset(&'static Preset),
    /// The issuer, whose metadata names its endpoints.
    Issuer(Url),
}

/// Where to ask for tokens.
#[derive(Debug)]
pub(super) struct Endpoints {
    pub(super) authorization: Url,
    pub(super) token: Url,
    pub(super) device: Option<Url>,
}

/// The part of a provider's metadata that matters here (RFC 8414 §2, RFC 8628 §4).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    device_authorization_endpoint: Option<String>,
}

impl Provider {
    /// The provider called `name`, or the one with this issuer URL.
    pub(super) fn named(name: &str) -> Result<Self, Failure> {
        if let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) {
            return Ok(Self::Preset(preset));
        }
        match Url::parse(name) {
            Ok(url) if is_safe(&url) => Ok(Self::Issuer(url)),
            _ => Err(Failure::new(
                Exit::Usage,
                format_args!(
                    "{name} is no provider: write google, microsoft, or an issuer URL that begins \
                     with https://"
                ),
            )),
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Preset(preset) => preset.name,
            Self::Issuer(url) => url.as_str(),
        }
    }

    pub(super) fn scope(&self) -> &'static str {
        match self {
            Self::Preset(preset) => preset.scope,
            Self::Issuer(_) => OFFLINE,
        }
    }

    pub(super) fn parameters(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Preset(preset) => preset.parameters,
            // Without it, the scope is ignored (OpenID Connect Core §11).
            Self::Issuer(_) => &[("prompt", "consent")],
        }
    }

    pub(super) fn endpoints(&self, http: &Http) -> Result<Endpoints, Failure> {
        match self {
            Self::Preset(preset) => Ok(Endpoints {
                authorization: endpoint(preset.authorization)?,
                token: endpoint(preset.token)?,
                device: preset.device.map(endpoint).transpose()?,
            }),
            Self::Issuer(issuer) => discover(issuer, http),
        }
    }
}

/// Reads the metadata of a provider, first at the path of OpenID Connect Discovery
/// (§4), then at that of RFC 8414 (§3).
fn discover(issuer: &Url, http: &Http) -> Result<Endpoints, Failure> {
    let failed = |what: String| Failure::new(Exit::Unavailable, format_args!("{issuer}: {what}"));
    let path = issuer.path().trim_end_matches('/');
    let mut problem = String::new();
    for place in [
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server{path}"),
    ] {
        let mut url = issuer.clone();
        url.set_path(&place);
        let octets = match http.get(&url) {
            Ok(octets) => octets,
            Err(error) => {
                problem = error.to_string();
                continue;
            }
        };
        let metadata: Metadata = serde_json::from_slice(&octets)
            .map_err(|error| failed(format!("its metadata at {url} is malformed: {error}")))?;
        // RFC 8414 §3.3: metadata of another issuer must not be used.
        if metadata.issuer.trim_end_matches('/') != issuer.as_str().trim_end_matches('/') {
            return Err(failed(format!(
                "its metadata is that of the issuer {}; give that one with --oauth",
                metadata.issuer.escape_debug()
            )));
        }
        return Ok(Endpoints {
            authorization: endpoint(&metadata.authorization_endpoint)?,
            token: endpoint(&metadata.token_endpoint)?,
            device: metadata
                .device_authorization_endpoint
                .as_deref()
                .map(endpoint)
                .transpose()?,
        });
    }
    Err(failed(format!(
        "cannot read the metadata of the provider: {problem}; check the issuer URL"
    )))
}

/// An endpoint that may receive secrets.
fn endpoint(text: &str) -> Result<Url, Failure> {
    match Url::parse(text) {
        Ok(url) if is_safe(&url) => Ok(url),
        _ => Err(Failure::new(
            Exit::Protocol,
            format_args!(
                "the provider names the endpoint {}, which is no https:// URL",
                text.escape_debug()
            ),
        )),
    }
}

/// Whether secrets sent to this URL stay secret (RFC 6749 §3.1): under TLS, or on
/// this computer.
fn is_safe(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_name_endpoints_under_tls() {
        for preset in &PRESETS {
            let provider = Provider::named(preset.name).unwrap();
            assert!(matches!(&provider, Provider::Preset(found) if found.name == preset.name));
            for url in [
                Some(preset.authorization),
                Some(preset.token),
                preset.device,
            ] {
                assert!(url.is_none_or(|url| endpoint(url).unwrap().scheme() == "https"));
            }
        }
    }

    #[test]
    fn refuses_an_issuer_to_which_secrets_would_go_in_clear() {
        for (name, is_one) in [
            ("https://login.example.org/realm", true),
            ("http://127.0.0.1:9000", true),
            ("http://[::1]/", true),
            ("http://login.example.org", false),
            ("http://localhost", false),
            ("http://127.0.0.1.example.org", false),
            ("gogle", false),
            ("", false),
        ] {
            assert_eq!(Provider::named(name).is_ok(), is_one, "{name}");
        }
    }
}
