//! Processes that end when they are dropped, and the user that they run as.

use std::{
    fs::{self, Permissions},
    io::{self, Error},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::Identity;

/// Servers that root starts run as `nobody` and `nogroup`.
pub const NOBODY: u32 = 65534;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(20);

/// The directories of programs.
pub(super) const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// A process. Dropping it closes its input and sends it SIGTERM.
#[derive(Debug)]
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // SIGKILL would leave the children of Dovecot's master running.
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

/// Makes a server the owner of a directory, starts it there, and waits until it
/// listens.
pub(super) fn start(
    mut command: Command,
    directory: &TempDir,
    address: SocketAddr,
) -> io::Result<Running> {
    if fs::metadata(directory.path())?.uid() == 0 {
        give_away(directory.path())?;
        command.uid(NOBODY).gid(NOBODY);
    }
    let process = command
        .current_dir(directory.path())
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut process = Running(process);
    await_listener(&mut process, directory, address)?;
    Ok(process)
}

/// Waits until something listens at this address.
pub(super) fn await_listener(
    process: &mut Running,
    directory: &TempDir,
    address: SocketAddr,
) -> io::Result<()> {
    await_start(process, directory, || TcpStream::connect(address)).map(drop)
}

/// Waits until this succeeds: a server that listens may not serve yet.
pub(super) fn await_start<T>(
    process: &mut Running,
    directory: &TempDir,
    mut ready: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let deadline = Instant::now() + START;
    loop {
        match ready() {
            Ok(ready) => return Ok(ready),
            Err(error) if process.0.try_wait()?.is_some() || Instant::now() > deadline => {
                return Err(Error::other(format!("{error}; {}", failed(directory))));
            }
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// The contents of the log.
pub(super) fn failed(directory: &TempDir) -> Error {
    let log = fs::read_to_string(directory.path().join("log")).unwrap_or_default();
    Error::other(format!("the server does not start: {log}"))
}

/// A temporary directory that every user can enter.
pub(super) fn scratch() -> io::Result<TempDir> {
    let directory = TempDir::with_prefix("pop3-peer-")?;
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755))?;
    Ok(directory)
}

/// Writes `certificate.pem` and `key.pem` into a directory.
pub(super) fn write_identity(directory: &Path, identity: Identity<'_>) -> io::Result<()> {
    fs::write(directory.join("certificate.pem"), identity.certificate)?;
    let key = directory.join("key.pem");
    fs::write(&key, identity.key)?;
    fs::set_permissions(key, Permissions::from_mode(0o600))
}

/// A free port of the loopback address.
pub(super) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Makes [`NOBODY`] the owner of a directory and all that is in it.
///
/// # Errors
///
/// If the process is not root, which this needs.
pub fn give_away(path: &Path) -> io::Result<()> {
    give_to(path, NOBODY)
}

/// Makes a user the owner of a directory and everything in it.
pub(super) fn give_to(path: &Path, user: u32) -> io::Result<()> {
    chown(path, Some(user), Some(user))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give_to(&entry?.path(), user)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{io::Error, process::Command};

    use super::{Running, await_start, scratch};

    /// Cyrus's master listens before a login can succeed.
    #[test]
    fn waits_for_a_running_server_until_it_serves() {
        let directory = scratch().unwrap();
        for (program, tries) in [("cat", 3), ("true", 1)] {
            let mut child = Command::new(program);
            let child = child.stdin(std::process::Stdio::piped()).spawn().unwrap();
            let mut process = Running(child);
            if program == "true" {
                process.0.wait().unwrap();
            }
            let mut tried = 0;
            let served = await_start(&mut process, &directory, || {
                tried += 1;
                (tried == 3).then_some(()).ok_or(Error::other("not served"))
            });
            assert_eq!((served.is_ok(), tried), (tries == 3, tries), "{program}");
        }
    }
}
