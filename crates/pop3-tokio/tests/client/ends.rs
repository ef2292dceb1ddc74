//! Servers that refuse and close, and servers that are silent.

use core::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use std::io;

use pop3_proto::{
    Profile,
    client::{Awaited, Request},
};
use pop3_tokio::client::{Client, Error, Settings};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpListener,
};

use crate::harness::{cleartext, endpoint, with};

/// A connection that was reset: octets received earlier can still be read, but
/// nothing can be written.
struct Reset(&'static [u8]);

impl AsyncRead for Reset {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Returns one line per read, because the client writes between lines.
        let line = self.0.iter().position(|octet| *octet == b'\n');
        let Some(end) = line else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        let (line, rest) = self.0.split_at(end + 1);
        buffer.put_slice(line);
        self.0 = rest;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Reset {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn reads_the_reason_after_a_write_has_failed() {
    for (came, said) in [
        (
            &b"+OK\r\n-ERR too many connections\r\n"[..],
            r"the server ended the session after the greeting: `-ERR too many connections\r\n`",
        ),
        (
            b"+OK\r\n",
            "the connection broke while waiting for the reply to CAPA: broken pipe",
        ),
    ] {
        let host = endpoint("pop3://mail.example.org");
        let client = Client::on(Reset(came), &host, &Settings::new(Profile::RFC1939)).await;
        assert_eq!(client.unwrap_err().to_string(), said);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_names_the_command_and_what_was_refused_before() {
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "-ERR too many connections\r\n"),
    ];
    let error = with(cleartext(), &steps, async |mut client| {
        assert!(client.capabilities(|_| {}).await.is_err());
        client.capabilities(|_| {}).await.unwrap_err()
    })
    .await;
    let Error::Timeout(_, Some(pending)) = &error else {
        panic!("{error}");
    };
    assert_eq!(pending.awaited(), Awaited::Reply(Request::Capa));
    assert_eq!(
        error.to_string(),
        r"waited too long for the reply to CAPA; it had refused CAPA: `-ERR too many connections\r\n`"
    );
}

/// The greeting is sent after the client has asked on a second connection whether
/// the server speaks TLS, and has received `answer`.
async fn silent(answer: &'static [u8], greeting: &'static [u8]) -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("pop3://{}", listener.local_addr().unwrap());
    let mut settings = cleartext();
    settings.timeouts.greeting = Duration::from_secs(20);
    // To find out whether the server speaks TLS, the client trusts no authority.
    settings.tls.ca_files = vec!["missing.pem".into()];
    let server = async {
        let mut first = listener.accept().await.unwrap().0;
        let mut second = listener.accept().await.unwrap().0;
        let mut hello = [0];
        second.read_exact(&mut hello).await.unwrap();
        assert_eq!(hello, [0x16], "a handshake");
        second.write_all(answer).await.unwrap();
        second.shutdown().await.unwrap();
        // Waits until the client has decided. It may reset the connection.
        let _ = second.read_to_end(&mut Vec::new()).await;
        let _ = first.write_all(greeting).await;
        let mut sent = Vec::new();
        let mut command = [0; 6];
        if first.read_exact(&mut command).await.is_ok() {
            assert_eq!(&command, b"CAPA\r\n");
            first.write_all(b"-ERR\r\n").await.unwrap();
        }
        let _ = first.read_to_end(&mut sent).await;
        assert_eq!(sent, b"");
    };
    let endpoint = endpoint(&url);
    let client = async { Client::connect(&endpoint, &settings).await.map(drop) };
    tokio::join!(client, server).0
}

#[tokio::test]
async fn waits_for_a_slow_greeting() {
    let (closed, refused, greeted) = tokio::join!(
        silent(b"", b"+OK at last\r\n"),
        silent(b"-ERR too many connections\r\n", b"+OK at last\r\n"),
        silent(b"+OK\r\n", b"+OK at last\r\n"),
    );
    closed.and(refused).and(greeted).unwrap();
}

#[tokio::test]
async fn detects_a_server_that_waits_for_tls() {
    const ALERT: &[u8] = &[0x15, 3, 3, 0, 2, 2, 40];
    let error = silent(ALERT, b"").await.unwrap_err();
    assert!(matches!(error, Error::TlsPort { .. }), "{error}");
    assert_eq!(error.kind().sysexit(), 76);
}

/// One octet of the greeting is enough: the client opens no second connection to
/// try TLS.
#[tokio::test]
async fn does_not_ask_for_tls_once_a_greeting_has_begun() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("pop3://{}", listener.local_addr().unwrap());
    let mut settings = cleartext();
    settings.timeouts.greeting = Duration::from_millis(400);
    let server = async {
        let mut first = listener.accept().await.unwrap().0;
        first.write_all(b"+").await.unwrap();
        // Waits until the client gives up.
        let mut sent = Vec::new();
        tokio::select! {
            second = listener.accept() => panic!("a second connection: {second:?}"),
            _ = first.read_to_end(&mut sent) => assert_eq!(sent, b""),
        }
    };
    let endpoint = endpoint(&url);
    let client = async { Client::connect(&endpoint, &settings).await.map(drop) };
    let error = tokio::join!(client, server).0.unwrap_err();
    assert!(matches!(error, Error::Timeout(..)), "{error}");
}
