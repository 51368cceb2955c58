//! Objects of which only some properties are made.

/// Which properties of an object are wanted: making all of a hundred is what a listing costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a>(Option<&'a [String]>);

impl<'a> Wanted<'a> {
    /// Every property.
    pub(super) const ALL: Wanted<'static> = Wanted(None);

    /// Only these, in any case; `None`: all.
    pub(super) fn only(names: Option<&'a [String]>) -> Wanted<'a> {
        Wanted(names)
    }

    pub(super) fn wants(self, name: &str) -> bool {
        self.0.is_none_or(|names| names.iter().any(|own| own.eq_ignore_ascii_case(name)))
    }
}

/// Adds the wanted ones of a table of properties; the values of the others are never made.
macro_rules! add {
    ($wanted:ident, $to:ident, [$(($name:literal, $value:expr $(,)?)),* $(,)?]) => {
        $(if $wanted.wants($name) {
            $to.push(($name, $value));
        })*
    };
}

pub(super) use add;
