//! Putting the disk together.

use std::os::unix::fs::FileExt as _;
use std::path::Path;

use amint_types::report::Partition;
use amint_types::{Cancel, EventSink, format_bytes};

use super::esp::{Esp, EspSpec};
use super::grub::{BOOT_CODE_BYTES, install};
use super::layout::{Layout, plan_layout};
use super::table::{Entry, write_table};
use super::{DiskSpec, DiskSummary, ImageError, ids, root};
use crate::raw::Staging;

/// Makes a disk at `output` whose root file system has the files of `tree`.
///
/// The file is readable by its owner alone, sparse, and appears under its name only when it is whole; a file
/// of that name is replaced then. Progress is told as progress of `step`, whose beginning and end are the
/// caller's to tell.
///
/// # Errors
/// Fails when the specification cannot be met, the tree cannot be read, the output cannot be written, or the
/// user cancels; nothing stays behind then.
pub fn assemble(
    tree: &Path,
    output: &Path,
    spec: &DiskSpec,
    sink: &dyn EventSink,
    step: &str,
    cancel: &Cancel,
) -> Result<DiskSummary, ImageError> {
    let layout =
        plan_layout(spec.bytes, spec.boot.bios.is_some(), spec.esp_bytes, root::minimum_bytes(tree)?)?;
    // All that can be refused is refused before the long work.
    let grub = match (&spec.boot.bios, &layout.bios) {
        (Some(bios), Some(partition)) => Some(install(bios, partition.start)?),
        _ => None,
    };
    let esp = Esp::plan(&EspSpec {
        files: &spec.boot.esp,
        bytes: layout.esp.end - layout.esp.start,
        start_bytes: layout.esp.start,
        volume_id: ids::esp_volume_id(&spec.seed),
        epoch: spec.epoch,
    })?;
    cancel.check()?;

    let staging = Staging::create(output).map_err(ImageError::write("the disk", output))?;
    let target = staging.file();
    target.set_len(layout.disk_bytes).map_err(ImageError::write("the disk", output))?;
    let doing = format!("root file system on {}", format_bytes(layout.disk_bytes));
    let progress = |done, total| sink.step_progress(step, done, Some(total), Some(&doing));
    let place = root::Output { file: target, path: output };
    let root_used_bytes = root::write(tree, place, &layout.root, spec, &progress, cancel)?;

    sink.step_progress(step, root_used_bytes, Some(root_used_bytes), Some("boot loader and partition table"));
    esp.write(target).map_err(ImageError::write("the EFI system partition", output))?;
    if let (Some(grub), Some(partition)) = (&grub, &layout.bios) {
        target
            .write_all_at(&grub.core, partition.start)
            .map_err(ImageError::write("the BIOS boot partition", output))?;
    }
    let boot_code = grub.map_or([0; BOOT_CODE_BYTES], |grub| grub.boot_code);
    let entries = entries(&layout, spec);
    write_table(target, layout.disk_bytes, ids::disk_uuid(&spec.seed), &entries, &boot_code).map_err(
        |error| match error {
            gptman::Error::Io(source) => ImageError::write("the partition table", output)(source),
            error => ImageError::Table(error),
        },
    )?;
    cancel.check()?;
    staging.commit(true).map_err(ImageError::write("the disk", output))?;
    Ok(DiskSummary { bytes: layout.disk_bytes, partitions: partitions(&entries), root_used_bytes })
}

/// Returns what the partition table says.
fn entries(layout: &Layout, spec: &DiskSpec) -> Vec<Entry> {
    let entry = |name, kind, bytes: &std::ops::Range<u64>| Entry {
        name,
        kind,
        id: ids::partition_uuid(&spec.seed, name),
        bytes: bytes.clone(),
    };
    let bios = layout.bios.as_ref().map(|bytes| entry("bios", ids::TYPE_BIOS_BOOT, bytes));
    let esp = entry("esp", ids::TYPE_ESP, &layout.esp);
    let root = entry("root", ids::root_type(spec.architecture), &layout.root);
    bios.into_iter().chain([esp, root]).collect()
}

/// Returns the partitions as reports show them.
fn partitions(entries: &[Entry]) -> Vec<Partition> {
    (1..)
        .zip(entries)
        .map(|(number, entry)| Partition {
            number,
            name: entry.name.to_owned(),
            start_bytes: entry.bytes.start,
            bytes: entry.bytes.end - entry.bytes.start,
            content: match entry.name {
                "bios" => "bios-boot",
                "esp" => "vfat",
                _ => "ext4",
            }
            .to_owned(),
        })
        .collect()
}
