// Documented in `audit.rs`: pop3-testkit builds this file too, for its traces.

/// The most octets that one `\{N O}` stands for.
pub const MAX_RUN: usize = 1 << 20;

/// Parses lines of text into octets.
///
/// # Errors
///
/// Names an invalid escape.
pub fn parse_lines(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    for line in text.lines() {
        octets.extend(parse(line)?);
    }
    Ok(octets)
}

/// Parses a line of text into octets, and adds CRLF.
///
/// # Errors
///
/// Names an invalid escape.
pub fn parse(text: &str) -> Result<Vec<u8>, String> {
    // After an even number of `\`, each pair is an escaped one.
    let is_single = |rest: &str| {
        let others = rest.bytes().rev().take_while(|&octet| octet == b'\\');
        others.count().is_multiple_of(2)
    };
    let (text, line_end) = match text.strip_suffix('\\') {
        Some(rest) if is_single(rest) => (rest, &b""[..]),
        _ => (text, &b"\r\n"[..]),
    };
    let mut octets = unescape(text)?;
    octets.extend_from_slice(line_end);
    Ok(octets)
}

/// Parses a text without a line end into octets.
///
/// # Errors
///
/// Names an invalid escape.
pub fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        octets.extend_from_slice(before.as_bytes());
        let (escaped, tail) = escape(after)?;
        octets.extend(escaped);
        rest = tail;
    }
    octets.extend_from_slice(rest.as_bytes());
    Ok(octets)
}

fn escape(after: &str) -> Result<(Vec<u8>, &str), String> {
    let unknown = || format!("`\\{after}` does not begin an escape");
    let mut tail = after.chars();
    let octets = match tail.next() {
        Some('r') => vec![b'\r'],
        Some('n') => vec![b'\n'],
        Some('t') => vec![b'\t'],
        Some('\\') => vec![b'\\'],
        Some('x') => {
            let digits = after.get(1..3).ok_or_else(unknown)?;
            let octet = u8::from_str_radix(digits, 16).map_err(|_| unknown())?;
            return Ok((vec![octet], &after[3..]));
        }
        Some('{') => {
            let (run, tail) = after[1..].split_once('}').ok_or_else(unknown)?;
            let (count, octet) = run.split_once(' ').ok_or_else(unknown)?;
            let count: usize = count.parse().map_err(|_| unknown())?;
            if octet.len() != 1 || count > MAX_RUN {
                return Err(unknown());
            }
            return Ok((octet.repeat(count).into_bytes(), tail));
        }
        _ => return Err(unknown()),
    };
    Ok((octets, tail.as_str()))
}

/// Returns the text that [`parse`] reads as these octets.
#[must_use]
pub fn show(octets: &[u8]) -> String {
    let (octets, end) = match octets.strip_suffix(b"\r\n") {
        Some(octets) => (octets, ""),
        None => (octets, "\\"),
    };
    let mut shown = String::new();
    for run in octets.chunk_by(|one, next| one == next) {
        let octet = match run[0] {
            b'\\' => "\\\\".to_owned(),
            b' '..=b'~' => char::from(run[0]).to_string(),
            b'\r' => "\\r".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\t' => "\\t".to_owned(),
            octet => format!("\\x{octet:02x}"),
        };
        match run.len() {
            long if long > 20 && octet.len() == 1 => shown += &format!("\\{{{long} {octet}}}"),
            short => shown += &octet.repeat(short),
        }
    }
    shown + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_octets_as_the_text_that_gives_them() {
        let run = |count| b"a".repeat(count);
        for (octets, shown) in [
            (&b"+OK\r\n"[..], "+OK"),
            (b"+OK", r"+OK\"),
            (b"a\\\r\n", r"a\\"),
            (b"a\\", r"a\\\"),
            (b"\\\\\r\n", r"\\\\"),
            (b"\\\\", r"\\\\\"),
            (b"\\\\\\n\n\r\n", r"\\\\\\n\n"),
            (b"\r\r\n", r"\r"),
            (b"\t\0\x7f\xff~ \r\n", r"\t\x00\x7f\xff~ "),
            (b"aabbb\r\n", "aabbb"),
            (&[&run(20), &b"\r\n"[..]].concat(), "aaaaaaaaaaaaaaaaaaaa"),
            (&[&run(21), &b"\r\n"[..]].concat(), r"\{21 a}"),
            (&[&run(30), &b"b"[..]].concat(), r"\{30 a}b\"),
            (&[&[0; 21], &b"\r\n"[..]].concat(), &r"\x00".repeat(21)),
        ] {
            assert_eq!(show(octets), shown);
            assert_eq!(parse(shown).unwrap(), octets, "{shown}");
        }
    }

    #[test]
    fn refuses_an_invalid_escape() {
        let longest = format!(r"\{{{MAX_RUN} a}}");
        assert_eq!(unescape(&longest).unwrap().len(), MAX_RUN);
        let too_long = format!(r"\{{{} a}}", MAX_RUN + 1);
        for text in [
            r"\q", r"\", r"\x0", r"\xgg", r"\{3 a", r"\{3}", r"\{a 3}", r"\{3 ab}", r"\{3 }",
            &too_long,
        ] {
            assert!(unescape(text).is_err(), "{text}");
        }
    }
}
