//! Partition tables, LVM2 and what else divides a disk.
