//! Markdown tables, and their places in pages.

use std::{fmt, fs};

use anyhow::Context as _;

use crate::shell::{command, output, root};

/// A Markdown table whose source is readable too.
pub(crate) struct Table {
    /// How many columns are words; the rest are numbers.
    words: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(words: &[&str], numbers: &[&str]) -> Self {
        let mut table = Self {
            words: words.len(),
            rows: Vec::new(),
        };
        table.push(words.iter().chain(numbers).copied());
        table
    }

    pub(crate) fn push<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or_default()
        };
        let widths: Vec<_> = (0..self.rows[0].len()).map(width).collect();
        for (at, row) in self.rows.iter().enumerate() {
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                match column < self.words {
                    true => write!(f, "| {cell:<width$} ")?,
                    false => write!(f, "| {cell:>width$} ")?,
                }
            }
            f.write_str("|\n")?;
            for (column, &width) in widths.iter().enumerate().filter(|_| at == 0) {
                let end = if column < self.words { "-" } else { ":" };
                write!(f, "|-{}{end}", "-".repeat(width))?;
            }
            f.write_str(if at == 0 { "|\n" } else { "" })?;
        }
        Ok(())
    }
}

/// Replaces the part of a page between the two marks of this name, and adds the date and the number
/// of cores.
pub(crate) fn write(page: &str, name: &str, part: &str) -> anyhow::Result<()> {
    let path = root().join(page);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {page}"))?;
    let date = output(&mut command("date -u +%Y-%m-%d"))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let part = format!("\n{part}\n{}, {cores} cores.\n\n", date.trim());
    let text = with_part(&text, name, &part)
        .with_context(|| format!("{page} has no part between <!-- {name} --> and its end"))?;
    fs::write(path, text)?;
    eprintln!("written: {page}, {name}");
    Ok(())
}

/// The cells of the table that a page has for `name`, without the header.
pub(crate) fn rows<'a>(page: &'a str, name: &str) -> Vec<Vec<&'a str>> {
    let part = page.split(&format!("<!-- {name} -->")).nth(1);
    let part = part.and_then(|rest| rest.split("<!-- /").next());
    let rows = part.into_iter().flat_map(str::lines);
    let rows = rows.filter(|line| line.starts_with('|')).skip(2);
    let cells = |row: &'a str| row.trim_matches('|').split('|').map(str::trim).collect();
    rows.map(cells).collect()
}

fn with_part(page: &str, name: &str, part: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (head, rest) = page.split_once(&begin)?;
    let (_, tail) = rest.split_once(&end)?;
    Some([head, &begin, part, &end, tail].concat())
}

#[cfg(test)]
mod tests {
    use super::{Table, with_part};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["word"], &["n"]);
        table.push(["a", "100"]);
        let shown = "| word |   n |\n|------|----:|\n| a    | 100 |\n";
        assert_eq!(table.to_string(), shown);
    }

    #[test]
    fn replaces_only_the_named_part() {
        let page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
        let new = with_part(page, "x", "new\n").expect("a place");
        assert_eq!(new, "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n");
        assert!(with_part(page, "y", "").is_none());
    }
}
