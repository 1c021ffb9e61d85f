//! What amint writes, it reads.

use std::sync::Arc;

use amint_disk::export;
use amint_disk::raw::RawDisk;
use amint_formats::{CacheOptions, CachedBlocks, Format};
use amint_types::Cancel;

use crate::tools::{Bench, assert_is, content, open_plain};

#[test]
fn exports_of_amint_read_back() {
    let bench = Bench::new((35 << 20) + 512 * 7, 81);
    let source = RawDisk::open(&bench.path("disk.raw")).unwrap();
    for (written, read) in [
        (export::Format::Raw, Format::Raw),
        (export::Format::Qcow2, Format::Qcow2),
        (export::Format::Vmdk, Format::Vmdk),
        (export::Format::Vhd, Format::Vhd),
        (export::Format::VhdFixed, Format::Vhd),
    ] {
        let path = bench.path(written.as_str());
        export::export(&source, written, &path, &|_, _| (), &Cancel::new()).unwrap();
        let opened = open_plain(&path).unwrap();
        assert_eq!((opened.format, &opened.notes[..]), (read, &[][..]));
        assert_is(&opened, &bench.disk);
    }
    let blocks = CachedBlocks::new(Arc::new(source), CacheOptions::default());
    assert!(content(&blocks, 777_777) == bench.disk);
}
