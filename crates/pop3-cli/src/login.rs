//! `pop3 login`: obtains the tokens for an account whose provider accepts no password.

use std::io::Write as _;

use clap::Args;

use crate::{
    accounts::Named,
    exit::{Exit, Failure},
    remote::{self, RemoteOptions, oauth::Consent},
};

pub(crate) const NAME: &str = "login";

const AFTER_HELP: &str = "\
Run this once for each account with an OAuth 2.0 provider. It shows the address of a page where you allow access to \
your mail, waits until you have done so, and keeps a refresh token. Then fetch, list and check log in without asking; \
they renew the access token before it expires, and when the server refuses it.

Tokens are kept in $XDG_STATE_HOME/pop3/tokens, in files that only you can read, or by --oauth-store-command.

The provider must know this program: register a desktop (public, native) program there, with the redirect URI \
http://127.0.0.1, and give the client id that it assigns. In the configuration file, which is for Unix alone:

    [accounts.work]
    url = \"pop3s://me@example.com@outlook.office365.com\"
    to = \"maildir:~/Mail/work\"
    oauth = \"microsoft\"
    oauth-client-id = \"00000000-0000-0000-0000-000000000000\"

Exit status:
   0  tokens are kept, and the server accepted one
  64  wrong usage
  65  the configuration file or the kept tokens are malformed
  66  a file cannot be read
  69  the provider or the server cannot be reached
  74  reading or writing failed
  75  try again later
  76  the provider or the server broke its protocol
  77  the provider or the server refused";

/// Obtain access tokens for an account (OAuth 2.0)
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Login {
    #[command(flatten)]
    account: Named,

    /// Use a browser on this computer, even if the provider offers a code to enter on
    /// any device
    #[arg(long)]
    browser: bool,

    #[command(flatten, next_help_heading = "Server")]
    remote: RemoteOptions,
}

impl Login {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let remote = self.account.remote(self.remote.clone())?;
        let Some(oauth) = &remote.oauth else {
            return Err(Failure::new(
                Exit::Usage,
                format_args!(
                    "{}: no provider is given: add --oauth google, --oauth microsoft or --oauth \
                     https://ISSUER; accounts with a password need no pop3 login",
                    remote.account()
                ),
            ));
        };
        let consent = match self.browser {
            true => Consent::Browser,
            false => Consent::Any,
        };
        // The user may look at either stream; a failure to write shows in the wait.
        let mut tell = |text: &str| drop(writeln!(std::io::stderr(), "{text}"));
        let place = oauth.log_in(consent, &mut tell)?;
        tell(&format!(
            "Tokens for {} are kept: {place}",
            remote.account()
        ));
        let credentials = remote.credentials()?;
        remote::block_on(async {
            let client = remote.log_in(&credentials).await?;
            client.quit().await.map_err(|error| remote.failure(&error))
        })?;
        tell("The server accepted the token.");
        Ok(())
    }
}
