//! What unit tests share.

use amint_types::Severity;
use amint_types::scan::{FORMAT_VERSION, ScanDocument, ScanVerdict, Target};
use jiff::Timestamp;

/// A scan of an image with nothing in it.
pub(crate) fn document() -> ScanDocument {
    let target =
        Target { name: "image".to_owned(), format: "raw".to_owned(), disk_bytes: None, digest: None };
    let options = crate::InspectOptions {
        now: Timestamp::UNIX_EPOCH,
        threads: 1,
        skipped: Vec::new(),
        tool_version: "0".to_owned(),
    };
    let document = crate::inspect::blank(target, &options);
    assert_eq!((document.format_version, document.verdict), (FORMAT_VERSION, ScanVerdict::Unread));
    assert_eq!(document.gate, Severity::High);
    document
}
