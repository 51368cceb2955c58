//! Which connections go through a proxy. Semantics of the variables are curl's. Source: protocol reference, 8.

// Types only, without I/O; `std` has them under a name that is banned here.
use core::net::IpAddr;

/// How a proxy itself is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear: what goes through the tunnel has its own TLS, but credentials of the proxy are readable.
    Http,
    /// By TLS.
    Https,
}

/// Where a proxy is. It never holds credentials, so it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Name or address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

/// Hosts that are reached without the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions(Vec<Exception>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Exception {
    /// `*`
    All,
    /// `example.com`: it and everything below it; with a port, only that.
    Below(String, Option<u16>),
    /// `10.0.0.0/8`, or one address.
    Network(IpAddr, u8),
}

impl Exceptions {
    /// A list with commas or spaces between: hosts, suffixes (`.example.com`), addresses, networks, or `*` for all.
    ///
    /// # Errors
    /// The first entry that is none of these, by its number.
    pub fn parse(text: &str) -> Result<Exceptions, String> {
        let entries = text.split([',', ' ']).filter(|entry| !entry.is_empty());
        let read = entries.enumerate().map(|(index, entry)| {
            exception(entry).ok_or_else(|| {
                format!(
                    "has an entry (number {}) that is no host, suffix, address, network or `*`",
                    index + 1
                )
            })
        });
        read.collect::<Result<_, _>>().map(Exceptions)
    }

    /// The same list, in which what cannot be read counts for nothing: `NO_PROXY` is written for many programs.
    pub fn tolerant(text: &str) -> Exceptions {
        let entries = text.split([',', ' ']).filter(|entry| !entry.is_empty());
        Exceptions(entries.filter_map(exception).collect())
    }

    /// Whether `host` (a name or an address, without brackets) is reached without the proxy.
    pub fn cover(&self, host: &str, port: u16) -> bool {
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        let address = name.parse::<IpAddr>().ok();
        self.0.iter().any(|exception| match exception {
            Exception::All => true,
            Exception::Below(suffix, of_port) => {
                let below = name.strip_suffix(suffix.as_str());
                below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                    && of_port.is_none_or(|of_port| of_port == port)
            }
            Exception::Network(network, bits) => {
                address.is_some_and(|address| is_in(address, *network, *bits))
            }
        })
    }
}

fn exception(entry: &str) -> Option<Exception> {
    if entry == "*" {
        return Some(Exception::All);
    }
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(Exception::Network(address, width(address)));
    }
    if let Some((network, bits)) = entry.split_once('/') {
        let network = network.parse::<IpAddr>().ok()?;
        let bits = bits.parse::<u8>().ok().filter(|bits| *bits <= width(network))?;
        return Some(Exception::Network(network, bits));
    }
    let (name, port) = match entry.rsplit_once(':') {
        Some((name, port)) => (name, Some(port.parse::<u16>().ok()?)),
        None => (entry, None),
    };
    let name = name.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    (is_name && !name.is_empty()).then(|| Exception::Below(name.to_ascii_lowercase(), port))
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn is_in(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let keep = |address: u128, width: u8| match width - bits {
        cut if cut >= 128 => 0,
        cut => address >> cut,
    };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            keep(u32::from(address).into(), 32) == keep(u32::from(network).into(), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            keep(u128::from(address), 128) == keep(u128::from(network), 128)
        }
        _ => false,
    }
}

/// Which connections go through which proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    /// The proxy; `None`: every connection is direct.
    pub proxy: Option<Address>,
    /// Hosts that are reached without it.
    pub exceptions: Exceptions,
}

impl Routes {
    /// The proxy for connections to `host`, a name or an address without brackets. What is on this machine or on its own
    /// link, such as the address of a managed identity, is never asked through one.
    pub fn to(&self, host: &str, port: u16) -> Option<&Address> {
        let proxy = self.proxy.as_ref()?;
        (!is_own(host) && !self.exceptions.cover(host, port)).then_some(proxy)
    }
}

/// Loopback and link-local.
fn is_own(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            address.is_loopback() || address.is_link_local() || address.is_unspecified()
        }
        Ok(IpAddr::V6(address)) => {
            let mapped = address.to_ipv4_mapped();
            address.is_loopback()
                || address.is_unspecified()
                || address.segments()[0] & 0xffc0 == 0xfe80
                || mapped.is_some_and(|address| address.is_loopback() || address.is_link_local())
        }
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(exceptions: &str) -> Routes {
        let proxy = Address { scheme: Scheme::Http, host: "proxy.example".to_owned(), port: 3128 };
        Routes { proxy: Some(proxy), exceptions: Exceptions::parse(exceptions).unwrap() }
    }

    #[test]
    fn exceptions_are_hosts_suffixes_addresses_and_networks() {
        for (exceptions, host, direct) in [
            ("", "outlook.office365.com", false),
            ("*", "outlook.office365.com", true),
            ("office365.com", "outlook.office365.com", true),
            (".office365.com", "outlook.office365.com", true),
            (".office365.com", "office365.com", true),
            ("*.office365.com", "OUTLOOK.Office365.com.", true),
            ("office365.com", "evil-office365.com", false),
            ("office365.com", "office365.com.evil.example", false),
            ("a.example, b.example", "b.example", true),
            ("a.example b.example", "x.b.example", true),
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.11", false),
            ("[2001:db8::1]", "2001:db8::1", true),
            ("vault.example:8200", "vault.example", false),
        ] {
            assert_eq!(routes(exceptions).to(host, 443).is_none(), direct, "{exceptions} {host}");
        }
        assert!(routes("vault.example:8200").to("vault.example", 8200).is_none());
    }

    #[test]
    fn this_machine_and_its_link_are_never_asked_through_a_proxy() {
        for host in [
            "127.0.0.1",
            "127.8.9.1",
            "::1",
            "localhost",
            "LOCALHOST.",
            "x.localhost",
            "169.254.169.254",
            "fe80::1",
            "::ffff:169.254.169.254",
            "0.0.0.0",
        ] {
            assert!(routes("").to(host, 80).is_none(), "{host}");
        }
        assert!(routes("").to("localhost.example", 80).is_some());
    }

    #[test]
    fn what_is_no_entry_is_told_or_passed_over() {
        for wrong in ["a_b!", "10.0.0.0/33", "http://x", "a:b:c", "::/129", "x:99999"] {
            assert!(
                Exceptions::parse(&format!("good.example,{wrong}")).unwrap_err().contains("number 2"),
                "{wrong}"
            );
            assert!(
                Exceptions::tolerant(&format!("{wrong},good.example")).cover("good.example", 1),
                "{wrong}"
            );
        }
    }
}
