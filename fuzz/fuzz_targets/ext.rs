//! ext2, ext3 and ext4: no bytes make the reader panic, hang or take memory without bounds.
#![no_main]

use std::ops::ControlFlow;
use std::sync::Arc;

use amint_ext::Ext;
use amint_fs::FileSystem as _;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(ext) = Ext::open(Arc::new(bytes.to_vec())) else { return };
    let mut pending = vec![ext.root()];
    let mut buffer = vec![0; 64 << 10];
    for _ in 0..200 {
        let Some(id) = pending.pop() else { break };
        let _ = (ext.node(id), ext.xattrs(id), ext.position(id), ext.read_link(id));
        if let Ok(mut file) = ext.open(id) {
            let _ = file.read_at(0, &mut buffer);
            let _ = file.read_at(file.size_bytes().saturating_sub(5000), &mut buffer);
        }
        let _ = ext.read_dir(id, &mut |entry| {
            pending.push(entry.node);
            if pending.len() > 200 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
    let _ = ext.free_ranges(&mut |_| ControlFlow::Continue(()));
    let _ = ext.deleted_inodes(&mut |deleted| {
        let _ = deleted.open().and_then(|mut file| file.read_at(0, &mut buffer));
        ControlFlow::Continue(())
    });
    let _ = ext.journal_ranges();
});
