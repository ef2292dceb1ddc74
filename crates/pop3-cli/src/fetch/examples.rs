//! The set-ups that are asked for most, for `--help` and the manual page.

/// Each line that begins with `pop3` is a command line of this program; a test parses
/// them.
pub(crate) const EXAMPLES: &str = "\
Examples:

  Gmail, with an app password of the Google account:
    pop3 fetch pop3s://me@gmail.com@pop.gmail.com --to maildir:Mail --password-command 'pass gmail' --keep

  Outlook.com and Microsoft 365, which take tokens only (pop3 login --help says how to get a client id):
    pop3 login pop3s://me@outlook.com@outlook.office365.com --oauth microsoft --oauth-client-id ID
    pop3 fetch pop3s://me@outlook.com@outlook.office365.com --oauth microsoft --oauth-client-id ID --to maildir:Mail

  A company's server with an authority of its own, whose messages stay there for two weeks:
    pop3 fetch pop3s://me@mail.example.com --ca-file company.pem --to mbox:/var/mail/me --delete-after 14

  cron, every ten minutes, for all accounts of the configuration file; it mails you what fails:
    */10 * * * * pop3 fetch --quiet

  systemd, with the unit contrib/systemd/pop3-fetch.service, or without it:
    pop3 fetch --every 5m

  notmuch or mu, which index a Maildir:
    pop3 fetch home --to maildir:Mail && notmuch new

  Dovecot or Cyrus on this machine, by LMTP; and procmail or maildrop:
    pop3 fetch home --to lmtp:/run/dovecot/lmtp --recipient me@example.org
    pop3 fetch home --to 'command:maildrop'

  A Maildir for each mailing list, and one for all other mail:
    pop3 fetch home --to maildir:Mail --match 'List-Id: rust-users => maildir:Mail/.rust'

  From fetchmail, mpop or getmail6, without fetching everything again:
    pop3 import home --fetchmail ~/.fetchids
    pop3 import home --mpop ~/.mpop_uidls/me_at_mail.example.org
    pop3 import home --getmail ~/.config/getmail/oldmail-mail.example.org-995-me

  From any other program: fetch only what arrives from now on:
    pop3 fetch home --catch-up
";
