//! Squashfs: no bytes make the reader panic, hang or take memory without bounds.
#![no_main]

use std::ops::ControlFlow;
use std::sync::Arc;

use amint_fs::{FileSystem as _, Kind};
use amint_squashfs::Squashfs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(fs) = Squashfs::open(Arc::new(bytes.to_vec())) else { return };
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
});
