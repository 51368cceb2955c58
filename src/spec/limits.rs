//! What one file, one job and one expression may cost, whatever they say. Every limit is named in its message.
//!
//! Measured against an ordinary job of 2 KB with 200 values they leave two orders of magnitude.

/// A limit as the reference lists it.
pub(super) struct Limit {
    pub(super) name: &'static str,
    pub(super) value: u64,
    pub(super) doc: &'static str,
}

/// Declares each limit once: the constant, and its row in the reference.
macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $kind:ty = $value:expr;)+) => {
        $($(#[doc = $doc])+ pub(super) const $name: $kind = $value;)+

        /// All of them, in the order of the reference.
        pub(super) const ALL: &[Limit] =
            &[$(Limit { name: stringify!($name), value: $name as u64, doc: concat!($($doc),+) }),+];
    };
}

limits! {
    /// Bytes of one file.
    FILE_BYTES_MAX: u64 = 1024 * 1024;
    /// Documents in one file.
    DOCUMENTS_MAX: usize = 64;
    /// Lists and maps inside each other.
    DEPTH_MAX: usize = 32;
    /// Values of one file, those that aliases repeat included.
    NODES_MAX: usize = 50_000;
    /// Uses of aliases in one file.
    ALIASES_MAX: usize = 64;
    /// Values that aliases may repeat in one file.
    ALIASED_NODES_MAX: usize = 10_000;
    /// Keys of one map: names of ours, parameters or labels. Lists may be longer.
    MAP_KEYS_MAX: usize = 1_000;
    /// Bytes of one value.
    SCALAR_BYTES_MAX: usize = 64 * 1024;
    /// Steps of one job.
    STEPS_MAX: usize = 200;
    /// Inputs of one job.
    INPUTS_MAX: usize = 64;
    /// Labels of one job.
    LABELS_MAX: usize = 64;
    /// Entries of one list of a connection's permits: `jobs`, `delegated_organizations`, `secrets`.
    PERMITS_MAX: usize = 1_000;
    /// Schedules of one job.
    SCHEDULES_MAX: usize = 32;
    /// Windows of one job's `blackout`.
    BLACKOUTS_MAX: usize = 32;
    /// Missed occurrences of one job that are run afterwards.
    MISSED_MAX: u32 = 100;
    /// Sessions an account has in any service.
    SESSIONS_MAX: u32 = 5;
    /// Tries of one request that a step may ask for.
    RETRY_ATTEMPTS_MAX: u32 = 10;
    /// Bytes of one expression's text.
    EXPRESSION_BYTES_MAX: usize = 4 * 1024;
    /// Brackets of one expression inside each other. The engine's own limit is higher, and its parser recurses.
    EXPRESSION_DEPTH_MAX: usize = 24;
    /// Operators of one expression: signs, words such as `or`, dots, indexes and filters. The engine goes down a level for each, and the stack it does that on is small.
    EXPRESSION_OPERATORS_MAX: usize = 500;
    /// Work of one evaluation: about one for an instruction, four for an item that passes a filter, and one for 64 bytes of text it makes.
    EXPRESSION_FUEL: u64 = 2_000_000;
    /// Different regular expressions written out in one file: each is compiled when the file is checked.
    REGEXES_MAX: usize = 256;
    /// Bytes of one compiled regular expression.
    REGEX_BYTES_MAX: usize = 1024 * 1024;
    /// Values in the result of one expression. A loop over more goes over `steps.NAME.items` itself, which is streamed.
    RESULT_VALUES_MAX: usize = 2_000_000;
    /// Bytes of text in the result of one expression.
    RESULT_BYTES_MAX: usize = 64 * 1024 * 1024;
    /// Bytes of one text that expressions were put into.
    TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;
    /// Bytes of one output file.
    OUTPUT_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;
}
