//! Traces are parsed and replayed as their format says. A test of pop3-proto
//! replays those of the corpus.

use std::{cell::RefCell, time::Instant};

use pop3_proto::client::Config;
use pop3_testkit::{
    trace::Trace,
    view::{self, Client, ClientSession, ClientStep},
};

thread_local! {
    /// The longest input of each session.
    static LONGEST: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A client that records the size of its reads.
struct Notes(ClientSession);

impl Client for Notes {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.0
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        LONGEST.with_borrow_mut(|longest| {
            if let Some(longest) = longest.last_mut() {
                *longest = input.len().max(*longest);
            }
        });
        self.0.handle_input(now, input)
    }
}

#[test]
fn replays_with_whole_reads_and_reads_of_one_to_five_octets() {
    let notes = |config: Config, now| -> Box<dyn Client> {
        LONGEST.with_borrow_mut(|longest| longest.push(0));
        Box::new(Notes(ClientSession::new(config, now)))
    };
    let text = "replay: client rfc1939 tls\nS: +OK ready\nE: greeting + ready";
    let replayed = Trace::parse(text).and_then(|trace| trace.replay(notes, view::server));
    assert_eq!(replayed, Ok(()));
    assert_eq!(LONGEST.take(), [11, 1, 2, 3, 4, 5]);
}

/// Replays a trace against our client by RFC 1939 under TLS.
fn replayed(text: &str) -> String {
    let text = format!("replay: client rfc1939 tls\n{text}");
    let replayed = Trace::parse(&text).and_then(|trace| trace.replay(view::client, view::server));
    replayed.map_or_else(|error| error.to_string(), |()| "true".to_owned())
}

#[test]
fn names_the_line_of_a_malformed_trace() {
    for (text, error) in [
        ("nonsense", "line 2: `nonsense` is no kind of line"),
        ("\nX: 1", "line 3: `X` is no kind of line"),
        ("S: \\q", "line 2: `\\q` does not begin an escape"),
        ("S: \\x4", "line 2: `\\x4` does not begin an escape"),
        ("S: \\{x y}", "line 2: `\\{x y}` does not begin an escape"),
        ("wait: soon", "line 2: `soon` is no number"),
        ("held: 0", "line 2: no message-number"),
        ("login: perhaps", "line 2: `perhaps` answers no login"),
        ("mail: \u{e9} x", "line 2: `\u{e9}` is no unique-id"),
        (
            "refused: STAT",
            "line 2: ` => ` and why it is refused is missing",
        ),
        (
            "replay: client",
            "line 2: `client` is nothing to replay against",
        ),
        ("replay: client pine tls", "line 2: `pine` is no profile"),
        (
            "replay: server none fast",
            "line 2: `fast` is no option of a server",
        ),
        ("# nothing", "line 2: nothing happens in it"),
    ] {
        assert_eq!(replayed(text), error, "{text}");
    }
    let error = Trace::parse("S: +OK").map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1: no `replay:` line says against what"
    );
}

#[test]
fn names_the_line_that_does_not_match() {
    for (text, error) in [
        ("S: +OK", "line 2: the trace lacks `E: greeting + `"),
        (
            "S: +OK\nE: greeting -",
            "line 3: the event is `greeting + `, not `greeting -`",
        ),
        (
            "S: +OK\nE: greeting +\nE: more",
            "line 4: there is no event, not `more`",
        ),
        (
            "S: +OK\nE: greeting +\nstate: TRANSACTION",
            "line 4: the state is `AUTHORIZATION tls`, not `TRANSACTION`",
        ),
        (
            "S: +OK\nE: greeting +\nC: STAT",
            "line 4: our client refuses it: WrongState { keyword: \"STAT\", state: Authorization }",
        ),
        (
            "S: +OK\nE: greeting +\nask: CAPA\nS: +OK",
            "line 4: the trace lacks `C: CAPA`",
        ),
        (
            "S: +OK\nE: greeting +\nask: CAPA\nC: QUIT",
            "line 5: `QUIT\\r\\n` was not sent: the trace lacks `C: CAPA`",
        ),
        (
            "S: +OK\nE: greeting +\nrefused: CAPA => Busy",
            "line 4: it is refused by None, not `Busy`",
        ),
    ] {
        assert_eq!(replayed(text), error, "{text}");
    }
}
