//! The store: 512 KiB blocks by SHA-256, image manifests, operation log.
