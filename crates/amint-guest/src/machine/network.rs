//! Ports of this computer that lead into a guest.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// Finds `count` different TCP ports on the loopback address that nobody uses right now.
///
/// QEMU binds them a moment later; when someone else was faster it says so and the caller asks again.
pub(crate) fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    // All are held at once, or the kernel would give the same one twice.
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ports_differ_and_can_be_bound() {
        let ports = free_ports(8).unwrap();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 8);
        assert!(ports.iter().all(|port| *port != 0));
    }
}
