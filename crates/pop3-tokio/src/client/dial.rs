//! Connects by TCP to the first address of a host that answers.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::sleep,
};

use super::{Endpoint, Error, Settings};

/// The time before the next address is tried in parallel (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to an endpoint.
pub(super) async fn dial(endpoint: &Endpoint, settings: &Settings) -> Result<TcpStream, Error> {
    let failed = |source| Error::Connect {
        to: endpoint.authority(),
        source,
    };
    let addresses = match settings.addresses.is_empty() {
        true => lookup_host((endpoint.host.as_str(), endpoint.port))
            .await
            .map_err(failed)?
            .collect(),
        false => settings.addresses.clone(),
    };
    let stream = race(alternate(addresses)).await.map_err(failed)?;
    // Commands are short, and the next one waits for the reply, so do not delay
    // them.
    stream.set_nodelay(true).map_err(failed)?;
    Ok(stream)
}

/// Alternates IPv6 and IPv4, with the resolver's first choice first (RFC 8305 §4).
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut by_turns = Vec::new();
    loop {
        let pair = (first.next(), second.next());
        if let (None, None) = pair {
            return by_turns;
        }
        by_turns.extend(pair.0);
        by_turns.extend(pair.1);
    }
}

/// Tries each address after a head start for the earlier ones, or at once when all
/// of those have failed. Closes all connections but the first.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(TcpStream::connect(address));
        }
        tokio::select! {
            ended = attempts.join_next() => match ended.map(|ended| ended.map_err(io::Error::other)) {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error)) | Err(error)) => last = error,
                None => return Err(last),
            },
            () = sleep(HEAD_START), if waiting.len() > 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::alternate;

    #[test]
    fn alternates_address_families() {
        let [a, b, c, d] = ["[::1]:1", "[::2]:1", "127.0.0.1:1", "[::3]:1"]
            .map(|address| address.parse().unwrap());
        assert_eq!(alternate(vec![a, b, c, d]), [a, c, b, d]);
        assert_eq!(alternate(vec![c, a, b]), [c, a, b]);
        assert!(alternate(Vec::new()).is_empty());
    }
}
