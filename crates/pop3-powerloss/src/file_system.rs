//! File systems on the recording disks.
//!
//! Only other processes touch a mounted file system. If this process is killed,
//! none of its threads waits for a disk that it serves itself, and all mounts end
//! with the mount namespace.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use crate::disk::Image;

/// A file system for mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileSystem {
    Ext4,
    Xfs,
    Btrfs,
    /// bindfs over ext4: a file system in FUSE, like sshfs or gocryptfs.
    Bindfs,
    /// mergerfs over ext4.
    Mergerfs,
}

impl FileSystem {
    pub(crate) const ALL: [Self; 5] = [
        Self::Ext4,
        Self::Xfs,
        Self::Btrfs,
        Self::Bindfs,
        Self::Mergerfs,
    ];

    /// Returns the name of the file system on the disk.
    fn on_disk(self) -> &'static str {
        match self {
            Self::Ext4 | Self::Bindfs | Self::Mergerfs => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
        }
    }

    fn octets(self) -> u64 {
        match self {
            Self::Ext4 | Self::Bindfs | Self::Mergerfs => 128 << 20,
            // The minimum of mkfs.xfs.
            Self::Xfs => 300 << 20,
            Self::Btrfs => 256 << 20,
        }
    }

    fn mkfs(self) -> &'static [&'static str] {
        match self {
            Self::Ext4 | Self::Bindfs | Self::Mergerfs => &[
                "mkfs.ext4",
                "-q",
                "-F",
                "-b",
                "4096",
                "-O",
                "^resize_inode",
                "-J",
                "size=8",
                "-E",
                "lazy_itable_init=0,lazy_journal_init=0",
            ],
            Self::Xfs => &["mkfs.xfs", "-q", "-f"],
            Self::Btrfs => &["mkfs.btrfs", "-q", "-f"],
        }
    }

    /// Returns the programs that it needs.
    pub(crate) fn programs(self) -> impl Iterator<Item = &'static str> {
        let upper = self.upper().iter().take(1);
        self.mkfs().iter().take(1).chain(upper).copied()
    }

    /// Whether it uses FUSE.
    pub(crate) const fn is_fuse(self) -> bool {
        !self.upper().is_empty()
    }

    /// Returns the FUSE program over it, if there is one.
    const fn upper(self) -> &'static [&'static str] {
        match self {
            Self::Ext4 | Self::Xfs | Self::Btrfs => &[],
            Self::Bindfs => &["bindfs", "-f"],
            Self::Mergerfs => &["mergerfs", "-f", "-o", "minfreespace=0"],
        }
    }

    /// Creates an empty file system. `scratch` is the path of a file that does not
    /// exist.
    pub(crate) fn make(self, scratch: &Path) -> anyhow::Result<Image> {
        let file = fs::File::create(scratch)?;
        file.set_len(self.octets())?;
        let [mkfs, arguments @ ..] = self.mkfs() else {
            bail!("no program to make {self}")
        };
        run(Command::new(mkfs)
            .args(arguments)
            .arg(scratch)
            .stdout(Stdio::null()))?;
        let image = Image::read_file(scratch)?;
        fs::remove_file(scratch)?;
        Ok(image)
    }

    /// Mounts the file system in `disk`. If there is a FUSE layer over it, the
    /// lower directory is `path`.lower.
    pub(crate) fn mount(self, disk: &Path, path: &Path) -> anyhow::Result<Mounted> {
        let mut mounted = Mounted {
            path: path.to_owned(),
            lower: None,
            upper: None,
        };
        if self.is_fuse() {
            let lower = path.with_extension("lower");
            fs::create_dir_all(&lower)?;
            mounted.lower = Some(lower);
        }
        fs::create_dir_all(path)?;
        let device = attach(disk)?;
        let device = device.trim();
        let options = match self {
            // The disk may be a copy of one that was mounted before.
            Self::Xfs => "nouuid",
            _ => "defaults",
        };
        let mount = run(Command::new("mount")
            .args(["-n", "-i", "-t", self.on_disk(), "-o", options, device])
            .arg(mounted.lower()));
        // The device remains until it is unmounted.
        run(Command::new("losetup").args(["--detach", device]))?;
        mount.map_err(|error| anyhow::Error::new(NoFileSystem(error.to_string())))?;
        if let Some(lower) = &mounted.lower {
            let upper = Command::new("setpriv")
                .args(["--pdeathsig", "KILL"])
                .args(self.upper())
                .args([lower, path])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .with_context(|| format!("cannot start {self}"))?;
            mounted.upper = Some(upper);
            let due = Instant::now() + Duration::from_secs(20);
            while !is_mounted(path)? {
                if Instant::now() > due {
                    bail!("{self} does not mount {}", path.display());
                }
                thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(mounted)
    }
}

impl fmt::Display for FileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Bindfs => "bindfs",
            Self::Mergerfs => "mergerfs",
        })
    }
}

/// A disk cannot be mounted: the sectors of a block that the file system assumes to
/// be atomic are from two different times.
#[derive(Debug)]
pub(crate) struct NoFileSystem(String);

impl fmt::Display for NoFileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoFileSystem {}

/// A mounted file system. Dropping it unmounts it and detaches its loop device.
#[derive(Debug)]
pub(crate) struct Mounted {
    pub(crate) path: PathBuf,
    lower: Option<PathBuf>,
    upper: Option<Child>,
}

impl Mounted {
    /// Returns the directory of the file system on the disk.
    pub(crate) fn lower(&self) -> &Path {
        self.lower.as_ref().unwrap_or(&self.path)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(mut upper) = self.upper.take() {
            unmount(&self.path);
            let _ = upper.kill();
            let _ = upper.wait();
        }
        unmount(self.lower());
    }
}

/// Limits the size of requests. FUSE splits a longer request in two, and if only
/// the second piece fails, the loop driver reports success.
fn limit_requests(device: String) -> anyhow::Result<String> {
    let name = device.trim().trim_start_matches("/dev/");
    let limit = format!("/sys/block/{name}/queue/max_sectors_kb");
    fs::write(&limit, "512").with_context(|| format!("cannot write {limit}"))?;
    Ok(device)
}

/// Attaches a loop device to a disk. Tries again if another program takes the free
/// device first.
fn attach(disk: &Path) -> anyhow::Result<String> {
    let mut tries = 0;
    loop {
        let mut losetup = Command::new("losetup");
        losetup
            .args(["--show", "--find", "--direct-io=on"])
            .arg(disk);
        match output(&mut losetup) {
            Err(_) if tries < 20 => tries += 1,
            device => return device.and_then(limit_requests),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Unmounts `path`. Ending programs may keep it busy for a moment.
fn unmount(path: &Path) {
    for _ in 0..200 {
        let unmounted = Command::new("umount")
            .args(["-n", "-i"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        if unmounted.is_ok_and(|status| status.success()) || !is_mounted(path).unwrap_or(false) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    eprintln!("powerloss: {} stays busy", path.display());
    let _ = Command::new("umount")
        .args(["-n", "-i", "-l"])
        .arg(path)
        .status();
}

fn is_mounted(path: &Path) -> anyhow::Result<bool> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let path = path.to_string_lossy();
    Ok(mounts
        .lines()
        .any(|line| line.split(' ').nth(4) == Some(&path)))
}

/// Runs a program, which must succeed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    output(command).map(drop)
}

/// Returns the output of a program, which must succeed.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("{shown}: {}: {}", output.status, error.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
