//! Models the grammar of command lines, word by word.

/// Returns the command in its only spelling, without CRLF; `None` if the line is
/// not a command.
#[must_use]
pub fn command(line: &[u8]) -> Option<String> {
    let line = str::from_utf8(line).ok()?;
    let words: Vec<&str> = line.split(' ').collect();
    let keyword = words[0].to_ascii_uppercase();
    let rest = line.get(keyword.len() + 1..);
    let spelt = match (&keyword[..], &words[1..]) {
        ("CAPA" | "NOOP" | "QUIT" | "RSET" | "STAT" | "STLS" | "UTF8", []) => keyword,
        ("AUTH", [] | [""]) => keyword,
        ("LANG" | "LIST" | "UIDL", []) => keyword,
        ("LIST" | "UIDL" | "DELE" | "RETR", [number]) => format!("{keyword} {}", message(number)?),
        ("TOP", [number, lines]) => format!("TOP {} {}", message(number)?, digits(lines)?),
        ("USER" | "PASS", _) => format!("{keyword} {}", printable(rest?)?),
        ("APOP", [name, digest]) => format!("APOP {} {}", printable(name)?, printable(digest)?),
        ("AUTH", [mechanism]) => format!("AUTH {}", of(mechanism, 20, "-_")?),
        ("AUTH", [mechanism, response]) => {
            format!("AUTH {} {}", of(mechanism, 20, "-_")?, printable(response)?)
        }
        ("LANG", [range]) => format!("LANG {}", of(range, 64, "-*")?),
        _ => return None,
    };
    Some(spelt)
}

fn digits(word: &str) -> Option<u32> {
    let all_digits = word.bytes().all(|octet| octet.is_ascii_digit());
    all_digits.then(|| word.parse().ok()).flatten()
}

fn message(word: &str) -> Option<u32> {
    digits(word).filter(|&number| number > 0)
}

fn printable(word: &str) -> Option<&str> {
    (!word.is_empty() && !word.contains(char::is_control)).then_some(word)
}

fn of<'a>(word: &'a str, longest: usize, others: &str) -> Option<&'a str> {
    let allowed = |char: char| char.is_ascii_alphanumeric() || others.contains(char);
    let length = 1..=longest;
    (length.contains(&word.len()) && word.chars().all(allowed)).then_some(word)
}
