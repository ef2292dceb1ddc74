//! Runs of `pop3 fetch`.

use std::{
    fmt, fs,
    io::Read as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::ValueEnum;

use crate::file_system::run;

/// A run that takes longer is stuck. A run waits up to 30 s for a lock, and the
/// machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// The kind of mailbox for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Delivery {
    Maildir,
    Mbox,
}

impl Delivery {
    pub(crate) const ALL: [Self; 2] = [Self::Maildir, Self::Mbox];

    /// Returns the mailbox in the directory for mail.
    fn place(self, mail: &Path) -> String {
        match self {
            Self::Maildir => format!("maildir:{}/Maildir", mail.display()),
            Self::Mbox => format!("mbox:{}/inbox", mail.display()),
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Maildir => "maildir",
            Self::Mbox => "mbox",
        })
    }
}

/// The program and the server for runs of `pop3 fetch`.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) pop3: PathBuf,
    pub(crate) server: SocketAddr,
}

/// The end of a run.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// `None` if the run was stuck and had to be killed.
    pub(crate) status: Option<i32>,
    pub(crate) errors: String,
}

impl Program {
    /// Runs `pop3 fetch`; the program `under`, if any, is put in front of it.
    pub(crate) fn fetch(
        &self,
        under: &[String],
        delivery: Delivery,
        delete: bool,
        mail: &Path,
        journal: &Path,
    ) -> anyhow::Result<Ended> {
        let mut command = match under.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.pop3);
                command
            }
            None => Command::new(&self.pop3),
        };
        let child = command
            .args(["fetch", "--quiet", "--to", &delivery.place(mail)])
            .arg(if delete { "--delete" } else { "--keep" })
            .arg("--journal")
            .arg(journal.join("journal.sqlite"))
            .arg(format!("pop3://user@{}", self.server))
            .env_clear()
            .env("POP3_PASSWORD", "password")
            .env("HOME", "/nonexistent")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.pop3.display()))?;
        wait(child)
    }
}

fn wait(mut child: Child) -> anyhow::Result<Ended> {
    let mut stderr = child.stderr.take();
    let reader = thread::spawn(move || {
        let mut errors = Vec::new();
        if let Some(stderr) = &mut stderr {
            let _ = stderr.read_to_end(&mut errors);
        }
        String::from_utf8_lossy(&errors).into_owned()
    });
    let due = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status.code().unwrap_or(-1));
        }
        if Instant::now() > due {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(Duration::from_millis(1));
    };
    Ok(Ended {
        status,
        errors: reader.join().unwrap_or_default(),
    })
}

/// The kernel's boot-id in this mount namespace only: a file is mounted over that
/// of the kernel.
#[derive(Debug)]
pub(crate) struct BootId {
    file: PathBuf,
    boots: AtomicUsize,
}

impl BootId {
    pub(crate) fn mount(file: PathBuf) -> anyhow::Result<Self> {
        let boots = AtomicUsize::new(0);
        let boot_id = Self { file, boots };
        boot_id.change()?;
        run(Command::new("mount")
            .args(["-n", "--bind"])
            .arg(&boot_id.file)
            .arg("/proc/sys/kernel/random/boot_id"))?;
        Ok(boot_id)
    }

    /// Changes to the id of the next boot, which is never used again.
    pub(crate) fn change(&self) -> anyhow::Result<()> {
        let number = self.boots.fetch_add(1, Ordering::Relaxed);
        let text = format!("00000000-0000-4000-8000-{number:012x}\n");
        Ok(fs::write(&self.file, text)?)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "exit status {status}")?,
            None => write!(f, "no end after {} s", PATIENCE.as_secs())?,
        }
        match self.errors.lines().next() {
            Some(line) => write!(f, ", {line}"),
            None => Ok(()),
        }
    }
}
