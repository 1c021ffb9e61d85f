//! Whether an address is one of this machine.

use std::net::{IpAddr, UdpSocket};

/// Tells whether one of the machine's interfaces has `address`, in the network namespace of this process.
///
/// The kernel lets a socket take an address only if it is the machine's own; nothing is sent. (Linux lets it take any
/// where `net.ipv4.ip_nonlocal_bind` is set, which only its administrator can do, who could as well add the address.)
pub(crate) fn is_own_address(address: IpAddr) -> bool {
    // These are on every machine, or stand for all addresses.
    let is_no_proof = address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || matches!(address, IpAddr::V4(address) if address.is_broadcast())
        || matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
    !is_no_proof && UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_every_machine_prove_nothing() {
        for address in
            ["127.0.0.1", "0.0.0.0", "::1", "::", "224.0.0.1", "255.255.255.255", "::ffff:127.0.0.1"]
        {
            assert!(!is_own_address(address.parse().unwrap()), "{address}");
        }
        // Of the block for documentation (RFC 5737).
        assert!(!is_own_address("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn an_own_address_is_found() {
        // The kernel chooses the address it would send from; no packet is sent.
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        let address = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr());
        match address {
            Ok(address) if !address.ip().is_loopback() => assert!(is_own_address(address.ip())),
            _ => eprintln!("SKIPPED: needs a network interface besides loopback"),
        }
    }
}
