//! The output of a filter: standard output, or a file that appears complete or not
//! at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::exit::{Exit, Failure};

/// The longest slice that the codec returns. Slices of this length bypass the
/// buffer; shorter ones are collected in it.
const BUFFER: usize = 16 * 1024;

const STDOUT: &str = "standard output";

/// A buffered output whose errors name it.
pub(crate) struct Output {
    name: String,
    to: BufWriter<Sink>,
}

enum Sink {
    /// Standard output, or a named device or pipe; octets are written directly.
    Stream(File),
    /// A temporary file beside `target`, which replaces `target` once it is
    /// complete and is removed otherwise.
    Part {
        file: NamedTempFile,
        target: PathBuf,
    },
}

impl Output {
    /// Creates `file`, or uses standard output if `file` is absent or `-`.
    pub(crate) fn create(file: Option<&Path>) -> Result<Self, Failure> {
        let (name, sink) = match file {
            Some(path) if path.as_os_str() != "-" => (path.display().to_string(), create(path)),
            _ => (
                String::from(STDOUT),
                stdout_without_line_buffer().map(Sink::Stream),
            ),
        };
        match sink {
            Ok(sink) => Ok(Self {
                name,
                to: BufWriter::with_capacity(BUFFER, sink),
            }),
            Err(error) => Err(cannot_create(&name, &error)),
        }
    }

    /// Whether both write to the same place.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self.to.get_ref(), other.to.get_ref()) {
            (Sink::Part { target, .. }, Sink::Part { target: other, .. }) => target == other,
            _ => self.name == STDOUT && other.name == STDOUT,
        }
    }

    #[inline]
    pub(crate) fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        self.to
            .write_all(octets)
            .map_err(|error| cannot_write(&self.name, &error))
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.to
            .flush()
            .map_err(|error| cannot_write(&self.name, &error))
    }

    /// Finishes the output. A file gets its name now, after its octets are on disk.
    pub(crate) fn keep(mut self) -> Result<(), Failure> {
        self.flush()?;
        if let (Sink::Part { file, target }, _) = self.to.into_parts() {
            file.as_file()
                .sync_all()
                .map_err(|error| cannot_write(&self.name, &error))?;
            file.persist(target)
                .map_err(|failed| cannot_create(&self.name, &failed.error))?;
        }
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stream(file) => file.write(octets),
            Self::Part { file, .. } => file.as_file_mut().write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn create(path: &Path) -> io::Result<Sink> {
    let (target, permissions) = match OpenOptions::new().write(true).open(path) {
        Ok(there) => {
            let metadata = there.metadata()?;
            if !metadata.is_file() {
                return Ok(Sink::Stream(there));
            }
            // Follow a symbolic link to the file that it names.
            (fs::canonicalize(path)?, Some(metadata.permissions()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (new_target(path)?, None),
        Err(error) => return Err(error),
    };
    let directory = target.parent().unwrap_or(Path::new("/"));
    let mut part = tempfile::Builder::new();
    part.prefix(".pop3-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The umask removes bits from these, as for any new file.
        part.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = part.tempfile_in(directory)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    Ok(Sink::Part { file, target })
}

/// The path of a file that does not exist yet.
fn new_target(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    Ok(fs::canonicalize(directory)?.join(name))
}

/// Standard output without the line buffer of `std::io::Stdout`, which searches
/// each slice for its last newline and copies what follows.
fn stdout_without_line_buffer() -> io::Result<File> {
    #[cfg(unix)]
    let stdout = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned()?;
    #[cfg(windows)]
    let stdout = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned()?;
    Ok(File::from(stdout))
}

fn cannot_create(name: &str, error: &io::Error) -> Failure {
    Failure::new(
        Exit::CannotCreate,
        format_args!("cannot create {name}: {error}"),
    )
}

#[cold]
fn cannot_write(name: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::new(Exit::Io, format_args!("cannot write {name}: {error}")),
    }
}
