//! Captures of real servers decode to the messages that the servers were given, apart
//! from the changes that `corpus/captures/README.md` lists.

use std::{fs, path::Path};

use dot_stuffing::{Complete, ErrorKind, LineDecoder, MultilineDecoder};
use dot_stuffing_testkit::{check, chunk, view};

struct Row {
    capture: String,
    reply: Vec<u8>,
    message: Vec<u8>,
    changes: Vec<String>,
}

fn manifest() -> Vec<Row> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/captures");
    let read = |name: &str| fs::read(directory.join(name)).expect(name);
    let manifest = String::from_utf8(read("manifest.tsv")).expect("UTF-8");
    let rows = manifest.lines().skip(1).map(|row| {
        let fields: Vec<&str> = row.split('\t').collect();
        let [_, capture, message, _, changes] = fields[..] else {
            panic!("five fields: {row}");
        };
        Row {
            capture: capture.to_owned(),
            reply: read(capture),
            message: read(message),
            changes: changes.split(',').map(str::to_owned).collect(),
        }
    });
    rows.collect()
}

/// The lines of `octets`, each with its line end.
fn lines<'a>(octets: &'a [u8], line_end: &[u8]) -> Vec<&'a [u8]> {
    let mut lines = Vec::new();
    let mut start = 0;
    for at in 0..octets.len() {
        if octets[start..=at].ends_with(line_end) {
            lines.push(&octets[start..=at]);
            start = at + 1;
        }
    }
    if start < octets.len() {
        lines.push(&octets[start..]);
    }
    lines
}

fn change(name: &str, message: Vec<u8>) -> Vec<u8> {
    match name {
        "-" => message,
        "lf-to-crlf" => {
            let mut changed = Vec::new();
            for octet in message {
                if octet == b'\n' && !changed.ends_with(b"\r") {
                    changed.push(b'\r');
                }
                changed.push(octet);
            }
            changed
        }
        "crlf-appended" => [&message, &b"\r\n"[..]].concat(),
        "head:3" => {
            let lines = lines(&message, b"\r\n");
            let header = lines.iter().position(|&line| line == b"\r\n");
            let header = header.expect("a message with a body");
            lines[..(header + 4).min(lines.len())].concat()
        }
        "first-dot-lost" => message.strip_prefix(b".").expect("a dot").to_vec(),
        "ends-at-first-line" => Vec::new(),
        "never-ends" => [&message, &b".\r\n"[..]].concat(),
        "nul-cuts-message" => {
            let mut lines = lines(&message, b"\n");
            let cut = lines.iter().position(|line| line.starts_with(b"\0"));
            lines.truncate(cut.expect("a line that begins with NUL"));
            lines.concat()
        }
        "nul-cuts-line" => {
            let cut = |line: &&[u8]| match line.iter().position(|&octet| octet == 0) {
                Some(nul) if line.ends_with(b"\n") => [&line[..nul], b"\n"].concat(),
                Some(nul) => line[..nul].to_vec(),
                None => line.to_vec(),
            };
            lines(&message, b"\n")
                .iter()
                .map(cut)
                .collect::<Vec<_>>()
                .concat()
        }
        "cr-1023-lost" => {
            let keeps = |line: &[u8], at: usize| {
                line[at] != b'\r' || (at + 1) % 1023 != 0 || line.get(at + 1) == Some(&b'\n')
            };
            let kept = |line: &&[u8]| -> Vec<u8> {
                (0..line.len())
                    .filter(|&at| keeps(line, at))
                    .map(|at| line[at])
                    .collect()
            };
            lines(&message, b"\n")
                .iter()
                .map(kept)
                .collect::<Vec<_>>()
                .concat()
        }
        unknown => panic!("unknown change {unknown}"),
    }
}

/// The message in a reply, its proof, and the octets after it.
fn decode(block: &[u8]) -> (Vec<u8>, Result<Complete, ErrorKind>, usize) {
    let mut decoder = MultilineDecoder::new();
    let mut message = Vec::new();
    let mut rest = block;
    for octets in decoder.feed(&mut rest) {
        message.extend_from_slice(octets.expect("no policy refuses anything"));
    }
    (
        message,
        decoder.finish().map_err(|error| error.kind()),
        rest.len(),
    )
}

#[test]
fn each_capture_decodes_to_the_message_that_was_served() {
    let rows = manifest();
    assert!(rows.len() > 40);
    for row in rows {
        let mut lines = LineDecoder::<512>::new();
        let status = lines.decode(&row.reply).expect(&row.capture);
        let status_line = status.event.expect("a status line");
        let block = &row.reply[status.consumed..];
        let has = |name: &str| row.changes.iter().any(|change| change == name);
        if has("refused") {
            assert!(
                status_line.starts_with(b"-ERR") && block.is_empty(),
                "{}",
                row.capture
            );
            continue;
        }
        assert!(status_line.starts_with(b"+OK"), "{}", row.capture);

        let served = row
            .changes
            .iter()
            .fold(row.message, |message, name| change(name, message));
        let (message, complete, rest) = decode(block);
        assert!(
            message == served,
            "{} decodes to what was served",
            row.capture
        );
        assert_eq!(rest > 0, has("ends-at-first-line"), "{}", row.capture);
        match has("never-ends") {
            true => assert_eq!(complete, Err(ErrorKind::Truncated)),
            false => assert_eq!(complete.map(|proof| proof.octets), Ok(served.len() as u64)),
        }
        if block.len() < 10_000 {
            check::multiline_decode(view::decoders(), block);
        }
    }
}

#[test]
fn a_reply_cut_anywhere_is_truncated() {
    for row in manifest().iter().filter(|row| row.reply.len() < 3000) {
        let block = &row.reply[row
            .reply
            .iter()
            .position(|&octet| octet == b'\n')
            .map_or(0, |lf| lf + 1)..];
        let (_, whole, rest) = decode(block);
        let Ok(_) = whole else { continue };
        for cut in 0..block.len() - rest {
            assert_eq!(
                decode(&block[..cut]).1,
                Err(ErrorKind::Truncated),
                "{}",
                row.capture
            );
        }
        for plan in chunk::plans(block, 1) {
            let mut decoder = MultilineDecoder::new();
            for mut chunk in plan {
                if decoder.finish().is_err() {
                    decoder.feed(&mut chunk).for_each(drop);
                }
            }
            assert_eq!(decoder.finish().map_err(|error| error.kind()), whole);
        }
    }
}
