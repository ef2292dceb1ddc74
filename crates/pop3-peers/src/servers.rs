//! Servers, each over its own maildrop.

use std::{
    fmt, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

mod courier;
mod cyrus;
mod dovecot;
mod inetd;
mod library;
mod lmtp;
mod maildrop;
mod mailutils;
mod mpopd;
mod popa3d;
mod process;
mod sandbox;
mod solid;

use inetd::Inetd;
use maildrop::Maildrop;
use process::Running;
use sandbox::{Doorway, Entered};

pub use courier::COURIER;
pub use cyrus::CYRUS;
pub use dovecot::DOVECOT;
pub use library::{TWISTED, WILDDUCK};
pub use lmtp::{LMTPD, Lmtp, RECIPIENTS};
pub use mailutils::MAILUTILS;
pub use mpopd::MPOPD;
pub use popa3d::POPA3D;
pub use process::{NOBODY, give_away};
pub use solid::SOLID;

/// The name of the user.
pub const USER: &str = "mrose";
/// The user's password.
pub const PASSWORD: &str = "tanstaaf";

/// The directory of unpacked packages, for those that cannot be installed
/// together: Debian allows one POP3 server per machine. Each package has a
/// directory of its name, with its control file in the directory `DEBIAN`.
pub const UNPACKED: &str = "/opt/pop3-peers";

/// Servers that are libraries. `cargo xtask peers` does not install them, as
/// only the matrix needs them.
pub const LIBRARIES: [&Daemon; 2] = [&TWISTED, &WILDDUCK];

/// All servers from Debian.
pub const DAEMONS: [&Daemon; 7] = [
    &DOVECOT, &MPOPD, &COURIER, &POPA3D, &SOLID, &CYRUS, &MAILUTILS,
];

/// A POP3 server that tests can start.
#[derive(Debug)]
pub struct Daemon {
    /// Its name.
    pub name: &'static str,
    /// Its package.
    pub package: &'static str,
    /// A program on the PATH, for a server that is installed, or a file of an npm
    /// package; empty for one that runs from unpacked packages.
    program: &'static str,
    /// The packages to [unpack](UNPACKED), its own first.
    pub unpacked: &'static [&'static str],
    /// The packages that these need installed: libraries, not daemons.
    pub libraries: &'static [&'static str],
    /// Whether it supports STLS, given an identity.
    pub stls: bool,
    start: fn(&[&[u8]], Option<Identity<'_>>) -> io::Result<Server>,
}

/// Why a server cannot run on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle<'a> {
    /// It is not installed.
    NotInstalled {
        /// The missing file or program.
        program: &'a str,
        /// The Debian package that has it.
        package: &'a str,
    },
    /// It has fixed paths and needs system users. A mount namespace provides
    /// both, but this process may not create one.
    NoNamespace,
}

/// A certificate and its key in PEM.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The chain.
    pub certificate: &'a str,
    /// The key.
    pub key: &'a str,
}

/// A running server; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    /// The address for POP3.
    pub address: SocketAddr,
    /// The address for POP3 under TLS from the first octet.
    pub tls_address: Option<SocketAddr>,
    maildrop: Maildrop,
    // Fields are dropped in this order.
    _inetd: Option<Inetd>,
    _process: Running,
    _directory: TempDir,
}

impl Daemon {
    /// Why it cannot run here; `None` if it can.
    #[must_use]
    pub fn obstacle(&self) -> Option<Obstacle<'_>> {
        let (there, program) = match self.unpacked.first() {
            None => (
                crate::program::on_path(self.program).is_some(),
                self.program,
            ),
            Some(package) => (control_file(package).is_file(), self.name),
        };
        if !there {
            let package = self.package;
            return Some(Obstacle::NotInstalled { program, package });
        }
        if !self.unpacked.is_empty() && !sandbox::possible() {
            return Some(Obstacle::NoNamespace);
        }
        None
    }

    /// Whether its package is from npm, not from Debian.
    #[must_use]
    pub fn is_of_npm(&self) -> bool {
        Path::new(self.program).is_absolute()
    }

    /// The version of its package; `None` if it is not installed.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let control = match self.unpacked.first() {
            Some(package) => fs::read_to_string(control_file(package)).ok()?,
            None if self.is_of_npm() => return library::npm_version(Path::new(self.program)),
            None => {
                let query = ["-W", "-f", "Version: ${Version}", self.package];
                let output = Command::new("dpkg-query").args(query).output().ok()?;
                String::from_utf8(output.stdout).ok()?
            }
        };
        let mut lines = control.lines();
        let version = lines.find_map(|line| line.strip_prefix("Version: "))?;
        Some(version.to_owned())
    }

    /// Starts it over a maildrop with these messages, in this order, on a free
    /// port of 127.0.0.1; `None` if it [cannot run here](Self::obstacle), after
    /// a line that says why. With an identity it offers STLS, if it
    /// [can](Self::stls).
    ///
    /// # Errors
    ///
    /// If the maildrop cannot be written or the server does not start; its log
    /// is part of the error.
    ///
    /// # Panics
    ///
    /// If it is not installed and the variable `CI` is set.
    pub fn start<M: AsRef<[u8]>>(
        &self,
        messages: impl IntoIterator<Item = M>,
        identity: Option<Identity<'_>>,
    ) -> io::Result<Option<Server>> {
        match self.obstacle() {
            None => {}
            Some(obstacle @ Obstacle::NotInstalled { .. }) => {
                crate::program::skip(&obstacle.to_string());
                return Ok(None);
            }
            Some(obstacle @ Obstacle::NoNamespace) => {
                eprintln!("skipped: {}: {obstacle}", self.name);
                return Ok(None);
            }
        }
        let messages: Vec<_> = messages.into_iter().collect();
        let messages: Vec<_> = messages.iter().map(M::as_ref).collect();
        (self.start)(&messages, identity).map(Some)
    }
}

impl Server {
    /// Starts a server that runs as one process per connection.
    fn under_inetd(
        sandbox: Entered,
        maildrop: Maildrop,
        command: impl Fn(&Doorway) -> Command + Send + 'static,
    ) -> io::Result<Self> {
        let doorway = sandbox.doorway();
        let inetd = Inetd::start(move || command(&doorway))?;
        let address = inetd.address;
        let mut server = Self::in_room(sandbox, maildrop, address, None);
        server._inetd = Some(inetd);
        Ok(server)
    }

    /// Starts a server that listens in its sandbox.
    fn in_room(
        sandbox: Entered,
        maildrop: Maildrop,
        address: SocketAddr,
        tls_address: Option<SocketAddr>,
    ) -> Self {
        Self {
            address,
            tls_address,
            maildrop,
            _inetd: None,
            _process: sandbox.process,
            _directory: sandbox.directory,
        }
    }

    /// Counts the messages that it still has.
    ///
    /// # Errors
    ///
    /// If its maildrop cannot be read.
    pub fn messages(&self) -> io::Result<usize> {
        self.maildrop.messages()
    }
}

impl fmt::Display for Obstacle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled { program, package } => {
                write!(f, "{program} is not installed (Debian package {package})")
            }
            Self::NoNamespace => f.write_str("needs root and a mount namespace with overlays"),
        }
    }
}

fn control_file(package: &str) -> PathBuf {
    Path::new(UNPACKED).join(package).join("DEBIAN/control")
}
