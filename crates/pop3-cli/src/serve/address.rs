//! The addresses of `--listen` and `--tls-listen`.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _};

/// Parses `127.0.0.1:1110`, `[::1]:1110`, `localhost:1110`, `1110` or `:1110`. A
/// port alone is one of 127.0.0.1: to listen on every address takes an explicit
/// `0.0.0.0` or `[::]`.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let port: u16 = port
        .parse()
        .map_err(|_| String::from("write an address and a port, such as 127.0.0.1:1110"))?;
    if host.is_empty() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let found = (host, port)
        .to_socket_addrs()
        .map_err(|error| format!("cannot find the address of {host}: {error}"))?;
    let found: Vec<SocketAddr> = found.collect();
    let of_4 = found.iter().find(|address| address.is_ipv4());
    of_4.or(found.first())
        .copied()
        .ok_or_else(|| format!("{host} has no address"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn reads_ports_names_and_addresses() {
        for (text, address) in [
            ("1110", "127.0.0.1:1110"),
            (":1110", "127.0.0.1:1110"),
            ("localhost:1110", "127.0.0.1:1110"),
            ("0.0.0.0:110", "0.0.0.0:110"),
            ("[::1]:0", "[::1]:0"),
        ] {
            let read = super::address(text).unwrap();
            assert_eq!(read, address.parse().unwrap(), "{text}");
        }
        for text in [
            "",
            "localhost",
            "127.0.0.1",
            "::1",
            "65536",
            "localhost:pop3",
        ] {
            assert!(super::address(text).is_err(), "{text}");
        }
    }
}
