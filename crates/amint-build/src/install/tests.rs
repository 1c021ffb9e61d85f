use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use amint_types::{Digest, NullSink};

use super::*;

/// Packages made by dpkg-deb, to unpack by amint and by dpkg.
struct Packages {
    folder: tempfile::TempDir,
    all: Vec<PackageToInstall>,
}

impl Packages {
    fn new() -> Option<Self> {
        if Command::new("dpkg-deb").arg("--version").output().is_err()
            || !rustix::process::geteuid().is_root()
        {
            eprintln!("SKIPPED: needs root and dpkg-deb");
            return None;
        }
        Some(Self { folder: tempfile::tempdir().unwrap(), all: Vec::new() })
    }

    fn add(&mut self, name: &str, fields: &str, make: impl Fn(&Path)) {
        let root = self.folder.path().join(name);
        fs::create_dir_all(root.join("DEBIAN")).unwrap();
        let control = format!(
            "Package: {name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: a <a@a.example>\n{fields}Description: {name}\n more\n .\n text\n"
        );
        fs::write(root.join("DEBIAN/control"), control).unwrap();
        make(&root);
        let file = self.folder.path().join(format!("{name}.deb"));
        let status = Command::new("dpkg-deb").arg("-b").args([&root, &file]).output().unwrap();
        assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
        let content = fs::read(&file).unwrap();
        self.all.push(PackageToInstall {
            name: name.to_owned(),
            version: "1.0-1".to_owned(),
            architecture: "all".to_owned(),
            bytes: u64::try_from(content.len()).unwrap(),
            sha256: Digest::of(&content),
            file,
        });
    }

    fn unpack(&self) -> (PathBuf, Result<UnpackedTree, InstallError>) {
        let tree = self.folder.path().join("ours");
        fs::create_dir_all(&tree).unwrap();
        let result = unpack(&self.all, &tree, "unpack", &NullSink, &Cancel::new());
        (tree, result)
    }
}

fn file(path: impl AsRef<Path>, content: &str, mode: u32) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Lists a tree: path, type and mode, owner, size, link target, time of files; without dpkg's own state.
fn listing(tree: &Path) -> Vec<String> {
    let output = Command::new("find")
        .arg(tree)
        .args(["-path", "*/var/lib/dpkg", "-prune", "-o", "-type", "d", "-printf", "%P %M %U:%G\n"])
        .args(["-o", "-printf", "%P %M %U:%G %s %l %T@ %n\n"])
        .output()
        .unwrap();
    let mut lines: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn leaves_the_tree_and_the_database_that_dpkg_leaves() {
    let Some(mut packages) = Packages::new() else { return };
    packages.add("alpha", "Replaces: gamma\nMulti-Arch: foreign\n", |root| {
        file(root.join("usr/bin/alpha"), "program", 0o4755);
        file(root.join("etc/alpha.conf"), "setting", 0o640);
        fs::hard_link(root.join("usr/bin/alpha"), root.join("usr/bin/beta")).unwrap();
        symlink("alpha", root.join("usr/bin/link")).unwrap();
        fs::create_dir_all(root.join("var/lib/alpha")).unwrap();
        fs::set_permissions(root.join("var/lib/alpha"), fs::Permissions::from_mode(0o2770)).unwrap();
        std::os::unix::fs::chown(root.join("var/lib/alpha"), Some(33), Some(34)).unwrap();
        file(root.join(format!("usr/share/{}", "long-name-".repeat(20))), "long", 0o644);
        file(root.join("usr/share/both"), "from alpha", 0o644);
        file(root.join("DEBIAN/conffiles"), "/etc/alpha.conf\n", 0o644);
        file(root.join("DEBIAN/triggers"), "interest-noawait /usr/share/x\ninterest named\n", 0o644);
    });
    packages.add("gamma", "", |root| {
        file(root.join("usr/share/both"), "from gamma", 0o600);
        file(root.join("usr/share/gamma"), "gamma", 0o644);
    });
    let (ours, result) = packages.unpack();
    assert!(result.unwrap().newest > 0);

    let theirs = packages.folder.path().join("theirs");
    fs::create_dir_all(theirs.join("var/lib/dpkg/updates")).unwrap();
    fs::create_dir_all(theirs.join("var/lib/dpkg/info")).unwrap();
    for name in ["status", "available"] {
        fs::write(theirs.join("var/lib/dpkg").join(name), "").unwrap();
    }
    // Another order than ours: what comes out is the same.
    let output = Command::new("dpkg")
        .arg(format!("--root={}", theirs.display()))
        .args(["--force-unsafe-io", "--force-script-chrootless", "--log=/dev/null", "--unpack"])
        .args(packages.all.iter().rev().map(|package| &package.file))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    assert_eq!(listing(&ours), listing(&theirs));
    assert_eq!(fs::read_to_string(ours.join("usr/share/both")).unwrap(), "from alpha");
    for name in
        ["info/alpha.list", "info/gamma.list", "info/alpha.conffiles", "triggers/File", "triggers/named"]
    {
        let read = |tree: &Path| fs::read_to_string(tree.join("var/lib/dpkg").join(name)).unwrap();
        assert_eq!(read(&ours), read(&theirs), "{name}");
    }
    let query = |tree: &Path| {
        let output = Command::new("dpkg-query")
            .arg(format!("--admindir={}/var/lib/dpkg", tree.display()))
            .args([
                "-W",
                "-f",
                "${Package} ${Version} ${Status} ${Replaces} ${Conffiles}\\n${Description}\\n",
            ])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(query(&ours), query(&theirs));
}

#[test]
fn refuses_two_packages_with_the_same_file() {
    let Some(mut packages) = Packages::new() else { return };
    packages.add("one", "", |root| file(root.join("usr/share/both"), "1", 0o644));
    packages.add("two", "Replaces: one (<< 1.0)\n", |root| file(root.join("usr/share/both"), "2", 0o644));
    let error = packages.unpack().1.unwrap_err();
    assert!(matches!(&error, InstallError::Overlap { path, .. } if path == "/usr/share/both"), "{error}");
}

#[test]
fn stays_inside_the_tree_whatever_links_it_has() {
    let Some(mut packages) = Packages::new() else { return };
    let outside = packages.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    packages.add("one", "", |root| file(root.join("opt/dir/file"), "x", 0o644));
    let tree = packages.folder.path().join("ours");
    fs::create_dir_all(tree.join("opt")).unwrap();
    symlink(&outside, tree.join("opt/dir")).unwrap();
    // The link leads to a place that the tree itself does not have.
    let _ = packages.unpack();
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn refuses_a_file_that_is_not_what_was_asked_for() {
    let Some(mut packages) = Packages::new() else { return };
    packages.add("one", "", |root| file(root.join("usr/share/one"), "1", 0o644));
    packages.all[0].sha256 = Digest::of(b"other");
    assert!(matches!(packages.unpack().1, Err(InstallError::Package(_))));
    let path = &packages.all[0].file;
    packages.all[0].sha256 = Digest::of(&fs::read(path).unwrap());
    packages.all[0].version = "2".to_owned();
    assert!(matches!(packages.unpack().1, Err(InstallError::OtherPackage { .. })));
    assert_eq!(fs::metadata(&packages.all[0].file).unwrap().nlink(), 1);
}
