//! Assembles a bootable disk.
