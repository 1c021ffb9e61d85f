//! Changed bytes anywhere: an answer or an error, never a panic.

use std::sync::{Arc, OnceLock};

use amint_formats::{OpenOptions, open_source};
use amint_types::ReadAt;
use proptest::prelude::*;

use crate::log;
use crate::tools::{Bench, has};

/// Small images of all formats.
fn images() -> &'static [Vec<u8>] {
    static IMAGES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    IMAGES.get_or_init(|| {
        if !has("qemu-img") {
            return Vec::new();
        }
        let bench = Bench::new(1 << 20, 71);
        let forms: &[&[&str]] = &[
            &["-O", "qcow2"],
            &["-O", "qcow2", "-o", "extended_l2=on,cluster_size=16k"],
            &["-O", "qcow2", "-c", "-o", "cluster_size=4k"],
            &["-O", "qcow2", "-c", "-o", "compression_type=zstd"],
            &["-O", "vmdk"],
            &["-O", "vmdk", "-o", "subformat=streamOptimized"],
            &["-O", "vpc"],
            &["-O", "vpc", "-o", "subformat=fixed"],
            &["-O", "vhdx", "-o", "block_size=1M"],
            &["-O", "vdi"],
        ];
        let mut images: Vec<Vec<u8>> = forms
            .iter()
            .map(|options| {
                bench.convert(options, "image");
                bench.bytes("image")
            })
            .collect();
        images.extend(log::crashed(0).map(|crashed| crashed.bytes("image")));
        images
    })
}

/// Makes checksums right again, so that more than checksums is tried.
fn seal(image: &mut [u8]) {
    if image.starts_with(b"vhdxfile") {
        for (at, bytes) in [(64, 4), (128, 4), (192, 64), (256, 64)] {
            let part = image.get_mut(at << 10..(at + bytes) << 10);
            part.into_iter().for_each(log::seal);
        }
        for at in (0..image.len()).step_by(4096) {
            let Some(entry) = image.get_mut(at..).filter(|entry| entry.starts_with(b"loge")) else {
                continue;
            };
            let length = entry.get(8..12).map_or(0, |bytes| u32::from_le_bytes(bytes.try_into().unwrap()));
            let entry = entry.get_mut(..usize::try_from(length).unwrap().max(4096));
            entry.into_iter().for_each(log::seal);
        }
    }
    if image.starts_with(b"conectix") {
        let end = image.len().saturating_sub(512);
        for (at, bytes, sum_at) in [(0, 512, 64), (512, 1024, 36), (end, 512, 64)] {
            let Some(part) = image.get_mut(at..at + bytes) else { continue };
            part[sum_at..sum_at + 4].fill(0);
            let sum: u32 = part.iter().map(|byte| u32::from(*byte)).sum();
            part[sum_at..sum_at + 4].copy_from_slice(&(!sum).to_be_bytes());
        }
    }
}

/// Reads everything that an image lets itself be read.
fn exercise(image: Vec<u8>) {
    let Ok(opened) =
        open_source(Arc::new(image), &OpenOptions { verify_manifest: true, ..OpenOptions::default() })
    else {
        return;
    };
    let size = opened.disk.size_bytes();
    let mut buffer = vec![0; 1 << 17];
    for step in 0..24 {
        let offset = if step < 16 { step << 17 } else { size / 8 * (step - 16) };
        if offset < size {
            let bytes = usize::try_from((size - offset).min(1 << 17)).unwrap();
            let _ = opened.disk.read_exact_at(offset, &mut buffer[..bytes]);
            let _ = opened.disk.is_known_zero(offset, bytes as u64);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn changed_bytes_do_no_harm(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<u64>(), any::<[u8; 4]>(), 1_usize..5), 1..6),
        // Most changes go where the tables are.
        reach in prop::sample::select(vec![128_u64, 1024, 1 << 14, 1 << 18, 3 << 20, u64::MAX]),
        is_sealed in any::<bool>(),
        cut in prop::option::weighted(0.2, any::<u64>()),
    ) {
        let images = images();
        if images.is_empty() {
            return Ok(());
        }
        let mut image = which.get(images).clone();
        for (at, bytes, length) in changes {
            let reach = reach.min(image.len() as u64 - 4);
            // The tables of a VHDX begin at 64 KiB, its log at 1 MiB.
            let first = if image.starts_with(b"vhdxfile") { 64 << 10 } else { 0 };
            let at = usize::try_from((first + at % reach).min(image.len() as u64 - 4)).unwrap();
            image[at..at + length.min(4)].copy_from_slice(&bytes[..length.min(4)]);
        }
        if let Some(cut) = cut {
            let length = image.len() as u64;
            image.truncate(usize::try_from(cut % length).unwrap());
        }
        if is_sealed {
            seal(&mut image);
        }
        exercise(image);
    }
}
