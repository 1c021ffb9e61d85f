//! The report of a scan: what an image holds, what is known against it, and what was not looked at.
//!
//! One model feeds the terminal, JSON, SARIF, CycloneDX, SPDX, JUnit and HTML. Everything is sorted by whoever fills
//! it, so that the same image and data give the same report. Paths are paths inside the image, beginning with `/`;
//! they are text, with bytes that are no UTF-8 replaced.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Digest, Severity};

/// The version of the JSON format of [`ScanDocument`].
pub const FORMAT_VERSION: u32 = 1;

/// What a scan says in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScanVerdict {
    /// Everything asked for was looked at, with data that is young enough, and nothing reaches the gate.
    Pass,
    /// At least one finding reaches the gate.
    Fail,
    /// No finding reaches the gate, but advisories are missing or too old to say that there are none.
    Stale,
    /// A partition, a file system or the operating system could not be read: nothing can be said.
    Unread,
}

impl ScanVerdict {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Stale => "stale",
            Self::Unread => "unread",
        }
    }
}

/// What was scanned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Target {
    /// As the user named it.
    pub name: String,
    /// The form of the image: `raw`, `qcow2`, `vmdk`, `directory`, `tar`, `store`.
    pub format: String,
    /// Size of the disk in bytes, where it is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub disk_bytes: Option<u64>,
    /// Digest of the image, where the store knows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<Digest>,
}

/// One source of advisories, and how old it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DataSource {
    /// Which: `debian/trixie-security`, `kev`.
    pub source: String,
    /// When its publisher made it.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub date: Timestamp,
}

/// How well one part of the disk was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CoverageStatus {
    /// Every file was read.
    Read,
    /// Some files could not be read; the note tells.
    Partial,
    /// Nothing to read: a boot loader's partition, a hole in the table.
    Empty,
    /// Recognised, and not readable: encrypted, or a file system that amint does not know.
    Unread,
}

/// One part of the disk and how it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Coverage {
    /// Which part: `1`, `3 (root)`, `vg0/root`, `whole disk`.
    pub partition: String,
    /// What is on it: `ext4`, `xfs`, `luks`, `bios-boot`, `unknown`.
    pub filesystem: String,
    /// Where its files stand in the image: `/`, `/boot`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mounted_at: Option<String>,
    /// Files met.
    pub files: u64,
    /// Bytes of content that were read.
    pub bytes: u64,
    /// How it went.
    pub status: CoverageStatus,
    /// What a person should know: a replayed journal, a damaged backup table, why it was not read.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

/// How one analyzer fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AnalyzerRun {
    /// Its id: `dpkg`, `rpm`, `java`.
    pub id: String,
    /// Version of its logic: results of another version may differ.
    pub version: u32,
    /// How it went.
    pub status: AnalyzerStatus,
    /// How many files it was given.
    pub files: u64,
    /// Why it was skipped, or what it could not read, at most a few lines.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

/// How an analyzer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnalyzerStatus {
    /// Looked at all that it wanted.
    Ran,
    /// Could not read or understand some of it.
    Partial,
    /// Was not asked, or had nothing to look at.
    Skipped,
}

/// Where support of an operating system stands on the day of the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SupportState {
    /// Its publisher fixes everything.
    Supported,
    /// Only long-term support by others or in part.
    Limited,
    /// Nobody fixes it without a contract.
    Ended,
    /// No data says.
    Unknown,
}

/// The operating system of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OperatingSystem {
    /// `ID` of os-release(5): `debian`, `amzn`.
    pub id: String,
    /// `VERSION_ID`: `13`, `2023`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version_id: Option<String>,
    /// `VERSION_CODENAME`: `trixie`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub codename: Option<String>,
    /// `PRETTY_NAME`.
    pub name: String,
    /// `ID_LIKE`, split.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub like: Vec<String>,
    /// The architecture, in the words of its packages: `amd64`, `x86_64`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub architecture: Option<String>,
    /// Where its support stands.
    pub support: SupportState,
    /// The last day of regular support.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("format" = "date")))]
    pub support_ends: Option<Date>,
    /// The last day of any public support.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("format" = "date")))]
    pub long_term_support_ends: Option<Date>,
}

/// One kernel of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Kernel {
    /// The release that `uname -r` would tell: `6.12.48+deb13-amd64`.
    pub release: String,
    /// The file: `/boot/vmlinuz-6.12.48+deb13-amd64`.
    pub path: String,
    /// The package that owns it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<String>,
    /// Whether the boot loader starts it by default.
    pub is_default: bool,
    /// Whether its modules are there.
    pub has_modules: bool,
    /// Its command line, where it is the default.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub command_line: Option<String>,
}

/// What kind of package it is: the type of its package URL (<https://github.com/package-url/purl-spec>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PackageKind {
    /// Debian and its children.
    Deb,
    /// Red Hat, Amazon Linux, SUSE.
    Rpm,
    /// Alpine.
    Apk,
    /// Python.
    Pypi,
    /// Node.
    Npm,
    /// Ruby.
    Gem,
    /// Java.
    Maven,
    /// Go modules in binaries.
    Golang,
    /// Rust crates in binaries.
    Cargo,
    /// PHP.
    Composer,
    /// .NET.
    Nuget,
}

impl PackageKind {
    /// All kinds, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::Deb,
        Self::Rpm,
        Self::Apk,
        Self::Pypi,
        Self::Npm,
        Self::Gem,
        Self::Maven,
        Self::Golang,
        Self::Cargo,
        Self::Composer,
        Self::Nuget,
    ];

    /// Returns the type of its package URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Pypi => "pypi",
            Self::Npm => "npm",
            Self::Gem => "gem",
            Self::Maven => "maven",
            Self::Golang => "golang",
            Self::Cargo => "cargo",
            Self::Composer => "composer",
            Self::Nuget => "nuget",
        }
    }

    /// Tells whether the operating system's package manager installs it.
    pub fn is_of_system(self) -> bool {
        matches!(self, Self::Deb | Self::Rpm | Self::Apk)
    }
}

/// One package of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScannedPackage {
    /// What kind it is.
    pub kind: PackageKind,
    /// Its name, as its own package manager tells it: `libssl3t64`, `org.apache.logging.log4j:log4j-core`,
    /// `@babel/core`.
    pub name: String,
    /// Its full version with epoch, as the package manager writes it: `1:9.2p1-2`, `0:3.0.8-1.amzn2023`.
    pub version: String,
    /// Its architecture, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub architecture: Option<String>,
    /// The source package that advisories name: Debian's source, the name in rpm's source file, Alpine's origin.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// The version of the source package, where it differs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_version: Option<String>,
    /// The module stream that it belongs to (rpm): `nodejs:18:…`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub module: Option<String>,
    /// Who built it: rpm's vendor, Debian's maintainer or origin.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vendor: Option<String>,
    /// The repository that it came from, where the image tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repository: Option<String>,
    /// Licences, as the package declares them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub licenses: Vec<String>,
    /// Where it was found: the database, or the file of a language package.
    pub path: String,
    /// The package of the operating system that owns that file: then it is judged there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
    /// Its package URL.
    pub purl: String,
    /// Whether any of its files is code; packages without are lowered. None where the files are not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub has_code: Option<bool>,
}

/// A user of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct User {
    /// The number.
    pub uid: u32,
    /// The name.
    pub name: String,
    /// The first group.
    pub gid: u32,
    /// The home.
    pub home: String,
    /// The shell.
    pub shell: String,
    /// `locked`, `none` (no password needed), `set`; never the hash itself.
    pub password: String,
    /// Groups beside the first, by name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub groups: Vec<String>,
    /// Fingerprints of keys that open it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub authorized_keys: Vec<String>,
}

/// A service that the system starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Service {
    /// The unit or script: `ssh.service`.
    pub name: String,
    /// What enables it: `/etc/systemd/system/multi-user.target.wants/ssh.service`.
    pub enabled_by: String,
    /// The program it starts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub program: Option<String>,
    /// The package that owns the unit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<String>,
    /// Ports that it listens on, by its configuration: `tcp/22`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub ports: Vec<String>,
}

/// A file that gives its caller more rights.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Privileged {
    /// The file.
    pub path: String,
    /// Its permission bits, in octal: `4755`.
    pub mode: String,
    /// Owner and group: `0:0`.
    pub owner: String,
    /// File capabilities, as `getcap` writes them: `cap_net_raw=ep`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub capabilities: Option<String>,
    /// The package that owns it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<String>,
}

/// A certificate that lies in the image outside the distribution's own trust store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Certificate {
    /// The file.
    pub path: String,
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// The end of its validity.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub not_after: Timestamp,
    /// SHA-256 of its DER form.
    pub fingerprint: Digest,
    /// Whether it may sign others.
    pub is_authority: bool,
}

/// A file of a package whose content is no longer what the package brought.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModifiedFile {
    /// The file.
    pub path: String,
    /// The package that owns it.
    pub package: String,
    /// Whether the package expects it to be changed.
    pub is_configuration: bool,
    /// `changed`, `missing`.
    pub change: String,
}

/// What kind of thing a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// A known vulnerability of a package.
    Vulnerability,
    /// A violated rule.
    Rule,
    /// Something about the scan's own evidence.
    Evidence,
}

/// Why a finding weighs less than its advisory says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lowered {
    /// The severity that the advisory gives.
    pub from: Severity,
    /// Why: `the kernel is not the one that boots`.
    pub reason: String,
}

/// Who accepted a finding, why and until when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Waived {
    /// Why it is accepted.
    pub reason: String,
    /// Who answers for that.
    pub owner: String,
    /// The last day on which it is accepted.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date")))]
    pub until: Date,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScanFinding {
    /// Stable across scans of the same image: made of rule, path, package and version, and of no line number.
    pub id: String,
    /// The rule, or the vulnerability's main id: `SSH-001`, `CVE-2024-6387`.
    pub rule: String,
    /// What kind it is.
    pub kind: FindingKind,
    /// What is wrong, in one line.
    pub title: String,
    /// How bad it is here.
    pub severity: Severity,
    /// Where, beginning with `/`.
    pub path: String,
    /// The line in the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// The package (its binary name).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<String>,
    /// The package's version.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// The package's URL, to find it in an SBOM.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub purl: Option<String>,
    /// The first version without it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fixed_version: Option<String>,
    /// Whether a repository that the image itself uses has that version; none where that is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub is_fix_available: Option<bool>,
    /// Other ids of the same thing: `DSA-5724-1`, `GHSA-…`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub aliases: Vec<String>,
    /// Whether it is known to be exploited (CISA KEV, SSVC).
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_exploited: bool,
    /// The probability that it is exploited within 30 days (EPSS), in millionths.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epss_millionths: Option<u32>,
    /// The base score of CVSS times ten: 98 is 9.8.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cvss_tenths: Option<u8>,
    /// Why it weighs less than its advisory says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lowered: Option<Lowered>,
    /// Set when a VEX statement says that it does not apply: counted, and never reaching the gate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_affected: Option<String>,
    /// Set when it is accepted for a while: counted, and not reaching the gate until then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waived: Option<Waived>,
    /// Whether the scan that this one is compared with has it too: then it does not reach the gate.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_known: bool,
    /// The source of the advisory: `debian/trixie-security`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// What was seen, with secrets masked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fix: Option<String>,
    /// Requirement and control ids that it violates.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub requirements: Vec<String>,
    /// Recommendations of the benchmark of the image's system that it violates: `cis-debian13 5.1.11`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub controls: Vec<String>,
}

impl ScanFinding {
    /// Tells whether it counts: nobody says that it does not apply, and nobody accepts it.
    pub fn is_counted(&self) -> bool {
        self.not_affected.is_none() && self.waived.is_none()
    }

    /// Tells whether it fails an image: it counts, it is new where that was asked, and it is severe enough or
    /// known to be exploited.
    pub fn is_blocking(&self, gate: Severity) -> bool {
        self.is_counted() && !self.is_known && (self.severity >= gate || self.is_exploited)
    }

    /// Makes a finding of which nothing more is known; its id is for the caller to give.
    pub fn new(
        kind: FindingKind,
        rule: impl Into<String>,
        title: impl Into<String>,
        severity: Severity,
        path: impl Into<String>,
    ) -> Self {
        Self {
            id: String::new(),
            rule: rule.into(),
            kind,
            title: title.into(),
            severity,
            path: path.into(),
            line: None,
            package: None,
            version: None,
            purl: None,
            fixed_version: None,
            is_fix_available: None,
            aliases: Vec::new(),
            is_exploited: false,
            epss_millionths: None,
            cvss_tenths: None,
            lowered: None,
            not_affected: None,
            waived: None,
            is_known: false,
            source: None,
            evidence: None,
            fix: None,
            requirements: Vec::new(),
            controls: Vec::new(),
        }
    }
}

/// How a rule ended that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RuleState {
    /// Looked, and found nothing.
    Pass,
    /// Found something: the findings tell what.
    Fail,
    /// There is nothing to look at.
    NotApplicable,
    /// Could not look: never counted as a pass.
    NotEvaluated,
}

impl RuleState {
    /// Returns the name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotApplicable => "not_applicable",
            Self::NotEvaluated => "not_evaluated",
        }
    }
}

/// A rule that was asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AskedRule {
    /// Its id: `SSH-001`.
    pub rule: String,
    /// How it ended.
    pub state: RuleState,
    /// Why there was nothing to look at, or why it could not look.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// The earlier scan that a scan is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Baseline {
    /// What was scanned then.
    pub target: Target,
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub scanned_at: Timestamp,
    /// Findings that both scans have: they do not reach the gate.
    pub known: usize,
    /// Findings that only this scan has, or that weigh more than they did.
    pub new: usize,
    /// Findings that only the earlier scan had, of what this scan looked for too.
    pub fixed: usize,
    /// Findings that only the earlier scan had, and that this scan did not look for.
    pub not_looked_for: usize,
}

/// All that a scan says about an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScanDocument {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Version of amint.
    pub tool_version: String,
    /// The moment that ages and support are counted to; given from outside, so that reports can be made again.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub scanned_at: Timestamp,
    /// What was scanned.
    pub target: Target,
    /// The verdict.
    pub verdict: ScanVerdict,
    /// Why the verdict is not `pass`, in a few lines.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reasons: Vec<String>,
    /// What a person should know beside the verdict: waivers that end soon, that nothing needs, that are too wide.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
    /// The earlier scan that this one is compared with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline: Option<Baseline>,
    /// The severity from which a finding fails the image.
    pub gate: Severity,
    /// The profiles whose rules were asked.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub profiles: Vec<String>,
    /// The rules that were asked, by id.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rules: Vec<AskedRule>,
    /// The advisories used.
    pub data: Vec<DataSource>,
    /// What was read of the disk.
    pub coverage: Vec<Coverage>,
    /// What looked, and how it went.
    pub analyzers: Vec<AnalyzerRun>,
    /// The operating system.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub system: Option<OperatingSystem>,
    /// The kernels.
    pub kernels: Vec<Kernel>,
    /// The packages.
    pub packages: Vec<ScannedPackage>,
    /// The users.
    pub users: Vec<User>,
    /// The services that start by themselves.
    pub services: Vec<Service>,
    /// The files that give rights.
    pub privileged: Vec<Privileged>,
    /// The certificates.
    pub certificates: Vec<Certificate>,
    /// Files of packages that were changed.
    pub modified_files: Vec<ModifiedFile>,
    /// What is wrong: exploited first, then the most severe, then by rule, package and path.
    pub findings: Vec<ScanFinding>,
}

impl ScanDocument {
    /// Counts findings by severity, without those that do not apply or are accepted.
    pub fn counts(&self) -> BTreeMap<Severity, usize> {
        let mut counts = BTreeMap::new();
        for finding in self.findings.iter().filter(|finding| finding.is_counted()) {
            *counts.entry(finding.severity).or_default() += 1;
        }
        counts
    }

    /// Returns the findings that reach the gate: those that are exploited always do.
    pub fn blocking(&self) -> impl Iterator<Item = &ScanFinding> {
        self.findings.iter().filter(|finding| finding.is_blocking(self.gate))
    }

    /// Puts everything into the order of reports.
    pub fn sort(&mut self) {
        self.data.sort();
        self.rules.sort();
        self.kernels.sort();
        self.packages.sort();
        self.packages.dedup();
        self.users.sort();
        self.services.sort();
        self.privileged.sort();
        self.certificates.sort();
        self.modified_files.sort();
        self.analyzers.sort_by(|left, right| left.id.cmp(&right.id));
        self.findings.sort_by(|left, right| {
            let key = |finding: &ScanFinding| {
                (
                    !finding.is_exploited,
                    std::cmp::Reverse(finding.severity),
                    finding.rule.clone(),
                    finding.package.clone(),
                    finding.version.clone(),
                    finding.path.clone(),
                    finding.line,
                )
            };
            key(left).cmp(&key(right))
        });
    }
}
