//! Markdown tables, and the places that pages have for them.

use std::fmt;

use anyhow::Context as _;

/// A Markdown table that can also be read as it stands.
pub(crate) struct Table {
    /// So many columns are words, the others numbers.
    words: usize,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(words: &[&str], numbers: &[&str]) -> Self {
        let head = words.iter().chain(numbers).map(|&name| name.to_owned());
        Self {
            words: words.len(),
            rows: vec![head.collect()],
        }
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
            if at == 0 {
                for (column, &width) in widths.iter().enumerate() {
                    let rule = "-".repeat(width);
                    match column < self.words {
                        true => write!(f, "|-{rule}-")?,
                        false => write!(f, "|-{rule}:")?,
                    }
                }
                f.write_str("|\n")?;
            }
        }
        Ok(())
    }
}

/// A page with this between the two marks that it has for what `name` says.
pub(crate) fn with_part(page: &str, name: &str, part: &str) -> anyhow::Result<String> {
    let [head, _, tail] = around(page, name)?;
    Ok([head, part, tail].concat())
}

/// The cells of the table that a page has for `name`, without its head.
pub(crate) fn rows<'a>(page: &'a str, name: &str) -> anyhow::Result<Vec<Vec<&'a str>>> {
    let [_, part, _] = around(page, name)?;
    let rows = part.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = |row: &'a str| row.trim_matches('|').split('|').map(str::trim).collect();
    Ok(rows.map(cells).collect())
}

/// What a page has before `name`, for it and behind it, the marks outside.
fn around<'a>(page: &'a str, name: &str) -> anyhow::Result<[&'a str; 3]> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let from = page
        .find(&begin)
        .with_context(|| format!("no place for {name}"))?
        + begin.len();
    let to = page[from..]
        .find(&end)
        .with_context(|| format!("no end of {name}"))?
        + from;
    Ok([&page[..from], &page[from..to], &page[to..]])
}

#[cfg(test)]
mod tests {
    use super::{Table, rows, with_part};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["word"], &["n"]);
        table.rows.push(vec!["a".to_owned(), "100".to_owned()]);
        let shown = "| word |   n |\n|------|----:|\n| a    | 100 |\n";
        assert_eq!(table.to_string(), shown);
    }

    #[test]
    fn a_part_is_replaced_and_nothing_else() {
        let page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
        let new = with_part(page, "x", "new\n").expect("a place");
        assert_eq!(new, "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n");
        assert!(with_part(page, "y", "").is_err());
    }

    #[test]
    fn what_was_written_can_be_read() {
        let mut table = Table::new(&["word"], &["n"]);
        table.rows.push(vec!["a b".to_owned(), "100".to_owned()]);
        let page = format!("<!-- x -->\n\n{table}\nnoted.\n<!-- /x -->");
        assert_eq!(rows(&page, "x").expect("a table"), [["a b", "100"]]);
    }
}
