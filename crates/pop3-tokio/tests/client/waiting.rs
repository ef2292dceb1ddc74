//! Each timeout, under a clock that the tests move.

use core::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use std::io;

use pop3_proto::Profile;
use pop3_tokio::client::{Client, Error, Settings, Timeouts, Waiting};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex},
    time::{Instant, advance, sleep},
};

use crate::{
    harness::{cleartext, endpoint, fails, with},
    replies::logged_in,
};

const ODD: Timeouts = Timeouts {
    connect: Duration::from_secs(3),
    tls: Duration::from_secs(5),
    greeting: Duration::from_secs(7),
    reply: Duration::from_secs(11),
    idle: Duration::from_secs(13),
    session: None,
};

/// The client first asks whether the server has STLS.
const NO_CAPA: (&str, &str) = ("CAPA\r\n", "-ERR\r\n");

fn settings(insecure_plaintext: bool) -> Settings {
    let mut settings = Settings::new(Profile::RFC1939);
    settings.timeouts = ODD;
    settings.insecure_plaintext = insecure_plaintext;
    settings
}

fn is(error: &Error, waiting: Waiting) -> bool {
    matches!(error, Error::Timeout(what, _) if *what == waiting)
}

#[tokio::test(start_paused = true)]
async fn times_out_waiting_for_the_greeting() {
    for greeting in ["", "+OK but no line end"] {
        let begin = Instant::now();
        let (error, _) = fails("pop3://h", settings(true), &[("", greeting)]).await;
        assert!(is(&error, Waiting::Greeting), "{error}");
        assert_eq!(begin.elapsed().as_secs(), 7);
        assert_eq!(error.kind().sysexit(), 75);
    }
}

/// CVE-2011-1947: a server that accepts STLS and then sends nothing.
#[tokio::test(start_paused = true)]
async fn times_out_in_the_handshake() {
    let steps = [
        ("", "+OK\r\n"),
        ("CAPA\r\n", "+OK\r\nSTLS\r\n.\r\n"),
        ("STLS\r\n", "+OK\r\n"),
    ];
    for (url, steps) in [("pop3://h", &steps[..]), ("pop3s://h", &[])] {
        let begin = Instant::now();
        let (error, _) = fails(url, settings(false), steps).await;
        assert!(is(&error, Waiting::Tls), "{error}");
        assert_eq!(begin.elapsed().as_secs(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn times_out_waiting_for_a_reply() {
    let steps = [("", "+OK\r\n"), NO_CAPA, ("CAPA\r\n", "+OK\r\nTOP\r\n")];
    with(settings(true), &steps, async |mut client: Client| {
        let begin = Instant::now();
        let error = client.capabilities(|_| {}).await.unwrap_err();
        assert!(is(&error, Waiting::Reply), "{error}");
        assert_eq!(begin.elapsed().as_secs(), 11);
    })
    .await;
}

/// An earlier wait may have set its timer to a later time.
#[tokio::test(start_paused = true)]
async fn a_reply_may_be_due_sooner_than_the_greeting_was() {
    let mut settings = settings(true);
    settings.timeouts.greeting = Duration::from_secs(1000);
    let (near, mut far) = duplex(64);
    let server = async {
        // By now the client waits for the reply.
        sleep(Duration::from_secs(1)).await;
        far.write_all(b"+OK\r\n").await.unwrap();
        far.read_to_end(&mut Vec::new()).await.unwrap();
    };
    let begin = Instant::now();
    let client = async {
        let client = Client::on(near, &endpoint("pop3://h"), &settings).await;
        let error = client.unwrap_err();
        assert!(is(&error, Waiting::Reply), "{error}");
        assert_eq!(begin.elapsed(), Duration::from_secs(1) + ODD.reply);
    };
    tokio::join!(client, server);
}

/// The reply takes long in total, but each read comes in time.
#[tokio::test(start_paused = true)]
async fn does_not_time_out_during_a_slow_reply() {
    let (near, mut far) = duplex(64);
    let server = async {
        far.write_all(b"+OK\r\n").await.unwrap();
        far.read_exact(&mut [0; 6]).await.unwrap();
        far.write_all(NO_CAPA.1.as_bytes()).await.unwrap();
        far.read_exact(&mut [0; 6]).await.unwrap();
        for part in ["+OK\r\n", "TOP\r\n", "UIDL\r\n", "USER\r\n", ".\r\n"] {
            sleep(Duration::from_secs(10)).await;
            far.write_all(part.as_bytes()).await.unwrap();
        }
    };
    let client = async {
        let settings = settings(true);
        let mut client = Client::on(near, &endpoint("pop3://h"), &settings)
            .await
            .unwrap();
        let begin = Instant::now();
        client.capabilities(|_| {}).await.unwrap();
        assert_eq!(begin.elapsed().as_secs(), 50);
    };
    tokio::join!(client, server);
}

#[tokio::test(start_paused = true)]
async fn times_out_while_the_caller_is_idle() {
    let steps = [("", "+OK\r\n"), NO_CAPA];
    with(settings(true), &steps, async |mut client: Client| {
        advance(Duration::from_secs(14)).await;
        let error = client.capabilities(|_| {}).await.unwrap_err();
        assert!(is(&error, Waiting::Idle), "{error}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn limits_the_time_of_a_whole_session() {
    let mut settings = settings(true);
    settings.timeouts.session = Some(Duration::from_secs(10));
    // The limit passes while the client waits for a reply.
    with(
        settings.clone(),
        &[("", "+OK\r\n"), NO_CAPA],
        async |mut client: Client| {
            let begin = Instant::now();
            let error = client.capabilities(|_| {}).await.unwrap_err();
            assert!(is(&error, Waiting::Session), "{error}");
            assert_eq!(begin.elapsed().as_secs(), 10);
        },
    )
    .await;
    // The limit passes in the handshake.
    settings.timeouts.session = Some(Duration::from_secs(4));
    let (error, _) = fails("pop3s://h", settings.clone(), &[]).await;
    assert!(is(&error, Waiting::Session), "{error}");
    // An earlier timeout ends the session first.
    settings.timeouts.session = Some(Duration::from_secs(6));
    let begin = Instant::now();
    let (error, _) = fails("pop3s://h", settings.clone(), &[]).await;
    assert!(is(&error, Waiting::Tls), "{error}");
    assert_eq!(begin.elapsed(), ODD.tls);
}

/// Endless lines of a listing, without any pause.
#[derive(Default)]
struct Firehose {
    asked: bool,
    lines: bool,
}

impl AsyncRead for Firehose {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.lines {
            false => buffer.put_slice(b"+OK\r\n"),
            true => buffer.put_slice(b"X-LINE\r\n"),
        }
        self.lines = self.asked;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Firehose {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.asked = true;
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Uses the real clock, because the paused one does not move while a poll never
/// waits. The result does not depend on speed.
#[tokio::test]
async fn limits_the_session_with_a_server_that_never_pauses() {
    let mut settings = settings(true);
    settings.timeouts.session = Some(Duration::from_millis(50));
    let session = async {
        let stream = Firehose::default();
        let mut client = Client::on(stream, &endpoint("pop3://h"), &settings).await?;
        client.capabilities(|_| {}).await
    };
    let error = session.await.unwrap_err();
    assert!(is(&error, Waiting::Session), "{error}");
}

/// Octets that cannot be sent do not keep the client from noticing a timeout.
#[tokio::test(start_paused = true)]
async fn times_out_if_the_server_does_not_read() {
    let (near, far) = duplex(4);
    let client = async {
        let mut settings = cleartext();
        settings.timeouts = ODD;
        Client::on(near, &endpoint("pop3://h"), &settings)
            .await
            .unwrap_err()
    };
    let error = client.await;
    assert!(is(&error, Waiting::Greeting), "{error}");
    drop(far);
}

#[tokio::test(start_paused = true)]
async fn does_not_time_out_while_the_caller_sends_commands() {
    let steps = [("NOOP\r\n", "+OK\r\n"), ("NOOP\r\n", "+OK\r\n")];
    logged_in(&steps, async |mut client: Client| {
        for _ in 0..2 {
            advance(Duration::from_secs(599)).await;
            client.noop().await.unwrap();
        }
    })
    .await;
}
