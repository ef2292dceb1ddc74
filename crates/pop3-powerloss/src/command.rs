//! The command line, the requirements of a run, and what it leaves on the machine.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    sync::Arc,
    thread,
};

use anyhow::Context as _;
use clap::Parser;

use crate::{
    beside::Beside,
    bite::bite,
    campaign::Campaign,
    experiment::{Kind, Laboratory},
    file_system::FileSystem,
    program::{BootId, Delivery},
    table::Table,
};

/// Test what is on the disk after a loss of power
#[derive(Parser)]
#[command(name = "pop3-powerloss", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    beside: Option<Beside>,
    #[command(flatten)]
    options: Options,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The pop3 program to test
    #[arg(long, default_value = "target/release/pop3")]
    pub(crate) pop3: PathBuf,
    /// Stop after this number of seconds
    #[arg(long, default_value_t = 120)]
    pub(crate) seconds: u64,
    /// Stop after this number of crash states
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    pub(crate) states: usize,
    /// Deliver only to these file systems
    #[arg(long, value_delimiter = ',')]
    pub(crate) file_system: Vec<FileSystem>,
    /// Deliver only in these ways
    #[arg(long, value_delimiter = ',')]
    pub(crate) delivery: Vec<Delivery>,
    /// Use this seed for messages, crash states and all other random choices
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Make only the recording with this number
    #[arg(long)]
    pub(crate) recording: Option<usize>,
    /// Try only the crash state with this number of each recording
    #[arg(long)]
    pub(crate) state: Option<usize>,
    /// Try only the write error with this number after each recording, and no crash
    /// states
    #[arg(long)]
    pub(crate) error: Option<usize>,
    /// Test this number of crash states of each recording
    #[arg(long, default_value_t = 40)]
    pub(crate) each: usize,
    /// Run this number of experiments in parallel
    #[arg(long, default_value_t = 4)]
    pub(crate) workers: usize,
    /// Leave out each sync of the program in turn with strace, and require that a
    /// crash state shows the missing sync
    #[arg(long)]
    pub(crate) bite: bool,
    /// Print the events at the disks in each recording
    #[arg(long)]
    pub(crate) events: bool,
}

/// The number of crash states for each record that lacks a sync.
const BITE_STATES: usize = 200;
const INSIDE: &str = "POP3_POWERLOSS_INSIDE";
/// The start of the name of everything that a run leaves; the process id follows.
pub(crate) const NAME: &str = "pop3-powerloss-";

pub(crate) fn main() -> ExitCode {
    let Arguments { beside, options } = Arguments::parse();
    let done = match beside {
        Some(beside) => beside.run().map(|()| ExitCode::SUCCESS),
        None => options.run(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("powerloss: {error:#}");
        ExitCode::FAILURE
    })
}

impl Options {
    fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(why) = self.missing() {
            println!("powerloss: skipped: {why}");
            return Ok(ExitCode::SUCCESS);
        }
        if std::env::var_os(INSIDE).is_none() {
            // Everything mounted from here on disappears with the last process.
            let error = Command::new("unshare")
                .args(["--mount", "--"])
                .arg(std::env::current_exe()?)
                .args(std::env::args_os().skip(1))
                .env(INSIDE, "1")
                .exec();
            return Err(error).context("cannot start unshare");
        }
        let _keeper = keep_namespace()?;
        remove_leftovers();
        let scratch = std::env::temp_dir().join(format!("{NAME}{}", std::process::id()));
        fs::create_dir(&scratch)?;
        let found = self.explore(&scratch);
        let _ = fs::remove_dir_all(scratch);
        let Some(table) = found? else {
            return Ok(ExitCode::SUCCESS);
        };
        println!("{table}");
        Ok(match table.wrong() {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        })
    }

    /// Returns the reason why the test cannot run here, if there is one.
    fn missing(&self) -> Option<String> {
        if !rustix::process::geteuid().is_root() {
            return Some(String::from("it needs root"));
        }
        for device in ["/dev/fuse", "/dev/loop-control"] {
            if let Err(error) = fs::OpenOptions::new().read(true).write(true).open(device) {
                return Some(format!("{device}: {error}"));
            }
        }
        let mut programs = ["unshare", "losetup", "mount", "umount", "setpriv"].into_iter();
        programs
            .find(|program| !is_there(program))
            .map(|program| format!("there is no program {program}"))
            .or_else(cannot_mount)
    }

    fn file_systems(&self) -> Vec<FileSystem> {
        match self.file_system.as_slice() {
            [] => FileSystem::ALL.to_vec(),
            some => some.to_vec(),
        }
    }

    fn kinds(&self, file_systems: &[FileSystem]) -> Vec<Kind> {
        let deliveries = match self.delivery.as_slice() {
            [] => Delivery::ALL.to_vec(),
            some => some.to_vec(),
        };
        let mut kinds = Vec::new();
        for &delivery in &deliveries {
            for delete in [false, true] {
                for &file_system in file_systems {
                    kinds.push(Kind {
                        file_system,
                        delivery,
                        delete,
                    });
                }
            }
        }
        kinds
    }

    /// Returns `None` if no file system is available.
    fn explore(&self, scratch: &Path) -> anyhow::Result<Option<Table>> {
        let pop3 = self.pop3.canonicalize();
        let pop3 = pop3.with_context(|| format!("no program {}", self.pop3.display()))?;
        let boot_id = Arc::new(BootId::mount(scratch.join("boot_id"))?);
        let open = |worker: usize| {
            let scratch = scratch.join(worker.to_string());
            Laboratory::open(scratch, pop3.clone(), Arc::clone(&boot_id))
        };
        let first = open(0)?;
        let mut file_systems = self.file_systems();
        file_systems.retain(|file_system| {
            let missing = file_system.programs().find(|program| !is_there(program));
            let possible = match missing {
                Some(program) => Err(anyhow::anyhow!("there is no program {program}")),
                None => first.check(*file_system),
            };
            if let Err(why) = &possible {
                eprintln!("powerloss: {file_system}: skipped: {why:#}");
            }
            possible.is_ok()
        });
        if file_systems.is_empty() {
            return Ok(None);
        }
        if self.bite {
            let kinds = self.kinds(&file_systems);
            let states = self.states.min(BITE_STATES);
            let others = (1..self.workers).map(open);
            let mut laboratories = vec![first];
            laboratories.extend(others.collect::<anyhow::Result<Vec<_>>>()?);
            let not_shown = bite(&mut laboratories, &kinds, states, self.seed)?;
            anyhow::ensure!(not_shown == 0, "{not_shown} syncs can be left out unseen");
            return Ok(None);
        }
        let campaign = Campaign::new(self, self.kinds(&file_systems));
        thread::scope(|scope| {
            let open = &open;
            let campaign = &campaign;
            let mut workers = Vec::new();
            for number in 1..self.workers {
                workers.push(scope.spawn(move || campaign.work(&open(number)?)));
            }
            campaign.work(&first)?;
            for worker in workers {
                worker
                    .join()
                    .map_err(|_| anyhow::anyhow!("a worker thread panicked"))??;
            }
            anyhow::Ok(())
        })?;
        Ok(Some(campaign.table()))
    }
}

/// Returns the reason why nothing can be mounted in a separate namespace, as in
/// many containers.
fn cannot_mount() -> Option<String> {
    let unshare = ["--mount", "mount", "-n", "-t", "tmpfs", "tmpfs", "/mnt"];
    let output = Command::new("unshare").args(unshare).output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!(
            "it cannot mount in a namespace of its own: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Some(format!("unshare: {error}")),
    }
}

fn is_there(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|path| path.join(program).exists())
}

/// Keeps the mount namespace alive with another process until this one is gone, for
/// whatever reason: `cat` ends when its input is closed. The last process of a
/// namespace unmounts everything in it, and this process would wait forever for
/// disks that it serves itself.
fn keep_namespace() -> anyhow::Result<Child> {
    Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .context("cannot start cat")
}

/// Removes what a killed run has left: its loop devices and its directory.
fn remove_leftovers() {
    let is_gone = |name: &str| {
        let process = name.split(NAME).nth(1).and_then(|rest| {
            let end = rest.find(|digit: char| !digit.is_ascii_digit());
            rest[..end.unwrap_or(rest.len())].parse::<u32>().ok()
        });
        process.is_some_and(|process| !fs::exists(format!("/proc/{process}")).unwrap_or(true))
    };
    let devices = Command::new("losetup")
        .args(["--list", "--noheadings", "--output", "NAME,BACK-FILE"])
        .output();
    let devices = devices.map(|it| it.stdout).unwrap_or_default();
    for line in String::from_utf8_lossy(&devices).lines() {
        if let Some((device, file)) = line.split_once(' ')
            && is_gone(file)
        {
            let _ = Command::new("losetup").args(["--detach", device]).status();
        }
    }
    let entries = fs::read_dir(std::env::temp_dir());
    for entry in entries.into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_gone) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
