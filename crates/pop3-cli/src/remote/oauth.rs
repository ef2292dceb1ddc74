//! OAuth 2.0: access tokens for accounts whose provider accepts no password
//! (RFC 6749).
//!
//! `pop3 login` asks the user for consent once, in a browser, and keeps a refresh
//! token. Every later command [obtains](OAuth::access_token) an access token with
//! it: the kept one while it is valid, a new one afterwards, and a new one when the
//! server [refuses](OAuth::after_refusal) the kept one.

use std::path::PathBuf;

use clap::Args;
use oauth2::{
    ClientId, ClientSecret, RefreshToken, Scope, TokenResponse as _, TokenUrl,
    basic::{BasicClient, BasicTokenResponse},
};
use zeroize::Zeroizing;

use crate::{
    clock::clock,
    exit::{Exit, Failure},
};

mod consent;
mod http;
mod provider;
mod refusal;
mod tokens;

pub(crate) use consent::Consent;

use http::Http;
use provider::Provider;
use tokens::{Store, Tokens};

/// How to obtain access tokens.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct OAuthOptions {
    /// Log in with an access token from google, from microsoft, or from the provider
    /// with this issuer URL; run `pop3 login` once before
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) oauth: Option<String>,

    /// Name this program to the provider by ID, which the provider assigned when you
    /// registered it
    #[arg(long, value_name = "ID")]
    pub(crate) oauth_client_id: Option<String>,

    /// Read the client secret, if the provider assigned one, from the first line of
    /// FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) oauth_client_secret_file: Option<PathBuf>,

    /// Ask the provider for SCOPE instead of its usual scope for mail
    #[arg(long, value_name = "SCOPE")]
    pub(crate) oauth_scope: Option<String>,

    /// Keep tokens with a shell command instead of in a file: with the argument get it
    /// prints what it received on standard input with the argument store
    #[arg(long, value_name = "COMMAND")]
    pub(crate) oauth_store_command: Option<String>,
}

/// An account at a provider.
#[derive(Clone)]
pub(crate) struct OAuth {
    account: String,
    provider: Provider,
    client_id: String,
    client_secret: Option<Zeroizing<String>>,
    scopes: Vec<String>,
    store: Store,
    /// Certificates to trust besides those of the system.
    ca_file: Option<PathBuf>,
}

impl OAuthOptions {
    /// These options; those that are not given come from `others`.
    #[cfg(unix)]
    pub(crate) fn or(self, others: &Self) -> Self {
        let other = |other: &Option<String>| other.clone();
        Self {
            oauth: self.oauth.or_else(|| other(&others.oauth)),
            oauth_client_id: self
                .oauth_client_id
                .or_else(|| other(&others.oauth_client_id)),
            oauth_client_secret_file: self
                .oauth_client_secret_file
                .or_else(|| others.oauth_client_secret_file.clone()),
            oauth_scope: self.oauth_scope.or_else(|| other(&others.oauth_scope)),
            oauth_store_command: self
                .oauth_store_command
                .or_else(|| other(&others.oauth_store_command)),
        }
    }

    /// The account `account` at the provider, if there is one. `ca_file`:
    /// certificates to trust besides those of the system.
    pub(crate) fn account(
        &self,
        account: &str,
        ca_file: Option<&PathBuf>,
    ) -> Result<Option<OAuth>, Failure> {
        let Some(provider) = &self.oauth else {
            return Ok(None);
        };
        let provider = Provider::named(provider)?;
        let Some(client_id) = self.oauth_client_id.clone() else {
            return Err(Failure::new(
                Exit::Usage,
                format_args!(
                    "{account}: no client id for {}: register a desktop program there, and give \
                     its id with --oauth-client-id or oauth-client-id",
                    provider.name()
                ),
            ));
        };
        let client_secret = match &self.oauth_client_secret_file {
            Some(file) => Some(super::password::from_file(
                file,
                "the client secret",
                "--oauth-client-secret-file",
            )?),
            None => None,
        };
        let scope = self
            .oauth_scope
            .as_deref()
            .unwrap_or_else(|| provider.scope());
        Ok(Some(OAuth {
            scopes: scope.split_whitespace().map(str::to_owned).collect(),
            store: Store::new(account, self.oauth_store_command.as_deref())?,
            ca_file: ca_file.cloned(),
            account: account.to_owned(),
            client_id,
            client_secret,
            provider,
        }))
    }
}

impl OAuth {
    /// Returns a valid access token.
    pub(crate) fn access_token(&self) -> Result<Zeroizing<String>, Failure> {
        let tokens = self.kept()?;
        match tokens.valid_at(clock()) {
            Some(token) => Ok(token),
            None => self.renewed(tokens.access.as_ref()),
        }
    }

    /// Returns another access token, after the server refused `token`.
    pub(crate) async fn after_refusal(
        &self,
        token: &Zeroizing<String>,
    ) -> Result<Zeroizing<String>, Failure> {
        let (oauth, token) = (self.clone(), token.clone());
        // The timeout of the request applies, so this ends.
        let renewed = tokio::task::spawn_blocking(move || oauth.renewed(Some(&token))).await;
        renewed.unwrap_or_else(|_| Err(Failure::new(Exit::Io, "a worker thread panicked")))
    }

    /// Renews the tokens, unless another process has done so since `old` was read:
    /// many providers accept a refresh token only once.
    fn renewed(&self, old: Option<&Zeroizing<String>>) -> Result<Zeroizing<String>, Failure> {
        let _lock = self.store.lock()?;
        let tokens = self.kept()?;
        if tokens.access.as_ref() != old
            && let Some(token) = tokens.valid_at(clock())
        {
            return Ok(token);
        }
        let http = self.http()?;
        let endpoints = self.provider.endpoints(&http)?;
        let client = self
            .client()
            .set_token_uri(TokenUrl::from_url(endpoints.token));
        let refresh = RefreshToken::new(tokens.refresh.to_string());
        let answer: BasicTokenResponse = client
            .exchange_refresh_token(&refresh)
            .request(&http)
            .map_err(|error| self.refused(error))?;
        // Without a new refresh token, the old one stays valid (RFC 6749 §6).
        let renewed = Tokens::of(&answer, clock(), Some(tokens.refresh));
        let renewed = renewed.ok_or_else(|| self.without_refresh())?;
        self.store.put(&renewed)?;
        Ok(Zeroizing::new(answer.access_token().secret().clone()))
    }

    fn kept(&self) -> Result<Tokens, Failure> {
        self.store.get()?.ok_or_else(|| {
            Failure::new(
                Exit::NoPermission,
                format_args!("{}: no token is kept: run pop3 login", self.account),
            )
        })
    }

    /// Reads the certificates of the system, so only where there is a request to send.
    fn http(&self) -> Result<Http, Failure> {
        Http::new(self.ca_file.as_deref())
    }

    fn client(&self) -> BasicClient {
        let client = BasicClient::new(ClientId::new(self.client_id.clone()));
        match &self.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.to_string())),
            None => client,
        }
    }

    fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.scopes.iter().cloned().map(Scope::new)
    }

    fn without_refresh(&self) -> Failure {
        Failure::new(
            Exit::Protocol,
            format_args!(
                "{}: {} issued no refresh token; ask for the scope that it wants for one with \
                 --oauth-scope (often offline_access)",
                self.account,
                self.provider.name()
            ),
        )
    }
}
