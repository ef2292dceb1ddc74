//! `pop3 completions` and `pop3 man`, made from the definitions of the arguments.

use std::{io::Write as _, path::PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man as Page;

use crate::{
    exit::{Exit, Failure},
    output::Output,
};

pub(crate) const COMPLETIONS: &str = "completions";
pub(crate) const MAN: &str = "man";

/// Print a completion script for a shell
#[derive(Args)]
pub(crate) struct Completions {
    /// Shell to print the script for
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one page for each command
#[derive(Args)]
pub(crate) struct Man {
    /// Write pop3.1, pop3-fetch.1 and so on into DIRECTORY
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

impl Completions {
    pub(crate) fn run(&self, mut command: Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "pop3", &mut script);
        print(&script)
    }
}

impl Man {
    pub(crate) fn run(&self, command: Command) -> Result<(), Failure> {
        match &self.directory {
            Some(directory) => clap_mangen::generate_to(command, directory).map_err(|error| {
                Failure::new(
                    Exit::CannotCreate,
                    format_args!("cannot write to {}: {error}", directory.display()),
                )
            }),
            None => {
                let mut page = Vec::new();
                render(command, &mut page)?;
                print(&page)
            }
        }
    }
}

fn render(command: Command, page: &mut Vec<u8>) -> Result<(), Failure> {
    let render = |page: &mut Vec<u8>| {
        Page::new(command).render(page)?;
        page.flush()
    };
    render(page).map_err(|error| {
        Failure::new(
            Exit::Io,
            format_args!("cannot make the manual page: {error}"),
        )
    })
}

fn print(octets: &[u8]) -> Result<(), Failure> {
    let mut output = Output::create(None)?;
    output.write(octets)?;
    output.keep()
}
