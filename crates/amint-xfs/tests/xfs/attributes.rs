//! Extended attributes that `xfs_db` set, in all forms and name spaces, without and with checksums.

use amint_fs::FileSystem as _;

use crate::support::{has_tools, make, open, sample_tree, xfs_db};

#[test]
fn reads_attributes_of_every_size_and_name_space() {
    if !has_tools(&["mkfs.xfs", "xfs_db"]) {
        return;
    }
    let mut tree = sample_tree();
    tree.retain(|path, _| ["etc", "dev", "bin"].iter().any(|folder| path.starts_with(folder)));
    for options in
        ["-m crc=0", "-m crc=0 -i size=512 -b size=1024", "-m crc=1", "-m crc=1 -b size=1024", "-i size=2048"]
    {
        let Some(made) = make(&tree, 64, options) else { continue };
        let number = |path: &[u8]| amint_fs::find(&open(&made.path).unwrap(), path).unwrap().number;
        // Few and short; some; many; and some with values of their own blocks.
        // (The first is always short: without a room for attributes, xfs_db crashes at longer ones in version 4.)
        let many = [vec![2], vec![150; 120]].concat();
        let plans: [(&[u8], &[usize]); 4] = [
            (b"etc/hostname", &[1, 5]),
            (b"etc/empty", &[10, 100, 200, 250]),
            (b"bin/su", &many),
            (b"dev/null", &[3, 2000, 5000, 40_000, 65_535]),
        ];
        let mut expected = Vec::new();
        for (path, sizes) in plans {
            let number = number(path);
            let mut commands = Vec::new();
            let mut names = Vec::new();
            for (index, bytes) in sizes.iter().enumerate() {
                let (flag, space) = [("-u", "user"), ("-r", "trusted"), ("-s", "security")][index % 3];
                commands.push(format!("inode {number}"));
                commands.push(format!("attr_set {flag} -v {bytes} name-{index}"));
                names.push((format!("{space}.name-{index}").into_bytes(), *bytes));
            }
            xfs_db(&made.path, &["-x"], &commands);
            names.sort();
            expected.push((path, names));
        }
        let fs = open(&made.path).unwrap();
        for (path, names) in expected {
            let found = fs.xattrs(amint_fs::find(&fs, path).unwrap()).unwrap();
            assert!(found.iter().all(|xattr| xattr.value.iter().all(|byte| *byte == b'v')), "{options}");
            let found: Vec<_> = found.into_iter().map(|xattr| (xattr.name, xattr.value.len())).collect();
            assert_eq!(found, names, "{options}: {}", String::from_utf8_lossy(path));
        }
    }
}
