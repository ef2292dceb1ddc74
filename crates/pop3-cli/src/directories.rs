//! The directories of this user.

use std::{env, path::PathBuf};

use crate::exit::{Exit, Failure};

/// The directory for what `pop3` must remember. `instead`: the option that does
/// without it.
pub(crate) fn state(instead: &str) -> Result<PathBuf, Failure> {
    directory("XDG_STATE_HOME", ".local/state", instead)
}

/// The configuration file.
#[cfg(unix)]
pub(crate) fn config_file() -> Result<PathBuf, Failure> {
    Ok(directory("XDG_CONFIG_HOME", ".config", "--config FILE")?.join("config.toml"))
}

/// Finds a directory by the XDG base directory specification, in which a path that
/// is not absolute counts as unset.
fn directory(variable: &str, in_home: &str, instead: &str) -> Result<PathBuf, Failure> {
    let named = env::var_os(variable).map(PathBuf::from);
    let base = named.filter(|path| path.is_absolute()).or_else(|| {
        let home = env::var_os(HOME).filter(|home| !home.is_empty())?;
        Some(PathBuf::from(home).join(in_home))
    });
    match base {
        Some(base) => Ok(base.join("pop3")),
        None => Err(Failure::new(
            Exit::Usage,
            format_args!("neither {variable} nor {HOME} is set: give {instead}"),
        )),
    }
}

const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
