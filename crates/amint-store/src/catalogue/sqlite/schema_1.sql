CREATE TABLE image (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    digest       BLOB    NOT NULL CHECK (length(digest) = 32),
    architecture TEXT    NOT NULL,
    disk_bytes   INTEGER NOT NULL CHECK (disk_bytes > 0),
    used_bytes   INTEGER NOT NULL CHECK (used_bytes >= 0),
    created_at   TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('live', 'replaced', 'removed'))
) STRICT;
CREATE UNIQUE INDEX image_live ON image (name, version) WHERE state = 'live';

CREATE TABLE document (
    image INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    kind  TEXT    NOT NULL,
    bytes BLOB    NOT NULL,
    PRIMARY KEY (image, kind)
) STRICT;

-- Blocks that were synced before a commit, and not found damaged since.
CREATE TABLE trusted_block (
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE operation (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    intent     TEXT NOT NULL CHECK (json_valid(intent)),
    owner      TEXT NOT NULL,
    started_at TEXT NOT NULL
) STRICT;
CREATE TABLE operation_result (
    operation   INTEGER NOT NULL PRIMARY KEY REFERENCES operation (id),
    outcome     TEXT    NOT NULL CHECK (outcome IN ('succeeded', 'failed')),
    result      TEXT    NOT NULL CHECK (json_valid(result)),
    finished_at TEXT    NOT NULL
) STRICT;

-- The log only grows. The triggers on INSERT stand in the way of INSERT OR REPLACE, which deletes without a trigger.
CREATE TRIGGER operation_no_update BEFORE UPDATE ON operation
BEGIN SELECT raise(ABORT, 'the operation log only grows'); END;
CREATE TRIGGER operation_no_delete BEFORE DELETE ON operation
BEGIN SELECT raise(ABORT, 'the operation log only grows'); END;
CREATE TRIGGER operation_no_replace BEFORE INSERT ON operation
WHEN EXISTS (SELECT 1 FROM operation WHERE id = new.id)
BEGIN SELECT raise(ABORT, 'the operation log only grows'); END;
CREATE TRIGGER operation_result_no_update BEFORE UPDATE ON operation_result
BEGIN SELECT raise(ABORT, 'the operation log only grows'); END;
CREATE TRIGGER operation_result_no_delete BEFORE DELETE ON operation_result
BEGIN SELECT raise(ABORT, 'the operation log only grows'); END;
CREATE TRIGGER operation_result_no_replace BEFORE INSERT ON operation_result
WHEN EXISTS (SELECT 1 FROM operation_result WHERE operation = new.operation)
BEGIN SELECT raise(ABORT, 'the operation log only grows'); END;
