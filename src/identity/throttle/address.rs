//! Where a request comes from, as far as it matters for throttling.

use std::net::IpAddr;

/// A client's address. Only Cloudflare can write it into a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// From the text of `CF-Connecting-IP`; all that have none are one address.
    pub fn read(header: &str) -> Self {
        Self(match header.trim().parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => address.to_string(),
            Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
                Some(address) => address.to_string(),
                None => {
                    // A client with one IPv6 address has the whole /64.
                    let [a, b, c, d, ..] = address.segments();
                    format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
                }
            },
            Err(_) => String::new(),
        })
    }

    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// Whether it is the developer's own machine.
    pub fn is_local(&self, development: bool) -> bool {
        development && (self.0.is_empty() || self.0.starts_with("127.") || self.0 == "0:0:0:0::/64")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_client() {
        let check = |header: &str, expected: &str| assert_eq!(Address::read(header).as_text(), expected, "{header}");
        check("203.0.113.7", "203.0.113.7");
        check("::ffff:203.0.113.7", "203.0.113.7");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
        check("2001:db8:1:2::ffff", "2001:db8:1:2::/64");
        check("", "");
        check("not an address", "");
    }

    #[test]
    fn only_development_knows_local_addresses() {
        for header in ["", "127.0.0.1", "::1"] {
            assert!(Address::read(header).is_local(true) && !Address::read(header).is_local(false), "{header}");
        }
        assert!(!Address::read("203.0.113.7").is_local(true));
    }
}
