//! The licences of every package of the machine that runs the tests: real copyright files.

use std::collections::BTreeMap;
use std::path::Path;

use amint_packages::dpkg::Copyright;
use amint_rights::{LicenseClass, classify_all, recognise};

const PACKAGES_MAX: usize = 3000;
const FILE_BYTES_MAX: u64 = 4 << 20;

#[test]
fn knows_nine_of_ten_packages_of_a_debian_machine() {
    let folder = Path::new("/usr/share/doc");
    let mut classes: BTreeMap<LicenseClass, Vec<String>> = BTreeMap::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = 0_usize;
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("SKIPPED: needs /usr/share/doc");
        return;
    };
    for entry in entries.flatten().take(PACKAGES_MAX) {
        let path = entry.path().join("copyright");
        let Ok(content) = std::fs::read(&path) else { continue };
        if u64::try_from(content.len()).is_ok_and(|bytes| bytes > FILE_BYTES_MAX) {
            continue;
        }
        count += 1;
        let read = Copyright::read(&content);
        let found = if read.licenses.is_empty() { recognise(&content) } else { read.licenses };
        let judged = classify_all(found.iter().map(String::as_str));
        for name in judged.iter().flat_map(|judged| judged.unknown.iter()) {
            *names.entry(name.clone()).or_default() += 1;
        }
        let class = judged.map_or(LicenseClass::Unknown, |judged| judged.class);
        classes.entry(class).or_default().push(entry.file_name().to_string_lossy().into_owned());
    }
    if count < 100 {
        eprintln!("SKIPPED: needs a Debian machine with copyright files ({count} found)");
        return;
    }
    for (class, packages) in &classes {
        eprintln!("{class:?}: {} of {count}", packages.len());
        if *class >= LicenseClass::Unknown {
            eprintln!("  {packages:?}");
        }
    }
    eprintln!("unknown names: {names:?}");
    let unknown = classes.get(&LicenseClass::Unknown).map_or(0, Vec::len);
    assert!(unknown * 10 < count, "{unknown} of {count} packages are unknown");
}
