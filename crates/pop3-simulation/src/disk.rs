//! A disk that forgets what was not synced.
//!
//! Programs see a tree of directories and files. The model also keeps the same tree
//! as it is on the disk, and an ordered list of the changes that have not reached
//! the disk yet. A sync moves changes from the list to the disk; the [`Medium`]
//! decides which ones. When power is lost, any changes of the list may have reached
//! the disk, as far as the medium allows: a part of a write, the size of a file
//! without its octets (which are then NUL), and names.
//!
//! A run may end by a [`Mishap`] at each instant: before and after each step of a
//! program.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pop3_fetch::{Directory, Disk, File, Syncs};

use crate::{Medium, Mishap, MishapKind};

/// The payload of the unwinding that ends a run.
pub(crate) struct Ended;

/// The objects that a faulty program does not sync.
#[derive(Clone, Copy, Debug)]
pub enum Forgets {
    /// The file system.
    FileSystem,
    /// A directory of this name.
    Directory(&'static str),
    /// Files in a directory of this name.
    FilesIn(&'static str),
    /// A file of this name.
    File(&'static str),
    /// The directories in a directory of this name, and the files in them.
    Below(&'static str),
}

/// The disk. Clones are the same disk.
#[derive(Clone, Debug)]
pub(crate) struct Memory(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    medium: Medium,
    forgets: Option<Forgets>,
    nodes: Vec<Node>,
    unsynced: Vec<Change>,
    /// Files whose sync has failed, with their octets at that time. Octets written
    /// there again never reach the disk, unless the file was truncated in between.
    spoilt: BTreeMap<usize, u64>,
    /// How often the system has started.
    boots: u32,
    /// How many runs have ended. Each open file belongs to one run.
    runs: u32,
    /// The number of instants in this run so far.
    instants: u32,
    mishap: Option<Mishap>,
    /// Whether a mishap has ended the run.
    is_dead: bool,
    /// The error that operations give until the run ends.
    fails: Option<io::ErrorKind>,
}

/// A file or directory, as programs see it and as it is on the disk.
#[derive(Clone, Debug, Default)]
struct Node {
    seen: Content,
    kept: Content,
    /// The name under which it was created.
    name: OsString,
    within: usize,
}

#[derive(Clone, Debug, Default)]
struct Content {
    octets: Vec<u8>,
    names: BTreeMap<OsString, usize>,
}

#[derive(Clone, Debug)]
enum Change {
    /// The names of directories now refer to other nodes, or to none.
    Names(Vec<(usize, OsString, Option<usize>)>),
    Write(usize, u64, Vec<u8>),
    Size(usize, u64),
}

/// The kind of a disk operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The operation changes a name. On a full disk, a program can still create a
    /// file, but cannot write to it.
    Names,
    /// The operation needs free space.
    TakesRoom,
    Syncs,
}

impl Content {
    fn size(&mut self, size: u64) {
        self.octets.resize(to_index(size), 0);
    }

    fn write(&mut self, at: u64, octets: &[u8]) {
        let (from, to) = (to_index(at), to_index(at) + octets.len());
        if self.octets.len() < to {
            self.octets.resize(to, 0);
        }
        self.octets[from..to].copy_from_slice(octets);
    }
}

fn to_index(octets: u64) -> usize {
    usize::try_from(octets).expect("an offset in memory")
}

const ROOT: usize = 0;

impl Memory {
    pub(crate) fn new(medium: Medium, forgets: Option<Forgets>) -> Self {
        Self(Arc::new(Mutex::new(State {
            medium,
            forgets,
            nodes: vec![Node::default()],
            unsynced: Vec::new(),
            spoilt: BTreeMap::new(),
            boots: 0,
            runs: 0,
            instants: 0,
            mishap: None,
            is_dead: false,
            fails: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run, with a mishap if there is one.
    pub(crate) fn begin(&self, mishap: Option<Mishap>) {
        let mut state = self.state();
        state.instants = 0;
        state.mishap = mishap;
        state.is_dead = false;
        state.fails = None;
    }

    /// Ends the run, which has ended by itself or by a mishap.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.runs += 1;
        if let (true, Some(mishap)) = (state.is_dead, state.mishap)
            && let MishapKind::PowerLoss { chance } = mishap.kind
        {
            state.lose_power(chance);
        }
        state.is_dead = false;
        state.mishap = None;
        state.fails = None;
    }

    /// An instant at which the run may end.
    ///
    /// # Panics
    ///
    /// Unwinds with [`Ended`] if the run ends here.
    pub(crate) fn instant(&self) {
        let mut state = self.state();
        state.instants += 1;
        let ends = state.mishap.is_some_and(|mishap| {
            mishap.kind.ends_the_run() && u32::from(mishap.at) == state.instants
        });
        if ends && !state.is_dead {
            state.is_dead = true;
            drop(state);
            std::panic::resume_unwind(Box::new(Ended));
        }
    }

    /// One disk operation of a program.
    fn step<T>(&self, step: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        self.instant();
        let mut state = self.state();
        if state.is_dead {
            return Err(io::Error::other("the run has ended"));
        }
        let done = step(&mut state);
        drop(state);
        self.instant();
        done
    }

    /// The octets of a file, as programs see it.
    pub(crate) fn read(&self, path: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let node = state.find(Path::new(path)).ok()?;
        Some(state.nodes[node].seen.octets.clone())
    }

    /// The files in a directory.
    pub(crate) fn files(&self, path: &str) -> Vec<(OsString, Vec<u8>)> {
        let state = self.state();
        let Ok(node) = state.find(Path::new(path)) else {
            return Vec::new();
        };
        let names = state.nodes[node].seen.names.iter();
        let file = |(name, &node): (&OsString, &usize)| {
            (name.clone(), state.nodes[node].seen.octets.clone())
        };
        names.map(file).collect()
    }

    /// Writes as another program does between runs: it reaches the disk at once.
    pub(crate) fn by_another_program(&self, change: impl FnOnce(&Self) -> io::Result<()>) {
        self.begin(None);
        change(self).expect("no mishap");
        self.state().sync(|_| true);
        self.end();
    }
}

impl State {
    fn find(&self, path: &Path) -> io::Result<usize> {
        let mut node = ROOT;
        for part in path.components() {
            if let std::path::Component::Normal(part) = part {
                let next = self.nodes[node].seen.names.get(part);
                node = *next.ok_or(io::ErrorKind::NotFound)?;
            }
        }
        Ok(node)
    }

    /// The name of the directory in which a directory was created.
    fn name_above(&self, directory: usize) -> &OsStr {
        &self.nodes[self.nodes[directory].within].name
    }

    /// Whether an operation fails now.
    fn fails(&mut self, step: Step) -> Option<io::ErrorKind> {
        if let Some(error) = self.fails {
            let is_full = error == io::ErrorKind::StorageFull;
            return (!is_full || step == Step::TakesRoom).then_some(error);
        }
        let mishap = self
            .mishap
            .filter(|mishap| u32::from(mishap.at) <= self.instants)?;
        let (error, lasts) = match mishap.kind {
            MishapKind::FullDisk if step == Step::TakesRoom => (io::ErrorKind::StorageFull, true),
            MishapKind::Errors => (io::ErrorKind::Other, true),
            MishapKind::OneError => (io::ErrorKind::Other, false),
            MishapKind::SyncError if step == Step::Syncs => (io::ErrorKind::Other, false),
            _ => return None,
        };
        match lasts {
            true => self.fails = Some(error),
            false => self.mishap = None,
        }
        Some(error)
    }

    fn does(&mut self, step: Step) -> io::Result<()> {
        self.fails(step).map_or(Ok(()), |error| Err(error.into()))
    }

    fn change(&mut self, change: Change) {
        change.make(&mut self.nodes, |node| &mut node.seen);
        self.unsynced.push(change);
    }

    /// Records changes of names, together or one by one.
    fn rename(&mut self, changes: Vec<(usize, OsString, Option<usize>)>) {
        match self.medium {
            Medium::Posix => {
                for change in changes {
                    self.change(Change::Names(vec![change]));
                }
            }
            Medium::Journaled | Medium::Layered => self.change(Change::Names(changes)),
        }
    }

    /// Moves changes to the disk.
    fn sync(&mut self, which: impl Fn(&Change) -> bool) {
        let (synced, unsynced) = std::mem::take(&mut self.unsynced)
            .into_iter()
            .partition(|change| which(change));
        self.unsynced = unsynced;
        let synced: Vec<Change> = synced;
        for change in synced {
            match change {
                Change::Write(file, at, _) if self.spoilt.get(&file) > Some(&at) => {}
                change => change.make(&mut self.nodes, |node| &mut node.kept),
            }
        }
    }

    /// Reports the error once. Octets not yet written are never written.
    fn spoil(&mut self, file: usize) {
        self.unsynced.retain(|change| change.file() != Some(file));
        let size = self.nodes[file].seen.octets.len() as u64;
        self.spoilt.insert(file, size);
    }

    fn sync_file(&mut self, file: usize) -> io::Result<()> {
        let Node {
            name,
            within: directory,
            ..
        } = &self.nodes[file];
        let within = &self.nodes[*directory].name;
        let is_forgotten = match self.forgets {
            Some(Forgets::File(forgotten)) => name == forgotten,
            Some(Forgets::FilesIn(forgotten)) => within == forgotten,
            Some(Forgets::Below(forgotten)) => self.name_above(*directory) == forgotten,
            _ => false,
        };
        if is_forgotten {
            return Ok(());
        }
        if let Some(error) = self.fails(Step::Syncs) {
            self.spoil(file);
            return Err(error.into());
        }
        let with_names = self.medium == Medium::Layered;
        self.sync(|change| match change {
            Change::Names(_) => with_names,
            change => change.file() == Some(file),
        });
        Ok(())
    }

    fn sync_file_system(&mut self) -> io::Result<()> {
        if matches!(self.forgets, Some(Forgets::FileSystem)) {
            return Ok(());
        }
        if let Some(error) = self.fails(Step::Syncs) {
            let files: Vec<usize> = self.unsynced.iter().filter_map(Change::file).collect();
            files.into_iter().for_each(|file| self.spoil(file));
            return Err(error.into());
        }
        self.sync(|_| true);
        Ok(())
    }

    fn sync_directory(&mut self, directory: usize) -> io::Result<()> {
        let is_forgotten = match self.forgets {
            Some(Forgets::Directory(forgotten)) => self.nodes[directory].name == forgotten,
            Some(Forgets::Below(forgotten)) => self.name_above(directory) == forgotten,
            _ => false,
        };
        if is_forgotten {
            return Ok(());
        }
        if let Some(error) = self.fails(Step::Syncs) {
            return Err(error.into());
        }
        let medium = self.medium;
        self.sync(|change| match (change, medium) {
            (Change::Names(_), Medium::Journaled) => true,
            (Change::Names(names), Medium::Posix) => {
                names.iter().any(|(within, ..)| *within == directory)
            }
            _ => false,
        });
        Ok(())
    }

    /// Forgets all changes that are not on the disk, except those that reached it
    /// by chance.
    fn lose_power(&mut self, chance: u16) {
        let mut random = fastrand::Rng::with_seed(u64::from(chance));
        // None, all, or often a number in between.
        let share = match chance % 4 {
            0 => 0.0,
            1 => 1.0,
            _ => random.f64(),
        };
        let names = self.unsynced.iter();
        let names = names
            .filter(|change| matches!(change, Change::Names(_)))
            .count();
        let mut names_left = (share * names as f64).round() as usize;
        let is_posix = self.medium == Medium::Posix;
        for change in std::mem::take(&mut self.unsynced) {
            let is_made = match &change {
                Change::Names(_) if !is_posix => {
                    let is_made = names_left > 0;
                    names_left = names_left.saturating_sub(1);
                    is_made
                }
                _ => random.f64() < share,
            };
            if !is_made {
                continue;
            }
            let change = match change {
                Change::Write(file, at, mut octets) if share < 1.0 && random.bool() => {
                    octets.truncate(random.usize(..=octets.len()));
                    Change::Write(file, at, octets)
                }
                change => change,
            };
            change.make(&mut self.nodes, |node| &mut node.kept);
        }
        for node in &mut self.nodes {
            node.seen = node.kept.clone();
        }
        self.spoilt.clear();
        self.boots += 1;
    }
}

impl Change {
    fn file(&self) -> Option<usize> {
        match self {
            Self::Names(_) => None,
            Self::Write(file, ..) | Self::Size(file, _) => Some(*file),
        }
    }

    fn make(&self, nodes: &mut [Node], of: impl Fn(&mut Node) -> &mut Content) {
        match self {
            Self::Names(changes) => {
                for (directory, name, node) in changes {
                    let names = &mut of(&mut nodes[*directory]).names;
                    match node {
                        Some(node) => names.insert(name.clone(), *node),
                        None => names.remove(name),
                    };
                }
            }
            Self::Write(file, at, octets) => of(&mut nodes[*file]).write(*at, octets),
            Self::Size(file, size) => of(&mut nodes[*file]).size(*size),
        }
    }
}

impl Disk for Memory {
    type Directory = MemoryDirectory;

    fn open(&self, path: &Path) -> io::Result<MemoryDirectory> {
        let node = self.step(|state| state.find(path))?;
        Ok(MemoryDirectory(self.handle(node)))
    }

    fn make(&self, path: &Path) -> io::Result<()> {
        self.step(|state| {
            let above = state.find(path.parent().unwrap_or(path))?;
            let name = path.file_name().unwrap_or_default();
            state.make(above, name).map(drop)
        })
    }

    fn boot(&self) -> String {
        self.state().boots.to_string()
    }
}

/// An open file or directory. It belongs to one run.
#[derive(Debug)]
struct Handle {
    disk: Memory,
    node: usize,
    run: u32,
}

/// An open directory.
#[derive(Debug)]
pub(crate) struct MemoryDirectory(Handle);

/// An open file.
#[derive(Debug)]
pub(crate) struct MemoryFile(Handle);

impl Memory {
    fn handle(&self, node: usize) -> Handle {
        Handle {
            disk: self.clone(),
            node,
            run: self.state().runs,
        }
    }
}

impl Handle {
    fn step<T>(&self, step: impl FnOnce(&mut State, usize) -> io::Result<T>) -> io::Result<T> {
        self.disk.step(|state| match state.runs == self.run {
            true => step(state, self.node),
            false => Err(io::Error::other("the run has ended")),
        })
    }
}

impl State {
    fn names(&self, directory: usize) -> &BTreeMap<OsString, usize> {
        &self.nodes[directory].seen.names
    }

    fn named(&self, directory: usize, name: &OsStr) -> io::Result<usize> {
        let node = self.names(directory).get(name).copied();
        node.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn make(&mut self, within: usize, name: &OsStr) -> io::Result<usize> {
        if self.names(within).contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.does(Step::Names)?;
        let node = self.nodes.len();
        self.nodes.push(Node {
            name: name.to_owned(),
            within,
            ..Node::default()
        });
        self.rename(vec![(within, name.to_owned(), Some(node))]);
        Ok(node)
    }
}

impl Directory for MemoryDirectory {
    type File = MemoryFile;

    fn create(&self, name: &OsStr) -> io::Result<MemoryFile> {
        let node = self.0.step(|state, this| state.make(this, name))?;
        Ok(MemoryFile(self.0.disk.handle(node)))
    }

    fn open(&self, name: &OsStr) -> io::Result<MemoryFile> {
        let node = self.0.step(|state, this| state.named(this, name))?;
        Ok(MemoryFile(self.0.disk.handle(node)))
    }

    fn rename(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        self.0.step(|state, this| {
            let node = state.named(this, name)?;
            state.does(Step::Names)?;
            state.rename(vec![
                (to.0.node, new.to_owned(), Some(node)),
                (this, name.to_owned(), None),
            ]);
            Ok(())
        })
    }

    fn link(&self, name: &OsStr, second: &OsStr) -> io::Result<()> {
        self.0.step(|state, this| {
            let node = state.named(this, name)?;
            if state.names(this).contains_key(second) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.does(Step::TakesRoom)?;
            state.rename(vec![(this, second.to_owned(), Some(node))]);
            Ok(())
        })
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        self.0.step(|state, this| {
            state.named(this, name)?;
            state.does(Step::Names)?;
            state.rename(vec![(this, name.to_owned(), None)]);
            Ok(())
        })
    }

    fn names_file(&self, name: &OsStr, file: &MemoryFile) -> io::Result<bool> {
        self.0
            .step(|state, this| Ok(state.named(this, name)? == file.0.node))
    }

    fn names(&self) -> io::Result<Vec<OsString>> {
        self.0
            .step(|state, this| Ok(state.names(this).keys().cloned().collect()))
    }

    fn sync(&self) -> io::Result<()> {
        self.0.step(State::sync_directory)
    }

    fn sync_file_system(&self) -> io::Result<()> {
        self.0.step(|state, _| state.sync_file_system())
    }

    fn syncs(&self) -> Syncs {
        match self.0.disk.state().medium {
            Medium::Journaled => Syncs::Together,
            Medium::Posix | Medium::Layered => Syncs::Each,
        }
    }
}

impl File for MemoryFile {
    fn write(&self, octets: &[u8], at: u64) -> io::Result<()> {
        self.0.step(|state, this| {
            let written = match state.fails(Step::TakesRoom) {
                Some(_) => octets.len() / 2,
                None => octets.len(),
            };
            let end = at + written as u64;
            if end > state.nodes[this].seen.octets.len() as u64 {
                state.change(Change::Size(this, end));
            }
            state.change(Change::Write(this, at, octets[..written].to_vec()));
            match written == octets.len() {
                true => Ok(()),
                false => Err(io::ErrorKind::StorageFull.into()),
            }
        })
    }

    fn read(&self, octets: &mut [u8], at: u64) -> io::Result<usize> {
        self.0.step(|state, this| {
            let found = &state.nodes[this].seen.octets;
            let found = found.get(to_index(at)..).unwrap_or_default();
            let read = found.len().min(octets.len());
            octets[..read].copy_from_slice(&found[..read]);
            Ok(read)
        })
    }

    fn size(&self) -> io::Result<u64> {
        self.0
            .step(|state, this| Ok(state.nodes[this].seen.octets.len() as u64))
    }

    fn cut(&self, size: u64) -> io::Result<()> {
        self.0.step(|state, this| {
            state.change(Change::Size(this, size));
            if let Some(spoilt) = state.spoilt.get_mut(&this) {
                *spoilt = size.min(*spoilt);
            }
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.0.step(State::sync_file)
    }

    fn lock(&self) -> io::Result<bool> {
        Ok(true)
    }

    fn is_older(&self, _: u64) -> io::Result<bool> {
        Ok(false)
    }
}
