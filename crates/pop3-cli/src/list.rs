//! `pop3 list`: shows a server's capabilities and the messages on it.

use std::collections::BTreeMap;

use clap::Args;
use pop3_proto::{Counted, Escaped, MessageNumber};
use pop3_tokio::client::Error;
use serde::Serialize;

use crate::{
    accounts::Named,
    exit::Failure,
    headers::{Fields, headers},
    output::Output,
    remote::{self, RemoteOptions},
};

pub(crate) const NAME: &str = "list";

const AFTER_HELP: &str = "\
Exit status:
   0  the server answered
  64  wrong usage
  65  the configuration file is malformed
  66  a file cannot be read
  69  the server cannot be reached
  75  the server is too busy or too slow; try again later
  76  TLS failed, or the server broke the protocol or refused a command
  77  the server refused the name or the password
 141  the reader of standard output closed it early";

/// Show the capabilities of a POP3 server and the messages on it
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct List {
    #[command(flatten)]
    account: Named,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// Also show date, sender and subject of each message (one TOP for each)
    #[arg(long)]
    headers: bool,

    #[command(flatten, next_help_heading = "Server")]
    remote: RemoteOptions,
}

#[derive(Debug, Default, Serialize)]
struct Listing {
    account: String,
    /// In the order in which the server announced them; absent if it has no CAPA.
    capabilities: Option<Vec<String>>,
    /// The answer to STAT.
    messages: u32,
    octets: u64,
    /// The answers to LIST and UIDL, by message-number.
    list: BTreeMap<u32, Entry>,
    /// The number of malformed lines in LIST and UIDL.
    malformed: u64,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Entry {
    octets: Option<u64>,
    unique_id: Option<String>,
    /// With `--headers`, unless the server refuses TOP.
    #[serde(flatten)]
    fields: Option<Fields>,
}

impl List {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let remote = self.account.remote(self.remote.clone())?;
        let credentials = remote.credentials()?;
        let listing = remote::block_on(ask(&remote, &credentials, self.headers))?;
        let mut output = Output::create(None)?;
        let text = match self.json {
            true => serde_json::to_string(&listing).unwrap_or_default() + "\n",
            false => listing.table(),
        };
        output.write(text.as_bytes())?;
        output.keep()
    }
}

async fn ask(
    remote: &remote::Remote,
    credentials: &pop3_tokio::client::Credentials,
    with_headers: bool,
) -> Result<Listing, Failure> {
    let mut client = remote.log_in(credentials).await?;
    let mut listing = Listing {
        account: remote.account(),
        ..Listing::default()
    };
    let redactor = client.redactor();
    let announced = client.announced().lines();
    let announced = announced.map(|line| redactor.shown(line.as_bytes()));
    listing.capabilities = Some(announced.collect()).filter(|lines: &Vec<_>| !lines.is_empty());
    let failed = |error| remote.failure(&error);
    let stat = client.stat().await.map_err(failed)?;
    listing.messages = stat.messages;
    listing.octets = stat.octets;
    let entry = |number: MessageNumber| number.get();
    let lines = client
        .list(|line| {
            listing.list.entry(entry(line.number)).or_default().octets = Some(line.octets);
        })
        .await
        .map_err(failed)?;
    listing.malformed += lines.malformed;
    // UIDL is optional (RFC 1939 §7).
    let unique_ids = client
        .uidl(|line| {
            let id = Escaped(line.unique_id.as_bytes()).to_string();
            listing
                .list
                .entry(entry(line.number))
                .or_default()
                .unique_id = Some(id);
        })
        .await;
    match unique_ids {
        Ok(lines) => listing.malformed += lines.malformed,
        Err(Error::Refused(_)) => {}
        Err(error) => return Err(failed(error)),
    }
    if with_headers {
        let numbers = listing.list.keys().copied().filter_map(MessageNumber::new);
        let fields = headers(&mut client, numbers.collect()).await;
        for (number, fields) in fields.map_err(failed)? {
            listing.list.entry(number).or_default().fields = Some(fields);
        }
    }
    let _ = client.quit().await;
    Ok(listing)
}

impl Listing {
    fn table(&self) -> String {
        let mut text = String::new();
        match &self.capabilities {
            Some(capabilities) => {
                for line in capabilities {
                    text.push_str(&format!("{line}\n"));
                }
            }
            None => text.push_str("(the server has no CAPA)\n"),
        }
        let messages = Counted(self.messages, "message");
        let octets = Counted(self.octets, "octet");
        text.push_str(&format!("\n{messages}, {octets}\n"));
        if self.malformed > 0 {
            let lines = Counted(self.malformed, "malformed line");
            text.push_str(&format!("{lines}\n"));
        }
        if !self.list.is_empty() {
            text.push_str(&format!("\n{:>8} {:>12}  unique-id\n", "number", "octets"));
        }
        for (number, entry) in &self.list {
            let Entry {
                octets,
                unique_id,
                fields,
            } = entry;
            let octets = octets.map_or_else(|| String::from("?"), |octets| octets.to_string());
            let unique_id = unique_id.as_deref().unwrap_or("-");
            text.push_str(&format!("{number:>8} {octets:>12}  {unique_id}\n"));
            if let Some(fields) = fields {
                text.push_str(&format!("{:>8} {fields}\n", ""));
            }
        }
        text
    }
}
