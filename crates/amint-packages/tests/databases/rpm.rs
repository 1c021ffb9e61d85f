//! rpm's database against `rpm -q`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use amint_packages::rpm::{FileFlags, RpmDatabase, Store, read_database};

const SPEC: &str = "\
Name: web-server
Epoch: 2
Version: 1.26~rc1
Release: 3%{?none}.amzn2023
Summary: Serves pages
Summary(de): Liefert Seiten
License: BSD-2-Clause AND MIT
Vendor: Example Linux
Packager: Example Builders
ModularityLabel: web:1:2023:abc
BuildArch: noarch
%description
Text.
%package -n web-filesystem
Epoch: 0
Summary: Folders
%description -n web-filesystem
Text.
%package -n web-old
Summary: Something else
Version: 7
%description -n web-old
Text.
%install
mkdir -p %{buildroot}/etc/web %{buildroot}/usr/share/web %{buildroot}/usr/share/doc/web %{buildroot}/var/log/web
echo conf > %{buildroot}/etc/web/web.conf
echo other > %{buildroot}/etc/web/other.conf
echo read > %{buildroot}/usr/share/doc/web/README
ln -s index.html %{buildroot}/usr/share/web/link.html
touch %{buildroot}/var/log/web/log
for i in $(seq 1 300); do echo $i > %{buildroot}/usr/share/web/page-$i.html; done
chmod 4755 %{buildroot}/usr/share/web/page-1.html
%files
%config(noreplace) /etc/web/web.conf
%config(missingok) /etc/web/other.conf
%doc /usr/share/doc/web/README
/usr/share/web
%ghost /var/log/web/log
%files -n web-filesystem
%dir /etc/web
%files -n web-old
/etc/web/web.conf
";

/// A database of three packages, as rpm itself made it.
pub(crate) struct Made {
    folder: tempfile::TempDir,
    pub(crate) content: Vec<u8>,
    pub(crate) log: Option<Vec<u8>>,
}

impl Made {
    /// The packages that it was made of.
    pub(crate) fn packages(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("rpms/noarch")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("db/rpmdb.sqlite")
    }
}

/// Makes the database once for all tests; none if rpm is not there.
pub(crate) fn made() -> Option<&'static Made> {
    static MADE: OnceLock<Option<Made>> = OnceLock::new();
    let made = MADE.get_or_init(make);
    if made.is_none() {
        eprintln!("SKIPPED: needs rpmbuild");
    }
    made.as_ref()
}

fn make() -> Option<Made> {
    Command::new("rpmbuild").arg("--version").output().ok()?;
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("web.spec");
    std::fs::write(&spec, SPEC).unwrap();
    let define = |name: &str, part: &str| format!("{name} {}", folder.path().join(part).display());
    run(Command::new("rpmbuild")
        .args(["-bb", "--quiet", "--define", &define("_topdir", "top")])
        .args(["--define", &define("_rpmdir", "rpms"), "--define", "_build_id_links none"])
        .arg(&spec)
        .env("HOME", folder.path()));
    let packages = std::fs::read_dir(folder.path().join("rpms/noarch")).unwrap();
    let packages: Vec<PathBuf> = packages.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(packages.len(), 3);
    install(&folder.path().join("db"), &packages);
    let content = std::fs::read(folder.path().join("db/rpmdb.sqlite")).unwrap();
    let log = std::fs::read(folder.path().join("db/rpmdb.sqlite-wal")).ok();
    Some(Made { folder, content, log })
}

/// Puts packages into a database, without their files.
pub(crate) fn install(database: &Path, packages: &[PathBuf]) {
    let mut install = rpm(database);
    // `--force-debian` is needed, and known, on Debian only.
    let help = String::from_utf8(rpm(database).arg("--help").output().unwrap().stdout).unwrap();
    if help.contains("--force-debian") {
        install.arg("--force-debian");
    }
    run(install.args(["-i", "--justdb", "--nodeps", "--noscripts", "--nosignature"]).args(packages));
}

pub(crate) fn rpm(database: &Path) -> Command {
    let mut command = Command::new("rpm");
    command.arg("--dbpath").arg(database).args(["--define", "_db_backend sqlite"]);
    command
}

pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

/// Writes a database as the query below does.
fn listed(database: &RpmDatabase) -> String {
    let mut text = String::new();
    let none = || "(none)".to_owned();
    for package in &database.packages {
        writeln!(
            text,
            "{} {} {} {} {} {} {} {} {} {} {} {} {}",
            package.name,
            package.epoch.map_or_else(none, |epoch| epoch.to_string()),
            package.version,
            package.release,
            package.architecture.clone().unwrap_or_else(none),
            package.source_file.clone().unwrap_or_else(none),
            package.vendor.clone().unwrap_or_else(none),
            package.license.clone().unwrap_or_else(none),
            package.packager.clone().unwrap_or_else(none),
            package.module.clone().unwrap_or_else(none),
            package.installed_at.unwrap(),
            package.size_bytes.unwrap(),
            package.summary.clone().unwrap_or_else(none),
        )
        .unwrap();
        for (path, file) in package.files.iter() {
            let digest = file
                .digest
                .map_or_else(String::new, |digest| digest.to_string().split_once(':').unwrap().1.to_owned());
            writeln!(
                text,
                "{path} {:o} {} {} {digest}",
                file.mode.unwrap(),
                file.size_bytes.unwrap(),
                file.flags.bits()
            )
            .unwrap();
        }
    }
    text
}

#[test]
fn tells_what_rpm_tells() {
    let Some(made) = made() else { return };
    let database = read_database(&made.content, made.log.as_deref()).unwrap();
    assert!(database.problems.is_empty(), "{:?}", database.problems);
    assert_eq!(database.store, Store::Sqlite);
    let format = "%{NAME} %{EPOCH} %{VERSION} %{RELEASE} %{ARCH} %{SOURCERPM} %{VENDOR} %{LICENSE} %{PACKAGER} \
                  %{MODULARITYLABEL} %{INSTALLTIME} %{SIZE} %{SUMMARY}\n\
                  [%{FILENAMES} %{FILEMODES:octal} %{FILESIZES} %{FILEFLAGS} %{FILEDIGESTS}\n]";
    let names: Vec<&str> = database.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names.len(), 3);
    let folder = made.path();
    let told = run(rpm(folder.parent().unwrap()).env("LC_ALL", "C").args(["-q", "--qf", format]).args(names));
    assert_eq!(sorted(&listed(&database)), sorted(&told));
}

#[test]
fn ghosts_and_configuration_are_known() {
    let Some(made) = made() else { return };
    let database = read_database(&made.content, made.log.as_deref()).unwrap();
    let server = database.packages.iter().find(|package| package.name == "web-server").unwrap();
    let owned: Vec<_> = server.files.owned().collect();
    let of = |path: &str| owned.iter().find(|file| file.path == path).unwrap();
    assert!(of("/etc/web/web.conf").is_configuration && !of("/etc/web/web.conf").may_be_missing);
    assert!(of("/etc/web/other.conf").may_be_missing);
    assert!(of("/var/log/web/log").may_differ && of("/var/log/web/log").may_be_missing);
    assert!(of("/usr/share/web/link.html").digest.is_none());
    assert_eq!(of("/usr/share/web/page-1.html").mode, Some(0o104_755));
    let flags = |path: &str| {
        server
            .files
            .iter()
            .find(|(found, _)| found == path)
            .map_or(FileFlags::default(), |(_, file)| file.flags)
    };
    assert!(flags("/etc/web/web.conf").is_kept() && flags("/usr/share/doc/web/README").is_documentation());
    assert_eq!(server.full_version(), "2:1.26~rc1-3.amzn2023");
    assert_eq!(server.source(), Some(("web-server", "1.26~rc1-3.amzn2023")));
}
