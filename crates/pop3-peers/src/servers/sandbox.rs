//! A view of the machine in which unpacked packages are installed and the user
//! has an account. A mount namespace isolates it, and a process namespace ends
//! all its processes with it. The machine itself does not change.

use std::{
    fs,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::{
    Daemon, UNPACKED, USER,
    process::{PATH, Running, failed, give_to, scratch},
};

/// The path of the server's directory inside the sandbox.
pub(super) const DIRECTORY: &str = "/mnt";

/// The user, who exists only in the sandbox.
pub(super) const USER_ID: u32 = 20_000;
/// The user of servers that require their own.
pub(super) const SERVICE_ID: u32 = 20_001;

/// [`PASSWORD`](super::PASSWORD) as crypt(5) stores it.
const SHADOW: &str = "$6$pop3$tvGUKgbEWjBtY7H5/Bg.ccY2fjrBvEjX52wQQRc3Oh.Rtg9jrco325Roc3oD68fuYq2vn50j1/6ErOYI7a6tn1";

/// A sandbox before it is entered. Inside, `etc`, `var` and `run` are those of the
/// directory; `/etc` and `/usr` also have the files of the machine and the packages.
#[derive(Debug)]
pub(super) struct Sandbox {
    directory: TempDir,
    layers: Vec<PathBuf>,
}

/// A sandbox and its processes.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) directory: TempDir,
    /// The process that keeps the sandbox open.
    pub(super) process: Running,
}

impl Sandbox {
    /// Creates a sandbox for this server, whose own user has this name.
    pub(super) fn new(daemon: &Daemon, service: &str) -> io::Result<Self> {
        let directory = scratch()?;
        for part in ["home", "etc/pam.d", "run", "var/lib", "var/mail", "var/tmp"] {
            fs::create_dir_all(directory.path().join(part))?;
        }
        std::os::unix::fs::symlink("/run", directory.path().join("var/run"))?;
        let packages = daemon.unpacked.iter();
        let sandbox = Self {
            directory,
            layers: packages
                .map(|name| Path::new(UNPACKED).join(name))
                .collect(),
        };
        sandbox.write(
            "etc/passwd",
            &format!(
                "root:x:0:0::/root:/bin/sh\n\
                 nobody:x:65534:65534::/:/bin/false\n\
                 {USER}:x:{USER_ID}:{USER_ID}::{DIRECTORY}/home:/bin/sh\n\
                 {service}:x:{SERVICE_ID}:{SERVICE_ID}::/var/lib/{service}:/bin/false\n"
            ),
        )?;
        sandbox.write(
            "etc/group",
            &format!(
                "root:x:0:\nmail:x:8:\nshadow:x:42:\nnogroup:x:65534:\n\
                 {USER}:x:{USER_ID}:\n{service}:x:{SERVICE_ID}:\n"
            ),
        )?;
        sandbox.write(
            "etc/shadow",
            &format!("root:*:19000::::::\n{USER}:{SHADOW}:19000::::::\n"),
        )?;
        Ok(sandbox)
    }

    /// Its directory; inside, the path is [`DIRECTORY`].
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file and creates its parent directories.
    pub(super) fn write(&self, file: &str, text: &str) -> io::Result<()> {
        let path = self.path().join(file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)
    }

    /// Makes PAM check only the password.
    pub(super) fn write_pam(&self, service: &str) -> io::Result<()> {
        self.write(
            &format!("etc/pam.d/{service}"),
            "auth required pam_unix.so\naccount required pam_unix.so\n\
             password required pam_deny.so\nsession required pam_permit.so\n",
        )
    }

    /// Makes `home` the user's home directory and runs shell lines in the
    /// sandbox; their background processes stay.
    pub(super) fn enter(self, boot: &str) -> io::Result<Entered> {
        let Self { directory, layers } = self;
        give_to(&directory.path().join("home"), USER_ID)?;
        let here = directory.path();
        let below = |part: &str, mut lower: Vec<PathBuf>| {
            lower.extend(layers.iter().map(|layer| layer.join(part)));
            lower.retain(|path| path.is_dir());
            lower.push(Path::new("/").join(part));
            let lower: Vec<_> = lower.iter().map(|path| path.to_string_lossy()).collect();
            lower.join(":")
        };
        let script = format!(
            "set -e
mount --bind '{here}' {DIRECTORY}
mount -t overlay overlay -o 'lowerdir={etc}' /etc
mount -t overlay overlay -o 'lowerdir={usr}' /usr
mount --bind {DIRECTORY}/var /var
mount --bind {DIRECTORY}/run /run
{boot}
echo entered
exec cat",
            here = here.display(),
            etc = below("etc", vec![here.join("etc")]),
            usr = below("usr", Vec::new()),
        );
        let log = fs::File::create(here.join("log"))?;
        let mut command = Command::new("unshare");
        command.args(["--mount", "--mount-proc", "--pid", "--fork", "--kill-child"]);
        let child = command
            .args(["sh", "-c", &script])
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C")
            // However this process ends, `cat` ends too. When the first process
            // of the namespace ends, so do all others.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let mut process = Running(child);
        let output = process.0.stdout.take().map(BufReader::new);
        let last = output.and_then(|output| {
            output.lines().find_map(|line| match line {
                Ok(line) if line != "entered" => None,
                line => Some(line),
            })
        });
        match last {
            Some(Ok(_)) => Ok(Entered { directory, process }),
            _ => Err(failed(&directory)),
        }
    }
}

/// A handle for entering a sandbox while it is open.
#[derive(Debug)]
pub(super) struct Doorway {
    /// The process that keeps it open.
    id: u32,
}

impl Entered {
    /// Returns a handle for entering.
    pub(super) fn doorway(&self) -> Doorway {
        Doorway {
            id: self.process.0.id(),
        }
    }
}

impl Doorway {
    /// A program to run in the sandbox.
    pub(super) fn command(&self, program: &str) -> Command {
        let id = self.id;
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--mount=/proc/{id}/ns/mnt"))
            .arg(format!("--pid=/proc/{id}/ns/pid_for_children"))
            .args(["--", program])
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C");
        command
    }
}

/// Whether this process may create such a sandbox.
pub(super) fn possible() -> bool {
    Command::new("unshare")
        .args([
            "--mount", "--pid", "--fork", "mount", "-t", "overlay", "overlay",
        ])
        .args(["-o", "lowerdir=/etc:/usr", "/mnt"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
