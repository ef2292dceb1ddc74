//! Errors of a provider, as failures with advice.

use std::fmt::{Display, Write as _};

use oauth2::{ErrorResponseType, RequestTokenError, StandardErrorResponse};

use super::{OAuth, http::HttpError};
use crate::exit::{Exit, Failure};

/// The longest description that is shown, in characters.
const SHOWN: usize = 300;

/// Words at least this long may be a token that the provider repeats. They are not
/// shown, except those of lower-case letters and underscores alone, as error codes are.
const LONG: usize = 20;

impl OAuth {
    pub(super) fn refused<T: ErrorResponseType + Display + 'static>(
        &self,
        error: RequestTokenError<HttpError, StandardErrorResponse<T>>,
    ) -> Failure {
        let account = &self.account;
        let provider = self.provider.name();
        match error {
            RequestTokenError::ServerResponse(answer) => {
                let code = answer.error().to_string();
                let (exit, advice) = advice(&code);
                let said = match answer.error_description() {
                    Some(text) => format!("{} ({})", shown(&code), shown(text)),
                    None => shown(&code),
                };
                Failure::new(
                    exit,
                    format_args!("{account}: {provider} answered {said}; {advice}"),
                )
            }
            RequestTokenError::Request(error) => Failure::new(
                Exit::Unavailable,
                format_args!("{account}: {provider}: {error}; try again later"),
            ),
            // Parts of a malformed answer are not shown: they may be tokens.
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Failure::new(
                Exit::Protocol,
                format_args!(
                    "{account}: {provider} gave an answer that is not in the form of RFC 6749 §5; \
                     check the issuer URL"
                ),
            ),
        }
    }
}

/// The exit status for an error code (RFC 6749 §§4.1.2.1 and 5.2, RFC 8628 §3.5), and
/// what to do.
pub(super) fn advice(code: &str) -> (Exit, &'static str) {
    match code {
        "invalid_grant" | "expired_token" => (Exit::NoPermission, "run pop3 login again"),
        "access_denied" => (
            Exit::NoPermission,
            "run pop3 login again, and allow this program to read your mail",
        ),
        "invalid_client" | "unauthorized_client" => (
            Exit::NoPermission,
            "check --oauth-client-id and --oauth-client-secret-file, and how the program is \
             registered at the provider",
        ),
        "invalid_scope" => (Exit::NoPermission, "check --oauth-scope"),
        "slow_down" | "temporarily_unavailable" | "server_error" => {
            (Exit::Temporary, "try again later")
        }
        _ => (Exit::Protocol, "check the registration at the provider"),
    }
}

/// A provider's text on one line, without words that may be secret.
pub(super) fn shown(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        let separator = if line.is_empty() { "" } else { " " };
        let is_code = word
            .bytes()
            .all(|octet| matches!(octet, b'a'..=b'z' | b'_'));
        let _ = match word.len() >= LONG && !is_code {
            true => write!(line, "{separator}[…]"),
            false => write!(line, "{separator}{}", word.escape_debug()),
        };
        if line.chars().count() > SHOWN {
            line.push('…');
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn hides_what_may_be_a_token_and_escapes_what_may_steer_a_terminal() {
        let token = "1//0gAbCdEf-GhIjKlMnOpQrStUvWxYz";
        assert_eq!(
            shown(&format!(
                "AADSTS70008:\r\nthe token {token} has\u{1b}[2J expired"
            )),
            "AADSTS70008: the token […] has\\u{1b}[2J expired"
        );
        assert!(shown(&"a ".repeat(10_000)).chars().count() < 310);
        assert_eq!(shown(""), "");
        let longest = format!("{}ab", "a ".repeat(149));
        assert_eq!(shown(&longest), longest);
    }
}
