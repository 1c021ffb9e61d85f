//! The disk as a bar: each partition and each gap at its place and in its proportion.

use amint_types::format_bytes;
use amint_types::report::{BuildReport, Partition};

use super::{percent, share};

pub(super) struct Disk<'a> {
    pub(super) size: String,
    pub(super) used: String,
    /// How much of the disk carries anything, for the thin bar below the partitions.
    pub(super) used_percent: String,
    pub(super) partitions: Vec<PartitionView<'a>>,
    pub(super) unpartitioned: String,
}

pub(super) struct PartitionView<'a> {
    pub(super) partition: &'a Partition,
    pub(super) x: String,
    pub(super) width: String,
    /// One of the shades of the accent, so that neighbours differ.
    pub(super) shade: usize,
    pub(super) start: String,
    pub(super) size: String,
    pub(super) share: String,
}

/// How many shades the style sheet has.
const SHADES: usize = 3;

impl<'a> Disk<'a> {
    pub(super) fn new(report: &'a BuildReport) -> Self {
        let disk_bytes = report.disk_bytes;
        let mut by_start: Vec<&Partition> = report.partitions.iter().collect();
        by_start.sort_by_key(|partition| (partition.start_bytes, partition.number));
        let partitions = by_start
            .into_iter()
            .enumerate()
            .map(|(index, partition)| PartitionView {
                partition,
                x: percent(partition.start_bytes, disk_bytes),
                width: percent(
                    partition.bytes.min(disk_bytes.saturating_sub(partition.start_bytes)),
                    disk_bytes,
                ),
                shade: index % SHADES,
                start: format_bytes(partition.start_bytes),
                size: format_bytes(partition.bytes),
                share: share(partition.bytes, disk_bytes),
            })
            .collect();
        let in_partitions = report.partitions.iter().map(|one| one.bytes).fold(0, u64::saturating_add);
        Self {
            size: format_bytes(disk_bytes),
            used: format_bytes(report.used_bytes),
            used_percent: percent(report.used_bytes, disk_bytes),
            partitions,
            unpartitioned: format_bytes(disk_bytes.saturating_sub(in_partitions)),
        }
    }
}
