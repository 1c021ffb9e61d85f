//! SLSA provenance in signed in-toto statements.
