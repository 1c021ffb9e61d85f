//! Generated trees.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;

use super::support::{Bench, MIB, assert_clean, has_same_bytes, options, set_attribute, set_mtime, write};

/// One thing to put into a tree.
#[derive(Clone, Debug)]
struct Item {
    directory: Vec<u8>,
    name: String,
    what: What,
    mtime: i64,
    mode: u32,
}

#[derive(Clone, Debug)]
enum What {
    Directory,
    File { stretches: Vec<(u32, u16)> },
    Link { length: usize },
    HardLink,
    Many { count: u16, name_length: usize },
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        1 => Just(What::Directory),
        5 => prop::collection::vec((0_u32..400, 1_u16..9000), 0..8).prop_map(|stretches| What::File { stretches }),
        1 => (1_usize..400).prop_map(|length| What::Link { length }),
        1 => Just(What::HardLink),
        1 => (1_u16..700, 4_usize..200).prop_map(|(count, name_length)| What::Many { count, name_length }),
    ]
}

fn item() -> impl Strategy<Value = Item> {
    let directory = prop::collection::vec(0_u8..3, 0..4);
    let name =
        "[a-zA-Z0-9 äß\u{1f600}._-]{1,40}".prop_filter("not a dot", |name| name != "." && name != "..");
    (directory, name, what(), any::<i32>(), 0_u32..0o10000).prop_map(
        |(directory, name, what, mtime, mode)| Item { directory, name, what, mtime: i64::from(mtime), mode },
    )
}

fn make(root: &Path, items: &[Item]) {
    let mut last_file = None;
    for item in items {
        let directory =
            item.directory.iter().fold(root.to_path_buf(), |path, step| path.join(format!("d{step}")));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join(&item.name);
        if path.symlink_metadata().is_ok() {
            continue;
        }
        match &item.what {
            What::Directory => fs::create_dir(&path).unwrap(),
            What::File { stretches } => {
                let file = File::create(&path).unwrap();
                for (block, length) in stretches {
                    file.write_all_at(&vec![b'x'; usize::from(*length)], u64::from(*block) * 4096).unwrap();
                }
                set_attribute(&path, "user.length", &vec![b'a'; stretches.len() * 30]);
                fs::set_permissions(&path, Permissions::from_mode(item.mode)).unwrap();
                last_file = Some(path.clone());
            }
            What::Link { length } => symlink("l".repeat(*length), &path).unwrap(),
            What::HardLink => match &last_file {
                Some(file) => fs::hard_link(file, &path).unwrap(),
                None => continue,
            },
            What::Many { count, name_length } => {
                fs::create_dir(&path).unwrap();
                for number in 0..*count {
                    File::create(path.join(format!("{number:0name_length$}"))).unwrap();
                }
            }
        }
        set_mtime(&path, item.mtime);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn every_generated_tree_is_clean_and_repeatable(items in prop::collection::vec(item(), 0..40)) {
        let bench = Bench::new();
        make(&bench.tree(), &items);
        let second = bench.path("second");
        write(&bench.tree(), &bench.image(), 0, &options(64 * MIB)).unwrap();
        write(&bench.tree(), &second, MIB, &options(64 * MIB)).unwrap();
        assert_clean(&bench.image());
        prop_assert!(has_same_bytes(&bench.image(), &second, MIB));
    }
}
