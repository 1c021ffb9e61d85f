//! The build: bootstrap, customise, harden, assemble.
