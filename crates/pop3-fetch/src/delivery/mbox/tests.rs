//! What recovery of an mbox leaves in it, for every point where a write may have
//! broken off.

use std::{
    fs,
    io::{Read as _, Seek as _},
};

use super::*;

const MESSAGES: [&str; 2] = [
    "From b\nSubject: 1\n\n",
    "From c\nSubject: 2\n\nFrox\nFx\n\n",
];

fn file(octets: &[u8]) -> fs::File {
    let file = tempfile::tempfile().unwrap();
    File::write(&file, octets, 0).unwrap();
    file
}

fn octets(mut file: &fs::File) -> Vec<u8> {
    let mut octets = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut octets).unwrap();
    octets
}

/// An mbox that starts with `before`, a region for the messages after that, and
/// the end of each message.
fn region(before: &str) -> (fs::File, fs::File, Region, Vec<u64>) {
    let (mbox, spool) = (file(before.as_bytes()), file(MESSAGES.concat().as_bytes()));
    let region = Region::behind(&mbox, spool.size().unwrap()).unwrap();
    let mut names = Vec::new();
    let mut begin = 0;
    for message in MESSAGES {
        names.push(region.name(begin, message.len() as u64));
        begin += message.len() as u64;
    }
    let (parsed, ends) = Region::of(names.iter().map(String::as_str)).unwrap();
    assert_eq!(parsed, region);
    (mbox, spool, region, ends)
}

const BEFORE: [(&str, &str); 4] = [
    ("", ""),
    ("From a\n\n", ""),
    ("From a\n", "\n"),
    ("From a", "\n\n"),
];

#[test]
fn an_empty_line_precedes_the_first_message() {
    for (before, separator) in BEFORE {
        let (mbox, spool, region, ends) = region(before);
        region.write(&mbox, &spool, region.octets).unwrap();
        let expected = [before, separator, &MESSAGES.concat()].concat();
        assert_eq!(octets(&mbox), expected.as_bytes());
        let lengths = MESSAGES.map(|message| message.len() as u64);
        assert_eq!(ends, [lengths[0], lengths[0] + lengths[1]]);
        region.cut(&mbox).unwrap();
        assert_eq!(octets(&mbox), before.as_bytes());
    }
    // File names in an earlier form do not tell which separator was used.
    let (earlier, _) = Region::of(["5+3", "8+2"].into_iter()).unwrap();
    let expected = Region {
        start: 5,
        separator: 0,
        octets: 5,
    };
    assert_eq!(earlier, expected);
    assert!(Region::of(["1+3-2"].into_iter()).is_none());
}

#[test]
fn copies_a_spool_of_several_blocks() {
    let spooled: Vec<u8> = (0..2 * spool::BLOCK).map(|at| (at % 251) as u8).collect();
    let (mbox, spool) = (file(b"From "), file(&spooled));
    copy(&mbox, 5, &spool, spooled.len() as u64).unwrap();
    assert!(octets(&mbox) == [b"From ", &spooled[..]].concat());
}

#[test]
fn removes_nothing_that_another_program_has_appended() {
    let (mbox, spool, region, _) = region("From a\n\n");
    region.write(&mbox, &spool, region.octets).unwrap();
    File::write(&mbox, b"From x\n\n", region.end()).unwrap();
    let before = octets(&mbox);
    assert!(region.cut(&mbox).is_err());
    assert_eq!(octets(&mbox), before);
}

/// The possible remains of a region after a killed run: its first `written`
/// octets, of which one or all never reached the disk.
fn leftovers(region: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..=region.len()).flat_map(move |written| {
        let whole = region[..written].to_vec();
        let gaps = (0..written).flat_map(|at| [(at, 0), (at, b'\n')]);
        let gaps = gaps.map(|(at, gap)| {
            let mut octets = region[..written].to_vec();
            octets[at] = gap;
            octets
        });
        let all: Vec<_> = [whole, vec![0; written]].into_iter().chain(gaps).collect();
        all.into_iter().map(move |octets| (written, octets))
    })
}

#[test]
fn finishes_a_region_wherever_it_was_broken_off() {
    for (before, separator) in BEFORE {
        let expected = [before, separator, &MESSAGES.concat()].concat();
        for (_, left) in leftovers(&expected.as_bytes()[before.len()..]) {
            let (mbox, spool, region, ends) = region(before);
            File::write(&mbox, &left, region.start).unwrap();
            let kept = region.recover(&mbox, &spool, &ends).unwrap();
            assert_eq!(kept, region.octets, "{}", left.escape_ascii());
            let found = octets(&mbox);
            assert_eq!(found.escape_ascii().to_string(), {
                expected.as_bytes().escape_ascii().to_string()
            });
        }
    }
}

/// The mbox then keeps the whole messages, and only the first line of the
/// unfinished one.
#[test]
fn keeps_what_another_program_has_appended_meanwhile() {
    const OTHER: &[u8] = b"From x\nSubject: of another program\n\n";
    for (before, separator) in BEFORE {
        let expected = [before, separator, &MESSAGES.concat()].concat();
        let expected = expected.as_bytes();
        for (written, left) in leftovers(&expected[before.len()..]) {
            let (mbox, spool, region, ends) = region(before);
            File::write(&mbox, &left, region.start).unwrap();
            let end = before.len() + written;
            File::write(&mbox, OTHER, end as u64).unwrap();
            let kept = region.recover(&mbox, &spool, &ends).unwrap();
            let said = format!("{before:?} {}", left.escape_ascii());

            let own = written.saturating_sub(separator.len()) as u64;
            let whole = ends.iter().copied().filter(|end| *end <= own).max();
            assert_eq!(kept, whole.unwrap_or(0), "{said}");
            let found = octets(&mbox);
            assert_eq!(&found[end..], OTHER, "{said}");
            let begin = (before.len() + separator.len() + kept as usize).min(end);
            assert_eq!(found[..before.len()], expected[..before.len()], "{said}");
            if kept > 0 {
                assert_eq!(found[..begin], expected[..begin], "{said}");
            }
            let rest = &found[begin..end];
            let is_blank = rest.iter().all(|octet| matches!(octet, b'\n' | 0));
            let first_line = "From c\n".len();
            assert!(is_blank || rest.len() <= first_line, "{said}: {found:?}");
        }
    }
}

#[test]
fn does_not_change_an_mbox_that_another_program_has_rewritten() {
    let like_ours = "From a\nSubject: that is here\n\nFrom b\nX: 1\n\n";
    for other in ["", "From x\n\n", like_ours] {
        let (_, spool, region, ends) = region("From a\nSubject: that is gone\n\n");
        let mbox = file(other.as_bytes());
        assert_eq!(region.recover(&mbox, &spool, &ends).unwrap(), 0);
        assert_eq!(octets(&mbox), other.as_bytes());
    }
}
