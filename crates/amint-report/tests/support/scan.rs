//! Scans as tests need them: a rich one, a hostile one, a small one and a large one.

use amint_types::scan::{
    AnalyzerRun, AnalyzerStatus, AskedRule, Baseline, Certificate, Coverage, CoverageStatus, DataSource,
    FORMAT_VERSION, FindingKind, Kernel, Lowered, ModifiedFile, OperatingSystem, PackageKind, Privileged,
    RuleState, ScanDocument, ScanFinding, ScanVerdict, ScannedPackage, Service, SupportState, Target, User,
    Waived,
};
use amint_types::{Digest, GIB, Severity};

/// What a file name, a package or a user may be called by someone who means harm.
pub(crate) const HOSTILE: &str =
    "<script>alert(1)</script>\u{1b}[31m\0\u{202e}\"'&\n](http://x) {0} | `x` \u{9b}\u{7f}]]>ä";

#[expect(clippy::unnecessary_wraps, reason = "fields of the model are optional")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// A scan of an image with nothing in it.
pub(crate) fn empty() -> ScanDocument {
    ScanDocument {
        format_version: FORMAT_VERSION,
        tool_version: "0.1.0".to_owned(),
        scanned_at: "2026-10-01T14:03:11Z".parse().unwrap(),
        target: Target {
            name: "image.raw".to_owned(),
            format: "raw".to_owned(),
            disk_bytes: None,
            digest: None,
        },
        verdict: ScanVerdict::Pass,
        reasons: Vec::new(),
        warnings: Vec::new(),
        baseline: None,
        gate: Severity::High,
        profiles: Vec::new(),
        rules: Vec::new(),
        data: Vec::new(),
        coverage: Vec::new(),
        analyzers: Vec::new(),
        system: None,
        kernels: Vec::new(),
        packages: Vec::new(),
        users: Vec::new(),
        services: Vec::new(),
        privileged: Vec::new(),
        certificates: Vec::new(),
        modified_files: Vec::new(),
        findings: Vec::new(),
    }
}

/// A scan of a web image: every field set in one place and left out in another.
pub(crate) fn rich() -> ScanDocument {
    let mut document = ScanDocument {
        target: Target {
            name: "web:1.4.0".to_owned(),
            format: "raw".to_owned(),
            disk_bytes: Some(2 * GIB),
            digest: Some(Digest::of(b"image")),
        },
        verdict: ScanVerdict::Fail,
        reasons: texts(&["2 findings reach the gate `high`", "partition `3` is encrypted"]),
        warnings: texts(&["the waiver of ACC-004 ends soon, on 2026-10-04 (operations)"]),
        baseline: Some(Baseline {
            target: Target { name: "web:1.3.0".to_owned(), ..empty().target },
            scanned_at: "2026-09-01T00:00:00Z".parse().unwrap(),
            known: 1,
            new: 4,
            fixed: 2,
            not_looked_for: 1,
        }),
        profiles: texts(&["marketplace"]),
        rules: rules(),
        data: data(),
        coverage: coverage(),
        analyzers: analyzers(),
        system: Some(system()),
        kernels: kernels(),
        packages: packages(),
        users: users(),
        services: services(),
        privileged: privileged(),
        certificates: certificates(),
        modified_files: modified_files(),
        findings: findings(),
        ..empty()
    };
    document.sort();
    document
}

/// The rich scan with a hostile text in every field that holds text.
#[expect(clippy::assigning_clones, reason = "assignments read better in a test")]
pub(crate) fn hostile() -> ScanDocument {
    let mut document = rich();
    let long = format!("{HOSTILE}{}", "x".repeat(20_000));
    document.tool_version = HOSTILE.to_owned();
    document.target.name = long.clone();
    document.target.format = HOSTILE.to_owned();
    document.reasons.push(HOSTILE.to_owned());
    document.data[0].source = HOSTILE.to_owned();
    document.coverage[0].partition = HOSTILE.to_owned();
    document.coverage[0].notes.push(long.clone());
    document.analyzers[0].id = HOSTILE.to_owned();
    document.analyzers[0].status = AnalyzerStatus::Partial;
    document.analyzers[0].notes.push(HOSTILE.to_owned());
    let system = document.system.as_mut().unwrap();
    system.id = HOSTILE.to_owned();
    system.version_id = Some(long.clone());
    system.name = HOSTILE.to_owned();
    for kernel in &mut document.kernels {
        kernel.release = HOSTILE.to_owned();
        kernel.command_line = text(HOSTILE);
    }
    for (index, package) in document.packages.iter_mut().enumerate() {
        package.name = format!("{HOSTILE}{index}");
        package.version = long.clone();
        package.licenses = vec![HOSTILE.to_owned(), "MIT".to_owned(), long.clone()];
        package.vendor = text(HOSTILE);
        package.owner = text(HOSTILE);
        package.path = format!("/{HOSTILE}");
        package.purl = if index % 2 == 0 { String::new() } else { HOSTILE.to_owned() };
    }
    for user in &mut document.users {
        user.name = HOSTILE.to_owned();
        user.shell = HOSTILE.to_owned();
        user.authorized_keys.push(HOSTILE.to_owned());
    }
    for service in &mut document.services {
        service.name = HOSTILE.to_owned();
        service.ports.push(HOSTILE.to_owned());
    }
    for file in &mut document.privileged {
        file.path = HOSTILE.to_owned();
        file.capabilities = text(HOSTILE);
    }
    for certificate in &mut document.certificates {
        certificate.subject = HOSTILE.to_owned();
        certificate.path = long.clone();
    }
    for file in &mut document.modified_files {
        file.path = HOSTILE.to_owned();
        file.change = HOSTILE.to_owned();
    }
    for finding in &mut document.findings {
        finding.id = HOSTILE.to_owned();
        finding.rule = HOSTILE.to_owned();
        finding.title = long.clone();
        finding.path = format!("/../{HOSTILE}/./x");
        finding.line = Some(0);
        finding.package = text(HOSTILE);
        finding.version = Some(long.clone());
        finding.fixed_version = text(HOSTILE);
        finding.purl = text(HOSTILE);
        finding.aliases = vec![HOSTILE.to_owned(), HOSTILE.to_owned(), String::new()];
        finding.evidence = Some(long.clone());
        finding.fix = text(HOSTILE);
        finding.source = text(HOSTILE);
        finding.requirements = vec![HOSTILE.to_owned(), "security".to_owned()];
        finding.cvss_tenths = Some(u8::MAX);
        finding.epss_millionths = Some(u32::MAX);
        finding.lowered = Some(Lowered { from: Severity::Critical, reason: HOSTILE.to_owned() });
        finding.controls = vec![HOSTILE.to_owned()];
        if let Some(waived) = &mut finding.waived {
            waived.reason = HOSTILE.to_owned();
            waived.owner = HOSTILE.to_owned();
        }
        finding.not_affected = finding.not_affected.is_some().then(|| HOSTILE.to_owned());
    }
    document
}

/// A scan of 2,000 packages and 3,000 findings, most of them below the gate.
pub(crate) fn large() -> ScanDocument {
    let mut document = rich();
    let package = document.packages[0].clone();
    document.packages = (0..2_000)
        .map(|index| ScannedPackage {
            name: format!("lib{}{index}", ["ssl", "xml", "png", "curl", "tiff"][index % 5]),
            version: format!("{}.{}-{}+deb13u1", index % 9, index % 31, index % 4),
            purl: format!(
                "pkg:deb/debian/lib{index}@{}.{}-1?arch=amd64&distro=debian-13",
                index % 9,
                index % 31
            ),
            ..package.clone()
        })
        .collect();
    let template = vulnerability("CVE-2025-0000", Severity::Medium, "openssl", "3.5.0-1");
    let severities = [Severity::Low, Severity::Medium, Severity::Info, Severity::Low, Severity::Medium];
    document.findings.extend((0..3_000_usize).map(|index| {
        let package = &document.packages[index % 2_000];
        ScanFinding {
            id: format!("vulnerability/{index}"),
            rule: format!("CVE-20{}-{}", 18 + index % 9, 10_000 + index),
            title: format!("A crafted file number {index} makes the parser read out of bounds"),
            severity: if index % 20 == 0 { Severity::Critical } else { severities[index % 5] },
            package: Some(package.name.clone()),
            version: Some(package.version.clone()),
            purl: Some(package.purl.clone()),
            cvss_tenths: Some(u8::try_from(index % 100).unwrap()),
            ..template.clone()
        }
    }));
    document.sort();
    document
}

fn data() -> Vec<DataSource> {
    [
        ("debian/trixie-security", "2026-10-01T03:12:00Z"),
        ("debian/trixie", "2026-09-06T09:00:00Z"),
        ("kev", "2026-09-30T18:00:00Z"),
    ]
    .map(|(source, date)| DataSource { source: source.to_owned(), date: date.parse().unwrap() })
    .into()
}

fn coverage() -> Vec<Coverage> {
    let part = |partition: &str, filesystem: &str, status, notes: &[&str]| Coverage {
        partition: partition.to_owned(),
        filesystem: filesystem.to_owned(),
        mounted_at: None,
        files: 0,
        bytes: 0,
        status,
        notes: texts(notes),
    };
    vec![
        Coverage {
            mounted_at: text("/"),
            files: 31_204,
            bytes: 1_204_881_000,
            ..part("1 (root)", "ext4", CoverageStatus::Read, &["a journal of 3 blocks was replayed"])
        },
        Coverage {
            mounted_at: text("/boot/efi"),
            files: 7,
            bytes: 4_200_000,
            ..part(
                "15 (esp)",
                "vfat",
                CoverageStatus::Partial,
                &["2 files could not be read: a broken chain"],
            )
        },
        part("14 (bios)", "bios-boot", CoverageStatus::Empty, &[]),
        part("3", "luks", CoverageStatus::Unread, &["encrypted (LUKS2)"]),
    ]
}

fn analyzers() -> Vec<AnalyzerRun> {
    let run = |id: &str, status, files, notes: &[&str]| AnalyzerRun {
        id: id.to_owned(),
        version: 1,
        status,
        files,
        notes: texts(notes),
    };
    vec![
        run("dpkg", AnalyzerStatus::Ran, 3, &[]),
        run("java", AnalyzerStatus::Partial, 12, &["/opt/app/broken.jar: the central directory is cut off"]),
        run("rpm", AnalyzerStatus::Skipped, 0, &["no rpm database"]),
    ]
}

fn system() -> OperatingSystem {
    OperatingSystem {
        id: "debian".to_owned(),
        version_id: text("13"),
        codename: text("trixie"),
        name: "Debian GNU/Linux 13 (trixie)".to_owned(),
        like: texts(&["debian"]),
        architecture: text("amd64"),
        support: SupportState::Supported,
        support_ends: Some("2028-08-09".parse().unwrap()),
        long_term_support_ends: Some("2030-06-30".parse().unwrap()),
    }
}

fn kernels() -> Vec<Kernel> {
    let kernel = |release: &str, is_default: bool| Kernel {
        release: release.to_owned(),
        path: format!("/boot/vmlinuz-{release}"),
        package: is_default.then(|| format!("linux-image-{release}")),
        is_default,
        has_modules: is_default,
        command_line: is_default.then(|| "root=PARTUUID=1a2b ro console=ttyS0".to_owned()),
    };
    vec![kernel("6.12.48+deb13-amd64", true), kernel("6.12.41+deb13-amd64", false)]
}

/// A package with only what every package has.
pub(crate) fn package(kind: PackageKind, name: &str, version: &str, path: &str) -> ScannedPackage {
    ScannedPackage {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: None,
        source: None,
        source_version: None,
        module: None,
        vendor: None,
        repository: None,
        licenses: Vec::new(),
        path: path.to_owned(),
        owner: None,
        purl: format!("pkg:{}/{name}@{version}", kind.as_str()),
        has_code: None,
    }
}

fn packages() -> Vec<ScannedPackage> {
    let deb = |name: &str, version: &str, licenses: &[&str]| ScannedPackage {
        architecture: text("amd64"),
        source: text("openssl"),
        source_version: text("3.5.1-1"),
        vendor: text("Debian OpenSSL Team <pkg-openssl@example.org>"),
        repository: text("debian/trixie"),
        licenses: texts(licenses),
        purl: format!("pkg:deb/debian/{name}@{version}?arch=amd64&distro=debian-13"),
        has_code: Some(true),
        ..package(PackageKind::Deb, name, version, "/var/lib/dpkg/status")
    };
    let jar = |path: &str, owner: Option<&str>| ScannedPackage {
        licenses: texts(&["Apache-2.0"]),
        owner: owner.map(ToOwned::to_owned),
        purl: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1".to_owned(),
        ..package(PackageKind::Maven, "org.apache.logging.log4j:log4j-core", "2.14.1", path)
    };
    let mut packages = vec![
        deb("libssl3t64", "3.5.1-1+deb13u1", &["Apache-2.0"]),
        deb("openssh-server", "1:10.0p1-7", &["BSD-2-clause", "Expat", "public-domain"]),
        deb("bash", "5.2.37-2+b5", &["GPL-3+"]),
        deb("curl", "8.14.1-2", &[]),
        jar("/opt/app/lib/log4j-core.jar", None),
        jar("/usr/share/java/log4j-core.jar", Some("liblog4j2-java")),
        ScannedPackage {
            module: text("nodejs:18:9020"),
            has_code: Some(false),
            licenses: texts(&["LicenseRef-Fedora-Public-Domain AND (MIT OR Apache-2.0)"]),
            ..package(PackageKind::Rpm, "nodejs-docs", "1:18.1-1", "/var/lib/rpm/rpmdb.sqlite")
        },
    ];
    for (kind, name, path) in [
        (PackageKind::Apk, "musl", "/lib/apk/db/installed"),
        (PackageKind::Pypi, "requests", "/opt/venv/lib/python3.13/site-packages/requests-2.32.0.dist-info"),
        (PackageKind::Npm, "@babel/core", "/opt/app/node_modules/@babel/core/package.json"),
        (PackageKind::Gem, "rack", "/var/lib/gems/3.3.0/specifications/rack-3.1.gemspec"),
        (PackageKind::Golang, "golang.org/x/net", "/usr/local/bin/agent"),
        (PackageKind::Cargo, "time", "/usr/local/bin/amint"),
        (PackageKind::Composer, "symfony/http-kernel", "/srv/www/vendor/composer/installed.json"),
        (PackageKind::Nuget, "Newtonsoft.Json", "/opt/dotnet/app.deps.json"),
    ] {
        packages.push(package(kind, name, "1.2.3", path));
    }
    packages
}

fn users() -> Vec<User> {
    let user = |uid, name: &str, password: &str| User {
        uid,
        name: name.to_owned(),
        gid: uid,
        home: format!("/home/{name}"),
        shell: "/bin/bash".to_owned(),
        password: password.to_owned(),
        groups: Vec::new(),
        authorized_keys: Vec::new(),
    };
    vec![
        user(0, "root", "locked"),
        User {
            groups: texts(&["adm", "sudo"]),
            authorized_keys: texts(&["SHA256:uNiVztksCsDhcc0u9e8BrqXVKmvvEPBZyGjXyzS6Gv0"]),
            ..user(1000, "admin", "set")
        },
    ]
}

fn services() -> Vec<Service> {
    let service = |name: &str, program: Option<&str>, package: Option<&str>, ports: &[&str]| Service {
        name: name.to_owned(),
        enabled_by: format!("/etc/systemd/system/multi-user.target.wants/{name}"),
        program: program.map(ToOwned::to_owned),
        package: package.map(ToOwned::to_owned),
        ports: texts(ports),
    };
    vec![
        service("ssh.service", Some("/usr/sbin/sshd"), Some("openssh-server"), &["tcp/22"]),
        service("nginx.service", Some("/usr/sbin/nginx"), Some("nginx"), &["tcp/443", "tcp/80"]),
        service("agent.service", None, None, &[]),
    ]
}

fn privileged() -> Vec<Privileged> {
    vec![
        Privileged {
            path: "/usr/bin/sudo".to_owned(),
            mode: "4755".to_owned(),
            owner: "0:0".to_owned(),
            capabilities: None,
            package: text("sudo"),
        },
        Privileged {
            path: "/usr/local/bin/ping".to_owned(),
            mode: "0755".to_owned(),
            owner: "0:0".to_owned(),
            capabilities: text("cap_net_raw=ep"),
            package: None,
        },
    ]
}

fn certificates() -> Vec<Certificate> {
    let certificate = |path: &str, not_after: &str, is_authority| Certificate {
        path: path.to_owned(),
        subject: "CN=web.example.org".to_owned(),
        issuer: "CN=Example Issuing CA 3,O=Example".to_owned(),
        not_after: not_after.parse().unwrap(),
        fingerprint: Digest::of(path.as_bytes()),
        is_authority,
    };
    vec![
        certificate("/etc/ssl/web.pem", "2026-12-01T00:00:00Z", false),
        certificate("/usr/local/share/ca-certificates/old.crt", "2024-01-01T00:00:00Z", true),
    ]
}

fn modified_files() -> Vec<ModifiedFile> {
    let file = |path: &str, package: &str, is_configuration, change: &str| ModifiedFile {
        path: path.to_owned(),
        package: package.to_owned(),
        is_configuration,
        change: change.to_owned(),
    };
    vec![
        file("/etc/ssh/sshd_config", "openssh-server", true, "changed"),
        file("/usr/bin/ls", "coreutils", false, "changed"),
        file("/usr/share/doc/bash/README", "bash", false, "missing"),
    ]
}

fn rules() -> Vec<AskedRule> {
    let asked = |rule: &str, state, reason: &str| AskedRule {
        rule: rule.to_owned(),
        state,
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
    };
    vec![
        asked("ACC-004", RuleState::Fail, ""),
        asked("SSH-001", RuleState::Fail, ""),
        asked("SSH-004", RuleState::Pass, ""),
        asked("SSH-010", RuleState::NotApplicable, "there is no ssh server"),
        asked("SEC-001", RuleState::NotEvaluated, "the folder /srv cannot be read"),
    ]
}

/// A finding with only what every finding has.
pub(crate) fn finding(rule: &str, kind: FindingKind, severity: Severity, path: &str) -> ScanFinding {
    ScanFinding {
        id: format!("{rule}{path}"),
        ..ScanFinding::new(kind, rule, format!("`{path}` is not as {rule} asks"), severity, path)
    }
}

/// A vulnerability of one of the system's packages.
pub(crate) fn vulnerability(rule: &str, severity: Severity, package: &str, version: &str) -> ScanFinding {
    ScanFinding {
        id: format!("{rule}/{package}/{version}"),
        title: format!("{package}: an attacker may do what {rule} tells"),
        package: text(package),
        version: text(version),
        purl: Some(format!("pkg:deb/debian/{package}@{version}?arch=amd64&distro=debian-13")),
        source: text("debian/trixie-security"),
        ..finding(rule, FindingKind::Vulnerability, severity, "/var/lib/dpkg/status")
    }
}

fn findings() -> Vec<ScanFinding> {
    let log4j = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
    vec![
        ScanFinding {
            package: text("org.apache.logging.log4j:log4j-core"),
            version: text("2.14.1"),
            purl: text(log4j),
            path: "/opt/app/lib/log4j-core.jar".to_owned(),
            fixed_version: text("2.17.1"),
            aliases: texts(&["GHSA-jfh8-c2jp-5v3q"]),
            is_exploited: true,
            epss_millionths: Some(975_660),
            cvss_tenths: Some(100),
            ..vulnerability("CVE-2021-44228", Severity::Critical, "log4j-core", "2.14.1")
        },
        ScanFinding {
            fixed_version: text("1:10.0p1-7+deb13u1"),
            is_fix_available: Some(true),
            aliases: texts(&["DSA-6001-1"]),
            cvss_tenths: Some(81),
            ..vulnerability("CVE-2026-1111", Severity::High, "openssh-server", "1:10.0p1-7")
        },
        ScanFinding {
            lowered: Some(Lowered {
                from: Severity::High,
                reason: "the kernel is not the one that boots".to_owned(),
            }),
            fixed_version: text("6.12.48-1"),
            is_fix_available: Some(false),
            cvss_tenths: Some(78),
            ..vulnerability("CVE-2026-2222", Severity::Low, "linux-image-6.12.41", "6.12.41-1")
        },
        ScanFinding {
            not_affected: text("vulnerable code is not in the execute path"),
            ..vulnerability("CVE-2026-3333", Severity::Critical, "libssl3t64", "3.5.1-1+deb13u1")
        },
        vulnerability("CVE-2026-4444", Severity::Medium, "curl", "8.14.1-2"),
        ScanFinding {
            line: Some(12),
            evidence: text("PasswordAuthentication yes"),
            fix: text("set `PasswordAuthentication no` in /etc/ssh/sshd_config.d"),
            requirements: texts(&["CIS-5.1.9", "marketplace-ami-4"]),
            controls: texts(&["cis-debian13 5.1.11"]),
            ..finding("SSH-001", FindingKind::Rule, Severity::High, "/etc/ssh/sshd_config")
        },
        ScanFinding {
            waived: Some(Waived {
                reason: "the appliance's console asks for it".to_owned(),
                owner: "operations".to_owned(),
                until: "2026-10-04".parse().unwrap(),
            }),
            ..finding("ACC-004", FindingKind::Rule, Severity::Critical, "/etc/shadow")
        },
        ScanFinding {
            is_known: true,
            ..finding("FS-003", FindingKind::Rule, Severity::High, "/etc/crontab")
        },
        finding("FILE-007", FindingKind::Rule, Severity::Info, "/srv/data sets/a:b%.txt"),
        finding("EVIDENCE-001", FindingKind::Evidence, Severity::Medium, "/"),
    ]
}
