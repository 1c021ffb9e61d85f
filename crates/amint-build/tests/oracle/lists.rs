//! The index files of a release, as apt fetched them.

use std::fmt::Write as _;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;

use amint_build::mirror::{self, MIRROR_VARIABLE, MirrorWishes, SECURITY_MIRROR_VARIABLE};
use amint_debian::universe::{OriginInfo, Universe};
use tempfile::TempDir;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A release of Debian with its updates, security updates and backports.
pub(crate) struct Release {
    pub(crate) codename: &'static str,
    pub(crate) universe: Universe,
    /// apt's private root.
    pub(crate) root: TempDir,
}

impl Release {
    /// Fetches the indexes; the error tells why that is not possible here.
    pub(crate) fn fetch(codename: &'static str) -> Result<Self, String> {
        if !Path::new(KEYRING).exists() {
            return Err(format!("{KEYRING} is not installed"));
        }
        let own = |variable: &str| std::env::var(variable).ok();
        let wishes = MirrorWishes {
            archive: own(MIRROR_VARIABLE),
            security: own(SECURITY_MIRROR_VARIABLE),
            ..MirrorWishes::default()
        };
        let mirrors = mirror::choose(wishes, Path::new("/etc/apt")).map_err(|error| error.to_string())?;
        let security = mirrors.security.ok_or("no mirror of security updates is known")?;
        let root = tempfile::tempdir().map_err(|error| error.to_string())?;
        let suites = [
            (mirrors.archive.clone(), codename.to_owned()),
            (mirrors.archive.clone(), format!("{codename}-updates")),
            (security, format!("{codename}-security")),
            (mirrors.archive, format!("{codename}-backports")),
        ];
        prepare(root.path(), &suites).map_err(|error| format!("no root for apt: {error}"))?;
        let update = command(root.path(), "apt-get").arg("update").output();
        let update = update.map_err(|error| format!("apt-get does not run: {error}"))?;
        if !update.status.success() || String::from_utf8_lossy(&update.stderr).contains("Failed to fetch") {
            return Err(format!("no mirror of {codename} is reachable"));
        }
        let mut universe = Universe::new();
        for (_, suite) in &suites {
            add(&mut universe, &root.path().join("state/lists"), suite)?;
        }
        Ok(Self { codename, universe, root })
    }
}

/// Returns a command that lives in the private root.
pub(crate) fn command(root: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("APT_CONFIG", root.join("apt.conf")).env("LC_ALL", "C.UTF-8");
    command
}

fn prepare(root: &Path, suites: &[(String, String)]) -> std::io::Result<()> {
    for folder in ["etc/parts", "state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::write(root.join("state/status"), "")?;
    let mut sources = String::new();
    for (mirror, suite) in suites {
        writeln!(sources, "deb [signed-by={KEYRING}] {mirror} {suite} main").unwrap();
    }
    fs::write(root.join("etc/sources.list"), sources)?;
    let root_text = root.display();
    let configuration = format!(
        "Dir \"{root_text}\";\nDir::State \"{root_text}/state\";\nDir::State::status \"{root_text}/state/status\";\n\
         Dir::Cache \"{root_text}/cache\";\nDir::Etc \"{root_text}/etc\";\nDir::Etc::main \"apt.conf\";\n\
         Dir::Etc::parts \"parts\";\nDir::Etc::sourceparts \"parts\";\nDir::Etc::preferencesparts \"parts\";\n\
         APT::Architecture \"amd64\";\nAPT::Architectures {{ \"amd64\"; }};\nAcquire::Languages \"none\";\n\
         APT::Sandbox::User \"root\";\n"
    );
    fs::write(root.join("apt.conf"), configuration)
}

/// Adds the index of a suite, with what its `InRelease` file tells.
fn add(universe: &mut Universe, lists: &Path, suite: &str) -> Result<(), String> {
    let release = find(lists, &format!("_dists_{suite}_InRelease"))?;
    let release = fs::read_to_string(release).map_err(|error| error.to_string())?;
    let field = |name: &str| {
        let values = release.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        values.map(str::trim).next().unwrap_or_default().to_owned()
    };
    let origin = OriginInfo {
        id: suite.to_owned(),
        suite: field("Suite"),
        codename: field("Codename"),
        vendor: field("Origin"),
        label: field("Label"),
        component: "main".to_owned(),
        not_automatic: field("NotAutomatic") == "yes",
        but_automatic_upgrades: field("ButAutomaticUpgrades") == "yes",
        ..OriginInfo::default()
    };
    let index = find(lists, &format!("_dists_{suite}_main_binary-amd64_Packages"))?;
    let index = fs::File::open(index).map_err(|error| error.to_string())?;
    universe
        .add_index(origin, BufReader::with_capacity(1 << 20, index))
        .map_err(|error| format!("{error:?}"))?;
    Ok(())
}

fn find(lists: &Path, end: &str) -> Result<PathBuf, String> {
    let entries = fs::read_dir(lists).map_err(|error| error.to_string())?;
    let mut paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    paths.find(|path| path.to_string_lossy().ends_with(end)).ok_or(format!("apt fetched no `…{end}`"))
}
