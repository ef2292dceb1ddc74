//! Scripted servers and shared test code.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use pop3_proto::{MessageNumber, Profile, client::Retrieved};
use pop3_tokio::client::{Client, Endpoint, Error, Refusal, Settings, Sink};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex},
    net::TcpListener,
};

/// Pairs of the octets that the server waits for and its answer. The first pair
/// waits for nothing: its answer is the greeting.
pub(crate) type Steps<'a> = &'a [(&'a str, &'a str)];

/// Plays the server's side. Returns everything that the client sent.
pub(crate) async fn play(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    steps: Steps<'_>,
) -> Vec<u8> {
    let mut received = Vec::new();
    for (wanted, answer) in steps {
        let mut got = vec![0; wanted.len()];
        if stream.read_exact(&mut got).await.is_err() {
            // The client closed the connection; its side of the test reports the
            // reason.
            return received;
        }
        assert_eq!(
            got.escape_ascii().to_string(),
            wanted.as_bytes().escape_ascii().to_string()
        );
        received.extend_from_slice(&got);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return received;
        }
        let _ = stream.flush().await;
    }
    let _ = stream.read_to_end(&mut received).await;
    received
}

/// A server that sends everything at once and closes.
pub(crate) async fn say_and_close(mut stream: DuplexStream, octets: &[u8]) {
    let _ = stream.write_all(octets).await;
    let _ = stream.shutdown().await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

pub(crate) fn endpoint(url: &str) -> Endpoint {
    url.parse().unwrap()
}

/// Allows cleartext, with short timeouts so that a failing test ends soon.
pub(crate) fn cleartext() -> Settings {
    let mut settings = Settings::new(Profile::RFC1939);
    settings.timeouts.reply = core::time::Duration::from_secs(5);
    settings.insecure_plaintext = true;
    settings
}

/// Runs a client against a scripted server.
pub(crate) async fn with<T>(
    settings: Settings,
    steps: Steps<'_>,
    client: impl AsyncFnOnce(Client) -> T,
) -> T {
    let (near, far) = duplex(1 << 16);
    let connected = async {
        let client_end = Client::on(near, &endpoint("pop3://mail.example.org"), &settings).await;
        client(client_end.unwrap()).await
    };
    let (result, _) = tokio::join!(connected, play(far, steps));
    result
}

/// The same over loopback, where a token may be sent in cleartext.
pub(crate) async fn with_on_loopback<T>(
    mut settings: Settings,
    steps: Steps<'_>,
    client: impl AsyncFnOnce(Client) -> T,
) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    settings.addresses = vec![listener.local_addr().unwrap()];
    settings.dangerous_token_in_cleartext = true;
    let connected = async {
        let connected = Client::connect(&endpoint("pop3://mail.example.org"), &settings).await;
        client(connected.unwrap()).await
    };
    let server = async { play(listener.accept().await.unwrap().0, steps).await };
    let (result, _) = tokio::join!(connected, server);
    result
}

/// The error of a connection that fails.
pub(crate) async fn fails(url: &str, settings: Settings, steps: Steps<'_>) -> (Error, Vec<u8>) {
    let (near, far) = duplex(1 << 16);
    let connected = async {
        Client::on(near, &endpoint(url), &settings)
            .await
            .unwrap_err()
    };
    tokio::join!(connected, play(far, steps))
}

pub(crate) fn number(number: u32) -> MessageNumber {
    MessageNumber::new(number).unwrap()
}

pub(crate) fn numbers(to: u32) -> impl Iterator<Item = MessageNumber> {
    (1..=to).map(number)
}

/// Stores all messages; fails at a given message if told to.
#[derive(Default)]
pub(crate) struct Mailbox {
    pub(crate) messages: Vec<Vec<u8>>,
    pub(crate) announced: Vec<Option<u64>>,
    pub(crate) proofs: Vec<Retrieved>,
    pub(crate) refusals: Vec<(u32, Refusal)>,
    pub(crate) part: Vec<u8>,
    pub(crate) full_at: Option<usize>,
}

impl Sink for Mailbox {
    type Error = &'static str;

    fn begin(&mut self, _: MessageNumber, announced: Option<u64>) -> Result<(), &'static str> {
        assert!(self.part.is_empty(), "a message within another");
        self.announced.push(announced);
        match self.full_at == Some(self.messages.len()) {
            true => Err("full"),
            false => Ok(()),
        }
    }

    fn data(&mut self, octets: &[u8]) -> Result<(), &'static str> {
        self.part.extend_from_slice(octets);
        Ok(())
    }

    fn end(
        &mut self,
        retrieved: Retrieved,
        complete: dot_stuffing::Complete,
    ) -> Result<(), &'static str> {
        assert_eq!(complete.octets, self.part.len() as u64);
        self.proofs.push(retrieved);
        self.messages.push(core::mem::take(&mut self.part));
        Ok(())
    }

    fn refused(&mut self, number: MessageNumber, refusal: Refusal) -> Result<(), &'static str> {
        self.refusals.push((number.get(), refusal));
        Ok(())
    }
}

/// A stream that returns at most a fixed number of octets per read.
pub(crate) struct Cut<S>(pub(crate) S, pub(crate) usize);

impl<S: AsyncRead + Unpin> AsyncRead for Cut<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let mut octets = vec![0; self.1.min(buffer.remaining())];
        let mut part = ReadBuf::new(&mut octets);
        let result = Pin::new(&mut self.0).poll_read(cx, &mut part);
        buffer.put_slice(part.filled());
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cut<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let most = self.1.min(octets.len());
        Pin::new(&mut self.0).poll_write(cx, &octets[..most])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
