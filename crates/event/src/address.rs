//! Which network addresses an outgoing call may reach.
//!
//! Poll sources and channels call URLs that stand in a definitions folder. A URL that resolves into
//! the machine itself or its private network would turn the product into a way around a firewall
//! (server-side request forgery), so callers test every address *at connect time*, after name
//! resolution, because a name can resolve differently between two look-ups.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `ip` is an address of the public internet.
///
/// False for every block the IANA special-purpose registries (RFC 6890 and its successors) do not
/// call globally reachable: loopback, private, shared (carrier-grade NAT), link-local (which holds
/// the cloud metadata address 169.254.169.254), documentation, benchmarking, multicast, reserved
/// and unspecified. IPv6 addresses that carry an IPv4 address (mapped, NAT64, 6to4) are judged by it.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = a == 0
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || (a == 100 && (64..=127).contains(&b)) // shared address space, RFC 6598
        || (a == 192 && b == 0 && c == 0) // protocol assignments, RFC 6890
        || (a == 192 && b == 88 && c == 99) // former 6to4 relays, RFC 7526
        || (a == 198 && (b == 18 || b == 19)) // benchmarking, RFC 2544
        || a >= 240; // reserved, and 255.255.255.255
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(v4) = ip.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let [s0, s1, s2, s3, s4, s5, s6, s7] = ip.segments();
    if [s0, s1, s2, s3, s4, s5] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return is_public_v4(embedded_v4(s6, s7)); // NAT64, RFC 6052
    }
    if s0 == 0x2002 {
        return is_public_v4(embedded_v4(s1, s2)); // 6to4, RFC 3056
    }
    // Only 2000::/3 is handed out as global unicast; loopback, unique local, link-local, multicast
    // and the rest lie outside it. Inside it a few blocks are special.
    let global_unicast = s0 & 0xe000 == 0x2000;
    let special = (s0 == 0x2001
        && (s1 < 0x0200 // protocol assignments, Teredo, ORCHID
            || s1 == 0x0db8)) // documentation, RFC 3849
        || (s0 == 0x3fff && s1 & 0xf000 == 0); // documentation, RFC 9637
    global_unicast && !special
}

fn embedded_v4(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_public_internet_are_public() {
        for ip in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "198.17.0.1",
            "2606:4700::1111",
            "2a00:1450::8",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(public(ip), "{ip} should be public");
        }
    }

    #[test]
    fn addresses_of_this_machine_its_network_and_special_blocks_are_not_public() {
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!public(ip), "{ip} should not be public");
        }
    }
}
