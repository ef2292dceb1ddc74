//! Dovecot's LMTP server, with two users.

use std::{
    fs,
    io::{self, Error},
    net::SocketAddr,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{
    NOBODY, Obstacle, UNPACKED,
    dovecot::{is_of_series_2_4, name_of},
    process::{Running, free_address, scratch, start},
};

/// The package of Dovecot's LMTP server, which is unpacked beside those of other
/// servers: its program needs no other place.
pub const LMTPD: &str = "dovecot-lmtpd";

/// The users of the LMTP server.
pub const RECIPIENTS: [&str; 2] = ["one@example.org", "two@example.org"];

/// A running LMTP server; dropping it stops it.
#[derive(Debug)]
pub struct Lmtp {
    /// Its address.
    pub address: SocketAddr,
    /// Its socket.
    pub socket: PathBuf,
    // Fields are dropped in this order.
    _process: Running,
    directory: TempDir,
}

impl Lmtp {
    /// Starts the server on a free port of 127.0.0.1 and a socket; `None` if it
    /// cannot run here, after a line that says why.
    ///
    /// # Errors
    ///
    /// If the server does not start; its log is part of the error.
    ///
    /// # Panics
    ///
    /// If it is not installed and the variable `CI` is set.
    pub fn start() -> io::Result<Option<Self>> {
        let program = Path::new(UNPACKED).join(LMTPD).join("usr/lib/dovecot/lmtp");
        let missing = match crate::program::on_path("dovecot") {
            None => Some(("dovecot", "dovecot-pop3d")),
            Some(_) => (!program.is_file()).then_some(("lmtp", LMTPD)),
        };
        if let Some((program, package)) = missing {
            crate::program::skip(&Obstacle::NotInstalled { program, package }.to_string());
            return Ok(None);
        }
        if is_of_series_2_4()? {
            eprintln!("skipped: the LMTP server is configured for Dovecot 2.3 only");
            return Ok(None);
        }
        run(&program).map(Some)
    }

    /// Returns the messages that a user has, sorted.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn messages(&self, recipient: &str) -> io::Result<Vec<Vec<u8>>> {
        let user = recipient.split('@').next().unwrap_or_default();
        let new = self.directory.path().join(user).join("new");
        let files = match fs::read_dir(new) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files?,
        };
        let mut messages = files
            .map(|file| fs::read(file?.path()))
            .collect::<io::Result<Vec<_>>>()?;
        messages.sort();
        Ok(messages)
    }
}

fn run(program: &Path) -> io::Result<Lmtp> {
    let directory = scratch()?;
    let address = free_address()?;
    let owner = fs::metadata(directory.path())?;
    let owner = match owner.uid() {
        0 => (NOBODY, NOBODY),
        uid => (uid, owner.gid()),
    };
    let path = directory.path().join("dovecot.conf");
    let text = configuration(directory.path(), program, address.port(), owner)?;
    fs::write(&path, text)?;
    let users: String = RECIPIENTS
        .iter()
        .map(|user| format!("{user}::::::\n"))
        .collect();
    fs::write(directory.path().join("users"), users)?;
    fs::create_dir(directory.path().join("run"))?;
    let mut command = Command::new("dovecot");
    command.arg("-F").arg("-c").arg(path);
    let socket = directory.path().join("lmtp");
    Ok(Lmtp {
        address,
        socket,
        _process: start(command, &directory, address)?,
        directory,
    })
}

fn configuration(
    directory: &Path,
    program: &Path,
    port: u16,
    (uid, gid): (u32, u32),
) -> io::Result<String> {
    let user = name_of("/etc/passwd", uid)?;
    let group = name_of("/etc/group", gid)?;
    let program = program
        .to_str()
        .ok_or_else(|| Error::other("the path of the program is not UTF-8"))?;
    let directory = directory.display();
    Ok(format!(
        "protocols = lmtp
listen = 127.0.0.1
base_dir = {directory}/run
state_dir = {directory}/run
log_path = {directory}/log
ssl = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
postmaster_address = postmaster@example.org
mail_location = maildir:{directory}/%n
passdb {{
  driver = passwd-file
  args = {directory}/users
}}
userdb {{
  driver = passwd-file
  args = {directory}/users
  default_fields = uid={uid} gid={gid} home={directory}/%n
}}
service anvil {{
  chroot =
}}
service lmtp {{
  executable = {program}
  user = {user}
  inet_listener lmtp {{
    port = {port}
  }}
  unix_listener {directory}/lmtp {{
    mode = 0666
  }}
}}
"
    ))
}
