//! Delivery to an mbox file.
//!
//! Other programs write to the same file, and one of them may do so between a
//! kill and the next run. So nothing is ever cut off the file but what was
//! appended under a lock that is still held. Instead a group is first written to
//! a spool file beside the journal, in the very octets that the mbox will get.
//! Once spool and journal are on the disk, the spool is appended to the mbox, and
//! that can be done again:
//!
//! # After a kill
//!
//! The journal knows where in the mbox the group begins. What stands there is
//! compared with the spool.
//!
//! - All of it is there: delivered.
//! - The file ends within it, or before it begins: the rest is appended.
//! - Anything else: some other program has changed the file since. Whether a
//!   mail reader has taken the group out or it was never in is unknown; it is
//!   appended again, rather twice than never.
//!
//! # Locks
//!
//! A dot-lock (`FILE.lock`), `fcntl` and `flock`, in this order, as programs on
//! Debian do. None of them is waited for longer than [`PATIENCE`]; a dot-lock
//! that was left for [`STALE`] is removed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use rustix::fs::{FlockOperation, fcntl_lock, flock};

use super::{
    Delivery, Form, Sealed,
    spool::{Spool, Spooled, cannot_write, copy},
};
use crate::{
    failure::{Failure, Kind},
    journal::Pending,
};

const PATIENCE: Duration = Duration::from_secs(30);
const STALE: Duration = Duration::from_secs(15 * 60);
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Mbox {
    path: PathBuf,
    spool: Spool,
}

/// A group that is in the spool. The spool stays as it is until the journal says
/// that the group is delivered: until then a next run compares the mbox with it.
struct Waiting {
    path: PathBuf,
    spooled: Spooled,
    /// From [`secure`](Sealed::secure) to [`publish`](Sealed::publish): the
    /// file, and where the group begins in it.
    locked: Option<(Locked, u64)>,
    is_undone: bool,
}

impl Mbox {
    pub(crate) fn open(path: &Path, spool: &Path) -> Result<Self, Failure> {
        // Now, and not after the first group was fetched.
        open_file(path).map_err(|error| cannot_open(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            spool: Spool::open(spool, Form::Mbox)?,
        })
    }
}

impl Delivery for Mbox {
    fn stem(&self) -> Option<&str> {
        None
    }

    fn begin(&mut self) -> Result<(), Failure> {
        self.spool.begin()
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        self.spool.write(octets)
    }

    fn end(&mut self, _: (u64, u64)) -> Result<(), Failure> {
        self.spool.end()
    }

    fn discard(&mut self) {
        self.spool.discard();
    }

    fn retain(&mut self, messages: usize) {
        self.spool.retain(messages);
    }

    fn seal(&mut self) -> Box<dyn Sealed> {
        Box::new(Waiting {
            path: self.path.clone(),
            spooled: self.spool.seal(),
            locked: None,
            is_undone: false,
        })
    }
}

impl Sealed for Waiting {
    fn secure(&mut self) -> Result<Vec<String>, Failure> {
        let Spooled {
            path: spool,
            file,
            begins,
            octets,
        } = &self.spooled;
        file.sync_all()
            .map_err(|error| cannot_write(spool, &error))?;
        let mut locked = Locked::new(&self.path)?;
        let end = locked
            .end_of_messages()
            .map_err(|error| cannot_write(&self.path, &error))?;
        self.locked = Some((locked, end));
        let ends = begins.iter().skip(1).copied().chain([*octets]);
        Ok(begins
            .iter()
            .zip(ends)
            .map(|(begin, next)| format!("{}+{}", end + begin, next - begin))
            .collect())
    }

    fn publish(&mut self) -> Result<(), Failure> {
        let Some((mut locked, end)) = self.locked.take() else {
            return Ok(());
        };
        if let Err(error) = append(
            &self.spooled.file,
            0,
            self.spooled.octets,
            &mut locked.file,
            end,
        ) {
            // Still locked, so that what follows is ours.
            let undone = locked
                .file
                .set_len(end)
                .and_then(|()| locked.file.sync_all());
            self.is_undone = undone.is_ok();
            return Err(cannot_write(&self.path, &error));
        }
        Ok(())
    }

    fn is_undone(&self) -> bool {
        self.is_undone
    }
}

pub(crate) fn recover(
    path: &Path,
    pending: &[(Pending, i64)],
    spool_path: &Path,
) -> Result<Vec<bool>, Failure> {
    let places: Option<Vec<(u64, u64)>> = pending
        .iter()
        .map(|(message, _)| {
            let (begin, octets) = message.name.split_once('+')?;
            Some((begin.parse().ok()?, octets.parse().ok()?))
        })
        .collect();
    let lost = Ok(vec![false; pending.len()]);
    let (Some(places), Ok(spool)) = (places, File::open(spool_path)) else {
        return lost;
    };
    let Some(begin) = places.iter().map(|(begin, _)| *begin).min() else {
        return lost;
    };
    let octets: u64 = places.iter().map(|(_, octets)| *octets).sum();
    if spool.metadata().is_ok_and(|there| there.len() < octets) {
        return lost;
    }
    let mut locked = Locked::new(path)?;
    let mut finish = || {
        let same = common(&locked.file, begin, &spool, octets)?;
        if same == octets {
            return locked.file.sync_all();
        }
        let file_octets = locked.file.metadata()?.len();
        if file_octets == begin + same {
            return append(&spool, same, octets, &mut locked.file, begin + same);
        }
        let end = locked.end_of_messages()?;
        append(&spool, 0, octets, &mut locked.file, end)
    };
    finish().map_err(|error| cannot_write(path, &error))?;
    Ok(vec![true; pending.len()])
}

/// Copies octets `from..to` of the spool to `at`, on the disk.
fn append(spool: &File, from: u64, to: u64, file: &mut File, at: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    copy(spool, from, to, file)?;
    file.sync_all()
}

/// How many octets of the spool stand in `file` from `begin` on.
fn common(file: &File, begin: u64, spool: &File, octets: u64) -> io::Result<u64> {
    let (mut here, mut there) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut same = 0;
    while same < octets {
        let most = usize::try_from(octets - same)
            .unwrap_or(usize::MAX)
            .min(1 << 16);
        let read = file.read_at(&mut here[..most], begin + same)?;
        if read == 0 {
            break;
        }
        spool.read_exact_at(&mut there[..read], same)?;
        let equal = here[..read]
            .iter()
            .zip(&there)
            .take_while(|(here, there)| here == there)
            .count();
        same += equal as u64;
        if equal < read {
            break;
        }
    }
    Ok(same)
}

/// An mbox file that no other program writes to.
struct Locked {
    file: File,
    dot_lock: PathBuf,
}

impl Locked {
    fn new(path: &Path) -> Result<Self, Failure> {
        let mut dot_lock = path.as_os_str().to_owned();
        dot_lock.push(".lock");
        let dot_lock = PathBuf::from(dot_lock);
        let due = Instant::now() + PATIENCE;
        while let Err(error) = make_dot_lock(&dot_lock) {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(cannot_open(&dot_lock, &error));
            }
            if is_stale(&dot_lock) {
                let _ = fs::remove_file(&dot_lock);
            } else {
                wait(due, &dot_lock)?;
            }
        }
        let file = match open_file(path) {
            Ok(file) => file,
            Err(error) => {
                let _ = fs::remove_file(&dot_lock);
                return Err(cannot_open(path, &error));
            }
        };
        // From here on dropping takes the dot-lock away.
        let locked = Self { file, dot_lock };
        for lock in [fcntl_lock::<&File>, flock::<&File>] {
            while let Err(error) = lock(&locked.file, FlockOperation::NonBlockingLockExclusive) {
                match error {
                    rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::ACCESS => wait(due, path)?,
                    error => return Err(cannot_open(path, &error.into())),
                }
            }
        }
        Ok(locked)
    }

    /// Where the next message goes; an empty line stands before it, unless it is
    /// the first.
    fn end_of_messages(&mut self) -> io::Result<u64> {
        let end = self.file.metadata()?.len();
        let mut tail = [0; 2];
        let missing: &[u8] = match end {
            0 => b"",
            1 => b"\n",
            _ => {
                self.file.read_exact_at(&mut tail, end - 2)?;
                match &tail {
                    b"\n\n" => b"",
                    [_, b'\n'] => b"\n",
                    _ => b"\n\n",
                }
            }
        };
        self.file.write_all_at(missing, end)?;
        Ok(end + missing.len() as u64)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.dot_lock);
    }
}

fn wait(due: Instant, path: &Path) -> Result<(), Failure> {
    if Instant::now() >= due {
        return Err(Failure::new(
            Kind::Temporary,
            format_args!(
                "{} stays locked by another program; try later",
                path.display()
            ),
        ));
    }
    thread::sleep(PAUSE);
    Ok(())
}

/// By a link, so that it has its owner's name from the first moment on.
fn make_dot_lock(path: &Path) -> io::Result<()> {
    let process = std::process::id();
    let mut own = path.as_os_str().to_owned();
    own.push(format!(".{process}-{:?}", thread::current().id()));
    let own = PathBuf::from(own);
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    let mut file = options.clone().create(true).truncate(true).open(&own)?;
    let written = file.write_all(owner(process).as_bytes());
    let linked = written.and_then(|()| fs::hard_link(&own, path));
    let _ = fs::remove_file(&own);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // A file system without links.
        Err(_) => options.create_new(true).open(path).map(drop),
        Ok(()) => Ok(()),
    }
}

/// What stands in a dot-lock of ours.
fn owner(process: u32) -> String {
    let host = rustix::system::uname();
    format!("{process} pop3 {}\n", host.nodename().to_string_lossy())
}

/// Whether it is that of a run of ours on this host that was killed.
fn is_orphan(dot_lock: &Path) -> bool {
    let Ok(text) = fs::read_to_string(dot_lock) else {
        return false;
    };
    let process = text.split(' ').next().and_then(|word| word.parse().ok());
    process.is_some_and(|process: u32| {
        let pid = i32::try_from(process).ok();
        let pid = pid.and_then(rustix::process::Pid::from_raw);
        let is_gone = |pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
        text == owner(process) && pid.is_some_and(is_gone)
    })
}

/// Whether its owner is gone, or has not touched it for long.
fn is_stale(dot_lock: &Path) -> bool {
    if is_orphan(dot_lock) {
        return true;
    }
    fs::metadata(dot_lock)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|modified| {
            SystemTime::now()
                .duration_since(modified)
                .is_ok_and(|age| age > STALE)
        })
}

fn open_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no regular file")),
    }
}

fn cannot_open(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Kind::CannotCreate,
        format_args!("cannot open {}: {error}", path.display()),
    )
}
