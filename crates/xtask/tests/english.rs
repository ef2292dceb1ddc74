//! No text that a person reads contains a phrase of `english.txt`: Markdown, comments, and the
//! strings of the crates whose texts users see. Markdown is wrapped.

use std::{
    fs,
    path::{Path, PathBuf},
};

const LIST: &str = include_str!("english.txt");

/// Crates whose strings are help, errors, logs and reports.
const PRINTING: [&str; 6] = [
    "crates/dot-stuffing/src",
    "crates/pop3-cli/src",
    "crates/pop3-conformance/src",
    "crates/pop3-fetch/src",
    "crates/pop3-proto/src",
    "crates/pop3-tokio/src",
];

/// Directories without our own texts.
const SKIPPED: [&str; 5] = [
    ".git",
    "corpus/captures",
    "fuzz/corpus",
    "mutants.out",
    "target",
];

/// Pages with long lines of evidence, written by programs.
const GENERATED: [&str; 3] = ["CONFORMANCE.md", "docs/FINDINGS.md", "docs/MATRIX.md"];

/// The most columns of a line of Markdown, outside tables and code.
const COLUMNS: usize = 100;

/// Text without its markup, and the line of each of its octets.
#[derive(Default)]
struct Passage {
    text: String,
    lines: Vec<usize>,
}

impl Passage {
    fn push(&mut self, line: usize, text: &str) {
        // Text between backticks is code.
        for (index, part) in text.split('`').enumerate() {
            self.text.push_str(match index % 2 {
                0 => part,
                _ => "`",
            });
        }
        self.text.push(' ');
        self.text.make_ascii_lowercase();
        self.lines.resize(self.text.len(), line);
    }

    /// The lines where a phrase begins, as whole words.
    fn find(&self, phrase: &str) -> Vec<usize> {
        let octets = self.text.as_bytes();
        let is_right = |end: usize| {
            let mut right = LIST.lines().filter_map(|line| line.strip_prefix("! "));
            right.any(|right| self.text[..end].ends_with(right))
        };
        let is_word = |at: Option<usize>| {
            at.and_then(|at| octets.get(at))
                .is_some_and(u8::is_ascii_alphanumeric)
        };
        let found = self.text.match_indices(phrase).filter(|(at, _)| {
            let end = at + phrase.len();
            let ends_in_word = phrase.ends_with(|last: char| last.is_alphanumeric());
            !(is_word(at.checked_sub(1)) || ends_in_word && is_word(Some(end)) || is_right(end))
        });
        found.map(|(at, _)| self.lines[at]).collect()
    }
}

/// The paragraphs of a page, without code blocks.
fn markdown(page: &str) -> Vec<Passage> {
    let mut passages = vec![Passage::default()];
    let mut is_code = false;
    for (line, text) in page.lines().enumerate() {
        let text = text.trim();
        is_code ^= text.starts_with("```");
        if is_code || text.is_empty() || text.starts_with("```") {
            passages.push(Passage::default());
        } else if let Some(last) = passages.last_mut() {
            last.push(line + 1, text);
        }
    }
    passages
}

/// The comments of a source file, and its strings if they are printed.
fn source(code: &str, with_strings: bool) -> Vec<Passage> {
    let mut passages = vec![Passage::default()];
    let mut string: Option<Passage> = None;
    for (line, text) in code.lines().enumerate() {
        let trimmed = text.trim();
        if string.is_none() && trimmed.starts_with("//") {
            let comment = trimmed.trim_start_matches(['/', '!']).trim();
            match comment.is_empty() {
                true => passages.push(Passage::default()),
                false => passages.last_mut().expect("one").push(line + 1, comment),
            }
            continue;
        }
        if passages.last().is_some_and(|last| !last.text.is_empty()) {
            passages.push(Passage::default());
        }
        if with_strings {
            strings(line + 1, trimmed, &mut string, &mut passages);
        }
    }
    passages
}

/// Adds the strings of a line; `open` is one that began on an earlier line.
fn strings(line: usize, text: &str, open: &mut Option<Passage>, passages: &mut Vec<Passage>) {
    let text = text.trim_end_matches('\\').replace("\\\"", "'");
    for (index, part) in text.split('"').enumerate() {
        if index > 0 {
            match open.take() {
                Some(passage) => passages.push(passage),
                None => *open = Some(Passage::default()),
            }
        }
        if let Some(passage) = open {
            passage.push(line, &part.replace("\\n", " "));
        }
    }
}

/// Every file below a directory.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if SKIPPED.iter().any(|skipped| path.ends_with(skipped)) {
            continue;
        }
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// The phrases to find, each with what to write.
fn phrases() -> Vec<(&'static str, &'static str)> {
    let lines = LIST.lines().filter(|line| !line.starts_with(['#', '!']));
    lines
        .map(|line| line.split_once(" => ").expect("a phrase => what to write"))
        .collect()
}

/// Every file of the repository that has texts of ours, and its path in it.
fn all_files() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().expect("the repository");
    let mut all = Vec::new();
    files(&root, &mut all);
    all.sort();
    let named = |path: PathBuf| {
        let name = path.strip_prefix(&root).expect("a file");
        let name = name.to_string_lossy().into_owned();
        (path, name)
    };
    all.into_iter().map(named).collect()
}

#[test]
fn pages_are_wrapped() {
    let mut wide = Vec::new();
    for (path, name) in all_files() {
        if !name.ends_with(".md") || GENERATED.contains(&&*name) {
            continue;
        }
        let page = fs::read_to_string(&path).expect("a page");
        let mut is_code = false;
        for (number, line) in page.lines().enumerate() {
            is_code ^= line.starts_with("```");
            if !is_code && !line.starts_with('|') && line.chars().count() > COLUMNS {
                wide.push(format!("{name}:{}", number + 1));
            }
        }
    }
    assert!(
        wide.is_empty(),
        "more than {COLUMNS} columns:\n{}",
        wide.join("\n")
    );
}

#[test]
fn texts_have_no_phrase_of_the_list() {
    let phrases = phrases();
    let mut found = Vec::new();
    for (path, name) in all_files() {
        let is_printed = PRINTING.iter().any(|source| name.starts_with(source));
        let passages = match path.extension().and_then(|extension| extension.to_str()) {
            Some("md") => markdown(&fs::read_to_string(&path).expect("a page")),
            Some("rs") => source(&fs::read_to_string(&path).expect("a source"), is_printed),
            _ => continue,
        };
        for passage in &passages {
            for (phrase, write) in &phrases {
                for line in passage.find(phrase) {
                    found.push(format!("{name}:{line}: \"{phrase}\": write {write}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}\n", found.join("\n"));
}

#[test]
fn phrases_are_found_across_lines_and_only_as_words() {
    let page = markdown("A text with so\nmany words.\n\n```\nso many\n```\n\nalso many\n");
    let lines: Vec<_> = page
        .iter()
        .flat_map(|passage| passage.find("so many"))
        .collect();
    assert_eq!(lines, [1]);
    let code = "let a = \"so many\"; // so many\n/// That is\n/// none.\nfn is_none() {}\n";
    let find = |with_strings, phrase| -> Vec<usize> {
        let passages = source(code, with_strings);
        passages
            .iter()
            .flat_map(|passage| passage.find(phrase))
            .collect()
    };
    assert_eq!(find(true, "so many"), [1]);
    assert_eq!(find(false, "so many"), []);
    assert_eq!(find(false, "is none"), [2]);
}
