//! The disk of the operating system, with a record of each operation and of the
//! journal's state at that moment.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use rusqlite::{Connection, OpenFlags};

use super::{
    Directory, Disk, File, Syncs,
    system::{System, SystemDirectory},
};

/// A disk below `home`, with the journal `home/journal`.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    home: PathBuf,
    syncs: Syncs,
    steps: Arc<Mutex<Steps>>,
}

#[derive(Debug, Default)]
struct Steps {
    done: Vec<String>,
    /// The steps that fail halfway, once.
    failing: Vec<(&'static str, io::ErrorKind)>,
}

/// A directory or a file, and its path below `home`.
#[derive(Debug)]
pub(crate) struct Known<T> {
    inner: T,
    path: String,
    disk: Recorded,
}

impl Recorded {
    pub(crate) fn new(home: &Path, syncs: Syncs) -> Self {
        Self {
            home: home.to_owned(),
            syncs,
            steps: Arc::default(),
        }
    }

    /// Returns the steps since the last call: each with its path, the number of
    /// messages pending in the journal, and the number delivered.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.steps.lock().unwrap().done)
    }

    /// Waits until another thread has tried twice to lock a file.
    pub(crate) fn wait_for_two_locks(&self) {
        let mut tries = 0;
        while tries < 2 {
            let steps = self.take();
            tries += steps.iter().filter(|step| step.starts_with("lock")).count();
            std::thread::yield_now();
        }
    }

    /// Makes a step fail the next time; a write fails halfway.
    pub(crate) fn fail(&self, step: &'static str, error: io::ErrorKind) {
        self.steps.lock().unwrap().failing.push((step, error));
    }

    fn step(&self, what: &str) -> io::Result<()> {
        let mut steps = self.steps.lock().unwrap();
        let (pending, delivered) = self.journal();
        let step = format!("{what} ({pending} pending, {delivered} delivered)");
        // A file is written in several pieces.
        if steps.done.last() != Some(&step) || !what.starts_with("write") {
            steps.done.push(step);
        }
        match steps.failing.iter().position(|(step, _)| what == *step) {
            Some(at) => Err(steps.failing.remove(at).1.into()),
            None => Ok(()),
        }
    }

    /// The number of pending and of delivered messages, as another program reads
    /// them.
    fn journal(&self) -> (u32, u32) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db = Connection::open_with_flags(self.home.join("journal"), flags).unwrap();
        let count = |table: &str| {
            let count = format!("SELECT count(*) FROM {table}");
            db.query_row(&count, [], |row| row.get(0)).unwrap()
        };
        (count("pending"), count("message"))
    }

    /// The path, without the parts that differ from run to run.
    fn path(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.home).unwrap_or(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = match &*name {
            name if name.starts_with("mail.lock.") => "mail.lock.own",
            name if name.contains(".M") => "message",
            name if name.ends_with(".spool") => "spool",
            name => name,
        };
        path.with_file_name(name).display().to_string()
    }

    fn known<T>(&self, inner: T, path: String) -> Known<T> {
        Known {
            inner,
            path,
            disk: self.clone(),
        }
    }
}

impl Disk for Recorded {
    type Directory = Known<SystemDirectory>;

    fn open(&self, path: &Path) -> io::Result<Self::Directory> {
        Ok(self.known(System.open(path)?, self.path(path)))
    }

    fn make(&self, path: &Path) -> io::Result<()> {
        System.make(path)
    }

    fn boot(&self) -> String {
        System.boot()
    }
}

impl Known<SystemDirectory> {
    fn file(&self, name: &OsStr) -> String {
        self.disk.path(&Path::new(&self.path).join(name))
    }
}

impl Directory for Known<SystemDirectory> {
    type File = Known<fs::File>;

    fn create(&self, name: &OsStr) -> io::Result<Self::File> {
        let path = self.file(name);
        Ok(self.disk.known(self.inner.create(name)?, path))
    }

    fn open(&self, name: &OsStr) -> io::Result<Self::File> {
        let path = self.file(name);
        Ok(self.disk.known(Directory::open(&self.inner, name)?, path))
    }

    fn rename(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        let step = format!("rename {} {}", self.file(name), to.file(new));
        self.disk.step(&step)?;
        self.inner.rename(name, &to.inner, new)
    }

    fn link(&self, name: &OsStr, second: &OsStr) -> io::Result<()> {
        let step = format!("link {} {}", self.file(name), self.file(second));
        self.disk.step(&step)?;
        self.inner.link(name, second)
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        self.disk.step(&format!("remove {}", self.file(name)))?;
        self.inner.remove(name)
    }

    fn names_file(&self, name: &OsStr, file: &Self::File) -> io::Result<bool> {
        self.inner.names_file(name, &file.inner)
    }

    fn names(&self) -> io::Result<Vec<OsString>> {
        self.inner.names()
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.step(&format!("sync {}/", self.path))?;
        Directory::sync(&self.inner)
    }

    fn sync_file_system(&self) -> io::Result<()> {
        self.disk.step("sync all")?;
        self.inner.sync_file_system()
    }

    fn syncs(&self) -> Syncs {
        self.disk.syncs
    }
}

impl File for Known<fs::File> {
    fn write(&self, octets: &[u8], at: u64) -> io::Result<()> {
        let done = self.disk.step(&format!("write {}", self.path));
        let written = match done {
            Ok(()) => octets,
            Err(_) => &octets[..octets.len() / 2],
        };
        File::write(&self.inner, written, at)?;
        done
    }

    fn read(&self, octets: &mut [u8], at: u64) -> io::Result<usize> {
        File::read(&self.inner, octets, at)
    }

    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }

    fn cut(&self, size: u64) -> io::Result<()> {
        self.disk.step(&format!("cut {}", self.path))?;
        self.inner.cut(size)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.step(&format!("sync {}", self.path))?;
        File::sync(&self.inner)
    }

    fn lock(&self) -> io::Result<bool> {
        self.disk.step(&format!("lock {}", self.path))?;
        File::lock(&self.inner)
    }

    fn is_older(&self, seconds: u64) -> io::Result<bool> {
        self.inner.is_older(seconds)
    }
}
