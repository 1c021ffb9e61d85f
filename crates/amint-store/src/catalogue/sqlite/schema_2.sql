-- Manifests that are needed though no image has them: snapshots of the endpoint.
CREATE TABLE pin (
    name   TEXT NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;
