//! Btrfs: no bytes make the reader panic, hang or take memory without bounds.
#![no_main]

use std::ops::ControlFlow;
use std::sync::Arc;

use amint_btrfs::Btrfs;
use amint_fs::{FileSystem as _, Kind};

/// Bytes of metadata blocks in the images of the corpus.
const BLOCK_BYTES: usize = 4096;
const SUPERBLOCK_AT: usize = 64 << 10;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut image = bytes.to_vec();
    // Checksums would stop every change: they are made right.
    let id = image.get(SUPERBLOCK_AT + 32..SUPERBLOCK_AT + 48).unwrap_or_default().to_vec();
    for block in image.chunks_exact_mut(BLOCK_BYTES).filter(|block| block[32..48] == id) {
        let sum = crc32c::crc32c(&block[32..]).to_le_bytes();
        block[..4].copy_from_slice(&sum);
    }
    let Ok(fs) = Btrfs::open(Arc::new(image)) else { return };
    let mut pending = vec![fs.root()];
    let mut count = 0;
    while let Some(id) = pending.pop() {
        count += 1;
        let Ok(node) = fs.node(id) else { continue };
        let _ = (fs.xattrs(id), fs.position(id), fs.read_link(id));
        if node.kind == Kind::Folder && count < 1000 {
            let _ = fs.read_dir(id, &mut |entry| {
                pending.push(entry.node);
                ControlFlow::Continue(())
            });
        }
        if let Ok(mut file) = fs.open(id) {
            let _ = file.read_at(0, &mut vec![0; 1 << 18]);
        }
    }
    let _ = fs.free_ranges(&mut |_| ControlFlow::Continue(()));
});
