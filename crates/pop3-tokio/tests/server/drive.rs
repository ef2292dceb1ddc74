//! A server in this process, and a client that sends what the test says.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pop3_tokio::server::{Accounts, Listener, MailStore, MemoryStore, Server, Settings};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

pub(crate) const NAME: &str = "mrose";
pub(crate) const PASSWORD: &str = "tan staaf";

/// Longer than anything here takes, even by a clock that the tests move.
const PATIENCE: Duration = Duration::from_secs(3600);

pub(crate) fn accounts() -> Accounts {
    Accounts::single(NAME, PASSWORD).unwrap()
}

pub(crate) fn store(messages: &[&[u8]]) -> MemoryStore {
    let store = MemoryStore::new().unwrap();
    for message in messages {
        store.deliver(*message);
    }
    store
}

/// The default settings without login delays.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.login_delay = Duration::ZERO;
    settings
}

pub(crate) fn base64(text: impl AsRef<[u8]>) -> String {
    STANDARD.encode(text)
}

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) tls_address: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    stop_now: Option<oneshot::Sender<()>>,
    done: JoinHandle<usize>,
}

impl Running {
    pub(crate) async fn new<S: MailStore>(server: Server<S>) -> Self {
        Self::with(server, false).await
    }

    pub(crate) async fn with<S: MailStore>(server: Server<S>, tls: bool) -> Self {
        Self::of(Arc::new(server), tls).await
    }

    /// Runs a server that the test keeps.
    pub(crate) async fn of<S: MailStore>(server: Arc<Server<S>>, tls: bool) -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        let mut listeners = vec![Listener::bind(any).await.unwrap()];
        if tls {
            listeners.push(Listener::bind_tls(any).await.unwrap());
        }
        Self::on(server, listeners)
    }

    /// Runs a server on these sockets; the second one is for TLS.
    pub(crate) fn on<S: MailStore>(server: Arc<Server<S>>, listeners: Vec<Listener>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (stop_now, stopped_now) = oneshot::channel();
        Self {
            address: listeners[0].address(),
            tls_address: listeners.get(1).map(Listener::address),
            stop: Some(stop),
            stop_now: Some(stop_now),
            done: tokio::spawn(
                server.serve(listeners, async { stopped.await.unwrap() }, async {
                    stopped_now.await.unwrap();
                }),
            ),
        }
    }

    pub(crate) async fn client(&self) -> Client<TcpStream> {
        let mut client = self.silent().await;
        assert_eq!(client.line().await, "+OK POP3 ready");
        client
    }

    /// A client that has not read the greeting.
    pub(crate) async fn silent(&self) -> Client<TcpStream> {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    pub(crate) async fn logged_in(&self) -> Client<TcpStream> {
        let mut client = self.client().await;
        client.log_in().await;
        client
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub(crate) fn stop_now(&mut self) {
        self.stop_now.take().unwrap().send(()).unwrap();
    }

    /// The number of sessions that were cut off.
    pub(crate) async fn done(self) -> usize {
        timeout(PATIENCE, self.done).await.unwrap().unwrap()
    }
}

pub(crate) struct Client<T>(pub(crate) T);

impl<T: AsyncRead + AsyncWrite + Unpin> Client<T> {
    pub(crate) async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.0.write_all(octets.as_ref()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// The next line, without its CRLF.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let octet = timeout(PATIENCE, self.0.read_u8()).await.unwrap();
            line.push(octet.expect("a line"));
        }
        line.truncate(line.len() - 2);
        String::from_utf8(line).unwrap()
    }

    pub(crate) async fn ask(&mut self, command: &str) -> String {
        self.send(format!("{command}\r\n")).await;
        self.line().await
    }

    /// Sends a command, and returns the status line and the block as received.
    pub(crate) async fn block(&mut self, command: &str) -> Vec<u8> {
        let status = self.ask(command).await;
        assert!(status.starts_with("+OK"), "{command}: {status}");
        let mut block = Vec::new();
        while !(block == b".\r\n" || block.ends_with(b"\r\n.\r\n")) {
            block.push(self.0.read_u8().await.expect("a block"));
        }
        block.truncate(block.len() - 3);
        block
    }

    pub(crate) async fn log_in(&mut self) {
        assert_eq!(self.ask(&format!("USER {NAME}")).await, "+OK");
        let answer = self.ask(&format!("PASS {PASSWORD}")).await;
        assert_eq!(answer, "+OK maildrop locked and ready");
    }

    /// Returns everything until the server closes its side.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let read = self.0.read_to_end(&mut rest);
        // The kernel may reset a connection that is dropped.
        let _ = timeout(PATIENCE, read).await.unwrap();
        rest
    }

    pub(crate) async fn quit(mut self) {
        assert_eq!(self.ask("QUIT").await, "+OK goodbye");
        assert_eq!(self.rest().await, b"");
    }
}
