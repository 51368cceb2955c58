//! The tables. Whoever changes one adds a migration; a file of an older version is brought up when it is opened.

/// "exor": tells our files from those of other programs (`PRAGMA application_id`).
pub(super) const APPLICATION_ID: i64 = 0x6578_6f72;

/// What brings a file from version N to N+1, from an empty one on.
pub(super) const MIGRATIONS: &[&str] = &[FIRST];

const FIRST: &str = "
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- A schedule is its canonical text. handled_until: every due time up to it is accounted for; it never goes back.
CREATE TABLE schedules (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES jobs (id),
    text TEXT NOT NULL,
    retired INTEGER NOT NULL,
    handled_until INTEGER NOT NULL,
    UNIQUE (job, text)
) STRICT;

-- One due time, or a range of skipped ones (due to last, count of them).
-- state: waiting, running (both open), ran, skipped, failed.
CREATE TABLE occurrences (
    schedule INTEGER NOT NULL REFERENCES schedules (id),
    due INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last >= due),
    count INTEGER NOT NULL CHECK (count > 0),
    job INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    run BLOB,
    noted INTEGER NOT NULL,
    started INTEGER,
    ended INTEGER,
    PRIMARY KEY (schedule, due)
) STRICT, WITHOUT ROWID;
CREATE INDEX occurrences_by_due ON occurrences (due, schedule);
CREATE INDEX occurrences_by_job ON occurrences (job, due, schedule);
CREATE INDEX occurrences_open ON occurrences (schedule, due) WHERE state IN ('waiting', 'running');

-- result: due, ran, skipped, failed. pruned: how many of count have no row in occurrences any more.
CREATE TABLE totals (
    job INTEGER NOT NULL REFERENCES jobs (id),
    result TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    pruned INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job, result, reason)
) STRICT, WITHOUT ROWID;

-- Runs that have ended. schedule and due are empty for one that was started by hand.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    run BLOB NOT NULL UNIQUE,
    job TEXT NOT NULL,
    schedule INTEGER,
    due INTEGER,
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    seconds REAL,
    outcome TEXT NOT NULL,
    exit_code INTEGER,
    reason TEXT,
    peer TEXT NOT NULL,
    tenant TEXT NOT NULL,
    tenant_id TEXT,
    environment TEXT NOT NULL,
    service TEXT NOT NULL,
    actor TEXT,
    mode TEXT NOT NULL,
    job_hash TEXT NOT NULL,
    source TEXT NOT NULL,
    sessions INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_by_began ON runs (began);
CREATE INDEX runs_by_job ON runs (job, began);

CREATE TABLE steps (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    action TEXT NOT NULL,
    seconds REAL NOT NULL,
    calls INTEGER NOT NULL,
    items INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    PRIMARY KEY (run, place)
) STRICT, WITHOUT ROWID;
";
