//! VMDK disks of several files lead nowhere else.

use std::sync::Arc;

use amint_formats::{FormatError, OpenOptions, open_source};
use amint_types::Hint as _;

use crate::tools::{Bench, assert_is, open_plain};

fn descriptor(extents: &str) -> String {
    format!(
        "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"twoGbMaxExtentFlat\"\n{extents}\n"
    )
}

#[test]
fn flat_pieces_and_zeros_are_laid_end_to_end() {
    let bench = Bench::new(1 << 20, 31);
    let path = bench.write(
        "disk.vmdk",
        descriptor("RW 100 FLAT \"disk.raw\" 7\nRW 9 ZERO\nRW 8 FLAT \"disk.raw\" 0").as_bytes(),
    );
    let opened = open_plain(&path).unwrap();
    let expected = [&bench.disk[7 * 512..107 * 512], &[0; 9 * 512], &bench.disk[..8 * 512]].concat();
    assert_is(&opened, &expected);
    assert!(opened.disk.is_known_zero(100 * 512, 9 * 512));
}

#[test]
fn no_extent_leads_out_of_the_folder() {
    let bench = Bench::new(1 << 20, 32);
    std::fs::create_dir(bench.path("inner")).unwrap();
    std::os::unix::fs::symlink("../disk.raw", bench.path("inner/link")).unwrap();
    std::os::unix::fs::symlink("inner", bench.path("folder-link")).unwrap();
    let absolute = bench.path("disk.raw");
    for name in ["../disk.raw", absolute.to_str().unwrap(), "..", ".", "", "./link", "x/y"] {
        let text = descriptor(&format!("RW 8 FLAT \"{name}\" 0"));
        let error = open_plain(&bench.write("inner/disk.vmdk", text.as_bytes())).unwrap_err();
        assert!(matches!(error, FormatError::Reference { .. }), "{name}: {error:?}");
        assert!(error.hint().is_some());
    }
    for name in ["link", "missing"] {
        let text = descriptor(&format!("RW 8 FLAT \"{name}\" 0"));
        let error = open_plain(&bench.write("inner/disk.vmdk", text.as_bytes())).unwrap_err();
        assert!(matches!(error, FormatError::Part { .. }), "{name}: {error:?}");
    }
    let text = descriptor("RW 8 FLAT \"disk.raw\" 0");
    let inside = open_source(Arc::new(text.into_bytes()), &OpenOptions::default());
    assert!(matches!(inside, Err(FormatError::Reference { .. })));
}

#[test]
fn an_extent_that_is_too_short_is_named() {
    let bench = Bench::new(1 << 20, 33);
    let path = bench.write("disk.vmdk", descriptor("RW 4096 FLAT \"disk.raw\" 0").as_bytes());
    let error = open_plain(&path).unwrap_err();
    assert!(error.to_string().contains("`disk.raw`"));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "the vmdk image is damaged: an extent has 1048576 bytes, and should have 2097152");
}
