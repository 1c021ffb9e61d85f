//! Blocks of addresses (RFC 4632, RFC 4291 section 2.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::text_form;
use crate::problems::Flaw;

/// A block of IPv4 or IPv6 addresses, such as `10.0.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr {
    address: IpAddr,
    prefix_bits: u8,
}

text_form!(Cidr, r"^[0-9a-fA-F.:]+/[0-9]{1,3}$");

impl Cidr {
    /// All of IPv4.
    pub const ANY_V4: Self = Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), prefix_bits: 0 };

    /// Returns the first address of the block.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Returns how many leading bits all addresses of the block share.
    pub fn prefix_bits(&self) -> u8 {
        self.prefix_bits
    }

    /// Tells whether the block holds every address of its family.
    pub fn is_everyone(&self) -> bool {
        self.prefix_bits == 0
    }

    /// Reads a block; addresses with bits after the prefix are refused, as EC2 would change them silently.
    pub(crate) fn parse(text: &str) -> Result<Self, Flaw> {
        let flaw = || Flaw::new(format!("`{text}` is not a block of addresses"));
        let Some((address_text, prefix_text)) = text.split_once('/') else {
            let Ok(address) = text.parse::<IpAddr>() else {
                return Err(flaw().hint("write one such as `10.0.0.0/16`"));
            };
            let bits = bits_max(address);
            return Err(flaw().hint(format!("write `{address}/{bits}` for this one address")));
        };
        let Ok(address) = address_text.parse::<IpAddr>() else {
            return Err(flaw().hint("write one such as `10.0.0.0/16`"));
        };
        let bits = bits_max(address);
        let is_number = prefix_text.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix_text.parse::<u8>().ok().filter(|prefix| is_number && *prefix <= bits);
        let Some(prefix_bits) = prefix else {
            return Err(flaw().hint(format!("the number after `/` lies between 0 and {bits}")));
        };
        let block = Self { address: masked(address, prefix_bits), prefix_bits };
        if block.address != address {
            let message = format!("`{text}` has bits set after its first {prefix_bits}");
            let single = format!("{address}/{bits}");
            return Err(Flaw::new(message)
                .hint(format!("write `{block}` for the whole block, or `{single}` for this one address")));
        }
        Ok(block)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_bits)
    }
}

fn bits_max(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, prefix_bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix_bits)).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix_bits)).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_blocks_of_both_families() {
        for text in ["0.0.0.0/0", "10.0.0.0/16", "192.0.2.7/32", "::/0", "2001:db8::/32", "::1/128"] {
            assert_eq!(Cidr::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Cidr::parse("0.0.0.0/0").unwrap(), Cidr::ANY_V4);
    }

    #[test]
    fn tells_the_right_form_when_host_bits_are_set() {
        let hint = |text| Cidr::parse(text).unwrap_err().hint.unwrap();
        assert!(hint("10.0.0.1/16").contains("`10.0.0.0/16`"));
        assert!(hint("10.0.0.1/16").contains("`10.0.0.1/32`"));
        assert!(hint("2001:db8::1/32").contains("`2001:db8::/32`"));
        assert!(hint("203.0.113.9").contains("`203.0.113.9/32`"));
    }

    #[test]
    fn refuses_what_is_no_block() {
        for text in
            ["", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/+8", "any", "010.0.0.0/8"]
        {
            assert!(Cidr::parse(text).is_err(), "{text:?}");
        }
    }
}
