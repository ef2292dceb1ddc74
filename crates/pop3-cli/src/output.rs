//! Where a filter writes to: standard output, or a file that appears whole or
//! not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::exit::{Exit, Failure};

/// The longest slice that the codec hands out. Slices as long as this pass the
/// buffer by; shorter ones are gathered in it.
const BUFFER: usize = 16 * 1024;

const STDOUT: &str = "standard output";

/// A buffered output that names itself in its errors.
pub(crate) struct Output {
    name: String,
    to: BufWriter<Sink>,
}

enum Sink {
    /// Standard output, or a device or pipe that was named: written as it comes.
    Stream(File),
    /// A file beside `target`, which takes its place when it is complete and
    /// vanishes if it never is.
    Part {
        file: NamedTempFile,
        target: PathBuf,
    },
}

impl Output {
    /// Creates `file`; standard output if there is none or it is `-`.
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

    /// Whether both would end up in one place.
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

    /// Says that all is written and right. A file gets its name now, when its
    /// octets are on the disk.
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
            // Through a symbolic link, to the file that it names.
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
        // What the umask leaves of them, as for any new file.
        part.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = part.tempfile_in(directory)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    Ok(Sink::Part { file, target })
}

/// Where a file that does not exist yet will be.
fn new_target(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    Ok(fs::canonicalize(directory)?.join(name))
}

/// `std::io::Stdout` looks for the last newline of each slice, and copies what
/// follows it.
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
