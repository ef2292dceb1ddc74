//! Connects by TCP to the first address of a host that answers.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::{TcpSocket, TcpStream, lookup_host},
    task::JoinSet,
    time::sleep,
};
use tokio_socks::TargetAddr;

use super::{Endpoint, Error, Settings};

/// The time before the next address is tried in parallel (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to an endpoint, through the proxy if there is one.
pub(super) async fn dial(endpoint: &Endpoint, settings: &Settings) -> Result<TcpStream, Error> {
    let failed = |source| Error::Connect {
        to: endpoint.authority(),
        source,
    };
    let stream = match &settings.proxy {
        None => {
            let addresses = match settings.addresses.is_empty() {
                true => resolve(&endpoint.host, endpoint.port)
                    .await
                    .map_err(failed)?,
                false => settings.addresses.clone(),
            };
            race(alternate(addresses), settings.source_address)
                .await
                .map_err(failed)?
        }
        Some(proxy) => {
            let unreachable = |error: io::Error| {
                failed(io::Error::new(
                    error.kind(),
                    format!("the proxy {proxy}: {error}"),
                ))
            };
            let addresses = resolve(&proxy.host, proxy.port)
                .await
                .map_err(unreachable)?;
            let stream = race(alternate(addresses), settings.source_address)
                .await
                .map_err(unreachable)?;
            let target = match settings.addresses.first() {
                Some(address) => TargetAddr::Ip(*address),
                None => TargetAddr::Domain(endpoint.host.as_str().into(), endpoint.port),
            };
            proxy.connect(stream, target).await.map_err(failed)?
        }
    };
    // Commands are short, and the next one waits for the reply, so do not delay
    // them.
    stream.set_nodelay(true).map_err(failed)?;
    Ok(stream)
}

async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok(lookup_host((host, port)).await?.collect())
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
async fn race(addresses: Vec<SocketAddr>, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::new(
        io::ErrorKind::NotFound,
        match source {
            None => "the host has no address",
            Some(_) => "the host has no address of the family of the source address",
        },
    );
    let fits = |address: &SocketAddr| source.is_none_or(|ip| ip.is_ipv6() == address.is_ipv6());
    let mut waiting: VecDeque<_> = addresses.into_iter().filter(fits).collect();
    let mut attempts = JoinSet::new();
    loop {
        if let Some(address) = waiting.pop_front() {
            attempts.spawn(connect(address, source));
        }
        tokio::select! {
            ended = attempts.join_next() => match ended.map(|ended| ended.map_err(io::Error::other)) {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error)) | Err(error)) => last = error,
                None => return Err(last),
            },
            () = sleep(HEAD_START), if !waiting.is_empty() => {}
        }
    }
}

/// Connects to an address, from `source` if one is given.
async fn connect(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(ip) = source else {
        return TcpStream::connect(address).await;
    };
    let socket = match ip.is_ipv6() {
        true => TcpSocket::new_v6()?,
        false => TcpSocket::new_v4()?,
    };
    socket.bind((ip, 0).into()).map_err(|error| {
        let what = format!("the source address {ip} cannot be used: {error}");
        io::Error::new(error.kind(), what)
    })?;
    socket.connect(address).await
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
