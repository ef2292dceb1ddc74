//! Programs other than `pop3` that touch a mounted file system. Each is a separate
//! process: this program again, with a subcommand that `--help` does not show.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::Subcommand;

use crate::{file_system::run, oracle::Stored};

#[derive(Subcommand)]
pub(crate) enum Beside {
    /// Print all files below a directory
    #[command(hide = true)]
    Look { directory: std::path::PathBuf },
    /// Write to a file and sync it, again and again
    #[command(hide = true)]
    Neighbour {
        directory: std::path::PathBuf,
        milliseconds: u64,
        #[arg(long)]
        all: bool,
    },
}

impl Beside {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Look { directory } => {
                let mut out = io::stdout().lock();
                print_files(&directory, "", &mut out)?;
                out.flush()?;
            }
            Self::Neighbour {
                directory,
                milliseconds,
                all,
            } => disturb(&directory, Duration::from_millis(milliseconds), all)?,
        }
        Ok(())
    }
}

/// Returns all files below a directory.
pub(crate) fn look(directory: &Path) -> anyhow::Result<Vec<Stored>> {
    let output = this("look").arg(directory).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("cannot read {}: {}", directory.display(), error.trim());
    }
    let mut rest = output.stdout.as_slice();
    let mut stored = Vec::new();
    while !rest.is_empty() {
        let mut parts = rest.splitn(3, |&octet| octet == 0);
        let (path, octets) = (parts.next(), parts.next());
        let octets: usize = octets
            .and_then(|octets| std::str::from_utf8(octets).ok()?.parse().ok())
            .context("half a list of files")?;
        let after = parts.next().unwrap_or_default();
        let path = String::from_utf8_lossy(path.unwrap_or_default()).into_owned();
        stored.push((path, after.get(..octets).context("half a file")?.to_vec()));
        rest = &after[octets..];
    }
    stored.sort();
    Ok(stored)
}

fn print_files(directory: &Path, below: &str, out: &mut impl io::Write) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            print_files(&entry.path(), &format!("{path}/"), out)?;
        } else {
            let octets = fs::read(entry.path())?;
            write!(out, "{path}\0{}\0", octets.len())?;
            out.write_all(&octets)?;
        }
    }
    Ok(())
}

/// Another program that syncs its own file, and so the journal of the file system;
/// with `all`, it syncs everything that any program has written.
#[derive(Debug)]
pub(crate) struct Neighbour(Child);

impl Neighbour {
    pub(crate) fn start(directory: &Path, milliseconds: usize, all: bool) -> io::Result<Self> {
        this("neighbour")
            .arg(directory)
            .arg(milliseconds.to_string())
            .args(all.then_some("--all"))
            .stdin(Stdio::null())
            .spawn()
            .map(Self)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn disturb(directory: &Path, pause: Duration, all: bool) -> anyhow::Result<()> {
    let parent = rustix::process::getppid();
    let mut file = fs::File::create(directory.join("neighbour"))?;
    while rustix::process::getppid() == parent {
        file.write_all(&[b'n'; 100])?;
        match all {
            true => rustix::fs::syncfs(&file)?,
            false => file.sync_all()?,
        }
        thread::sleep(pause);
    }
    Ok(())
}

/// Acts as a mail reader: moves new mail of a Maildir from `new` to `cur`, and
/// syncs it.
pub(crate) fn read_mail(maildir: &Path) -> anyhow::Result<()> {
    let script = "cd \"$0/new\" 2>/dev/null || exit 0
for file in *; do [ ! -e \"$file\" ] || mv \"$file\" \"../cur/$file:2,S\"; done
sync --file-system .";
    run(Command::new("sh").args(["-c", script]).arg(maildir))
}

/// Returns a command that runs this program with the subcommand `word`.
fn this(word: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(word);
    command
}
