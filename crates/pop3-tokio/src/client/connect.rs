//! Connects: TCP, the greeting, and TLS.

use core::{future::pending, net::SocketAddr, time::Duration};

use pop3_proto::{
    Command,
    client::{Config, Transport},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Client, Endpoint, Error, Scheme, Settings, Waiting, channel,
    commands::Greeting,
    driver::{Driver, Stream},
    tls,
};

/// How long a server may be silent on a connection without TLS before it is asked
/// whether it expects TLS. A correct server greets within a fraction of this time.
const SILENCE: Duration = Duration::from_secs(3);

impl Client {
    /// Connects, waits for the greeting, and starts TLS: at once on `pop3s://`, by
    /// STLS on `pop3://`.
    ///
    /// It continues without TLS only if the server does not announce STLS, and then
    /// only to loopback addresses (unless [`require_tls`](Settings::require_tls) is
    /// set) or if [`insecure_plaintext`](Settings::insecure_plaintext) is set,
    /// which also allows it if the server refuses STLS. An invalid certificate is
    /// always an error.
    ///
    /// # Errors
    ///
    /// If no address can be reached in time, the certificate is not valid for the
    /// host, or the server greets with `-ERR`, refuses STLS, or does not speak
    /// POP3.
    pub async fn connect(endpoint: &Endpoint, settings: &Settings) -> Result<Self, Error> {
        let deadline = deadline(settings);
        let stream = channel::connect(endpoint, settings, deadline).await?;
        let may_be_clear = !settings.require_tls && settings.tls.fingerprint.is_none();
        let loopback = may_be_clear && channel::is_loopback(&stream, settings);
        // The second connection of such a test would not go through the proxy.
        let may_test = endpoint.scheme == Scheme::Pop3 && settings.proxy.is_none();
        let is_silent = may_test && is_silent(&stream, settings).await;
        let peer = stream.peer_addr().ok().filter(|_| is_silent);
        let stream: Stream = Box::new(stream);
        Self::greet(stream, endpoint, settings, (loopback, peer), deadline).await
    }

    /// Does the same on a stream that is already connected, such as a tunnel or a
    /// proxy. It never counts as loopback.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn on<S>(stream: S, endpoint: &Endpoint, settings: &Settings) -> Result<Self, Error>
    where
        S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
    {
        let stream: Stream = Box::new(stream);
        Self::greet(
            stream,
            endpoint,
            settings,
            (false, None),
            deadline(settings),
        )
        .await
    }

    async fn greet(
        stream: Stream,
        endpoint: &Endpoint,
        settings: &Settings,
        (loopback, peer): (bool, Option<SocketAddr>),
        deadline: Option<Instant>,
    ) -> Result<Self, Error> {
        let handshake = |stream| {
            let handshake = tls::handshake(stream, &endpoint.host, &settings.tls);
            within(Waiting::Tls, settings.timeouts.tls, deadline, handshake)
        };
        let implicit = endpoint.scheme == Scheme::Pop3s;
        // Only TLS presents a certificate, so a pinned one requires TLS.
        let insecure = settings.insecure_plaintext && settings.tls.fingerprint.is_none();
        let transport = match endpoint.scheme {
            Scheme::Pop3s => Transport::Tls,
            Scheme::Pop3 if loopback || insecure => Transport::Cleartext,
            Scheme::Pop3 => Transport::StlsRequired,
        };
        let stream = match implicit {
            true => handshake(stream).await?,
            false => stream,
        };
        let mut client = Self {
            driver: Driver::new(stream, config(settings, transport), deadline),
            // Enough for "RETR 123456" and CRLF.
            window: match settings.pipelining {
                true => (settings.limits.window_octets / 16).max(1),
                false => 1,
            },
            capa_refused: false,
            token_in_cleartext: loopback && settings.dangerous_token_in_cleartext,
        };
        tokio::select! {
            biased;
            greeted = client.driver.run(Greeting) => greeted?,
            error = silence(endpoint, settings, peer) => return Err(error),
        }
        if implicit {
            return Ok(client);
        }
        client.know_capabilities().await?;
        if transport == Transport::Cleartext && !client.announced().stls() {
            return Ok(client);
        }
        match client.ask(&Command::Stls).await {
            Err(Error::Refused(_)) if insecure => return Ok(client),
            Err(Error::Refused(refusal)) => return Err(Error::StlsRefused(refusal)),
            other => other?,
        }
        let stream = handshake(client.driver.start_tls()?).await?;
        client.driver.put_stream(stream);
        client.driver.handle_tls()?;
        client.capa_refused = false;
        Ok(client)
    }
}

fn config(settings: &Settings, transport: Transport) -> Config {
    let mut timeouts = pop3_proto::client::Timeouts::DEFAULT;
    timeouts.greeting = settings.timeouts.greeting;
    timeouts.reply = settings.timeouts.reply;
    timeouts.idle = settings.timeouts.idle;
    timeouts.stls = settings.timeouts.tls;
    Config::new(settings.profile, transport)
        .pipelining(settings.pipelining)
        .dangerous_apop_in_cleartext(settings.dangerous_apop_in_cleartext)
        .limits(settings.limits)
        .timeouts(timeouts)
}

/// Whether no octet arrives for a while. A greeting that has begun is awaited as
/// usual.
async fn is_silent(stream: &TcpStream, settings: &Settings) -> bool {
    let silence = SILENCE.min(settings.timeouts.greeting / 4);
    timeout(silence, stream.peek(&mut [0])).await.is_err()
}

/// Waits for proof that a silent `peer` will not send a greeting, because it
/// expects a TLS handshake.
///
/// A greeting may be slow, and nothing may be sent before it, so a second
/// connection has to test for TLS. If that connection is refused, or gets a
/// greeting, it proves nothing, and the first one continues to wait.
async fn silence(endpoint: &Endpoint, settings: &Settings, peer: Option<SocketAddr>) -> Error {
    if let Some(peer) = peer
        && let Ok(stream) = TcpStream::connect(peer).await
        && tls::is_spoken(stream, &endpoint.host, &settings.tls).await
    {
        return Error::TlsPort {
            host: endpoint.host.clone(),
            port: endpoint.port,
        };
    }
    pending().await
}

/// The time at which the whole session must end.
pub(super) fn deadline(settings: &Settings) -> Option<Instant> {
    Instant::now().checked_add(settings.timeouts.session?)
}

/// Waits for a step of the connection, within a time limit.
pub(super) async fn within<T>(
    waiting: Waiting,
    step: Duration,
    deadline: Option<Instant>,
    future: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let step = Instant::now().checked_add(step);
    let (due, waiting) = match (step, deadline) {
        (Some(step), Some(deadline)) if deadline < step => (Some(deadline), Waiting::Session),
        (Some(step), _) => (Some(step), waiting),
        (None, deadline) => (deadline, Waiting::Session),
    };
    match due {
        None => future.await,
        Some(due) => match timeout_at(due, future).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout(waiting, None)),
        },
    }
}
