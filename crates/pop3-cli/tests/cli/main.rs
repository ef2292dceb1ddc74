//! The `pop3` command from a user's view: octets in, octets out, one line on
//! stderr, an exit status.

use std::{
    ffi::OsStr,
    fmt,
    io::Write as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
    thread,
};

#[cfg(unix)]
mod audit;
#[cfg(unix)]
mod capa;
mod captures;
#[cfg(unix)]
mod check;
mod decode;
mod definitions;
#[cfg(unix)]
mod demo;
mod encode;
#[cfg(unix)]
mod errors;
#[cfg(unix)]
mod exits;
#[cfg(unix)]
mod fetch;
mod files;
#[cfg(unix)]
mod list;
#[cfg(unix)]
mod login;
#[cfg(unix)]
mod protection;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod server;
mod streams;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(unix)]
mod trust;
mod usage;

/// The result of one run.
struct Run {
    status: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            status,
            stdout,
            stderr,
        } = self;
        let stdout = String::from_utf8_lossy(stdout);
        write!(f, "status {status:?}\n{stdout}\n{stderr}")
    }
}

impl Run {
    /// Asserts success and an empty stderr.
    #[track_caller]
    fn gives(&self, octets: &[u8]) {
        assert_eq!((self.status, self.stderr.as_str()), (Some(0), ""));
        assert!(
            self.stdout == octets,
            "{} is not {}",
            shown(&self.stdout),
            shown(octets)
        );
    }

    /// Asserts that the run ends with `status` after `octets`, with this one
    /// line on stderr.
    #[track_caller]
    fn fails(&self, status: i32, octets: &[u8], line: &str) {
        assert_eq!(self.stderr, format!("{line}\n"));
        assert_eq!(self.status, Some(status));
        assert!(
            self.stdout == octets,
            "{} is not {}",
            shown(&self.stdout),
            shown(octets)
        );
    }
}

/// The octets, or the first of them.
fn shown(octets: &[u8]) -> String {
    let head = &octets[..octets.len().min(200)];
    format!("{} octets \"{}\"", octets.len(), head.escape_ascii())
}

/// How long a child may run: much longer than a working one takes.
#[cfg(unix)]
const CHILD_LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

fn pop3<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    #[cfg(unix)]
    pop3_peers::limit_children(CHILD_LIMIT);
    let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs `pop3` with `input` on standard input.
fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>, input: &[u8]) -> Run {
    let mut child = pop3(arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        // The command may end before it has read all its input.
        scope.spawn(move || {
            let _ = stdin.write_all(input);
        });
        let output = child.wait_with_output().unwrap();
        Run::from(output)
    })
}

/// The captures of real servers.
fn captures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpus/captures")
}
