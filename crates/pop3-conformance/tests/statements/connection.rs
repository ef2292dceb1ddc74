//! C0001 over a real connection: client and server, each in a blocking driver,
//! on the two ends of TCP over loopback.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use pop3_proto::{
    Argument, Command, MessageNumber, Profile, Secret,
    client::{self, Event, State, Transport},
    server::{self, Closed, Verdict},
};

use crate::server::{MESSAGES, Three};

/// So that a test that would hang fails.
const LONG: Duration = Duration::from_secs(20);

/// Logs in, fetches the second message and says goodbye. `before_reading` is
/// called when all that is to be sent is sent.
fn drive_client(
    mut stream: TcpStream,
    mut before_reading: impl FnMut(&client::Session),
) -> io::Result<(State, Vec<u8>)> {
    let now = Instant::now();
    let config = client::Config::new(Profile::OUTLOOK_2024, Transport::Cleartext);
    let mut session = client::Session::new(config, now);
    let mut script = [
        Command::User(Argument::new("mrose").expect("a name")),
        Command::Pass(Secret::new("right").expect("a password")),
        Command::Retr(MessageNumber::new(2).expect("a number")),
        Command::Quit,
    ]
    .into_iter()
    .peekable();
    let (mut message, mut buffer) = (Vec::new(), [0; 256]);
    while !matches!(session.state(), State::Update | State::Closed) {
        // It tries from the start: it is the session that waits.
        if session.is_idle()
            && let Some(command) = script.peek()
        {
            match session.enqueue(now, command) {
                Ok(()) => script.next(),
                Err(_) if session.state() == State::Greeting => None,
                Err(error) => return Err(io::Error::other(error)),
            };
        }
        while let Some(octets) = session.poll_transmit() {
            stream.write_all(octets)?;
            let octets = octets.len();
            session.transmitted(octets);
        }
        before_reading(&session);
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            session.handle_eof().map_err(io::Error::other)?;
        }
        let mut input = &buffer[..read];
        while !input.is_empty() {
            let step = session.handle_input(now, input).map_err(io::Error::other)?;
            if let Some(Event::Data(octets)) = step.event {
                message.extend_from_slice(octets);
            }
            input = &input[step.consumed..];
        }
    }
    Ok((session.state(), message))
}

fn drive_server(mut stream: TcpStream) -> io::Result<Closed> {
    let now = Instant::now();
    let config = server::Config::new().dangerous_plaintext_without_tls(true);
    let mut session = server::Session::new(config, now);
    let (mut kept, mut buffer) = (Vec::new(), [0; 256]);
    loop {
        while let Some(octets) = session.poll_transmit() {
            stream.write_all(octets)?;
            let octets = octets.len();
            session.handle_transmitted(now, octets);
        }
        match session.poll_event() {
            Some(server::Event::Closed(closed)) => return Ok(closed),
            Some(server::Event::Login(_)) => session.answer(now, Verdict::Accept(Three)),
            Some(event) => panic!("nobody asked for {event:?}"),
            None => {
                if kept.is_empty() {
                    let read = stream.read(&mut buffer)?;
                    kept.extend_from_slice(&buffer[..read]);
                    if read == 0 {
                        session.handle_eof();
                    }
                }
                let consumed = session.handle_input(now, &kept);
                kept.drain(..consumed);
            }
        }
    }
}

#[test]
fn c0001_the_client_makes_one_tcp_connection_and_waits_for_the_greeting() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (waits, client_waits) = mpsc::channel();
    let client = thread::spawn(move || {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LONG))?;
        drive_client(stream, |session| {
            // Nobody listens any more once the greeting is sent.
            let _ = waits.send(session.state());
        })
    });
    let (stream, _) = listener.accept().expect("a connection");
    stream.set_read_timeout(Some(LONG)).expect("a timeout");

    // The client has sent all that it has to send, and that is nothing.
    assert_eq!(client_waits.recv_timeout(LONG), Ok(State::Greeting));
    stream.set_nonblocking(true).expect("a socket");
    let before = stream.peek(&mut [0]).map_err(|error| error.kind());
    assert_eq!(before, Err(io::ErrorKind::WouldBlock));
    stream.set_nonblocking(false).expect("a socket");

    assert_eq!(drive_server(stream).expect("a session"), Closed::Updated);
    let (state, message) = client.join().expect("no panic").expect("a session");
    assert_eq!((state, &*message), (State::Update, MESSAGES[1]));
    listener.set_nonblocking(true).expect("a listener");
    let second = listener.accept().map_err(|error| error.kind());
    assert!(
        matches!(second, Err(io::ErrorKind::WouldBlock)),
        "{second:?}"
    );
}

/// A connection that the server closes before its greeting is no session.
#[test]
fn c0001_a_connection_without_a_greeting_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let stream = TcpStream::connect(address).expect("a connection");
    drop(listener.accept().expect("a connection"));
    let error = drive_client(stream, |_| {}).expect_err("no greeting");
    let error = error.into_inner().expect("one of the session");
    let closed = client::SessionError::Closed(None);
    assert_eq!(error.downcast_ref(), Some(&closed));
}
