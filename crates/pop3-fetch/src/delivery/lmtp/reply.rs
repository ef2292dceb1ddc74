//! Replies of a server (RFC 5321 §4.2).

/// The most octets of a line, with CRLF. RFC 5321 §4.5.3.1.5 says 512; servers
/// explain themselves at more length.
pub(super) const LINE: usize = 4096;
/// The most lines of a reply.
const LINES: usize = 100;

/// A complete reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    code: u16,
    /// The lines, without their CRLF.
    lines: Vec<Vec<u8>>,
}

/// A line that is not part of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

/// A reply of which some lines have arrived.
#[derive(Default)]
pub(super) struct Partial(Option<Reply>);

impl Partial {
    /// Takes the next line, with its line end. Returns the reply after its last line.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, Malformed> {
        let malformed = |what| Err(Malformed(format!("{what}: {}", line.escape_ascii())));
        let Some(text) = line.strip_suffix(b"\r\n") else {
            return malformed("a line does not end with CRLF");
        };
        let (code, rest) = match text {
            [a @ b'2'..=b'5', b @ b'0'..=b'5', c @ b'0'..=b'9', rest @ ..] => {
                let digit = |octet: u8| u16::from(octet - b'0');
                (digit(*a) * 100 + digit(*b) * 10 + digit(*c), rest)
            }
            _ => return malformed("a line is not a reply"),
        };
        let is_last = match rest {
            [] | [b' ', ..] => true,
            [b'-', ..] => false,
            _ => return malformed("a line is not a reply"),
        };
        let reply = self.0.get_or_insert(Reply {
            code,
            lines: Vec::new(),
        });
        if reply.code != code {
            return malformed("the lines of a reply have different codes");
        }
        if reply.lines.len() == LINES {
            return malformed("a reply has too many lines");
        }
        reply.lines.push(text.to_vec());
        Ok(match is_last {
            true => self.0.take(),
            false => None,
        })
    }
}

impl Reply {
    /// Whether the command is done.
    pub(super) const fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether the octets of the message may follow.
    pub(super) const fn is_go_ahead(&self) -> bool {
        self.code == 354
    }

    /// Whether the same command may succeed later.
    pub(super) const fn is_temporary(&self) -> bool {
        self.code / 100 == 4
    }

    /// Whether the command is refused, now or for good.
    pub(super) const fn is_negative(&self) -> bool {
        self.code / 100 >= 4
    }

    /// Whether the server is about to close the connection.
    pub(super) const fn closes(&self) -> bool {
        self.code == 421
    }

    /// The first line, with its code.
    pub(super) fn line(&self) -> &[u8] {
        self.lines.first().map_or(&[], |line| line)
    }

    /// Whether it announces an extension (RFC 5321 §4.1.1.1).
    pub(super) fn announces(&self, extension: &[u8]) -> bool {
        self.lines.iter().skip(1).any(|line| {
            let line = line.get(4..).unwrap_or_default();
            let word = line.split(|octet| *octet == b' ').next();
            word.is_some_and(|word| word.eq_ignore_ascii_case(extension))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&[u8]]) -> Result<Option<Reply>, Malformed> {
        let mut partial = Partial::default();
        let mut reply = None;
        for line in lines {
            assert_eq!(reply, None);
            reply = partial.line(line)?;
        }
        Ok(reply)
    }

    #[test]
    fn reads_a_reply_of_one_or_more_lines() {
        for text in [&b"250\r\n"[..], b"250 \r\n", b"250 2.1.0 OK\r\n"] {
            let reply = read(&[text]).unwrap().unwrap();
            assert!(reply.is_positive());
            assert_eq!(reply.line(), &text[..text.len() - 2]);
        }
        let reply = read(&[
            b"250-8BITMIME\r\n",
            b"250-size 1000\r\n",
            b"250-\r\n",
            b"250 PIPELINING\r\n",
        ]);
        let reply = reply.unwrap().unwrap();
        assert!(reply.announces(b"SIZE") && reply.announces(b"PIPELINING"));
        // The first line is the greeting.
        assert!(!reply.announces(b"8BITMIME") && !reply.announces(b"SIZ"));
        assert_eq!(read(&[b"250-a\r\n"]), Ok(None));
    }

    #[test]
    fn refuses_what_is_no_reply() {
        for lines in [
            &[&b"250 OK\n"[..]][..],
            &[b"250 OK"],
            &[b"\r\n"],
            &[b"25 OK\r\n"],
            &[b"150 OK\r\n"],
            &[b"650 OK\r\n"],
            &[b"260 OK\r\n"],
            &[b"250_OK\r\n"],
            &[b"2500\r\n"],
            &[b"+OK\r\n"],
            &[b"250-a\r\n", b"251 b\r\n"],
            &[&b"250-a\r\n"[..]; LINES + 1],
        ] {
            assert!(read(lines).is_err(), "{lines:?}");
        }
    }
}
