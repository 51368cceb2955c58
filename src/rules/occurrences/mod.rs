//! What becomes of the due times of a schedule: each ends as exactly one of ran, skipped(reason), failed(reason).

pub mod ended;
