//! Time zones by their names.

use std::sync::LazyLock;

use jiff::tz::TimeZone;

use super::escape::quote;
use crate::catalog::nearest;

/// The zones there are, for messages: listing them takes long.
static ZONES: LazyLock<Vec<String>> =
    LazyLock::new(|| jiff::tz::db().available().map(|name| name.to_string()).collect());

/// There is no zone of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title}")]
pub struct UnknownZone {
    /// Which, escaped.
    pub title: String,
    /// The nearest name there is.
    pub help: String,
}

/// The zone of an IANA name, whatever its case. A host's own zone data come first, the program's after them.
///
/// # Errors
/// There is none of that name.
pub fn time_zone(name: &str) -> Result<TimeZone, UnknownZone> {
    if let Ok(zone) = TimeZone::get(name)
        && !zone.is_unknown()
    {
        return Ok(zone);
    }
    let help = match nearest(name, ZONES.iter().map(String::as_str)).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write an IANA name such as `Europe/Berlin`, `Asia/Tokyo` or `UTC`".to_owned(),
    };
    Err(UnknownZone { title: format!("there is no time zone {}", quote(name)), help })
}
