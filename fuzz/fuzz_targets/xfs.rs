//! XFS: no bytes make the reader panic, hang or take memory without bounds.
#![no_main]

use std::ops::ControlFlow;
use std::sync::Arc;

use amint_fs::FileSystem;
use amint_xfs::Xfs;

libfuzzer_sys::fuzz_target!(|bytes: Vec<u8>| {
    let Ok(fs) = Xfs::open(Arc::new(bytes)) else { return };
    let mut pending = vec![fs.root()];
    let mut buffer = vec![0; 64 * 1024];
    for _ in 0..200 {
        let Some(id) = pending.pop() else { break };
        let _ = (fs.node(id), fs.xattrs(id), fs.read_link(id), fs.position(id));
        let _ = fs.open(id).and_then(|mut file| file.read_at(0, &mut buffer));
        let _ = fs.read_dir(id, &mut |entry| {
            pending.push(entry.node);
            if pending.len() < 1000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    }
    let _ = fs.free_ranges(&mut |_| ControlFlow::Continue(()));
});
