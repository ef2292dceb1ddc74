//! The results, by row.

use std::fmt;

use crate::{experiment::Kind, file_system::FileSystem, oracle::Wrong, program::Delivery};

#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) states: usize,
    pub(crate) lost: usize,
    pub(crate) twice: usize,
    pub(crate) damaged: usize,
    pub(crate) left_over: usize,
    pub(crate) stuck: usize,
    /// The number of states in which anything is wrong.
    pub(crate) wrong: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, wrong: &Wrong) {
        self.states += 1;
        self.wrong += usize::from(!wrong.is_nothing());
        self.lost += usize::from(!wrong.lost.is_empty());
        self.twice += usize::from(!wrong.twice.is_empty());
        self.damaged += usize::from(!wrong.damaged.is_empty());
        self.left_over += usize::from(!wrong.left_over.is_empty());
        self.stuck += usize::from(wrong.stuck.is_some());
    }
}

/// The subject of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Loss(Kind),
    /// Errors of disks, both with and without deletion of messages.
    Error(FileSystem, Delivery),
}

#[derive(Debug, Default)]
pub(crate) struct Table(Vec<(Row, Counts)>);

impl Table {
    pub(crate) fn row(&mut self, row: Row) -> &mut Counts {
        let at = self.0.iter().position(|(of, _)| *of == row);
        let at = at.unwrap_or_else(|| {
            self.0.push((row, Counts::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// Returns the number of states in which anything is wrong.
    pub(crate) fn wrong(&self) -> usize {
        self.0.iter().map(|(_, counts)| counts.wrong).sum()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "| file system | delivery | messages | after         | states | lost | twice | damaged | left over | stuck |\n\
             |-------------|----------|----------|---------------|-------:|-----:|------:|--------:|----------:|------:|\n",
        )?;
        for (row, counts) in &self.0 {
            let (file_system, delivery, messages, after) = match row {
                Row::Loss(kind) => {
                    let messages = if kind.delete { "deleted" } else { "kept" };
                    (kind.file_system, kind.delivery, messages, "power loss")
                }
                Row::Error(file_system, delivery) => {
                    (*file_system, *delivery, "both", "write errors")
                }
            };
            let (file_system, delivery) = (file_system.to_string(), delivery.to_string());
            let Counts {
                states,
                lost,
                twice,
                damaged,
                left_over,
                stuck,
                wrong: _,
            } = counts;
            writeln!(
                f,
                "| {file_system:<11} | {delivery:<8} | {messages:<8} | {after:<13} | {states:>6} | \
                 {lost:>4} | {twice:>5} | {damaged:>7} | {left_over:>9} | {stuck:>5} |"
            )?;
        }
        Ok(())
    }
}
