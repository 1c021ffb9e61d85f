//! Did the root file system grow onto the larger disk?

use crate::boot::Guest;
use crate::checks::Verdict;
use crate::checks::boot_facts::shortened;
use amint_types::format_bytes;

/// A file system keeps up to this share of its partition for itself, in percent (ext4: inode tables, journal).
const OVERHEAD_PERCENT: u64 = 4;

/// How large the disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// The disk, as QEMU shows it.
    pub(crate) disk_bytes: u64,
    /// How much of that is not in the image.
    pub(crate) grow_bytes: u64,
}

/// Asks how large root disk, partitions and root file system are.
pub(crate) async fn growth(guest: &Guest, sizes: Sizes) -> Verdict {
    if sizes.grow_bytes == 0 {
        return Verdict::skipped("the disk is just as large as the image");
    }
    let script = "root=$(findmnt -nvo SOURCE /)
        echo filesystem $(df -B1 --output=size / | tail -n1)
        echo root $(lsblk -bdnro SIZE \"$root\")
        lsblk -bsnro TYPE,SIZE \"$root\" | awk '$1==\"disk\"{print}'
        disk=$(lsblk -snro TYPE,PATH \"$root\" | awk '$1==\"disk\"{print $2}')
        lsblk -bnro TYPE,SIZE \"$disk\" | awk '$1==\"part\"{print}'";
    guest.run(script).await.map(|output| judge(&output.stdout, sizes)).into()
}

fn judge(answer: &str, sizes: Sizes) -> Verdict {
    let mut filesystem = None;
    let mut root = None;
    let mut disk = None;
    let mut partitions: u64 = 0;
    for line in answer.lines().take(200) {
        let mut words = line.split_whitespace();
        let (Some(kind), Some(Ok(bytes))) = (words.next(), words.next().map(str::parse::<u64>)) else {
            continue;
        };
        match kind {
            "filesystem" => filesystem = Some(bytes),
            "root" => root = Some(bytes),
            "disk" => disk = Some(bytes),
            "part" => partitions = partitions.saturating_add(bytes),
            _ => {}
        }
    }
    let (Some(filesystem), Some(root), Some(disk)) = (filesystem, root, disk) else {
        return Verdict::fail(format!("sizes cannot be read: {}", shortened(answer.trim(), 300)));
    };
    let detail = format!(
        "root file system {}, root partition {}, disk {}",
        format_bytes(filesystem),
        format_bytes(root),
        format_bytes(disk)
    );
    if disk != sizes.disk_bytes {
        return Verdict::fail(format!("{detail}; the disk should have {}", format_bytes(sizes.disk_bytes)));
    }
    // Half of what was added decides: nothing else on the disk changes by as much.
    let unused = disk.saturating_sub(partitions);
    if unused > sizes.grow_bytes / 2 {
        return Verdict::fail(format!("{detail}; {} belong to no partition", format_bytes(unused)));
    }
    let missing = root.saturating_sub(filesystem);
    if missing > sizes.grow_bytes / 2 && missing > root / 100 * OVERHEAD_PERCENT {
        return Verdict::fail(format!("{detail}; the file system did not grow with its partition"));
    }
    Verdict::pass(detail)
}

#[cfg(test)]
mod tests {
    use amint_types::GIB;
    use amint_types::report::CheckOutcome;

    use super::*;

    const SIZES: Sizes = Sizes { disk_bytes: 3 * GIB, grow_bytes: GIB };

    fn answer(filesystem: u64, root: u64, disk: u64, boot: u64) -> CheckOutcome {
        let text = format!("filesystem {filesystem}\nroot {root}\ndisk {disk}\npart {boot}\npart {root}\n");
        judge(&text, SIZES).outcome
    }

    #[test]
    fn grown_file_system_passes() {
        assert_eq!(answer(2_800_000_000, 3_000_000_000, 3 * GIB, 100_000_000), CheckOutcome::Pass);
    }

    #[test]
    fn whatever_stayed_small_fails() {
        assert_eq!(answer(1_900_000_000, 2_000_000_000, 3 * GIB, 100_000_000), CheckOutcome::Fail);
        assert_eq!(answer(1_900_000_000, 3_000_000_000, 3 * GIB, 100_000_000), CheckOutcome::Fail);
        assert_eq!(answer(1_900_000_000, 2_000_000_000, 2 * GIB, 100_000_000), CheckOutcome::Fail);
    }

    #[test]
    fn nonsense_is_no_pass() {
        for text in ["", "filesystem\nroot x\ndisk -1", "filesystem 99999999999999999999999 root disk"] {
            assert_eq!(judge(text, SIZES).outcome, CheckOutcome::Fail, "{text}");
        }
    }
}
