//! NTFS: no bytes make the reader panic, hang or take memory without bounds.
#![no_main]

use std::ops::ControlFlow;
use std::sync::Arc;

use amint_fs::FileSystem;
use amint_ntfs::Ntfs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(fs) = Ntfs::open(Arc::new(bytes.to_vec())) else { return };
    let mut pending = vec![fs.root()];
    for _ in 0..100 {
        let Some(id) = pending.pop() else { break };
        let _ = fs.read_dir(id, &mut |entry| {
            pending.push(entry.node);
            ControlFlow::Continue(())
        });
        let _ = (fs.node(id), fs.read_link(id), fs.xattrs(id));
        if let Ok(mut file) = fs.open(id) {
            let _ = file.read_at(0, &mut [0; 4096]);
        }
    }
    let _ = fs.free_ranges(&mut |_| ControlFlow::Continue(()));
});
