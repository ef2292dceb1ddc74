//! Counts connections, in total and by address.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

/// Counts connections, in total and by address.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The place of a connection, returned when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

/// The limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    Total,
    Address,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Total => "total",
            Self::Address => "address",
        })
    }
}

impl Places {
    pub(super) fn take(
        self: &Arc<Self>,
        address: IpAddr,
        total: usize,
        per_address: usize,
    ) -> Result<Place, Full> {
        let address = network(address);
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.total >= total {
            return Err(Full::Total);
        }
        if taken.by_address.get(&address).copied().unwrap_or(0) >= per_address {
            return Err(Full::Address);
        }
        taken.total += 1;
        *taken.by_address.entry(address).or_default() += 1;
        Ok(Place {
            places: Arc::clone(self),
            address,
        })
    }

    /// The number of places taken.
    pub(super) fn taken(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.total = taken.total.saturating_sub(1);
        if let Some(count) = taken.by_address.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// The network by which addresses are counted: a host has one IPv4 address, but any
/// address of an IPv6 network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether all of these get a place if each network may have one.
    fn together(addresses: &[&str]) -> Result<(), Full> {
        let places = Arc::new(Places::default());
        let taken: Result<Vec<Place>, Full> = addresses
            .iter()
            .map(|address| places.take(address.parse().unwrap(), 9, 1))
            .collect();
        taken.map(drop)
    }

    #[test]
    fn counts_the_addresses_of_one_ipv6_network_of_64_bits_together() {
        let one = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::"];
        assert_eq!(together(&one), Err(Full::Address));
        assert_eq!(together(&["2001:db8:0:1::1", "2001:db8:0:2::1"]), Ok(()));
        assert_eq!(together(&["192.0.2.1", "192.0.2.2"]), Ok(()));
        // The same address in the IPv6 form that a socket returns.
        let mapped = ["192.0.2.1", "::ffff:192.0.2.1"];
        assert_eq!(together(&mapped), Err(Full::Address));
        assert_eq!(together(&["::ffff:192.0.2.1", "::ffff:192.0.2.2"]), Ok(()));
    }

    #[test]
    fn frees_a_place_when_dropped() {
        let places = Arc::new(Places::default());
        let address = IpAddr::from([192, 0, 2, 1]);
        let first = places.take(address, 1, 1).unwrap();
        assert_eq!(places.take(address, 2, 1).unwrap_err(), Full::Address);
        assert_eq!(places.take(address, 1, 2).unwrap_err(), Full::Total);
        drop(first);
        // Nothing is kept of an address that has none.
        assert!(places.0.lock().unwrap().by_address.is_empty());
        let both = [(); 2].map(|()| places.take(address, 2, 2).unwrap());
        let [one, _other] = both;
        drop(one);
        assert_eq!(places.take(address, 2, 1).unwrap_err(), Full::Address);
        assert!(places.take(address, 2, 2).is_ok());
    }
}
