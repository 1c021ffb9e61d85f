//! What an image says itself about its mounts: `fstab(5)`.

use amint_fs::FileSystem;

use super::Part;

/// The largest `fstab` that is read.
pub(super) const FSTAB_BYTES_MAX: u64 = 1 << 20;
/// How many lines are listened to.
const LINES_MAX: usize = 1000;

/// One line that mounts a file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// What is mounted: `UUID=…`, `/dev/vda1`.
    pub(super) what: String,
    /// The mount point.
    pub(super) path: Vec<u8>,
    /// The subvolume of btrfs that is asked for.
    pub(super) subvolume: Option<Asked>,
}

/// How a line asks for a subvolume (`btrfs(5)`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// `subvol=`: by its path from the topmost subvolume.
    Path(Vec<u8>),
    /// `subvolid=`: by its number.
    Number(u64),
}

/// Reads the lines that mount something to a place; what is no line of `fstab(5)` is passed over, as `mount(8)` does.
pub(super) fn parse(content: &[u8]) -> Vec<Line> {
    let text = String::from_utf8_lossy(content);
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(parse_line)
        .take(LINES_MAX)
        .collect()
}

fn parse_line(line: &str) -> Option<Line> {
    let mut fields = line.split_whitespace();
    let (what, path) = (fields.next()?, unescape(fields.next()?));
    let options = fields.nth(1).unwrap_or_default();
    let names: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
    // Bind mounts show again what stands elsewhere.
    let is_bound = options.split(',').any(|option| matches!(option, "bind" | "rbind"));
    if path.first() != Some(&b'/') || names.contains(&b"..".as_slice()) || is_bound {
        return None;
    }
    let option = |name: &str| options.split(',').rev().find_map(|option| option.strip_prefix(name));
    let by_path = option("subvol=").map(|path| {
        let path = unescape(path);
        Asked::Path([b"/".as_slice(), path.strip_prefix(b"/").unwrap_or(&path)].concat())
    });
    let by_number = || option("subvolid=").and_then(|number| number.parse().ok()).map(Asked::Number);
    Some(Line {
        what: what.trim_matches('"').to_owned(),
        path: [b"/".as_slice(), &names.join(&b'/')].concat(),
        subvolume: by_path.or_else(by_number),
    })
}

/// Undoes the octal escapes of `fstab(5)`: `\040` is a space.
fn unescape(field: &str) -> Vec<u8> {
    let bytes = field.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        let escaped = escaped.filter(|_| *byte == b'\\');
        plain.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 4 } else { 1 };
    }
    plain
}

/// Tells whether a line means this part.
pub(super) fn is_named(what: &str, part: &Part, file_system: &dyn FileSystem) -> bool {
    let info = file_system.info();
    let same =
        |value: &str, id: Option<&str>| id.is_some_and(|id| !id.is_empty() && id.eq_ignore_ascii_case(value));
    let value = |key: &str| what.strip_prefix(key).map(|value| value.trim_matches('"'));
    if let Some(uuid) = value("UUID=").or_else(|| value("/dev/disk/by-uuid/")) {
        return same(uuid, info.uuid.as_deref());
    }
    if let Some(label) = value("LABEL=").or_else(|| value("/dev/disk/by-label/")) {
        let label = unescape(label);
        return info.label.as_deref().is_some_and(|known| !known.is_empty() && known.as_bytes() == label);
    }
    if let Some(uuid) = value("PARTUUID=").or_else(|| value("/dev/disk/by-partuuid/")) {
        return same(uuid, Some(&part.ids.part_uuid));
    }
    if let Some(label) = value("PARTLABEL=").or_else(|| value("/dev/disk/by-partlabel/")) {
        return !part.ids.part_label.is_empty() && part.ids.part_label.as_bytes() == unescape(label);
    }
    if let Some((group, name)) = &part.ids.volume {
        let escaped = |text: &str| text.replace('-', "--");
        return what == format!("/dev/{group}/{name}")
            || what == format!("/dev/mapper/{}-{}", escaped(group), escaped(name));
    }
    // `/dev/sda1`, `/dev/vda1`, `/dev/xvda1`, `/dev/nvme0n1p1`: the number at the end is all that holds on another machine.
    let Some(device) = what.strip_prefix("/dev/") else { return false };
    let is_disk = ["sd", "vd", "xvd", "hd", "nvme"].iter().any(|start| device.starts_with(start));
    let number = device.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let number = number.rsplit(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
    is_disk && part.ids.number.is_some() && number.parse().ok() == part.ids.number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_places_subvolumes_and_escapes() {
        let lines = parse(
            b"# a comment\nUUID=1 / btrfs defaults,subvol=@ 0 0\nUUID=1 /home btrfs subvol=/@/my\\040home 0 0\n\
              UUID=1 /.snapshots btrfs subvolid=260\nLABEL=d /mnt/a\\040b/ ext4 defaults\n",
        );
        let shown: Vec<(&[u8], Option<&Asked>)> =
            lines.iter().map(|line| (line.path.as_slice(), line.subvolume.as_ref())).collect();
        assert_eq!(
            shown,
            [
                (b"/".as_slice(), Some(&Asked::Path(b"/@".to_vec()))),
                (b"/home", Some(&Asked::Path(b"/@/my home".to_vec()))),
                (b"/.snapshots", Some(&Asked::Number(260))),
                (b"/mnt/a b", None),
            ]
        );
    }

    #[test]
    fn passes_over_what_mounts_no_part() {
        let lines = parse(
            b"/srv/a /srv/b none bind 0 0\nUUID=2 none swap sw 0 0\n\nproc\nUUID=3 /a/../../b ext4 defaults 0 0\n",
        );
        assert_eq!(lines, []);
    }
}
