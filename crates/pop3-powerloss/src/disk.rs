//! Recording disks: a FUSE file system with one file for each disk. The file's name
//! ends with the number of its disk.
//!
//! A loop device over such a file makes it a disk for a real file system. The file
//! and the loop device use direct I/O, so each write of the file system arrives
//! here as it was sent, and each flush arrives as an `fsync`. One thread serves
//! them, so the record has their order.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    INodeNo, KernelConfig, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty,
    ReplyEntry, ReplyOpen, ReplyWrite, Request, WriteFlags,
};

const BLOCK: usize = 4096;

/// The octets of a disk in blocks. A missing block is zero.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    octets: u64,
    blocks: HashMap<u64, Arc<[u8; BLOCK]>>,
}

/// An event at the disks, or one that is visible outside the machine.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Write {
        disk: usize,
        at: u64,
        octets: Arc<[u8]>,
    },
    /// All earlier writes to this disk survive a loss of power from now on.
    Flush { disk: usize },
    /// The server has deleted the messages with these unique-ids.
    Deleted(Vec<String>),
    /// A run of the program has ended with this status.
    Ended(i32),
}

/// A fault of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// One write fails.
    Once,
    /// From some write on, each write and each flush fails.
    Forever,
    /// Each flush fails, and the octets written since the previous flush are lost.
    Flush,
}

/// Adds events outside the disks to the record.
#[derive(Clone, Debug)]
pub(crate) struct Recorder(Arc<Shared>);

/// The disks, mounted as files.
#[derive(Debug)]
pub(crate) struct Disks {
    shared: Arc<Shared>,
    _session: BackgroundSession,
}

#[derive(Debug, Default)]
struct Shared(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    disks: Vec<Image>,
    record: Option<Vec<Event>>,
    /// The faulty disk, the number of writes before its fault, and the fault.
    fault: Option<(usize, usize, Fault)>,
    failed: usize,
    /// For [`Fault::Flush`]: the offset of each write since the last flush, and the
    /// octets that it replaced.
    unflushed: Vec<(u64, Vec<u8>)>,
}

impl Image {
    pub(crate) fn read_file(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut image = Self {
            octets: file.metadata()?.len(),
            blocks: HashMap::new(),
        };
        let mut piece = vec![0; 1 << 20];
        let mut at = 0;
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                return Ok(image);
            }
            for (block, octets) in piece[..read].chunks(BLOCK).enumerate() {
                if octets != &[0; BLOCK][..octets.len()] {
                    image.write(at + (block * BLOCK) as u64, octets);
                }
            }
            at += read as u64;
        }
    }

    pub(crate) fn write(&mut self, mut at: u64, mut octets: &[u8]) {
        while !octets.is_empty() {
            let (number, from, here) = place(at, octets.len());
            let block = self
                .blocks
                .entry(number)
                .or_insert_with(|| Arc::new([0; BLOCK]));
            match here {
                BLOCK => {
                    if let Ok(whole) = octets[..here].try_into() {
                        *block = Arc::new(whole);
                    }
                }
                _ => Arc::make_mut(block)[from..from + here].copy_from_slice(&octets[..here]),
            }
            octets = &octets[here..];
            at += here as u64;
        }
    }

    #[cfg(test)]
    pub(crate) fn zero(octets: u64) -> Self {
        Self {
            octets,
            blocks: HashMap::new(),
        }
    }

    pub(crate) fn read(&self, mut at: u64, octets: usize) -> Vec<u8> {
        let left = usize::try_from(self.octets.saturating_sub(at)).unwrap_or(usize::MAX);
        let octets = octets.min(left);
        let mut read = Vec::with_capacity(octets);
        while read.len() < octets {
            let (number, from, here) = place(at, octets - read.len());
            match self.blocks.get(&number) {
                Some(block) => read.extend_from_slice(&block[from..from + here]),
                None => read.resize(read.len() + here, 0),
            }
            at += here as u64;
        }
        read
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { disk, at, octets } => {
                write!(f, "disk {disk}: write {} octets at {at}", octets.len())
            }
            Self::Flush { disk } => write!(f, "disk {disk}: flush"),
            Self::Deleted(unique_ids) => write!(f, "{} messages deleted", unique_ids.len()),
            Self::Ended(status) => write!(f, "exit status {status}"),
        }
    }
}

/// Returns the block of an octet, the octet's offset in it, and how many of
/// `octets` are in that block.
fn place(at: u64, octets: usize) -> (u64, usize, usize) {
    let block = BLOCK as u64;
    let from = usize::try_from(at % block).unwrap_or_default();
    (at / block, from, octets.min(BLOCK - from))
}

impl Disks {
    /// Mounts the file system of the files at `path`.
    pub(crate) fn mount(path: &Path) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName(String::from("pop3-powerloss"))];
        let session = fuser::spawn_mount(Files(Arc::clone(&shared)), path, &config)?;
        Ok(Self {
            shared,
            _session: session,
        })
    }

    /// Replaces the disks. There must be no loop device over them.
    pub(crate) fn set(&self, images: Vec<Image>) {
        let mut state = self.shared.lock();
        state.disks = images;
    }

    pub(crate) fn images(&self) -> Vec<Image> {
        self.shared.lock().disks.clone()
    }

    pub(crate) fn start_record(&self) {
        self.shared.lock().record = Some(Vec::new());
    }

    pub(crate) fn end_record(&self) -> Vec<Event> {
        self.shared.lock().record.take().unwrap_or_default()
    }

    pub(crate) fn recorder(&self) -> Recorder {
        Recorder(Arc::clone(&self.shared))
    }

    /// Makes a disk fail after `writes` writes.
    pub(crate) fn break_after(&self, disk: usize, writes: usize, fault: Fault) {
        let mut state = self.shared.lock();
        state.fault = Some((disk, writes, fault));
        state.failed = 0;
        state.unflushed.clear();
    }

    /// Repairs the disks. Returns the number of failed operations.
    pub(crate) fn mend(&self) -> usize {
        let mut state = self.shared.lock();
        state.fault = None;
        state.failed
    }
}

impl Recorder {
    pub(crate) fn note(&self, event: Event) {
        self.0.lock().note(event);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, event: Event) {
        if let Some(record) = &mut self.record {
            record.push(event);
        }
    }

    /// Whether this write fails.
    fn write_fails(&mut self, disk: usize) -> bool {
        let Some((broken, writes, fault)) = &mut self.fault else {
            return false;
        };
        if *broken != disk || *fault == Fault::Flush {
            return false;
        }
        if *writes > 0 {
            *writes -= 1;
            return false;
        }
        if *fault == Fault::Once {
            self.fault = None;
        }
        self.failed += 1;
        true
    }

    fn flush_fails(&mut self, disk: usize) -> bool {
        let fails = match &mut self.fault {
            Some((broken, writes, Fault::Flush)) if *broken == disk => {
                let fails = *writes == 0;
                *writes = writes.saturating_sub(1);
                fails
            }
            Some((broken, 0, Fault::Forever)) => *broken == disk,
            _ => false,
        };
        if fails {
            self.failed += 1;
            for (at, octets) in std::mem::take(&mut self.unflushed).into_iter().rev() {
                self.disks[disk].write(at, &octets);
            }
        }
        self.unflushed.clear();
        fails
    }

    fn write(&mut self, disk: usize, at: u64, octets: &[u8]) -> Result<(), Errno> {
        if self.write_fails(disk) {
            return Err(Errno::EIO);
        }
        if matches!(self.fault, Some((broken, _, Fault::Flush)) if broken == disk) {
            let before = self.disks[disk].read(at, octets.len());
            self.unflushed.push((at, before));
        }
        let image = self.disks.get_mut(disk).ok_or(Errno::ENOENT)?;
        image.write(at, octets);
        if self.record.is_some() {
            let octets = octets.into();
            self.note(Event::Write { disk, at, octets });
        }
        Ok(())
    }

    fn flush(&mut self, disk: usize) -> Result<(), Errno> {
        if self.flush_fails(disk) {
            return Err(Errno::EIO);
        }
        self.note(Event::Flush { disk });
        Ok(())
    }
}

/// The file system as FUSE sees it. Inode 2 is the file of disk 0.
struct Files(Arc<Shared>);

impl Files {
    fn attributes(&self, inode: INodeNo) -> Result<FileAttr, Errno> {
        let (kind, octets) = match disk(inode) {
            None => (FileType::Directory, 0),
            Some(disk) => {
                let state = self.0.lock();
                let image = state.disks.get(disk).ok_or(Errno::ENOENT)?;
                (FileType::RegularFile, image.octets)
            }
        };
        Ok(FileAttr {
            ino: inode,
            size: octets,
            blocks: octets / 512,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm: 0o700,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }
}

fn disk(inode: INodeNo) -> Option<usize> {
    usize::try_from(u64::from(inode)).ok()?.checked_sub(2)
}

impl Filesystem for Files {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // A lower maximum of the kernel is acceptable.
        let _ = config.set_max_write(1 << 20);
        Ok(())
    }

    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let number = name.to_str().and_then(|name| name.rsplit('-').next());
        let number = number.and_then(|number| number.parse::<u64>().ok());
        let found = number
            .ok_or(Errno::ENOENT)
            .and_then(|number| self.attributes(INodeNo(number + 2)));
        match found {
            Ok(file) => reply.entry(&Duration::ZERO, &file, fuser::Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(inode) {
            Ok(file) => reply.attr(&Duration::ZERO, &file),
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let state = self.0.lock();
        match disk(inode).and_then(|disk| state.disks.get(disk)) {
            Some(image) => reply.data(&image.read(offset, size as usize)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let disk = disk(inode).unwrap_or(usize::MAX);
        match self.0.lock().write(disk, offset, data) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(error) => reply.error(error),
        }
    }

    fn fsync(&self, _: &Request, inode: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let disk = disk(inode).unwrap_or(usize::MAX);
        match self.0.lock().flush(disk) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(fault: Fault, after: usize) -> State {
        State {
            disks: vec![Image::zero(16384)],
            fault: Some((0, after, fault)),
            ..State::default()
        }
    }

    #[test]
    fn reads_octets_as_they_were_written() {
        let mut image = Image::zero(3 * 4096);
        let octets: Vec<u8> = (0..6000_u32).map(|at| at as u8).collect();
        image.write(3000, &octets);
        assert_eq!(image.read(3000, 6000), octets);
        assert_eq!(image.read(2999, 2), [0, 0]);
        assert_eq!(image.read(9000, 10_000).len(), 3 * 4096 - 9000);
    }

    #[test]
    fn one_write_fails() {
        let mut state = state(Fault::Once, 1);
        let written = [0, 4096, 8192].map(|at| state.write(0, at, &[1]).is_ok());
        assert_eq!(written, [true, false, true]);
        assert_eq!(state.disks[0].read(4096, 1), [0]);
        assert!(state.flush(0).is_ok());
    }

    #[test]
    fn a_failed_flush_loses_unflushed_writes() {
        let mut state = state(Fault::Flush, 1);
        assert!(state.write(0, 0, &[1]).is_ok() && state.flush(0).is_ok());
        assert!(state.write(0, 0, &[2]).is_ok() && state.flush(0).is_err());
        assert_eq!(state.disks[0].read(0, 1), [1]);
    }

    #[test]
    fn every_later_write_and_flush_fails() {
        let mut state = state(Fault::Forever, 1);
        assert!(state.write(0, 0, &[1]).is_ok() && state.flush(0).is_err());
        assert!(state.write(0, 0, &[2]).is_err() && state.write(0, 0, &[2]).is_err());
    }
}
