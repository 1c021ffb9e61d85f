//! Are modules that nobody needs out of reach?

use std::collections::BTreeSet;

use crate::checks::live::{Snapshot, judged};
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// Judges the loaded modules, and those that `modprobe` would load.
pub(crate) fn judge(snapshot: &Snapshot, promises: &Promises) -> Verdict {
    if promises.unused_modules.is_empty() {
        return Verdict::skipped("nobody says which modules are unwanted");
    }
    let unwanted: BTreeSet<String> = promises.unused_modules.iter().map(|name| plain(name)).collect();
    let seen = match (snapshot.section("modules"), snapshot.section("loadable")) {
        (Ok(loaded), Ok(loadable)) => {
            let loaded = loaded.lines().filter_map(|line| line.split(' ').next()).map(plain);
            let loadable = loadable.lines().filter_map(file).map(plain);
            let (loaded, loadable): (BTreeSet<String>, BTreeSet<String>) =
                (loaded.collect(), loadable.collect());
            let named = |names: &BTreeSet<String>, what: &str| {
                let names: Vec<&str> = names.intersection(&unwanted).map(String::as_str).collect();
                (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")))
            };
            let wrong: Vec<String> =
                [named(&loaded, "loaded"), named(&loadable, "can be loaded")].into_iter().flatten().collect();
            if wrong.is_empty() { Seen::Holds } else { Seen::Violated(wrong.join("; ")) }
        }
        (Err(reason), _) | (_, Err(reason)) => Seen::Unknown(reason),
    };
    let summary = format!("{} are neither loaded nor loadable", unwanted.len());
    judged(promises, vec![("KRN-002", seen)], &summary)
}

/// Returns the module of a line `insmod /lib/modules/6.1/kernel/fs/hfs/hfs.ko.xz options`.
fn file(line: &str) -> Option<&str> {
    line.strip_prefix("insmod ")?.split(' ').next()?.rsplit('/').next()?.split('.').next()
}

/// The kernel takes `-` and `_` in module names for the same.
fn plain(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use amint_types::Severity;

    use super::*;
    use crate::promises::tests::passed;

    fn seen(modules: &str, loadable: &str) -> Seen {
        let mut promises = passed(&[("KRN-002", Severity::Low)]);
        promises.unused_modules = vec!["usb-storage".to_owned(), "hfs".to_owned()];
        let snapshot = Snapshot::parse(&format!("@@loadable\n{loadable}@@modules\n{modules}@@end\n"));
        judge(&snapshot, &promises).seen.remove(0).1
    }

    #[test]
    fn loaded_and_loadable_modules_are_named_and_others_do_not_count() {
        assert_eq!(
            seen("ext4 1 2 - Live 0x0\n", "insmod /lib/modules/6/kernel/fs/nls/nls.ko\n"),
            Seen::Holds
        );
        assert_eq!(
            seen("usb_storage 81920 0 - Live 0x0\n", "insmod /lib/modules/6/hfs.ko.xz x=1\n"),
            Seen::Violated("loaded: usb_storage; can be loaded: hfs".to_owned())
        );
    }
}
