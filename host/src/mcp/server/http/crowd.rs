//! How many connections there are: in all, and of one address, so that no one peer keeps the others out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everybody who is connected.
#[derive(Debug)]
pub(super) struct Crowd {
    all: usize,
    each: usize,
    here: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    whose: IpAddr,
}

impl Crowd {
    /// So many in all, and of one address.
    pub(super) fn new(all: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { all, each, here: Mutex::default() })
    }

    /// A place for a peer, if it may have another one.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let whose = neighbourhood(peer);
        let mut here = self.here();
        let own = here.get(&whose).copied().unwrap_or_default();
        if own >= self.each || here.values().sum::<usize>() >= self.all {
            return None;
        }
        here.insert(whose, own + 1);
        Some(Place { crowd: Arc::clone(self), whose })
    }

    fn here(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut here = self.crowd.here();
        if let Some(own) = here.get_mut(&self.whose) {
            *own -= 1;
            if *own == 0 {
                here.remove(&self.whose);
            }
        }
    }
}

/// Whoever has one address of the sixth version has all that share its first half.
fn neighbourhood(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        four => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_the_places_of_others() {
        let crowd = Crowd::new(3, 2);
        let admit = |peer: &str| crowd.admit(peer.parse().expect("an address"));
        let (one, _two) = (admit("192.0.2.1").expect("room"), admit("::ffff:192.0.2.1").expect("room"));
        assert!(admit("192.0.2.1").is_none(), "its share");
        let _other = admit("192.0.2.2").expect("room for others");
        assert!(admit("192.0.2.3").is_none(), "all are taken");
        drop(one);
        let _back = admit("192.0.2.1").expect("it left one");
        assert_eq!(crowd.here().len(), 2);
    }

    #[test]
    fn a_network_of_the_sixth_version_is_one_peer() {
        let crowd = Crowd::new(8, 1);
        let admit = |peer: &str| crowd.admit(peer.parse().expect("an address"));
        let _one = admit("2001:db8::1").expect("room");
        assert!(admit("2001:db8::ffff:2").is_none(), "a neighbour");
        assert!(admit("2001:db8:0:1::1").is_some(), "somebody else");
    }
}
