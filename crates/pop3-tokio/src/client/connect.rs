//! From an endpoint to a client that may log in: TCP, the greeting, TLS.

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

/// How long a server without TLS may be silent before it is asked whether it has
/// TLS. A good one greets within a fraction of it.
const SILENCE: Duration = Duration::from_secs(3);

impl Client {
    /// Connects, waits for the greeting, and brings the connection under TLS:
    /// on `pop3s://` at once, on `pop3://` by STLS.
    ///
    /// Without TLS it goes on only where the server does not announce STLS, to
    /// loopback addresses (unless [`require_tls`](Settings::require_tls) is set)
    /// and where [`insecure_plaintext`](Settings::insecure_plaintext) allows it;
    /// that also allows it where the server refuses STLS. A certificate that is
    /// not valid is an error always.
    ///
    /// # Errors
    ///
    /// If no address can be reached in time, the certificate is not valid for
    /// the host, the server greets with `-ERR`, refuses STLS, or sends what is
    /// not POP3.
    pub async fn connect(endpoint: &Endpoint, settings: &Settings) -> Result<Self, Error> {
        let deadline = deadline(settings);
        let stream = channel::connect(endpoint, settings, deadline).await?;
        let may_be_clear = !settings.require_tls && settings.tls.fingerprint.is_none();
        let loopback = may_be_clear && channel::is_loopback(&stream);
        let is_silent = endpoint.scheme == Scheme::Pop3 && is_silent(&stream, settings).await;
        let peer = stream.peer_addr().ok().filter(|_| is_silent);
        let stream: Stream = Box::new(stream);
        Self::greet(stream, endpoint, settings, (loopback, peer), deadline).await
    }

    /// The same on a stream that is connected already: a tunnel, a proxy. It
    /// is never taken for loopback.
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
        // A pinned certificate can only be presented under TLS.
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
            // "RETR 123456" and CRLF, with room.
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

/// Whether not one octet comes for a while: a greeting that has begun is waited
/// for like any other.
async fn is_silent(stream: &TcpStream, settings: &Settings) -> bool {
    let silence = SILENCE.min(settings.timeouts.greeting / 4);
    timeout(silence, stream.peek(&mut [0])).await.is_err()
}

/// Waits for what proves that no greeting will come from a `peer` that is silent:
/// that it waits for a handshake of TLS.
///
/// A greeting may be slow, and nothing may be sent before it, so that a second
/// connection has to ask. One that is refused, or answered by a greeting, proves
/// nothing, and the first one goes on waiting.
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

/// When the whole session has to be over.
pub(super) fn deadline(settings: &Settings) -> Option<Instant> {
    Instant::now().checked_add(settings.timeouts.session?)
}

/// Waits for a step of the connection, but not for ever.
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
