//! The files in which other programs keep the unique-ids of fetched messages.
//!
//! Errors name the line and never show it, because a file that is named by mistake
//! may contain passwords.

use std::{fmt, path::Path};

use pop3_proto::UniqueId;

use super::Owner;

/// A message in such a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) owner: Owner,
    pub(super) unique_id: Vec<u8>,
    /// When it was fetched, in seconds since 1970.
    pub(super) since: Option<i64>,
}

/// A line that does not have the form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    line: usize,
    what: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// The text of a file.
pub(super) fn text(octets: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(octets).map_err(|error| {
        let before = octets.get(..error.valid_up_to()).unwrap_or(octets);
        let line = 1 + before.iter().filter(|octet| **octet == b'\n').count();
        let what = "is not UTF-8";
        Malformed { line, what }
    })
}

/// fetchmail: each line is `user@host unique-id`. The user may contain spaces and
/// `@`, and the unique-id `@`.
pub(super) fn fetchmail(text: &str) -> Result<Vec<Listed>, Malformed> {
    let mut all = Vec::new();
    for (line, text) in lines(text) {
        let malformed = |what| Malformed { line, what };
        let (owner, id) = text
            .rsplit_once(' ')
            .ok_or(malformed("no space before the unique-id"))?;
        let (user, host) = owner
            .trim_end()
            .rsplit_once('@')
            .ok_or(malformed("no user@host before the unique-id"))?;
        all.push(listed((user, host), id, line)?);
    }
    Ok(all)
}

/// mpop: comments, then lists. The head of a list is a line that begins with a
/// space, ` number host user`; that number of unique-ids follows, one on each line,
/// and these may begin with `#` too.
pub(super) fn mpop(text: &str) -> Result<Vec<Listed>, Malformed> {
    let mut all = Vec::new();
    let mut lines = lines(text).peekable();
    while let Some((line, head)) = lines.next() {
        if head.starts_with('#') {
            continue;
        }
        let malformed = |what| Malformed { line, what };
        let head = head
            .strip_prefix(' ')
            .ok_or(malformed("a list of unique-ids begins with a space"))?;
        let mut words = head.splitn(3, ' ');
        let (Some(count), Some(host), Some(user)) = (words.next(), words.next(), words.next())
        else {
            return Err(malformed(
                "a list of unique-ids begins with number, host and user",
            ));
        };
        let count: usize = count
            .parse()
            .map_err(|_| malformed("the number of unique-ids is not a number"))?;
        for _ in 0..count {
            let (line, id) = lines.next().ok_or(malformed(
                "the file ends before the last unique-id of this list",
            ))?;
            all.push(listed((user, host), id, line)?);
        }
    }
    Ok(all)
}

fn listed((user, host): (&str, &str), id: &str, line: usize) -> Result<Listed, Malformed> {
    Ok(Listed {
        owner: Owner::Named {
            user: user.to_owned(),
            host: host.to_owned(),
        },
        unique_id: unique_id(id, line)?,
        since: None,
    })
}

/// getmail: each line is a unique-id, NUL, and the time in seconds since 1970; only
/// the name of the file says whose they are.
pub(super) fn getmail(text: &str, file: &Path) -> Result<Vec<Listed>, Malformed> {
    let name = file.file_name().and_then(|name| name.to_str());
    let owner = match name.and_then(|name| name.strip_prefix("oldmail-")) {
        Some(name) => Owner::File(name.to_owned()),
        None => Owner::Unnamed,
    };
    let mut all = Vec::new();
    for (line, text) in lines(text) {
        let malformed = |what| Malformed { line, what };
        let (id, since) = text
            .split_once('\0')
            .ok_or(malformed("no NUL after the unique-id"))?;
        let since = since
            .parse()
            .map_err(|_| malformed("the time is not a number"))?;
        all.push(Listed {
            owner: owner.clone(),
            unique_id: unique_id(id, line)?,
            since: Some(since),
        });
    }
    Ok(all)
}

/// A text as getmail writes it in the name of a file.
pub(super) fn in_file_name(text: &str) -> String {
    let mut name = String::new();
    let is_replaced = |char| matches!(char, '/' | ':' | ';' | '<' | '>' | '|');
    let mut after_replaced = false;
    for char in text.chars() {
        match is_replaced(char) {
            true if after_replaced => {}
            true => name.push('-'),
            false => name.push(char),
        }
        after_replaced = is_replaced(char);
    }
    name
}

/// The lines that are not blank, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().zip(1..).map(|(text, line)| (line, text));
    lines.filter(|(_, text)| !text.trim().is_empty())
}

fn unique_id(text: &str, line: usize) -> Result<Vec<u8>, Malformed> {
    match UniqueId::new(text.as_bytes()) {
        Ok(unique_id) => Ok(unique_id.as_bytes().to_vec()),
        Err(_) => Err(Malformed {
            line,
            what: "a unique-id has 1 to 70 octets, all of them from 0x21 to 0x7E (RFC 1939 §7)",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(user: &str, host: &str, unique_id: &str) -> Listed {
        Listed {
            owner: Owner::Named {
                user: user.to_owned(),
                host: host.to_owned(),
            },
            unique_id: unique_id.as_bytes().to_vec(),
            since: None,
        }
    }

    #[test]
    fn reads_users_and_unique_ids_with_special_characters() {
        let text = "me@example.org@127.0.0.1 user@host\ntwo words@localhost #hash\n";
        let listed = [
            named("me@example.org", "127.0.0.1", "user@host"),
            named("two words", "localhost", "#hash"),
        ];
        assert_eq!(fetchmail(text).unwrap(), listed);
        let text = "# mpop\n#\n 1 localhost two words\n#hash\n 0 empty me\n 1 127.0.0.1 me@example.org\nuser@host\n";
        let mut read = mpop(text).unwrap();
        read.reverse();
        assert_eq!(read, listed);
        let text = "#hash\0900\nuser@host\0-1\n";
        let owner = Owner::File(String::from("h-995-me"));
        let read = getmail(text, Path::new("a/oldmail-h-995-me")).unwrap();
        let expected = [("#hash", 900), ("user@host", -1)].map(|(id, since)| Listed {
            owner: owner.clone(),
            unique_id: id.as_bytes().to_vec(),
            since: Some(since),
        });
        assert_eq!(read, expected);
        let renamed = getmail(text, Path::new("old")).unwrap();
        assert_eq!(renamed[0].owner, Owner::Unnamed);
        assert_eq!(in_file_name("a::b/;c"), "a-b-c");
    }

    #[test]
    fn names_the_first_malformed_line() {
        let long = format!("me@h {}\n", "x".repeat(71));
        let of_getmail = |text: &str| getmail(text, Path::new("f"));
        for (error, line) in [
            (fetchmail("me@h a\n\nme@h\n"), 3),
            (fetchmail("me@h a\nme b\n"), 2),
            (fetchmail("me@h \n"), 1),
            (fetchmail(&long), 1),
            (fetchmail("me@h \u{e9}\n"), 1),
            (mpop("# x\na\n"), 2),
            (mpop(" 1 h\na\n"), 1),
            (mpop(" x h me\na\n"), 1),
            (mpop(" 3 h me\na\nb\n"), 1),
            (mpop(" 1 h me\na\n 2 h you\nb\n 1 h he\nc\n"), 5),
            (mpop(" 1 h me\na\nb\n"), 3),
            (of_getmail("a\09\nb 2\n"), 2),
            (of_getmail("a\0x\n"), 1),
            (of_getmail("\09\n"), 1),
        ] {
            assert_eq!(error.unwrap_err().line, line);
        }
        assert_eq!(text(b"a\nbc\n\xff\n").unwrap_err().line, 3);
    }
}
