//! Disks that fail, are full, or are read-only, and are repaired afterwards.

use std::{fmt, process::Command};

use crate::{
    disk::Fault,
    experiment::{Boot, Kind, Laboratory, Setup},
    file_system::run,
    oracle::Wrong,
    program::Ended,
    random::Random,
    server::Maildrop,
};

/// The trouble with a disk.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// The disk fails with EIO after `after` writes or flushes.
    Fault {
        disk: usize,
        after: usize,
        fault: Fault,
    },
    /// Only `free` octets of the disk are free.
    Full {
        free: usize,
    },
    ReadOnly,
}

/// Delivers to a disk with an error, repairs the disk, and delivers again.
pub(crate) struct Trial {
    pub(crate) setup: Setup,
    trouble: Trouble,
    /// Whether the machine restarts before the next run.
    reboots: bool,
}

impl Trial {
    pub(crate) fn draw(kind: Kind, random: &mut Random) -> Self {
        let setup = Setup::draw_for_errors(kind, random);
        let disk = random.below(if setup.journal_apart { 2 } else { 1 });
        let writes = if setup.is_large && disk == 0 { 160 } else { 60 };
        let fault = |fault, after| Trouble::Fault { disk, after, fault };
        let trouble = match random.below(8) {
            0..=2 => fault(Fault::Once, random.below(writes)),
            3 => fault(Fault::Forever, random.below(writes)),
            4 | 5 => fault(Fault::Flush, random.below(20)),
            6 => Trouble::Full {
                free: random.below(if setup.is_large { 20 << 20 } else { 300 << 10 }),
            },
            _ => Trouble::ReadOnly,
        };
        // A file system cannot know what a disk with failed flushes has lost.
        let loses = matches!(
            trouble,
            Trouble::Fault {
                fault: Fault::Flush,
                ..
            }
        );
        Self {
            setup,
            trouble,
            reboots: loses || random.one_in(2),
        }
    }

    /// Returns how the first run ended, and what is wrong at the end.
    pub(crate) fn run(&self, laboratory: &Laboratory) -> anyhow::Result<(Ended, Wrong)> {
        let Self {
            setup,
            trouble,
            reboots,
        } = self;
        let start = laboratory.start(setup)?;
        let boot = laboratory.boot(setup, start.images)?;
        laboratory.server.set(Maildrop(setup.messages()));
        match *trouble {
            Trouble::Fault { disk, after, fault } => {
                laboratory.disks.break_after(disk, after, fault);
            }
            Trouble::Full { free } => boot.fill(free)?,
            Trouble::ReadOnly => boot.remount("ro")?,
        }
        let first = laboratory.fetch(setup, &boot)?;
        let left = laboratory.disks.images();
        laboratory.disks.mend();
        let mut too_early = Vec::new();
        let boot = if *reboots || first.status == Some(0) {
            drop(boot);
            laboratory.boot(setup, left)?
        } else {
            boot
        };
        if first.status == Some(0) {
            let wrong = laboratory.judge(setup, &boot)?;
            let missing = wrong.lost.iter().chain(&wrong.damaged);
            too_early.extend(missing.map(|what| format!("{what}, in spite of exit status 0")));
        }
        match trouble {
            Trouble::Fault { .. } => {}
            Trouble::Full { .. } => boot.empty()?,
            Trouble::ReadOnly if *reboots => {}
            Trouble::ReadOnly => boot.remount("rw")?,
        }
        let stuck = laboratory.settle(setup, &boot)?;
        // Without a restart, a file system that has given up cannot be used.
        let given_up = stuck.is_some() && !reboots && matches!(trouble, Trouble::Fault { .. });
        let maildrop = laboratory.server.maildrop();
        drop(boot);
        let moment = laboratory.now(maildrop);
        let (mut wrong, _) = laboratory.recover(setup, &moment, false)?;
        if !given_up && wrong.stuck.is_none() {
            wrong.stuck = stuck;
        }
        wrong.lost.extend(too_early);
        Ok((first, wrong))
    }
}

impl Boot {
    /// Fills the disk until only `free` octets are free.
    fn fill(&self, free: usize) -> anyhow::Result<()> {
        let script = "cd \"$1\"
octets=$(($(stat --file-system --format='%a * %S' .) - $2))
fallocate --length $octets ballast || head --bytes=$octets /dev/zero > ballast
sync --file-system .";
        run(Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(self.lower())
            .arg(free.to_string()))
    }

    fn empty(&self) -> anyhow::Result<()> {
        run(Command::new("rm")
            .arg("-f")
            .arg(self.lower().join("ballast")))
    }

    fn remount(&self, how: &str) -> anyhow::Result<()> {
        run(Command::new("mount")
            .args(["-n", "-o", &format!("remount,{how}")])
            .arg(self.lower()))
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; ", self.setup)?;
        match self.trouble {
            Trouble::Fault { disk, after, fault } => {
                let what = match fault {
                    Fault::Once => "one write fails",
                    Fault::Forever => "every write fails",
                    Fault::Flush => "every flush fails",
                };
                write!(f, "{what} on disk {disk} after {after}")?;
            }
            Trouble::Full { free } => write!(f, "full but for {free} octets")?,
            Trouble::ReadOnly => f.write_str("read-only")?,
        }
        f.write_str(if self.reboots { ", then a reboot" } else { "" })
    }
}
