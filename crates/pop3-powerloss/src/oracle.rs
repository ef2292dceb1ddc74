//! Judges a mailbox after a loss of power and the runs that follow: each message
//! that the server ever had must be stored once, with its exact octets, and nothing
//! else may be stored.

use std::{collections::HashMap, fmt, sync::Arc};

use crate::{
    mail::{FOREIGN, quoted},
    program::Delivery,
    server::Message,
};

/// A file: its path in the directory for mail, and its octets.
pub(crate) type Stored = (String, Vec<u8>);

/// The kinds of damage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wrong {
    /// Messages that are not stored, and that no run would store.
    pub(crate) lost: Vec<String>,
    pub(crate) twice: Vec<String>,
    /// Stored octets that are not a message of the server.
    pub(crate) damaged: Vec<String>,
    /// Files that are neither mail nor files that the program may keep.
    pub(crate) left_over: Vec<String>,
    /// The reason why no run succeeds.
    pub(crate) stuck: Option<String>,
}

impl Wrong {
    /// Returns the names of the kinds found.
    pub(crate) fn kinds(&self) -> String {
        let kinds = [
            ("lost", !self.lost.is_empty()),
            ("twice", !self.twice.is_empty()),
            ("damaged", !self.damaged.is_empty()),
            ("left over", !self.left_over.is_empty()),
            ("stuck", self.stuck.is_some()),
        ];
        let kinds = kinds.iter().filter(|(_, is_there)| *is_there);
        kinds.map(|(kind, _)| *kind).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.kinds().is_empty()
    }
}

/// Judges what is stored.
pub(crate) fn judge(
    delivery: Delivery,
    has_foreign: bool,
    messages: &[Arc<Message>],
    stored: &[Stored],
) -> Wrong {
    let mut judge = Judge::new(delivery, has_foreign, messages);
    for (path, octets) in stored {
        match (delivery, path.split('/').collect::<Vec<_>>().as_slice()) {
            (Delivery::Maildir, ["Maildir", "new" | "cur", _]) => judge.message(path, octets),
            (Delivery::Mbox, ["inbox"]) => judge.mbox(octets),
            _ => judge.wrong.left_over.push(path.clone()),
        }
    }
    judge.finish()
}

struct Judge<'a> {
    /// The octets of each expected message, its name, and how often it is stored.
    expected: HashMap<Vec<u8>, (&'a str, usize)>,
    wrong: Wrong,
}

impl<'a> Judge<'a> {
    fn new(delivery: Delivery, has_foreign: bool, messages: &'a [Arc<Message>]) -> Self {
        let mut expected = HashMap::new();
        for message in messages {
            let octets = match delivery {
                Delivery::Maildir => message.octets.clone(),
                Delivery::Mbox => quoted(&message.octets),
            };
            expected.insert(octets, (message.unique_id.as_str(), 0));
        }
        if has_foreign {
            expected.insert(FOREIGN.into(), ("the message of another program", 0));
        }
        Self {
            expected,
            wrong: Wrong::default(),
        }
    }

    fn message(&mut self, place: &str, octets: &[u8]) {
        match self.expected.get_mut(octets) {
            Some((_, times)) => *times += 1,
            None => {
                let zeros = octets.iter().filter(|&&octet| octet == 0).count();
                let begin = &octets[..octets.len().min(40)];
                self.wrong.damaged.push(format!(
                    "{place}: {} octets, {zeros} of them NUL, {:?}",
                    octets.len(),
                    String::from_utf8_lossy(begin)
                ));
            }
        }
    }

    /// Each message follows a line `From ` and precedes an empty line.
    fn mbox(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        let mut begins = Vec::new();
        let mut at = 0;
        for line in octets.split_inclusive(|&octet| octet == b'\n') {
            if line.starts_with(b"From ") {
                begins.push((at, at + line.len()));
            }
            at += line.len();
        }
        let first = begins.first().map_or(octets.len(), |(begin, _)| *begin);
        if first > 0 {
            self.message("inbox, before the first message", &octets[..first]);
        }
        for (number, (begin, body)) in begins.iter().enumerate() {
            let end = begins
                .get(number + 1)
                .map_or(octets.len(), |(next, _)| *next);
            let whole = &octets[*body..end];
            let place = format!("inbox, octet {begin}");
            match whole.strip_suffix(b"\n") {
                Some(message) => self.message(&place, message),
                None => self.message(&place, whole),
            }
        }
    }

    fn finish(mut self) -> Wrong {
        for (name, times) in self.expected.into_values() {
            match times {
                0 => self.wrong.lost.push(name.to_owned()),
                1 => {}
                _ => self.wrong.twice.push(format!("{name}: {times} times")),
            }
        }
        self.wrong
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            ("lost", &self.lost),
            ("twice", &self.twice),
            ("damaged", &self.damaged),
            ("left over", &self.left_over),
        ];
        let mut separator = "";
        for (kind, of) in kinds {
            if let Some(first) = of.first() {
                write!(f, "{separator}{} {kind} ({first})", of.len())?;
                separator = "; ";
            }
        }
        if let Some(stuck) = &self.stuck {
            write!(f, "{separator}stuck: {stuck}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages() -> Vec<Arc<Message>> {
        let message = |name: &str, text: &str| {
            Arc::new(Message {
                unique_id: name.to_owned(),
                octets: text.into(),
            })
        };
        vec![message("a", "From here\n\na\n"), message("b", "b\n")]
    }

    fn judged(delivery: Delivery, stored: &[(&str, &str)]) -> String {
        let stored: Vec<Stored> = stored
            .iter()
            .map(|(path, octets)| (path.to_string(), octets.as_bytes().to_vec()))
            .collect();
        judge(delivery, false, &messages(), &stored).kinds()
    }

    #[test]
    fn a_maildir_has_each_message_once() {
        let (a, b) = (
            ("Maildir/new/1", "From here\n\na\n"),
            ("Maildir/cur/2:2,S", "b\n"),
        );
        for (stored, wrong) in [
            (vec![a, b], ""),
            (vec![a], "lost"),
            (vec![a, b, ("Maildir/new/3", "b\n")], "twice"),
            (vec![a, ("Maildir/cur/2", "b")], "lost, damaged"),
            (vec![a, b, ("Maildir/new/3", "")], "damaged"),
            (vec![a, b, ("Maildir/tmp/3", "b\n")], "left over"),
        ] {
            assert_eq!(judged(Delivery::Maildir, &stored), wrong, "{stored:?}");
        }
    }

    #[test]
    fn an_mbox_has_each_message_once() {
        let a = "From x y\n>From here\n\na\n\n";
        let b = "From x y\nb\n\n";
        for (inbox, wrong) in [
            ([a, b].concat(), ""),
            ([b, a].concat(), ""),
            (a.to_owned(), "lost"),
            (String::new(), "lost"),
            ([a, b, b].concat(), "twice"),
            ([a, b, "\0\0"].concat(), "lost, damaged"),
            (["\0\0\n", a, b].concat(), "damaged"),
            (
                ["From x y\nFrom here\n\na\n\n", b].concat(),
                "lost, damaged",
            ),
        ] {
            assert_eq!(
                judged(Delivery::Mbox, &[("inbox", &inbox)]),
                wrong,
                "{inbox:?}"
            );
        }
        let inbox = [a, b].concat();
        let stored = [("inbox", inbox.as_str()), ("inbox.lock", "")];
        assert_eq!(judged(Delivery::Mbox, &stored), "left over");
    }
}
