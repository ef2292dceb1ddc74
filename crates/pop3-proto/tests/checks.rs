//! The parsers against the oracles, on generated lines and on the corpus; the
//! sessions against hostile peers, the corpus and the traces, and against each
//! other.

use dot_stuffing_testkit::generate::Octets;
use pop3_testkit::{
    check, corpus, generate,
    trace::{self, Trace},
    view,
};
use proptest::prelude::*;

fn replay(target: &str, check: impl Fn(&[u8])) {
    let inputs = corpus::inputs(target);
    assert!(!inputs.is_empty(), "there is a corpus for {target}");
    for (name, input) in inputs {
        println!("{name}");
        check(&input);
    }
}

fn command(line: &[u8]) {
    check::command(view::commands, line);
}

fn reply(line: &[u8]) {
    check::reply(&view::REPLY_LINES, line);
    check::reply_is_sound(line);
}

fn duplex(input: &[u8]) {
    check::duplex(&generate::Script::read(input));
}

fn response(input: &[u8]) {
    check::response(view::replies, &Octets::expand(input).0);
}

#[test]
fn command_corpus() {
    replay("command", command);
}

#[test]
fn reply_corpus() {
    replay("reply", reply);
}

#[test]
fn response_corpus() {
    replay("response", response);
}

#[test]
fn client_session_corpus() {
    replay("client_session", |input| {
        check::client_session(view::client, &Octets::expand(input).0);
    });
}

#[test]
fn server_session_corpus() {
    replay("server_session", |input| {
        check::server_session(view::server, &Octets::expand(input).0);
    });
}

#[test]
fn duplex_corpus() {
    replay("duplex", duplex);
}

#[test]
fn every_trace_replays() {
    let traces = trace::all().unwrap_or_else(|error| panic!("{error}"));
    for (name, trace) in &traces {
        if let Err(error) = trace.replay(view::client, view::server) {
            panic!("{name}: {error}");
        }
    }
    let count =
        |is_for: fn(&Trace) -> bool| traces.iter().filter(|(_, trace)| is_for(trace)).count();
    assert!(count(Trace::is_for_clients) > 40 && count(Trace::is_for_servers) > 10);
}

proptest! {
    #[test]
    fn commands(line in generate::command_lines()) {
        command(&line);
    }

    #[test]
    fn replies(line in generate::reply_lines()) {
        reply(&line);
    }

    #[test]
    fn client_sessions(input in generate::client_sessions()) {
        check::client_session(view::client, &Octets::expand(&input).0);
    }

    #[test]
    fn server_sessions(input in generate::server_sessions()) {
        check::server_session(view::server, &Octets::expand(&input).0);
    }

    #[test]
    fn responses(input in generate::responses()) {
        response(&input);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn sessions_joined(input in generate::scripts()) {
        duplex(&input);
    }
}
