//! Trees that try to make their reader leave, hang or run out of memory.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

/// A host folder with a secret beside the tree.
struct Host {
    dir: TempDir,
}

impl Host {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        fs::create_dir_all(dir.path().join("tree/etc")).unwrap();
        fs::create_dir(dir.path().join("outside")).unwrap();
        fs::write(dir.path().join("outside/secret"), "host").unwrap();
        Self { dir }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    fn tree(&self) -> DirTree {
        DirTree::open(&self.root()).unwrap()
    }

    fn secret(&self) -> String {
        fs::read_to_string(self.dir.path().join("outside/secret")).unwrap()
    }
}

fn path(text: &str) -> &Path {
    Path::new(text)
}

#[test]
fn a_link_out_of_the_tree_reads_the_file_inside_and_never_the_hosts() {
    let host = Host::new();
    symlink("../../../../../../../../outside/secret", host.root().join("etc/relative")).unwrap();
    symlink(host.dir.path().join("outside/secret"), host.root().join("etc/absolute")).unwrap();
    symlink(host.dir.path().join("outside"), host.root().join("etc/folder")).unwrap();
    let tree = host.tree();
    for name in ["/etc/relative", "/etc/absolute", "/etc/folder/secret", "/../outside/secret"] {
        assert!(tree.read(path(name), 100).unwrap_err().is_missing(), "{name}");
    }

    fs::create_dir(host.root().join("outside")).unwrap();
    fs::write(host.root().join("outside/secret"), "image").unwrap();
    assert_eq!(tree.read(path("/etc/relative"), 100).unwrap(), b"image");
    assert_eq!(tree.resolve(path("/etc/relative")).unwrap(), path("/outside/secret"));
}

#[test]
fn absolute_links_are_resolved_from_the_images_root() {
    let host = Host::new();
    fs::create_dir_all(host.root().join("usr/lib")).unwrap();
    fs::write(host.root().join("usr/lib/os-release"), "ID=debian").unwrap();
    symlink("/usr/lib", host.root().join("lib")).unwrap();
    symlink("/lib/os-release", host.root().join("etc/os-release")).unwrap();
    let tree = host.tree();
    assert_eq!(tree.read(path("/etc/os-release"), 100).unwrap(), b"ID=debian");
    assert_eq!(tree.resolve(path("/etc/os-release")).unwrap(), path("/usr/lib/os-release"));
    assert_eq!(tree.metadata(path("/etc/os-release")).unwrap().kind, FileKind::Link);
    assert_eq!(tree.metadata(path("/lib/os-release")).unwrap().kind, FileKind::File);
    assert_eq!(tree.read_link(path("/etc/os-release")).unwrap(), path("/lib/os-release"));
}

#[test]
fn a_circle_of_links_is_an_error_and_not_a_hang() {
    let host = Host::new();
    symlink("two", host.root().join("one")).unwrap();
    symlink("one", host.root().join("two")).unwrap();
    let tree = host.tree();
    assert!(matches!(tree.read(path("/one"), 1), Err(TreeError::Loop { .. })));
    assert!(matches!(tree.resolve(path("/one/x")), Err(TreeError::Loop { .. })));
}

#[test]
fn pipes_and_folders_are_never_opened_as_files() {
    let host = Host::new();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        host.root().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let tree = host.tree();
    assert!(matches!(tree.read(path("/pipe"), 1), Err(TreeError::NotAFile { .. })));
    assert!(matches!(tree.read(path("/etc"), 1), Err(TreeError::NotAFile { .. })));
    assert!(matches!(tree.edit().truncate(path("/pipe")), Ok(false)));
}

#[test]
fn a_file_over_the_limit_is_refused() {
    let host = Host::new();
    fs::write(host.root().join("etc/four"), "1234").unwrap();
    let tree = host.tree();
    assert_eq!(tree.read(path("/etc/four"), 4).unwrap(), b"1234");
    assert!(matches!(tree.read(path("/etc/four"), 3), Err(TreeError::TooLarge { limit_bytes: 3, .. })));
}

#[test]
fn names_that_are_not_text_are_listed_read_and_removed() {
    let host = Host::new();
    let name = OsStr::from_bytes(b"caf\xe9\n");
    fs::write(host.root().join("etc").join(name), "x").unwrap();
    let tree = host.tree();
    let listed = tree.read_dir(path("/etc")).unwrap();
    assert_eq!(listed, [DirEntry { name: name.to_owned(), kind: FileKind::File }]);
    assert_eq!(tree.read(&path("/etc").join(name), 10).unwrap(), b"x");
    let edit = tree.edit();
    assert!(edit.remove_file(&path("/etc").join(name)).unwrap());
    assert_eq!(edit.take_changes(), ["removed /etc/caf\u{fffd}\\n"]);
}

#[test]
fn a_walk_is_in_order_does_not_follow_links_and_keeps_its_limits() {
    let host = Host::new();
    fs::create_dir_all(host.root().join("a/b/c")).unwrap();
    fs::write(host.root().join("a/z"), "").unwrap();
    symlink("/", host.root().join("a/loop")).unwrap();
    let tree = host.tree();
    let mut seen = Vec::new();
    let mut visit = |entry: &WalkEntry| {
        seen.push(entry.path.to_string_lossy().into_owned());
        WalkStep::Continue
    };
    let summary = tree.walk(path("/"), WalkLimits::default(), &mut visit).unwrap();
    assert_eq!(seen, ["/a", "/etc", "/a/b", "/a/loop", "/a/z", "/a/b/c"]);
    assert_eq!(summary.entries, 6);

    let shallow = WalkLimits { depth_max: 1, entries_max: 100 };
    let few = WalkLimits { depth_max: 9, entries_max: 5 };
    let mut ignore = |_: &WalkEntry| WalkStep::Continue;
    assert!(matches!(tree.walk(path("/"), shallow, &mut ignore), Err(TreeError::TooDeep { .. })));
    assert!(matches!(tree.walk(path("/"), few, &mut ignore), Err(TreeError::TooMany { .. })));
}

#[test]
fn editing_through_links_stays_inside() {
    let host = Host::new();
    symlink(host.dir.path().join("outside"), host.root().join("etc/folder")).unwrap();
    symlink(host.dir.path().join("outside/secret"), host.root().join("etc/file")).unwrap();
    let tree = host.tree();
    let edit = tree.edit();
    assert!(edit.write_file(path("/etc/folder/secret"), b"x", 0o644, 0, 0).is_err());
    assert!(!edit.remove_file(path("/etc/folder/secret")).unwrap());
    assert!(edit.remove_contents(path("/etc/folder")).is_err() || host.secret() == "host");
    assert!(edit.truncate(path("/etc/file")).is_err());
    assert!(edit.chmod(path("/etc/file"), 0o600).is_err());
    assert!(edit.take_changes().is_empty());

    assert!(edit.write_file(path("/etc/file"), b"mine", 0o640, uid(&host), gid(&host)).unwrap());
    assert_eq!(fs::symlink_metadata(host.root().join("etc/file")).unwrap().mode() & 0o170_000, 0o100_000);
    assert_eq!(host.secret(), "host");
}

#[test]
fn emptying_a_folder_removes_links_and_not_what_they_name() {
    let host = Host::new();
    fs::create_dir_all(host.root().join("tmp/deep/er")).unwrap();
    fs::set_permissions(host.root().join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
    symlink(host.dir.path().join("outside"), host.root().join("tmp/deep/out")).unwrap();
    symlink("/etc", host.root().join("tmp/etc")).unwrap();
    fs::write(host.root().join("etc/keep"), "").unwrap();
    let tree = host.tree();
    let edit = tree.edit();
    assert!(edit.remove_contents(path("/tmp")).unwrap());
    assert!(!edit.remove_contents(path("/tmp")).unwrap());
    assert_eq!(edit.take_changes(), ["emptied /tmp (4 removed)"]);
    assert_eq!(tree.metadata(path("/tmp")).unwrap().mode, 0o1777);
    assert!(tree.metadata(path("/etc/keep")).is_ok());
    assert_eq!(host.secret(), "host");
}

#[test]
fn writing_the_same_again_changes_nothing() {
    let host = Host::new();
    let tree = host.tree();
    let edit = tree.edit();
    let (uid, gid) = (uid(&host), gid(&host));
    assert!(edit.write_file(path("/etc/x"), b"one", 0o640, uid, gid).unwrap());
    assert!(!edit.write_file(path("/etc/x"), b"one", 0o640, uid, gid).unwrap());
    assert!(edit.chmod(path("/etc/x"), 0o600).unwrap());
    assert!(!edit.chmod(path("/etc/x"), 0o600).unwrap());
    assert!(edit.replace_content(path("/etc/x"), b"two").unwrap());
    assert!(edit.symlink(path("../run/x"), path("/etc/y")).unwrap());
    assert!(!edit.symlink(path("../run/x"), path("/etc/y")).unwrap());
    assert_eq!(tree.metadata(path("/etc/x")).unwrap().mode, 0o600);
    assert_eq!(
        edit.take_changes(),
        [
            "wrote /etc/x",
            "set the mode of /etc/x to 0600 (was 0640)",
            "wrote /etc/x",
            "linked /etc/y to ../run/x"
        ]
    );
    let left = tree.read_dir(path("/etc")).unwrap();
    assert_eq!(left.iter().map(|entry| entry.name.as_os_str()).collect::<Vec<_>>(), ["x", "y"]);
}

fn uid(host: &Host) -> u32 {
    fs::metadata(host.root()).unwrap().uid()
}

fn gid(host: &Host) -> u32 {
    fs::metadata(host.root()).unwrap().gid()
}
