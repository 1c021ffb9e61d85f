//! Documents of scans: whatever reads as one has every report, and its JSON reads back as the same document.
#![no_main]

use amint_report::scan;
use amint_types::scan::ScanDocument;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = serde_json::from_slice::<ScanDocument>(bytes) else { return };
    let text = scan::scan_json(&document);
    assert_eq!(serde_json::from_str::<ScanDocument>(&text).ok(), Some(document.clone()));
    for text in [scan::sarif(&document), scan::cyclonedx(&document), scan::spdx(&document)] {
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }
    scan::junit(&document);
    assert!(scan::html(&document).is_ok());
    let difference = scan::difference(&document, &document);
    assert!(difference.is_empty());
    scan::difference_markdown(&difference);
});
