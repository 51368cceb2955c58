//! Names that people give to jobs, steps and connections.

/// A job's name: a DNS label (`[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobName(String);

/// A connection's name: a DNS label, as a job's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionName(String);

/// A step's name: an identifier (`[a-z][a-z0-9_]*`, at most 63 bytes), because it occurs in expressions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepName(String);

/// What a DNS label is, for people.
pub(super) const DNS_LABEL_HELP: &str =
    "lower-case letters, digits and hyphens, at most 63, first and last no hyphen";

impl JobName {
    /// The name, if it is a DNS label.
    pub fn new(text: &str) -> Option<JobName> {
        is_dns_label(text).then(|| JobName(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ConnectionName {
    /// The name, if it is a DNS label.
    pub fn new(text: &str) -> Option<ConnectionName> {
        is_dns_label(text).then(|| ConnectionName(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl StepName {
    /// The name, if it is an identifier.
    pub fn new(text: &str) -> Option<StepName> {
        let bytes = text.as_bytes();
        let fits = bytes.first()?.is_ascii_lowercase()
            && bytes.len() <= 63
            && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_');
        fits.then(|| StepName(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ConnectionName {
    type Err = String;

    fn from_str(text: &str) -> Result<ConnectionName, String> {
        ConnectionName::new(text)
            .ok_or_else(|| format!("the name of a connection is a DNS label: {DNS_LABEL_HELP}"))
    }
}

impl std::fmt::Display for JobName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for StepName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_dns_label(text: &str) -> bool {
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(inner)
        && bytes.last().is_some_and(inner)
        && bytes.len() <= 63
        && bytes.iter().all(|byte| inner(byte) || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_and_connections_have_dns_labels_and_steps_identifiers() {
        let longest = "x".repeat(63);
        for good in ["a", "contoso-prod", "0-1", &longest] {
            assert!(JobName::new(good).is_some() && ConnectionName::new(good).is_some(), "{good}");
        }
        for bad in ["", "-a", "a-", "Contoso", "a.b", "a_b", "ä", &"x".repeat(64)] {
            assert!(JobName::new(bad).is_none() && ConnectionName::new(bad).is_none(), "{bad}");
        }
        assert!(StepName::new("a_1").is_some());
        for bad in ["", "_a", "1a", "a-b", "A"] {
            assert!(StepName::new(bad).is_none(), "{bad}");
        }
    }
}
