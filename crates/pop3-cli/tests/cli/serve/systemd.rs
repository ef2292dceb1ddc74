//! What `pop3 serve` takes from systemd, and what it tells it.

use std::{
    io::{BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    process::{Command, Stdio},
};

use rustix::process::Signal;
use tempfile::TempDir;

use super::{Client, Server};
use crate::pop3;

/// The socket at which a service manager listens.
pub(super) struct Manager {
    directory: TempDir,
    socket: UnixDatagram,
}

impl Manager {
    pub(super) fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
        Self { directory, socket }
    }

    pub(super) fn start(&self, arguments: &[&str]) -> Server {
        let mut command = pop3(["serve", "--listen", "127.0.0.1:0"]);
        let socket = self.directory.path().join("notify");
        command.args(arguments).env("NOTIFY_SOCKET", socket);
        let server = Server::start(command);
        self.waits_for("READY=1");
        server
    }

    /// Waits for a message that must be the next one.
    pub(super) fn waits_for(&self, state: &str) {
        let mut message = [0; 256];
        let octets = self.socket.recv(&mut message).unwrap();
        let message = str::from_utf8(&message[..octets]).unwrap();
        assert_eq!(message.lines().next(), Some(state), "{message}");
    }

    /// Sends SIGHUP, and waits until the server has read its files.
    pub(super) fn reload(&self, server: &Server) {
        server.signal(Signal::HUP);
        self.waits_for("RELOADING=1");
        self.waits_for("READY=1");
    }
}

#[test]
fn says_when_it_is_ready_and_when_it_stops() {
    let manager = Manager::new();
    let server = manager.start(&["--demo"]);
    drop(server.client());
    server.signal(Signal::TERM);
    manager.waits_for("STOPPING=1");
    assert_eq!(server.done().0, Some(0));
}

/// A server on the sockets of `LISTEN_FDS`: 3 and 4, which the shell takes from
/// standard input and standard error.
fn activated(names: &str) -> (Server, [String; 2]) {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = listeners
        .each_ref()
        .map(|listener| listener.local_addr().unwrap().to_string());
    let [third, fourth] = listeners.map(|listener| Stdio::from(OwnedFd::from(listener)));
    let mut command = Command::new("sh");
    let script = "exec 3<&0 4<&2 0</dev/null 2>/dev/null
        export LISTEN_PID=$$ LISTEN_FDS=2
        exec \"$0\" serve --demo";
    command
        .args(["-c", script])
        .arg(pop3([""]).get_program())
        .env("LISTEN_FDNAMES", names)
        .stdin(third)
        .stderr(fourth);
    (Server::start(command), addresses)
}

#[test]
fn listens_on_the_sockets_that_it_was_started_with() {
    let (mut server, [plain, tls]) = activated("pop3:pop3s");
    assert_eq!(server.0.address, plain);
    let printed = server.0.line().unwrap();
    assert_eq!(printed, tls);
    server.client().log_in("demo", "demo");
    // An alert of TLS, not a greeting, answers what is no handshake.
    let mut stream = TcpStream::connect(&tls).unwrap();
    stream.write_all(b"QUIT\r\n").unwrap();
    let mut first = [0];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(first, [21]);
    server.signal(Signal::TERM);
    // There is no third address, such as the default one.
    let mut rest = String::new();
    server.0.stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert_eq!(server.0.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_socket_without_a_name_begins_without_tls() {
    let (mut server, addresses) = activated("");
    for address in addresses {
        let mut client = Client(BufReader::new(TcpStream::connect(address).unwrap()));
        assert_eq!(client.line(), "+OK POP3 ready\r\n");
    }
    server.signal(Signal::TERM);
    server.0.child.wait().unwrap();
}
