//! A command that may not run for ever.

use std::{
    fs::File,
    io::{Read as _, Seek as _},
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

/// How often to look.
const LOOK: Duration = Duration::from_millis(100);
/// How often to say that it still runs.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// How a command came to its end.
pub(super) enum Ended {
    /// With this status, and what it printed: on its output, or else on
    /// standard error.
    Exited(Option<i32>, String),
    /// It was stopped after so long, with all that it had started.
    Stopped(Duration),
}

/// Runs a command for so long at most.
pub(super) fn run(command: &mut Command, limit: Duration) -> anyhow::Result<Ended> {
    let (output, errors) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let mut child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(errors.try_clone()?)
        .spawn()?;
    let start = Instant::now();
    let mut said = start;
    loop {
        if let Some(status) = child.try_wait()? {
            let mut text = contents(output)?;
            if text.is_empty() {
                text = contents(errors)?;
            }
            return Ok(Ended::Exited(status.code(), text));
        }
        if start.elapsed() > limit {
            let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            if let Some(group) = group {
                kill_process_group(group, Signal::KILL)?;
            }
            child.wait()?;
            return Ok(Ended::Stopped(limit));
        }
        if said.elapsed() > SIGN_OF_LIFE {
            said = Instant::now();
            eprintln!("    {} s", start.elapsed().as_secs());
        }
        thread::sleep(LOOK);
    }
}

fn contents(mut file: File) -> anyhow::Result<String> {
    let mut octets = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}
