//! Writes disks in the formats of virtual machines.
