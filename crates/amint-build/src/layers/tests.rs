use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use proptest::prelude::*;

use super::*;

/// Lists a tree with all that a layer keeps.
fn listing(tree: &Path) -> String {
    let output = Command::new("find")
        .arg(".")
        .args(["-mindepth", "1", "-printf", "%P %y %m %U:%G %s %l %T@ %n\n"])
        .current_dir(tree)
        .output()
        .unwrap();
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .lines()
        // The size of a folder is the file system's business.
        .map(|line| if line.contains(" d ") { line.replace(" 4096 ", " ") } else { line.to_owned() })
        .collect();
    lines.sort();
    let sums = Command::new("sh")
        .args(["-c", "find . -type f -print0 | sort -z | xargs -0r sha256sum"])
        .current_dir(tree)
        .output()
        .unwrap();
    lines.join("\n") + &String::from_utf8_lossy(&sums.stdout)
}

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("SKIPPED: needs root, to set owners");
    }
    is_root
}

/// One change of a tree.
#[derive(Clone, Debug)]
enum Act {
    Write(u8, u8),
    Folder(u8),
    Link(u8),
    HardLink(u8, u8),
    Remove(u8),
    Mode(u8, u32),
    Owner(u8, u32),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => any::<(u8, u8)>().prop_map(|(name, content)| Act::Write(name, content)),
        2 => any::<u8>().prop_map(Act::Folder),
        1 => any::<u8>().prop_map(Act::Link),
        1 => any::<(u8, u8)>().prop_map(|(name, other)| Act::HardLink(name, other)),
        2 => any::<u8>().prop_map(Act::Remove),
        1 => (any::<u8>(), 0o400..0o7777_u32).prop_map(|(name, mode)| Act::Mode(name, mode)),
        1 => (any::<u8>(), 0..5_u32).prop_map(|(name, owner)| Act::Owner(name, owner)),
    ];
    prop::collection::vec(act, 0..12)
}

/// A path out of a few: so that changes meet.
fn path(name: u8) -> &'static str {
    ["a", "b", "a/x", "a/y", "b/x", "c", "c/d", "c/d/e"][usize::from(name % 8)]
}

fn perform(tree: &Path, acts: &[Act]) {
    for act in acts {
        // What cannot be done is not done: only the outcome counts.
        let _ = match act {
            Act::Write(name, content) => fs::write(tree.join(path(*name)), vec![*content; 3000]),
            Act::Folder(name) => fs::create_dir(tree.join(path(*name))),
            Act::Link(name) => symlink("../nowhere", tree.join(path(*name))),
            Act::HardLink(name, other) => fs::hard_link(tree.join(path(*other)), tree.join(path(*name))),
            Act::Remove(name) => match fs::symlink_metadata(tree.join(path(*name))) {
                Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(tree.join(path(*name))),
                _ => fs::remove_file(tree.join(path(*name))),
            },
            Act::Mode(name, mode) => match fs::symlink_metadata(tree.join(path(*name))) {
                Ok(metadata) if metadata.is_symlink() => Ok(()),
                _ => fs::set_permissions(tree.join(path(*name)), fs::Permissions::from_mode(*mode)),
            },
            Act::Owner(name, owner) => {
                std::os::unix::fs::lchown(tree.join(path(*name)), Some(*owner), Some(*owner))
            }
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn steps_restored_from_layers_give_the_same_tree(steps in prop::collection::vec(acts(), 1..4)) {
        if !is_root() {
            return Ok(());
        }
        let folder = tempfile::tempdir().unwrap();
        let (tree, copy) = (folder.path().join("tree"), folder.path().join("copy"));
        fs::create_dir(&tree).unwrap();
        fs::create_dir(&copy).unwrap();
        let cache = LayerCache::new(&folder.path().join("cache"));
        let cancel = Cancel::new();
        let mut key = Key::start(&[b"test"]);
        let mut before = TreeState::of(&tree).unwrap();
        for (index, step) in steps.iter().enumerate() {
            key = key.then(&[&[u8::try_from(index).unwrap()]]);
            perform(&tree, step);
            let after = TreeState::of(&tree).unwrap();
            let kept = Step { key, title: "step", note: index.to_string(), elapsed: Duration::ZERO };
            cache.save(kept, &tree, &after.changes_since(&before), &cancel).unwrap();
            before = after;
            let layer = cache.find(key).unwrap();
            prop_assert_eq!(layer.note(), index.to_string());
            layer.restore(&copy, &cancel).unwrap();
            prop_assert_eq!(listing(&copy), listing(&tree));
        }
    }
}

#[test]
fn keeps_attributes_devices_and_large_files() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (tree, copy) = (folder.path().join("tree"), folder.path().join("copy"));
    fs::create_dir_all(tree.join("dev")).unwrap();
    fs::create_dir(&copy).unwrap();
    for name in ["one", "two"] {
        fs::write(tree.join(name), name.repeat(6 * 1024 * 1024)).unwrap();
    }
    let set = |name: &str, value: &[u8]| {
        rustix::fs::lsetxattr(tree.join("one"), name, value, rustix::fs::XattrFlags::empty())
    };
    let has_attributes = set("user.note", b"kept").is_ok();
    let _ = Command::new("mknod").arg(tree.join("dev/null")).args(["c", "1", "3"]).status();
    let cache = LayerCache::new(&folder.path().join("cache"));
    let key = Key::start(&[b"x"]);
    let state = TreeState::of(&tree).unwrap();
    let step = Step { key, title: "step", note: String::new(), elapsed: Duration::from_secs(2) };
    cache.save(step, &tree, &state.changes_since(&TreeState::default()), &Cancel::new()).unwrap();
    let layer = cache.find(key).unwrap();
    layer.restore(&copy, &Cancel::new()).unwrap();
    assert_eq!(listing(&copy), listing(&tree));
    assert_eq!(layer.elapsed(), Duration::from_secs(2));
    if has_attributes {
        let mut value = [0; 16];
        let count = rustix::fs::lgetxattr(copy.join("one"), "user.note", &mut value[..]).unwrap();
        assert_eq!(&value[..count], b"kept");
    }
}

#[test]
fn a_damaged_layer_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (tree, copy) = (folder.path().join("tree"), folder.path().join("copy"));
    fs::create_dir(&tree).unwrap();
    fs::create_dir(&copy).unwrap();
    fs::write(tree.join("file"), "content").unwrap();
    let cache = LayerCache::new(&folder.path().join("cache"));
    let key = Key::start(&[b"x"]);
    let state = TreeState::of(&tree).unwrap();
    let step = Step { key, title: "step", note: String::new(), elapsed: Duration::ZERO };
    cache.save(step, &tree, &state.changes_since(&TreeState::default()), &Cancel::new()).unwrap();
    let layer = cache.find(key).unwrap();
    let shard = layer.folder.join(save::shard_name(1));
    let mut bytes = fs::read(&shard).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&shard, bytes).unwrap();
    assert!(layer.restore(&copy, &Cancel::new()).is_err());
    layer.remove().unwrap();
    assert!(cache.find(key).is_none());
}

#[test]
fn the_layers_that_were_not_used_for_longest_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("file"), "content").unwrap();
    let cache = LayerCache::new(&folder.path().join("cache"));
    let state = TreeState::of(&tree).unwrap();
    let keys = [b"1", b"2", b"3"].map(|name| Key::start(&[name]));
    for (age, key) in keys.iter().enumerate() {
        let step = Step { key: *key, title: "step", note: String::new(), elapsed: Duration::ZERO };
        cache.save(step, &tree, &state.changes_since(&TreeState::default()), &Cancel::new()).unwrap();
        let manifest = cache.find(*key).unwrap().folder.join(MANIFEST);
        let time = SystemTime::now() - Duration::from_hours(10 - u64::try_from(age).unwrap());
        fs::File::open(manifest).unwrap().set_modified(time).unwrap();
    }
    // The first is used again, so the second is the oldest.
    let copy = folder.path().join("copy");
    fs::create_dir(&copy).unwrap();
    cache.find(keys[0]).unwrap().restore(&copy, &Cancel::new()).unwrap();
    let files = fs::read_dir(folder.path().join("cache"))
        .unwrap()
        .flat_map(|layer| fs::read_dir(layer.unwrap().path()).unwrap());
    let total: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert_eq!(cache.evict(total).unwrap(), 0);
    cache.evict(total - 1).unwrap();
    assert_eq!(keys.map(|key| cache.find(key).is_some()), [true, false, true]);
    assert_eq!(LayerCache::new(&folder.path().join("none")).evict(0).unwrap(), 0);
}

#[test]
fn no_two_lists_of_inputs_have_one_key() {
    assert_ne!(Key::start(&[b"ab", b"c"]), Key::start(&[b"a", b"bc"]));
    assert_ne!(Key::start(&[b"a"]).then(&[b"b"]), Key::start(&[b"a", b"b"]));
}
