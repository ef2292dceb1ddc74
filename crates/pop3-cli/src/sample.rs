//! A maildrop that contains every edge case of byte-stuffing.

/// The octets of the longest line that still fits a common buffer.
const LINE: usize = 8191;

/// The lines of the long mail, about 2.6 MiB.
const LONG: usize = 50_000;

/// The messages, each with the name of the edge case that it tests.
pub(crate) fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let fixed: [(&str, &[u8]); 19] = [
        ("plain", b"Nothing special.\r\n"),
        ("a dot at the start of a line", b"one\r\n.two\r\nthree\r\n"),
        (
            "dots at the start of every line",
            b".a\r\n..b\r\n...c\r\n....d\r\n",
        ),
        ("a line that is a dot alone", b"before\r\n.\r\nafter\r\n"),
        ("a line that is two dots", b"before\r\n..\r\nafter\r\n"),
        ("only lines that are a dot alone", b".\r\n.\r\n.\r\n.\r\n"),
        ("a dot as the last octet", b"the end\r\n."),
        ("no final newline", b"it just ends"),
        ("a final CR", b"it ends with CR\r"),
        ("blank lines", b"\r\n\r\n\r\n"),
        ("bare LF", b"one\ntwo\n.three\n"),
        ("bare CR", b"one\rtwo\r.three\r\r\n"),
        ("LF.LF", b"before\n.\nafter, not to be lost\n"),
        ("LF.CRLF", b"before\n.\r\nafter, not to be lost\r\n"),
        ("CR.CR", b"before\r.\rafter, not to be lost\r\n"),
        ("CRLF.CRCRLF", b"before\r\n.\r\r\nafter, not to be lost\r\n"),
        ("CRLF.CR and text", b"before\r\n.\rx\r\nafter\r\n"),
        ("NUL", b"a\0b\r\n\0\r\n.\0\r\n"),
        ("dots within lines", b"a.b.\r\n .\r\nc\r\n"),
    ];
    let mut messages: Vec<(&str, Vec<u8>)> = fixed
        .into_iter()
        .map(|(name, body)| (name, with_header(name, body)))
        .collect();

    let every_octet: Vec<u8> = (0..=u8::MAX).collect();
    let mut add = |name, body: &[u8]| messages.push((name, with_header(name, body)));
    add("all octets", &every_octet);
    add(
        "8191 octets, CRLF, dot",
        &[&[b'x'; LINE - 2][..], b"\r\n.\r\n.after\r\n"].concat(),
    );
    add(
        "8191 octets, dot",
        &[&[b'x'; LINE][..], b".\r\n", &[b'.'; LINE], b"\r\n"].concat(),
    );
    add(
        "a line of 64 KiB",
        &[&b".".repeat(64 * 1024)[..], b"\r\n."].concat(),
    );
    add(
        "a long mail",
        &b"..And so it goes, line after line, dot after dot.\r\n".repeat(LONG),
    );

    // Without a header, so that the edge case is at the first octet.
    messages.push(("nothing at all", Vec::new()));
    messages.push(("a dot alone, no newline", b".".to_vec()));
    messages.push(("a dot as the first octet", b".first\r\nsecond\r\n".to_vec()));
    messages.push(("an LF alone", b"\n".to_vec()));
    messages
}

fn with_header(name: &str, body: &[u8]) -> Vec<u8> {
    let header = format!(
        "From: pop3 <pop3@example.org>\r\n\
         To: you <you@example.org>\r\n\
         Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n\
         Subject: {name}\r\n\
         \r\n"
    );
    [header.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_every_edge_that_it_names() {
        let messages = messages();
        let has = |edge: &dyn Fn(&[u8]) -> bool| messages.iter().any(|(_, mail)| edge(mail));
        let holds = |part: &[u8]| has(&|mail| mail.windows(part.len()).any(|run| run == part));
        for part in [
            &b"\r\n.\r\n"[..],
            b"\r\n..\r\n",
            b"\n.\n",
            b"\n.\r\n",
            b"\r.\r",
            b"\r\n.\r\r\n",
            b"\0",
            b"a.b.",
        ] {
            assert!(holds(part), "{}", part.escape_ascii());
        }
        assert!(has(&|mail| (0..=u8::MAX).all(|octet| mail.contains(&octet))));
        for whole in [&b""[..], b".", b"\n"] {
            assert!(has(&|mail| mail == whole), "{}", whole.escape_ascii());
        }
        assert!(has(&|mail| mail.len() > 1 && mail.starts_with(b".")));
        for octets in [8189, 8191, 65536] {
            let is_as_long = |line: &[u8]| line.trim_ascii_end().len() == octets;
            let has_line = |mail: &[u8]| {
                mail.split_inclusive(|octet| *octet == b'\n')
                    .any(is_as_long)
            };
            assert!(has(&has_line), "no line of {octets} octets");
        }
        assert!(has(&|mail| mail.len() > 2_000_000));
        let headed = messages.iter().filter(|(name, mail)| {
            let subject = format!("Subject: {name}\r\n\r\n");
            let subject = subject.as_bytes();
            mail.windows(subject.len()).any(|run| run == subject)
        });
        assert_eq!(headed.count(), messages.len() - 4);
    }
}
