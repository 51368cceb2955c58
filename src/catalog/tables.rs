//! The tables that `build.rs` makes of `cmdlets.tsv`. Rows hold numbers; every text is in one blob, once.

/// A cmdlet: text number of its name, bits of its services, its first parameter's row and how many there are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct C(pub(super) u16, pub(super) u8, pub(super) u16, pub(super) u16);

/// A parameter: text numbers of name, type, aliases and values; how required it is; bits of its services.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct P(
    pub(super) u16,
    pub(super) u16,
    pub(super) u16,
    pub(super) u16,
    pub(super) u8,
    pub(super) u8,
);

include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

static BLOB: &str = include_str!(concat!(env!("OUT_DIR"), "/catalog.txt"));

/// The text with this number.
pub(super) fn text(number: u16) -> &'static str {
    let number = usize::from(number);
    let start = if number == 0 { 0 } else { ENDS[number - 1] as usize };
    &BLOB[start..ENDS[number] as usize]
}
