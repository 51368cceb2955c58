//! Sets of weekdays.

/// A set of weekdays as bits; Sunday is bit 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Weekdays(pub(super) u8);

impl Weekdays {
    /// All seven.
    pub const ALL: Weekdays = Weekdays(0b111_1111);

    /// Whether a weekday is in it.
    pub fn holds(self, weekday: jiff::civil::Weekday) -> bool {
        self.0 >> weekday.to_sunday_zero_offset() & 1 == 1
    }

    /// The days of a month that begins on `first_weekday`, as bits 1 to 31.
    pub(super) fn of_month(self, first_weekday: u8) -> u32 {
        let week = u64::from(self.0);
        let from_first = (week >> first_weekday | week << (7 - first_weekday)) & 0b111_1111;
        ((from_first * (1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28)) << 1) as u32
    }
}
