//! Networks: addresses with a common prefix, written `192.168.1.0/24`, `fd00::/8` or as a single
//! address (RFC 4632, RFC 4291 §2.3).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// It does not read.
    #[error("`{0}` is no network: write 192.168.1.0/24, fd00::/8 or an address")]
    Form(String),
    /// The address has bits beyond the prefix.
    #[error("`{given}` has bits after its prefix; {meant} is that network")]
    Beyond {
        /// As it was given.
        given: String,
        /// The network that it lies in.
        meant: Network,
    },
}

/// Addresses with a common prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address lies in it. An IPv4 address that came as IPv6 (`::ffff:a.b.c.d`) is one
    /// of IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.first) && mask(address, self.bits) == self.first
    }
}

/// What an address counts as where addresses are counted: an address of the IPv6 internet as its
/// network, of which whoever has it has all 2^64 (RFC 4291 §2.5.4); at home each device by itself.
pub fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(global) if global.segments()[0] >> 13 == 1 => mask(global.into(), 64),
        address => address,
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with only its first bits.
fn mask(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let kept = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & kept).into())
        }
        IpAddr::V6(address) => {
            let kept = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & kept).into())
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let form = || NetworkError::Form(text.chars().take(100).collect());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                (address, Some(bits.parse::<u8>().map_err(|_| form())?))
            }
            Some(_) => return Err(form()),
            None => (text, None),
        };
        let given: IpAddr = address.parse().map_err(|_| form())?;
        let first = given.to_canonical();
        let bits = match bits {
            None => width(first),
            // An IPv4 address that was written as IPv6.
            Some(bits) if width(given) != width(first) => bits.checked_sub(96).ok_or_else(form)?,
            Some(bits) => bits,
        };
        if bits > width(first) {
            return Err(form());
        }
        let network = Network { first: mask(first, bits), bits };
        if network.first == first {
            return Ok(network);
        }
        Err(NetworkError::Beyond { given: text.chars().take(100).collect(), meant: network })
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> String {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_the_addresses_of_its_prefix_and_no_others() {
        for (text, inside, outside) in [
            ("192.168.1.0/24", "192.168.1.255", "192.168.2.0"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("::/0", "2001:db8::1", "8.8.8.8"),
            ("203.0.113.7", "203.0.113.7", "203.0.113.6"),
            ("203.0.113.7/32", "::ffff:203.0.113.7", "::203.0.113.7"),
            ("fd00::/8", "fdff::1", "fe00::"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
        ] {
            assert!(network(text).contains(inside.parse().unwrap()), "{text} {inside}");
            assert!(!network(text).contains(outside.parse().unwrap()), "{text} {outside}");
        }
    }

    #[test]
    fn an_address_of_the_ipv6_internet_counts_as_its_network() {
        for (address, expected) in [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("3fff::ffff", "3fff::"),
            ("fe80::1", "fe80::1"),
            ("fd00::1:2:3:4:5", "fd00::1:2:3:4:5"),
            ("::ffff:192.168.1.5", "192.168.1.5"),
            ("203.0.113.7", "203.0.113.7"),
        ] {
            let counted = counted_as(address.parse().unwrap());
            assert_eq!(counted, expected.parse::<IpAddr>().unwrap(), "{address}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused_and_what_was_meant_is_said() {
        for bad in ["", "/", "1.2.3.4/", "1.2.3.4/33", "::/129", "1.2.3", "a/8", "1.2.3.4/+8"] {
            assert!(matches!(bad.parse::<Network>(), Err(NetworkError::Form(_))), "{bad}");
        }
        let error = "192.168.1.5/24".parse::<Network>().unwrap_err();
        assert!(error.to_string().contains("192.168.1.0/24 is that network"), "{error}");
        assert_eq!(network("10.0.0.1").to_string(), "10.0.0.1/32");
        let read: Network = serde_json::from_str("\"fd00::/8\"").unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"fd00::/8\"");
    }
}
