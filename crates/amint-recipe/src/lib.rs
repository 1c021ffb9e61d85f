//! The recipe amint.toml: model, validation with spans, JSON Schema.
