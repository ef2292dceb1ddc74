//! Credentials and login methods.

use core::{fmt, str::FromStr};

use zeroize::Zeroizing;

/// A user name with a password or token. No output shows the secret, and its memory
/// is overwritten when it is dropped.
///
/// ```
/// use pop3_tokio::client::Credentials;
///
/// let credentials = Credentials::password("mrose", "tanstaaf");
/// assert_eq!(format!("{credentials:?}"), r#"Password { user: "mrose", password: hidden }"#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A password.
    Password {
        /// The name, which may be a delegate name such as `domain/alias/principal`
        /// (MS-OXPOP3 §2.2.2).
        user: String,
        /// The password.
        password: Zeroizing<String>,
    },
    /// An access token of OAuth 2.0 (RFC 6750).
    OAuthToken {
        /// The name.
        user: String,
        /// The token.
        token: Zeroizing<String>,
    },
}

impl Credentials {
    /// A name and a password.
    #[must_use]
    pub fn password(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Password {
            user: user.into(),
            password: Zeroizing::new(password.into()),
        }
    }

    /// A name and an access token.
    #[must_use]
    pub fn oauth_token(user: impl Into<String>, token: impl Into<String>) -> Self {
        Self::OAuthToken {
            user: user.into(),
            token: Zeroizing::new(token.into()),
        }
    }

    /// The name.
    #[must_use]
    pub fn user(&self) -> &str {
        match self {
            Self::Password { user, .. } | Self::OAuthToken { user, .. } => user,
        }
    }

    pub(super) fn secret(&self) -> &str {
        match self {
            Self::Password { password, .. } => password,
            Self::OAuthToken { token, .. } => token,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, secret) = match self {
            Self::Password { .. } => ("Password", "password"),
            Self::OAuthToken { .. } => ("OAuthToken", "token"),
        };
        f.debug_struct(name)
            .field("user", &self.user())
            .field(secret, &format_args!("hidden"))
            .finish()
    }
}

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// SCRAM with SHA-256 (RFC 7677): the password is not sent, and the server must
    /// prove that it knows it.
    ScramSha256,
    /// SCRAM with SHA-1 (RFC 5802).
    ScramSha1,
    /// PLAIN (RFC 4616).
    Plain,
    /// LOGIN, which was never standardized.
    Login,
    /// CRAM-MD5 (RFC 2195).
    CramMd5,
    /// XOAUTH2, as in Exchange and Gmail.
    XOAuth2,
    /// OAUTHBEARER (RFC 7628).
    OAuthBearer,
    /// NTLM version 2 (MS-OXPOP3, MS-NLMP).
    Ntlm,
    /// USER and PASS (RFC 1939 §7).
    UserPass,
    /// APOP (RFC 1939 §7). Never chosen automatically.
    Apop,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 10] = [
        Self::ScramSha256,
        Self::ScramSha1,
        Self::Plain,
        Self::Login,
        Self::CramMd5,
        Self::XOAuth2,
        Self::OAuthBearer,
        Self::Ntlm,
        Self::UserPass,
        Self::Apop,
    ];

    /// The methods to try for a password under TLS, best first. Methods for which
    /// the server must store the plain password come after those that send it under
    /// TLS.
    pub(super) const PASSWORD_UNDER_TLS: &'static [Self] = &[
        Self::ScramSha256,
        Self::ScramSha1,
        Self::Plain,
        Self::Login,
        Self::CramMd5,
        Self::Ntlm,
        Self::UserPass,
    ];

    /// The methods to try for a password without TLS: first those that do not
    /// reveal it.
    pub(super) const PASSWORD_IN_CLEARTEXT: &'static [Self] = &[
        Self::ScramSha256,
        Self::ScramSha1,
        Self::CramMd5,
        Self::Ntlm,
        Self::Plain,
        Self::Login,
        Self::UserPass,
    ];

    pub(super) const TOKEN: &'static [Self] = &[Self::XOAuth2, Self::OAuthBearer];

    /// The name: a SASL mechanism, `USER` or `APOP`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::XOAuth2 => "XOAUTH2",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::Ntlm => "NTLM",
            Self::UserPass => "USER",
            Self::Apop => "APOP",
        }
    }

    /// Whether the method needs a token rather than a password.
    #[must_use]
    pub const fn takes_token(self) -> bool {
        matches!(self, Self::XOAuth2 | Self::OAuthBearer)
    }

    /// Whether the method is a SASL mechanism.
    #[must_use]
    pub const fn is_sasl(self) -> bool {
        !matches!(self, Self::UserPass | Self::Apop)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    /// Parses the [name](Self::name) of a method, in upper or lower case.
    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        let mut all = Self::ALL.into_iter();
        all.find(|method| method.name().eq_ignore_ascii_case(name))
            .ok_or(UnknownMethod)
    }
}

/// The text is not the name of a [`Method`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMethod;

impl fmt::Display for UnknownMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such login method; choose one of")?;
        Method::ALL
            .iter()
            .try_for_each(|method| write!(f, " {method}"))
    }
}

impl core::error::Error for UnknownMethod {}
