//! `pop3 audit`: tests whether a client program is safe and correct.

use std::{
    io::{ErrorKind, IsTerminal as _},
    path::{Component, Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pop3_conformance::{
    audit::{self, Client, Limits, Options, Recipe, Scenario, Store, Takes, Transport},
    report::Report,
};

use crate::{
    exit::{Exit, Failure},
    output::Output,
};

pub(crate) const NAME: &str = "audit";

const AFTER_HELP: &str = "\
Each scenario runs the client against a server on the loopback interface that misbehaves in one way. The client runs up to three \
times, until it settles: a run changes neither its files nor the maildrop, or ends with status 0 and leaves nothing on the server. \
In its arguments, {host}, {port}, {user}, {password}, {cafile}, {home}, {maildir} and {mbox} are replaced by their values. The \
client must fetch all mail and delete on the server what it has fetched:

    pop3 audit --maildir mail -- getter --host {host} --port {port} --user {user} --password {password} --to {maildir}

The client runs in a scratch directory, which is its HOME, under limits on time, memory and disk; this is not a sandbox. All runs \
of a scenario share the directory and the port. The stored mail is compared octet by octet with the mail that was served. LF \
instead of CRLF, header fields added at the top, and the additions of mbox do not count as differences.

Verdicts:
  correct    it stored the mail correctly, or refused where it may refuse
  warn       it stored a message again in a later run
  silent     it ended with status 0 and neither stored nor deleted a message that it should have fetched
  lossy      the stored mail differs from the mail that was sent
  dangerous  it deleted a message that it did not store, took part of a message for the whole, went on without TLS,
             did not end, or exceeded a limit
  not tried  the scenario needs a client that requires STLS: add its option for that, and --stls

Exit status:
   0  nothing is silent, lossy or dangerous
   1  something is silent, lossy or dangerous, or a MUST of MS-STANOPOP3 is broken
  64  wrong usage, or none of the selected scenarios can be tried
  66  the program of the recipe is not installed
  74  the client cannot be run, or fetches nothing even from a correct server
 141  the reader of standard output closed it early";

/// Test whether a client program is safe and correct
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Audit {
    /// Audit a client that pop3 knows how to run (--list names them)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["command", "maildir", "mbox", "first", "stls"], value_parser = recipe)]
    recipe: Option<String>,

    /// Read the mail that the client stored from this Maildir in the scratch
    /// directory ({maildir} in its arguments)
    #[arg(long, value_name = "DIRECTORY", value_parser = within)]
    maildir: Option<PathBuf>,

    /// Read the mail that the client stored from this mbox in the scratch directory
    /// ({mbox} in its arguments)
    #[arg(long, value_name = "FILE", value_parser = within, conflicts_with = "maildir")]
    mbox: Option<PathBuf>,

    /// Expect the client to fetch only the first message
    #[arg(long)]
    first: bool,

    /// Expect the client to require STLS, as its arguments tell it to
    #[arg(long)]
    stls: bool,

    /// Run only scenarios whose names contain one of these texts
    #[arg(long, value_name = "TEXT,…", value_delimiter = ',', value_parser = part_of_a_name)]
    only: Vec<String>,

    /// Skip scenarios whose names contain one of these texts
    #[arg(long, value_name = "TEXT,…", value_delimiter = ',', value_parser = part_of_a_name)]
    skip: Vec<String>,

    /// List the scenarios and recipes, and run nothing
    #[arg(long)]
    list: bool,

    /// Run N scenarios in parallel
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,

    /// Stop each run of the client after SECONDS
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::DEFAULT.time.as_secs())]
    time_limit: u64,

    /// Let the client wait up to SECONDS for octets that never come
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::DEFAULT.patience.as_secs())]
    patience: u64,

    /// Print the report in this format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Client program and its arguments
    #[arg(last = true, value_name = "CLIENT")]
    command: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
    Junit,
    Html,
}

fn recipe(name: &str) -> Result<String, String> {
    let mut recipes = audit::recipes().iter();
    match recipes.any(|recipe| recipe.name() == name) {
        true => Ok(name.to_owned()),
        false => {
            let names: Vec<_> = audit::recipes().iter().map(Recipe::name).collect();
            Err(format!("no such recipe; choose one of {}", names.join(" ")))
        }
    }
}

/// A path that stays in the scratch directory.
fn within(path: &str) -> Result<PathBuf, String> {
    let path = Path::new(path);
    let mut parts = path.components();
    match parts.all(|part| matches!(part, Component::Normal(_))) {
        true => Ok(path.to_owned()),
        false => Err("the path must be inside the scratch directory, such as `mail`".to_owned()),
    }
}

/// Refuses a misspelt name: it would select nothing, and the audit would pass.
fn part_of_a_name(text: &str) -> Result<String, String> {
    let mut all = audit::scenarios().iter();
    match all.any(|scenario| scenario.name().contains(text)) {
        true => Ok(text.to_owned()),
        false => Err(String::from("no scenario name contains it; see --list")),
    }
}

impl Audit {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let scenarios = self.scenarios();
        if self.list {
            return print(&list(&scenarios));
        }
        let client = self.client()?;
        if let Some(why) = nothing_to_try(&client, &scenarios) {
            return Err(Failure::new(Exit::Usage, why));
        }
        let audit = self.audit(&client, &scenarios)?;
        let report = audit.report();
        print(&self.rendered(&report)?)?;
        match report.fails() {
            true => Err(Failure::new(
                Exit::Differs,
                format_args!("{} is not safe and correct; see the report", client.name),
            )),
            false => Ok(()),
        }
    }

    fn scenarios(&self) -> Vec<Scenario> {
        let has = |scenario: &Scenario, parts: &[String]| {
            parts.iter().any(|part| scenario.name().contains(part))
        };
        let all = audit::scenarios().iter();
        let wanted = all.filter(|scenario| {
            (self.only.is_empty() || has(scenario, &self.only)) && !has(scenario, &self.skip)
        });
        wanted.cloned().collect()
    }

    fn client(&self) -> Result<Client, Failure> {
        if let Some(name) = &self.recipe {
            return known(name);
        }
        if self.command.is_empty() {
            return Err(Failure::new(
                Exit::Usage,
                "no client: write `pop3 audit --recipe NAME` or `pop3 audit -- CLIENT ARGS`; see --help",
            ));
        }
        let mut client = Client::from_command(self.command.clone(), self.stls);
        (client.store, client.place) = match (&self.maildir, &self.mbox) {
            (Some(directory), _) => (Store::Maildir, directory.clone()),
            (_, Some(file)) => (Store::Mbox, file.clone()),
            _ => (Store::Stdout, PathBuf::new()),
        };
        if self.first {
            client.takes = Takes::First;
        }
        Ok(client)
    }

    fn audit(&self, client: &Client, scenarios: &[Scenario]) -> Result<audit::Audit, Failure> {
        let mut options = Options::default();
        options.limits.time = Duration::from_secs(self.time_limit);
        options.limits.patience = Duration::from_secs(self.patience);
        if let Some(jobs) = self.jobs {
            options.jobs = jobs.into();
        }
        let bar = bar(scenarios.len());
        let audited = audit::audit(client, scenarios, &options, &|progress| {
            bar.set_message(progress.scenario.to_owned());
            bar.inc(1);
        });
        bar.finish_and_clear();
        audited.map_err(|error| {
            let what = match error.kind() {
                ErrorKind::Other => format!(
                    "cannot audit {}: {error}; check its arguments and --maildir or --mbox",
                    client.name
                ),
                _ => format!("cannot run {}: {error}", client.name),
            };
            Failure::new(Exit::Io, what)
        })
    }

    fn rendered(&self, report: &Report) -> Result<String, Failure> {
        match self.format {
            Format::Text => Ok(report.text()),
            Format::Json => Ok(report.json()),
            Format::Html => Ok(report.html()),
            Format::Junit => report.junit().map_err(|error| {
                Failure::new(Exit::Io, format_args!("cannot write the report: {error}"))
            }),
        }
    }
}

/// Why an audit would try nothing, and so find no fault.
fn nothing_to_try(client: &Client, scenarios: &[Scenario]) -> Option<&'static str> {
    let needs_stls = |scenario: &Scenario| scenario.transport() == Transport::Stls;
    if scenarios.is_empty() {
        return Some("--skip leaves no scenario to run; see --list");
    }
    (client.stls.is_none() && scenarios.iter().all(needs_stls)).then_some(
        "every selected scenario needs a client that requires STLS: write \
         `pop3 audit --stls -- CLIENT ARGS`, with the client's option for that",
    )
}

/// The client of a recipe.
fn known(name: &str) -> Result<Client, Failure> {
    let mut recipes = audit::recipes().iter();
    let recipe = recipes.find(|recipe| recipe.name() == name);
    // The name was checked. The client `pop3` is this program itself.
    let program = match name {
        "pop3" => std::env::current_exe().ok(),
        _ => recipe.and_then(Recipe::program),
    };
    match (recipe, program) {
        (Some(recipe), Some(program)) => Ok(recipe.client(&program)),
        (recipe, _) => {
            let package = recipe.and_then(Recipe::package).unwrap_or(name);
            Err(Failure::new(
                Exit::NoInput,
                format_args!("{name} is not installed; install the package {package}"),
            ))
        }
    }
}

fn list(scenarios: &[Scenario]) -> String {
    let mut text = String::new();
    let mut last = "";
    for scenario in scenarios {
        if scenario.family() == last {
            continue;
        }
        last = scenario.family();
        let family = scenarios.iter().filter(|other| other.family() == last);
        let members = match family.count() {
            1 => String::new(),
            members => format!(" (family of {members})"),
        };
        text.push_str(&format!("{last}{members}\n    {}\n", scenario.why()));
        let ids: Vec<_> = scenario.shows().iter().map(ToString::to_string).collect();
        if !ids.is_empty() {
            text.push_str(&format!("    MS-STANOPOP3 {}\n", ids.join(", ")));
        }
        if let Some(seen) = scenario.seen() {
            text.push_str(&format!("    seen: {seen}\n"));
        }
    }
    text.push_str("\nRecipes:\n");
    for recipe in audit::recipes() {
        text.push_str(&format!("    {:12} {}\n", recipe.name(), recipe.title()));
    }
    text
}

fn bar(runs: usize) -> ProgressBar {
    let target = match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(u64::try_from(runs).ok(), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

fn print(text: &str) -> Result<(), Failure> {
    let mut output = Output::create(None)?;
    output.write(text.as_bytes())?;
    output.keep()
}
