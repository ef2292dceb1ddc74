//! STAT, LIST and UIDL: which messages exist.

use super::{Failure, Flaw, session::Session};

/// A message to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) number: u64,
    pub(super) size: Option<u64>,
    pub(super) unique_id: Option<Vec<u8>>,
}

/// The longest unique-id (RFC 1939 §7).
const UNIQUE_ID_MAX: usize = 70;

/// Lists all messages strictly: anything unexpected is an error.
pub(super) fn wanted(session: &mut Session) -> Result<Box<dyn Iterator<Item = Wanted>>, Failure> {
    let flaw = session.flaw;
    let none = || Ok(Box::new(std::iter::empty()) as Box<dyn Iterator<Item = Wanted>>);
    let stat = session.ask("STAT")?;
    session.stat.clone_from(&stat);
    if flaw == Some(Flaw::StatIsBelieved) {
        let count = loop_bound(&stat);
        return Ok(Box::new((1..=count).map(numbered)));
    }
    let fields = fields(&stat);
    let blank = !stat.is_empty() && fields.iter().any(|field| field.is_empty());
    if flaw == Some(Flaw::BlanksAreFields) && blank {
        return none();
    }
    let count = match &filled(&fields)[..] {
        [count, octets, ..] if number(octets).is_some() => number(count),
        _ => None,
    };
    let count = count.ok_or("the answer to STAT is malformed")?;
    while count == 0 && flaw == Some(Flaw::PollsWhenEmpty) {
        session.ask("STAT")?;
    }
    let Some(list) = session.listing("LIST")? else {
        return match flaw {
            Some(Flaw::NoListNoMail) => none(),
            _ => Ok(Box::new((1..=count.min(1000)).map(numbered))),
        };
    };
    let closed = |lines: &[Vec<u8>]| {
        flaw == Some(Flaw::ListingEndsWithTheConnection) && count > 0 && lines.is_empty()
    };
    if closed(&list) {
        return none();
    }
    let listed = match flaw {
        Some(Flaw::NumbersByPosition) => (1..).take(list.len()).map(numbered).collect(),
        _ => sizes(&list, flaw)?,
    };
    let strict = !matches!(
        flaw,
        Some(
            Flaw::ListLinesAreMessages
                | Flaw::ListNumbersWrap
                | Flaw::NumbersByPosition
                | Flaw::DeletesWithoutLooking
        )
    );
    let skipped = flaw == Some(Flaw::BlanksAreFields) && listed.len() < list.len();
    if strict && !skipped && !listed.iter().map(|one| one.number).eq(1..=count) {
        return Err("LIST and STAT do not agree".into());
    }
    let Some(lines) = session.listing("UIDL")? else {
        return match flaw {
            Some(Flaw::NoUidlNoMail) => none(),
            _ => Ok(Box::new(listed.into_iter())),
        };
    };
    if closed(&lines) {
        return none();
    }
    let ids = match unique_ids(&lines, flaw) {
        Err(_) if flaw == Some(Flaw::MalformedUidlNoMail) => return none(),
        ids => ids?,
    };
    let by_uidl = matches!(
        flaw,
        Some(Flaw::UidlLinesAreMessages | Flaw::UidlNumbersWrap | Flaw::BlanksAreFields)
    );
    if by_uidl {
        let listed = listed.into_iter().map(|one| one.number).collect::<Vec<_>>();
        let ids = ids.into_iter();
        let both = ids.filter(move |(number, _)| {
            flaw != Some(Flaw::BlanksAreFields) || listed.contains(number)
        });
        return Ok(Box::new(both.map(|(number, id)| Wanted {
            unique_id: Some(id),
            ..numbered(number)
        })));
    }
    let lenient = matches!(
        flaw,
        Some(
            Flaw::ListLinesAreMessages
                | Flaw::ListNumbersWrap
                | Flaw::NumbersByPosition
                | Flaw::DeletesWithoutLooking
                | Flaw::EmptyUidIsSeen
                | Flaw::UnprintableUidIsSeen
        )
    );
    if !lenient && !ids.iter().map(|(number, _)| *number).eq(1..=count) {
        return Err("UIDL and STAT do not agree".into());
    }
    if matches!(
        flaw,
        Some(Flaw::ListLinesAreMessages | Flaw::ListNumbersWrap)
    ) {
        let id = move |one: Wanted| Wanted {
            unique_id: ids
                .iter()
                .find(|id| id.0 == one.number)
                .map(|id| id.1.clone()),
            ..one
        };
        return Ok(Box::new(listed.into_iter().map(id)));
    }
    with_ids(session, listed, &ids)
}

/// The messages whose unique-ids were not seen earlier in this listing.
fn with_ids(
    session: &mut Session,
    listed: Vec<Wanted>,
    ids: &[(u64, Vec<u8>)],
) -> Result<Box<dyn Iterator<Item = Wanted>>, Failure> {
    let flaw = session.flaw;
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut wanted = Vec::new();
    for one in listed {
        let id = ids.iter().find(|(number, _)| *number == one.number);
        let Some((number, id)) = id else {
            if !matches!(
                flaw,
                Some(Flaw::EmptyUidIsSeen | Flaw::UnprintableUidIsSeen)
            ) {
                wanted.push(one);
            }
            continue;
        };
        let key = match flaw {
            Some(Flaw::UidCutAt69) => &id[..id.len().min(UNIQUE_ID_MAX - 1)],
            _ => id,
        };
        match (seen.iter().any(|known| known == key), flaw) {
            (false, _) => {
                seen.push(key.to_vec());
                wanted.push(Wanted {
                    unique_id: Some(id.clone()),
                    ..one
                });
            }
            (true, Some(Flaw::EqualUidIsSeen)) => {
                session.ask(&format!("DELE {number}"))?;
            }
            (true, Some(Flaw::UidCutAt69)) => {}
            (true, _) => return Err("two messages have one unique-id".into()),
        }
    }
    Ok(Box::new(wanted.into_iter()))
}

fn numbered(number: u64) -> Wanted {
    Wanted {
        number,
        size: None,
        unique_id: None,
    }
}

/// The count in a STAT reply, as read by clients that loop up to it.
fn loop_bound(stat: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(stat).into_owned();
    let mut fields = text.split_ascii_whitespace();
    let (Some(count), Some(_)) = (fields.next(), fields.next()) else {
        return 0;
    };
    match (count.parse::<i64>(), count.parse::<u128>()) {
        (Ok(count), _) => count.cast_unsigned(),
        (_, Ok(_)) => u64::MAX,
        _ => 0,
    }
}

fn fields(line: &[u8]) -> Vec<&[u8]> {
    line.split(|octet| matches!(octet, b' ' | b'\t')).collect()
}

fn filled<'a>(fields: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let fields = fields.iter().copied();
    fields.filter(|field| !field.is_empty()).collect()
}

fn number(field: &[u8]) -> Option<u64> {
    let digits = field.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(field).ok()?.parse::<u32>().ok()?;
    digits.then_some(number.into())
}

/// The number truncated to 32 bits, whatever it is.
fn wrapped(field: &[u8]) -> Option<u64> {
    let number: i128 = std::str::from_utf8(field).ok()?.parse().ok()?;
    Some(u64::from(number as u32))
}

fn sizes(lines: &[Vec<u8>], flaw: Option<Flaw>) -> Result<Vec<Wanted>, Failure> {
    let parse = match flaw {
        Some(Flaw::ListNumbersWrap) => wrapped,
        _ => number,
    };
    let mut listed = Vec::new();
    for line in lines {
        let fields = fields(line);
        if flaw == Some(Flaw::BlanksAreFields) && fields.iter().any(|field| field.is_empty()) {
            continue;
        }
        let (wanted, size) = match &filled(&fields)[..] {
            [wanted, size, ..] => (parse(wanted), number(size)),
            _ => (None, None),
        };
        let wanted = wanted.ok_or("a line of LIST is malformed")?;
        listed.push(Wanted {
            size,
            ..numbered(wanted)
        });
    }
    Ok(listed)
}

fn unique_ids(lines: &[Vec<u8>], flaw: Option<Flaw>) -> Result<Vec<(u64, Vec<u8>)>, Failure> {
    let parse = match flaw {
        Some(Flaw::UidlNumbersWrap) => wrapped,
        _ => number,
    };
    let mut ids = Vec::new();
    for line in lines {
        let fields = fields(line);
        if flaw == Some(Flaw::BlanksAreFields) && fields.iter().any(|field| field.is_empty()) {
            continue;
        }
        let (wanted, id) = match &filled(&fields)[..] {
            [wanted, id] => (parse(wanted), *id),
            [_] if flaw == Some(Flaw::EmptyUidIsSeen) => continue,
            _ => return Err("a line of UIDL is malformed".into()),
        };
        let printable = id.iter().all(|octet| (0x21..=0x7E).contains(octet));
        let long = id.len() > UNIQUE_ID_MAX;
        match flaw {
            Some(Flaw::UnprintableUidIsSeen) if !printable => continue,
            Some(Flaw::UidOverflows) if long => std::process::abort(),
            Some(Flaw::UidCutAt69) if printable => {}
            _ if long || !printable => return Err("a unique-id is malformed".into()),
            _ => {}
        }
        ids.push((wanted.ok_or("a line of UIDL is malformed")?, id.to_vec()));
    }
    Ok(ids)
}
