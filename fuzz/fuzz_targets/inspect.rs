//! Whole images of any bytes: opened, walked, read and judged without a panic.

#![no_main]

use std::io::Write;

use amint_inspect::image::{Image, ImageOptions};
use amint_inspect::{InspectOptions, inspect};
use amint_types::scan::Target;
use amint_types::{Cancel, NullSink};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(bytes).is_err() {
        return;
    }
    let Ok(image) = Image::open(file.path(), &ImageOptions::default()) else { return };
    let target = Target {
        name: "image".to_owned(),
        format: image.format.clone(),
        disk_bytes: image.disk_bytes,
        digest: None,
    };
    let options = InspectOptions {
        now: jiff::Timestamp::UNIX_EPOCH,
        threads: 1,
        skipped: Vec::new(),
        tool_version: "0".to_owned(),
    };
    let _ = inspect(&image, target, &options, &NullSink, &Cancel::new());
});
