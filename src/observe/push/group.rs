//! Which group of a Pushgateway a run's series are in, as its address says it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

use crate::observe::metrics::Peer;

/// The labels that all series of a run have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// The job's name.
    pub job: &'a str,
    /// The tenant, as the job names it.
    pub target: &'a str,
    /// Who answered. What an emulator did has a group of its own: a push replaces whole families of its group.
    pub peer: Peer,
}

impl fmt::Display for Group<'_> {
    /// The path below the gateway's address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/metrics")?;
        for (name, value) in [("job", self.job), ("target", self.target)] {
            write!(f, "/{name}")?;
            segment(f, value)?;
        }
        match self.peer {
            Peer::Service => Ok(()),
            Peer::Emulator => f.write_str("/emulated/true"),
        }
    }
}

/// A value as a segment of a path. What a path cannot hold is written in base64, which a gateway is told by the name's ending;
/// an empty value is `=` there.
fn segment(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    if value.is_empty() {
        return f.write_str("@base64/=");
    }
    if value.contains('/') || value == "." || value == ".." {
        return write!(f, "@base64/{}", URL_SAFE.encode(value));
    }
    f.write_str("/")?;
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                write!(f, "{}", char::from(byte))?;
            }
            other => write!(f, "%{other:02X}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Group, Peer};

    #[test]
    fn every_value_has_a_path_that_a_gateway_reads_as_it_was() {
        for (job, target, path) in [
            ("harden", "contoso.onmicrosoft.com", "/metrics/job/harden/target/contoso.onmicrosoft.com"),
            ("a b?#%", "ü", "/metrics/job/a%20b%3F%23%25/target/%C3%BC"),
            ("a/b", "", "/metrics/job@base64/YS9i/target@base64/="),
            (".", "..", "/metrics/job@base64/Lg==/target@base64/Li4="),
        ] {
            assert_eq!(Group { job, target, peer: Peer::Service }.to_string(), path);
        }
        let group = Group { job: "harden", target: "contoso", peer: Peer::Emulator };
        assert_eq!(group.to_string(), "/metrics/job/harden/target/contoso/emulated/true");
    }
}
