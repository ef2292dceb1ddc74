//! Servers over a Maildir of their own.

use std::{
    fs,
    io::{self, Error},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Who logs in.
pub const USER: &str = "mrose";
/// With what.
pub const PASSWORD: &str = "tanstaaf";

/// How long a server may take to start.
const START: Duration = Duration::from_secs(20);

/// What root starts does not run as root: `nobody` and `nogroup`.
pub const NOBODY: u32 = 65534;

/// A certificate and its key, in PEM.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The chain.
    pub certificate: &'a str,
    /// The key.
    pub key: &'a str,
}

/// A server that runs; stopped when dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it speaks POP3.
    pub address: SocketAddr,
    /// Where it speaks POP3 under TLS from the first octet.
    pub tls_address: Option<SocketAddr>,
    folder: TempDir,
    process: Child,
}

/// Dovecot over a Maildir with these messages, in this order; `None` if it is
/// [not installed](super::find). With an identity it offers STLS and TLS.
///
/// # Errors
///
/// If the Maildir cannot be written or the server does not start; its log is
/// part of the error.
pub fn dovecot<M: AsRef<[u8]>>(
    messages: impl IntoIterator<Item = M>,
    identity: Option<Identity<'_>>,
) -> io::Result<Option<Server>> {
    let Some(program) = super::find("dovecot", "dovecot-pop3d") else {
        return Ok(None);
    };
    let folder = maildrop(messages)?;
    let (port, tls_port) = (free_port()?, free_port()?);
    let tls = match identity {
        None => "ssl = no".to_owned(),
        Some(Identity { certificate, key }) => {
            fs::write(folder.path().join("certificate.pem"), certificate)?;
            fs::write(folder.path().join("key.pem"), key)?;
            let folder = folder.path().display();
            format!("ssl = yes\nssl_cert = <{folder}/certificate.pem\nssl_key = <{folder}/key.pem")
        }
    };
    let owner = fs::metadata(folder.path())?;
    let owner = match owner.uid() {
        0 => (NOBODY, NOBODY),
        uid => (uid, owner.gid()),
    };
    let tls_listener = if identity.is_some() { tls_port } else { 0 };
    let configuration = folder.path().join("dovecot.conf");
    fs::write(
        &configuration,
        dovecot_configuration(folder.path(), port, tls_listener, &tls, owner)?,
    )?;
    fs::create_dir(folder.path().join("run"))?;
    let mut command = Command::new(program);
    command.arg("-F").arg("-c").arg(configuration);
    let mut server = start(command, folder, port)?;
    server.tls_address = identity.map(|_| (Ipv4Addr::LOCALHOST, tls_port).into());
    Ok(Some(server))
}

/// mpopd over such a Maildir.
///
/// # Errors
///
/// As [`dovecot`].
pub fn mpopd<M: AsRef<[u8]>>(messages: impl IntoIterator<Item = M>) -> io::Result<Option<Server>> {
    let Some(program) = super::find("mpopd", "mpop") else {
        return Ok(None);
    };
    let folder = maildrop(messages)?;
    let port = free_port()?;
    let path = folder.path().display();
    let mut command = Command::new(program);
    command.arg("--interface=127.0.0.1");
    command.arg(format!("--port={port}"));
    command.arg(format!("--log={path}/log"));
    command.arg(format!("--auth={USER},echo {PASSWORD}"));
    command.arg(format!("--maildir={path}/Maildir"));
    Ok(Some(start(command, folder, port)?))
}

impl Server {
    /// Its Maildir.
    #[must_use]
    pub fn maildir(&self) -> PathBuf {
        self.folder.path().join("Maildir")
    }

    /// How many messages it has left.
    ///
    /// # Errors
    ///
    /// If its Maildir cannot be read.
    pub fn messages(&self) -> io::Result<usize> {
        let mut messages = 0;
        for part in ["new", "cur"] {
            messages += fs::read_dir(self.maildir().join(part))?.count();
        }
        Ok(messages)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Not SIGKILL: Dovecot's master takes its children along.
        if let Some(pid) = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

/// A folder with a Maildir, readable for whoever the server runs as.
fn maildrop<M: AsRef<[u8]>>(messages: impl IntoIterator<Item = M>) -> io::Result<TempDir> {
    let folder = TempDir::with_prefix("pop3-peer-")?;
    let maildir = folder.path().join("Maildir");
    for part in ["tmp", "cur", "new"] {
        fs::create_dir_all(maildir.join(part))?;
    }
    for (number, message) in messages.into_iter().enumerate() {
        // Dovecot orders by the time in the name, mpopd by that of the file.
        let when = 1_600_000_000 + number as u64;
        let path = maildir.join(format!("new/{when}.{number:06}.example"));
        let file = fs::File::create(path)?;
        io::Write::write_all(&mut &file, message.as_ref())?;
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(when))?;
    }
    Ok(folder)
}

fn start(mut command: Command, folder: TempDir, port: u16) -> io::Result<Server> {
    if fs::metadata(folder.path())?.uid() == 0 {
        give_away(folder.path())?;
        command.uid(NOBODY).gid(NOBODY);
    }
    let process = command
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut server = Server {
        address: (Ipv4Addr::LOCALHOST, port).into(),
        tls_address: None,
        folder,
        process,
    };
    let deadline = Instant::now() + START;
    while TcpStream::connect(server.address).is_err() {
        if server.process.try_wait()?.is_some() || Instant::now() > deadline {
            let log = fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
            return Err(Error::other(format!("the server does not start: {log}")));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}

/// Makes [`NOBODY`] the owner of a folder and all that is in it.
///
/// # Errors
///
/// If that is not allowed: only root may.
pub fn give_away(path: &Path) -> io::Result<()> {
    chown(path, Some(NOBODY), Some(NOBODY))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give_away(&entry?.path())?;
        }
    }
    Ok(())
}

fn free_port() -> io::Result<u16> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(probe.local_addr()?.port())
}

fn dovecot_configuration(
    folder: &Path,
    port: u16,
    tls_port: u16,
    tls: &str,
    (uid, gid): (u32, u32),
) -> io::Result<String> {
    let user = name_of("/etc/passwd", uid)?;
    let group = name_of("/etc/group", gid)?;
    let folder = folder.display();
    Ok(format!(
        "protocols = pop3
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
{tls}
disable_plaintext_auth = no
auth_mechanisms = plain login
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{folder}/Maildir
pop3_uidl_format = %f
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service anvil {{
  chroot =
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = {tls_port}
    ssl = yes
  }}
}}
"
    ))
}

/// The name of a user or group, which Dovecot wants where it could take the
/// number.
fn name_of(file: &str, id: u32) -> io::Result<String> {
    let id = id.to_string();
    for line in fs::read_to_string(file)?.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(_), Some(found)) = (fields.next(), fields.next(), fields.next())
            && found == id
        {
            return Ok(name.to_owned());
        }
    }
    Err(Error::other(format!("{file} has no {id}")))
}
