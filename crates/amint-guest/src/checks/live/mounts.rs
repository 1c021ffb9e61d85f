//! Is mounted what fstab says, with the options that it names?

use std::collections::{BTreeMap, BTreeSet};

use crate::checks::boot_facts::shortened;
use crate::checks::live::{Snapshot, judged};
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// Options that guard a file system, and show in the table of mounts.
const GUARDS: [&str; 4] = ["nodev", "nosuid", "noexec", "ro"];
/// File systems of fstab that are no mount point, or are mounted by need.
const PASSED_OVER: [&str; 2] = ["none", "swap"];

/// Judges `/proc/self/mountinfo` against `/etc/fstab`.
pub(crate) fn judge(snapshot: &Snapshot, promises: &Promises) -> Verdict {
    let (seen, summary) = match (snapshot.section("fstab"), snapshot.section("mountinfo")) {
        (Ok(fstab), Ok(mounts)) => compare(fstab, &options(mounts)),
        (Err(reason), _) | (_, Err(reason)) => (Seen::Unknown(reason), String::new()),
    };
    judged(promises, vec![("FS-004", seen)], &summary)
}

fn compare(fstab: &str, mounted: &BTreeMap<String, BTreeSet<String>>) -> (Seen, String) {
    if !mounted.contains_key("/") {
        return (Seen::Unknown("the table of mounts has no root".to_owned()), String::new());
    }
    let (mut wrong, mut count) = (Vec::new(), 0_u32);
    for line in fstab.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, target, kind, wanted, ..] = fields[..] else { continue };
        let wanted: Vec<&str> = wanted.split(',').collect();
        if PASSED_OVER.contains(&target) || kind == "swap" || wanted.contains(&"noauto") {
            continue;
        }
        count += 1;
        let target = plain(target);
        let shown = shortened(&target, 80);
        match mounted.get(&target) {
            Some(options) => {
                let missing: Vec<&str> = GUARDS
                    .into_iter()
                    .filter(|guard| wanted.contains(guard) && !options.contains(*guard))
                    .collect();
                if !missing.is_empty() {
                    wrong.push(format!("{shown} is mounted without {}", missing.join(", ")));
                }
            }
            None if wanted.contains(&"nofail") || wanted.contains(&"x-systemd.automount") => {}
            None => wrong.push(format!("{shown} is not mounted")),
        }
    }
    let seen = if wrong.is_empty() { Seen::Holds } else { Seen::Violated(wrong.join("; ")) };
    let entries = if count == 1 { "entry" } else { "entries" };
    (seen, format!("{count} {entries} of fstab, all mounted with their options"))
}

/// Returns the options of each mount point; of several mounts on one the last is seen (`proc_pid_mountinfo(5)`).
fn options(mountinfo: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut mounted = BTreeMap::new();
    for line in mountinfo.lines() {
        let (front, back) = line.split_once(" - ").unwrap_or((line, ""));
        let fields: Vec<&str> = front.split_whitespace().collect();
        let (Some(target), Some(own)) = (fields.get(4), fields.get(5)) else { continue };
        let of_filesystem = back.split_whitespace().nth(2).unwrap_or_default();
        let options = own.split(',').chain(of_filesystem.split(',')).map(ToOwned::to_owned).collect();
        mounted.insert(plain(target), options);
    }
    mounted
}

/// Spaces in both tables are written `\040`; a slash at the end makes no difference.
fn plain(target: &str) -> String {
    let target = target.replace("\\040", " ");
    if target.len() > 1 { target.trim_end_matches('/').to_owned() } else { target }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "22 1 259:3 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p3 rw\n\
        30 22 259:2 / /boot/efi rw,nosuid,nodev - vfat /dev/nvme0n1p2 rw,fmask=0077\n\
        31 22 0:30 / /my\\040data rw - tmpfs tmpfs ro\n";

    fn seen(fstab: &str) -> Seen {
        let snapshot = Snapshot::parse(&format!("@@mountinfo\n{MOUNTS}@@fstab\n{fstab}@@end\n"));
        judge(&snapshot, &Promises::default()).seen.remove(0).1
    }

    #[test]
    fn mounted_entries_hold_and_those_that_need_not_be_there_do_not_count() {
        assert_eq!(
            seen(
                "# comment\nLABEL=root / ext4 defaults 0 1\nLABEL=esp /boot/efi/ vfat nosuid,nodev 0 2\n\
                 /dev/sdb /mnt auto noauto 0 0\n/swap none swap sw 0 0\nLABEL=x /x ext4 nofail 0 0\n\
                 tmpfs /my\\040data tmpfs ro 0 0\n"
            ),
            Seen::Holds
        );
    }

    #[test]
    fn missing_mounts_and_options_are_named() {
        assert_eq!(
            seen(
                "LABEL=root / ext4 nodev 0 1\ntmpfs /tmp tmpfs nosuid 0 0\nx /boot/efi vfat noexec,nodev 0 0\n"
            ),
            Seen::Violated(
                "/ is mounted without nodev; /tmp is not mounted; /boot/efi is mounted without noexec"
                    .to_owned()
            )
        );
    }

    #[test]
    fn table_that_cannot_be_read_is_no_pass() {
        let snapshot = Snapshot::parse("@@mountinfo\n@@fstab\nLABEL=root / ext4 x 0 0\n@@end\n");
        assert!(matches!(judge(&snapshot, &Promises::default()).seen[0].1, Seen::Unknown(_)));
    }
}
