//! Reads scenarios from files. `scenarios/README.md` describes the format.

use std::{fmt, time::Duration};

use serde::Deserialize;

use super::{Certificate, Message, Rule, Scenario, Then, Transport, When};
use crate::audit::{maildrop, octets};

/// The most scenarios of a family.
const FAMILY_MAX: usize = 400;

/// The word that `lengths` replaces by a length.
const LENGTH: &str = "LENGTH";

/// Why a text is not a valid scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    family: String,
    what: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scenario {}: {}", self.family, self.what)
    }
}

impl core::error::Error for ScenarioError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    why: String,
    #[serde(default)]
    shows: Vec<String>,
    seen: Option<String>,
    #[serde(default)]
    transport: Transport,
    #[serde(default)]
    certificate: Certificate,
    #[serde(default)]
    may_refuse: bool,
    #[serde(default)]
    never: Vec<String>,
    #[serde(default)]
    lockstep: bool,
    capabilities: Option<Vec<String>>,
    #[serde(default)]
    empty: bool,
    #[serde(default)]
    octet_by_octet: bool,
    #[serde(default)]
    interleaved: bool,
    /// The lengths to run it with, each in place of `LENGTH`.
    lengths: Option<Vec<usize>>,
    #[serde(default, rename = "message")]
    messages: Vec<MessageTable>,
    #[serde(default, rename = "reply")]
    replies: Vec<ReplyTable>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MessageTable {
    #[serde(default)]
    wire: String,
    stored: Option<String>,
    or: Option<String>,
    #[serde(default)]
    bare: bool,
    status: Option<String>,
    end: Option<String>,
    whole: Option<bool>,
    #[serde(default)]
    hidden: bool,
    size: Option<String>,
    unique_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ReplyTable {
    to: String,
    #[serde(default)]
    when: When,
    times: Option<u32>,
    send: Option<String>,
    #[serde(default)]
    cuts: Vec<usize>,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    then: Then,
    sweep: Option<Sweep>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sweep {
    /// The connection is closed after each number of octets.
    Close,
    /// The answer is sent in two pieces, cut at each offset.
    Cut,
}

pub(super) fn parse(family: &str, text: &str) -> Result<Vec<Scenario>, ScenarioError> {
    let wrong = |what: String| ScenarioError {
        family: family.to_owned(),
        what,
    };
    let file: File = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if file.why.trim().is_empty() || file.why.contains('\n') {
        return Err(wrong("`why` must be one line".to_owned()));
    }
    let scenarios = match &file.lengths {
        None => vec![scenario(family, &file, None).map_err(wrong)?],
        Some(lengths) => lengths
            .iter()
            .map(|&length| scenario(family, &file, Some(length)))
            .collect::<Result<_, _>>()
            .map_err(wrong)?,
    };
    let swept: Vec<(usize, Sweep)> = (file.replies.iter().enumerate())
        .filter_map(|(at, reply)| Some((at, reply.sweep?)))
        .collect();
    let scenarios = match swept[..] {
        [] => scenarios,
        [(rule, sweep)] if file.lengths.is_none() => {
            spread(&scenarios[0], rule, sweep).map_err(wrong)?
        }
        _ => return Err(wrong("use only one `sweep` or `lengths`".to_owned())),
    };
    match scenarios.len() {
        1..=FAMILY_MAX => Ok(scenarios),
        0 => Err(wrong("the family is empty".to_owned())),
        many => Err(wrong(format!(
            "the family has {many} scenarios, more than {FAMILY_MAX}"
        ))),
    }
}

/// Makes a scenario for each offset of the octets that a rule sends.
fn spread(whole: &Scenario, rule: usize, sweep: Sweep) -> Result<Vec<Scenario>, String> {
    let swept = &whole.rules[rule];
    let message = match &swept.to[..] {
        [verb, number] if verb == "RETR" => number.parse::<usize>().ok(),
        _ => None,
    };
    let octets = match (&swept.send, message) {
        (Some(octets), _) => octets.clone(),
        (None, Some(number)) => match whole.message(number) {
            Some(message) => message.reply(),
            None => return Err(format!("there is no message {number}")),
        },
        (None, None) => return Err("`sweep` needs `send`, or RETR and a number".to_owned()),
    };
    let offsets = match sweep {
        Sweep::Close => 0..octets.len(),
        Sweep::Cut => 1..octets.len(),
    };
    Ok(offsets
        .map(|offset| {
            let mut scenario = whole.clone();
            scenario.variant = Some(offset.to_string());
            let rule = &mut scenario.rules[rule];
            match sweep {
                Sweep::Close => {
                    (rule.until, rule.then) = (Some(offset), Then::Close);
                    if let Some(number) = message {
                        scenario.messages[number - 1].whole = false;
                    }
                }
                Sweep::Cut => rule.cuts = vec![offset],
            }
            scenario
        })
        .collect())
}

fn scenario(family: &str, file: &File, length: Option<usize>) -> Result<Scenario, String> {
    let text = |text: &str| match length {
        Some(length) => text.replace(LENGTH, &length.to_string()),
        None => text.to_owned(),
    };
    let lines = |field: &str| octets::parse_lines(&text(field));
    let standard = [MessageTable::default()];
    let tables: &[MessageTable] = match &file.messages[..] {
        tables if file.empty && !tables.is_empty() => {
            return Err("`empty` excludes messages".to_owned());
        }
        [] if file.empty => &[],
        [] => &standard,
        tables => tables,
    };
    let mut messages = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        messages.push(message(family, at + 1, table, &lines)?);
    }
    let mut rules = Vec::new();
    for table in &file.replies {
        rules.push(Rule {
            to: (table.to.split(' ')).map(str::to_ascii_uppercase).collect(),
            when: table.when,
            times: table.times,
            send: table.send.as_deref().map(lines).transpose()?,
            cuts: table.cuts.clone(),
            delay: Duration::from_millis(table.delay_ms),
            until: None,
            then: table.then,
        });
    }
    let shows = file.shows.iter().map(|id| match id.parse() {
        Ok(id) if crate::statement(id).is_some() => Ok(id),
        _ => Err(format!("`{id}` is not a statement")),
    });
    let standard = || maildrop::capabilities(file.transport);
    Ok(Scenario {
        family: family.to_owned(),
        variant: length.map(|length| length.to_string()),
        why: file.why.clone(),
        shows: shows.collect::<Result<_, _>>()?,
        seen: file.seen.clone(),
        transport: file.transport,
        certificate: file.certificate,
        may_refuse: file.may_refuse,
        never: file
            .never
            .iter()
            .map(|to| to.to_ascii_uppercase())
            .collect(),
        lockstep: file.lockstep,
        capabilities: file.capabilities.clone().unwrap_or_else(standard),
        messages,
        rules,
        octet_by_octet: file.octet_by_octet,
        interleaved: file.interleaved,
    })
}

fn message(
    family: &str,
    number: usize,
    table: &MessageTable,
    lines: &impl Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<Message, String> {
    let framed = |octets: &[u8]| match table.bare {
        true => octets.to_vec(),
        false => maildrop::framed(family, number, octets),
    };
    let wire = lines(&table.wire)?;
    let mut stored = Vec::new();
    for alternative in [&table.stored, &table.or].into_iter().flatten() {
        stored.push(framed(&lines(alternative)?));
    }
    if stored.is_empty() {
        if wire.starts_with(b".") || wire.windows(3).any(|octets| octets == b"\r\n.") {
            return Err("a line begins with a dot: `stored` must say what is right".to_owned());
        }
        stored.push(framed(&wire));
    }
    let line = |text: &Option<String>, standard: &str| lines(text.as_deref().unwrap_or(standard));
    let block = [framed(&wire), line(&table.end, ".")?].concat();
    Ok(Message {
        status: line(&table.status, "+OK it comes")?,
        whole: table.whole.unwrap_or(true),
        hidden: table.hidden,
        size: (table.size.clone()).unwrap_or_else(|| stored[0].len().to_string()),
        unique_id: match &table.unique_id {
            Some(id) => octets::unescape(id)?,
            None => format!("{family}.{number}").into_bytes(),
        },
        block,
        stored,
    })
}
