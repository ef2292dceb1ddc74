//! Parses a trace.

use pop3_proto::{MessageNumber, Profile, UniqueId, client::Transport};

use super::{Item, ServerSetup, Side, Trace, TraceError, error};
use crate::octets;

pub(super) fn trace(text: &str) -> Result<Trace, TraceError> {
    let mut trace = Trace {
        client: None,
        server: None,
        mail: Vec::new(),
        logins: Vec::new(),
        items: Vec::new(),
    };
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let parsed = parse_line(&mut trace, line);
        match parsed {
            Ok(Some(item)) => trace.items.push((number, item)),
            Ok(None) => {}
            Err(what) => return error(number, what),
        }
    }
    if trace.client.is_none() && trace.server.is_none() {
        return error(text.lines().count(), "no `replay:` line says against what");
    }
    if trace.items.is_empty() {
        return error(text.lines().count(), "nothing happens in it");
    }
    Ok(trace)
}

/// Returns the event that a line describes; `None` if the line describes the setup.
fn parse_line(trace: &mut Trace, line: &str) -> Result<Option<Item>, String> {
    let (key, text) = match line.split_once(':') {
        Some((key, text)) => (key, text.strip_prefix(' ').unwrap_or(text)),
        None => (line, ""),
    };
    let number = || -> Result<u64, String> {
        let number = text.trim().parse();
        number.map_err(|_| format!("`{text}` is no number"))
    };
    let item = match key {
        "replay" => return replay(trace, text).map(|()| None),
        "mail" => {
            let (unique_id, text) = text.split_once(' ').unwrap_or((text, ""));
            UniqueId::new(unique_id.as_bytes())
                .map_err(|_| format!("`{unique_id}` is no unique-id"))?;
            trace
                .mail
                .push((unique_id.to_owned(), octets::unescape(text)?));
            return Ok(None);
        }
        "login" => {
            let is_known = matches!(
                text,
                "accept" | "reject" | "in-use" | "login-delay" | "temporary" | "permanent"
            ) || text == "challenge"
                || text.starts_with("challenge ");
            if !is_known {
                return Err(format!("`{text}` answers no login"));
            }
            trace.logins.push(text.to_owned());
            return Ok(None);
        }
        "C" => Item::Octets(Side::Client, octets::parse(text)?),
        "S" => Item::Octets(Side::Server, octets::parse(text)?),
        "C-eof" => Item::Eof(Side::Client),
        "S-eof" => Item::Eof(Side::Server),
        "E" => Item::Event(Side::Client, text.to_owned()),
        "V" => Item::Event(Side::Server, text.to_owned()),
        "ask" => Item::Ask(octets::unescape(text)?),
        "refused" => match text.rsplit_once(" => ") {
            Some((command, why)) => Item::Refused(octets::unescape(command)?, why.to_owned()),
            None => return Err("` => ` and why it is refused is missing".to_owned()),
        },
        "held" => {
            let number = u32::try_from(number()?).ok().and_then(MessageNumber::new);
            Item::Held(number.ok_or("no message-number")?.get())
        }
        "state" => Item::State(text.to_owned()),
        "tls" => Item::Tls,
        "wait" => Item::Wait(number()?),
        _ => return Err(format!("`{key}` is no kind of line")),
    };
    Ok(Some(item))
}

fn replay(trace: &mut Trace, text: &str) -> Result<(), String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["client", profile, transport] => {
            let transport = match transport {
                "cleartext" => Transport::Cleartext,
                "stls" => Transport::StlsRequired,
                "tls" => Transport::Tls,
                _ => return Err(format!("`{transport}` is no transport")),
            };
            let found = Profile::by_name(profile);
            let profile = found.ok_or_else(|| format!("`{profile}` is no profile"))?;
            trace.client = Some((profile, transport));
        }
        [
            "server",
            tls @ ("none" | "offered" | "active"),
            ref options @ ..,
        ] => {
            let mut setup = ServerSetup {
                tls: tls.to_owned(),
                ..ServerSetup::default()
            };
            for option in options {
                match option.split_once('=') {
                    None if *option == "plaintext" => setup.plaintext = true,
                    None if *option == "trouble" => setup.in_trouble = true,
                    None if *option == "utf8" => setup.utf8 = true,
                    Some(("apop", stamp)) => setup.apop = Some(stamp.to_owned()),
                    Some(("sasl", names)) => {
                        setup.sasl = names.split(',').map(Into::into).collect();
                    }
                    _ => return Err(format!("`{option}` is no option of a server")),
                }
            }
            trace.server = Some(setup);
        }
        _ => return Err(format!("`{text}` is nothing to replay against")),
    }
    Ok(())
}
