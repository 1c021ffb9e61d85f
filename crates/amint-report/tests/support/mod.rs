//! A realistic report: 220 packages, 40 rules with every outcome, one failing boot.

use amint_types::report::{
    AppliedFix, BootReport, BootRun, BuildReport, CheckOutcome, CheckResult, Evidence, Finding, Firmware,
    Package, Partition, RuleOutcome, RuleResult, ScanReport, StepTime,
};
use amint_types::{Architecture, Digest, MIB, Severity};

/// A build of a web image whose BIOS boot fails.
pub(crate) fn sample() -> BuildReport {
    BuildReport {
        format_version: 1,
        name: "web".parse().unwrap(),
        version: "1.4.0".parse().unwrap(),
        architecture: Architecture::X86_64,
        base: "Debian 13 (trixie)".to_owned(),
        description: Some("Static site behind nginx, hardened for the Marketplace".to_owned()),
        digest: Digest::of(b"image"),
        disk_bytes: 2048 * MIB,
        used_bytes: 612 * MIB + 200_000,
        partitions: partitions(),
        packages: packages(),
        recipe_digest: Digest::of(b"recipe"),
        source_epoch: 1_790_812_800,
        built_at: "2026-10-01T14:03:11Z".parse().unwrap(),
        tool_version: "0.1.0".to_owned(),
        steps: steps(),
        gate: Severity::High,
        scan: scan(),
        boots: vec![good_boot(), bad_boot()],
    }
}

/// The same build with everything in order.
pub(crate) fn passing() -> BuildReport {
    let mut report = sample();
    report.boots.truncate(1);
    for rule in &mut report.scan.rules {
        if matches!(rule.outcome, RuleOutcome::Fail { .. } | RuleOutcome::NotEvaluated { .. }) {
            rule.outcome = RuleOutcome::Pass;
        }
    }
    report
}

pub(crate) fn finding(message: &str, path: &str, line: Option<u32>, excerpt: Option<&str>) -> Finding {
    let evidence = Evidence { path: path.to_owned(), line, excerpt: excerpt.map(ToOwned::to_owned) };
    Finding { message: message.to_owned(), evidence, severity: None }
}

fn partitions() -> Vec<Partition> {
    let partition = |number, name: &str, start_mib: u64, mib: u64, content: &str| Partition {
        number,
        name: name.to_owned(),
        start_bytes: start_mib * MIB,
        bytes: mib * MIB,
        content: content.to_owned(),
    };
    vec![
        partition(14, "bios", 1, 3, "bios-boot"),
        partition(15, "esp", 4, 124, "vfat"),
        partition(1, "root", 128, 1919, "ext4"),
    ]
}

fn packages() -> Vec<Package> {
    let stems = [
        "adduser",
        "apt",
        "base-files",
        "bash",
        "ca-certificates",
        "cloud-init",
        "coreutils",
        "dbus",
        "e2fsprogs",
        "grub-common",
        "libacl1",
        "libc6",
        "linux-image-amd64",
        "nginx-light",
        "openssh-server",
        "openssl",
        "perl-base",
        "python3-minimal",
        "systemd",
        "util-linux",
        "zlib1g",
        "libstdc++6",
    ];
    let mut packages: Vec<Package> = (0..220_usize)
        .map(|index| {
            let stem = stems[index % stems.len()];
            let round = index / stems.len();
            Package {
                name: if round == 0 { stem.to_owned() } else { format!("{stem}-extra{round}") },
                version: format!(
                    "{}.{}.{}-{}+deb13u{}",
                    index % 7,
                    index % 13,
                    index % 5,
                    index % 3 + 1,
                    round
                ),
                architecture: if index % 4 == 0 { "all" } else { "amd64" }.to_owned(),
                installed_bytes: (u64::try_from(index).unwrap() * 7_919_113) % (9 * MIB) + 20_480,
            }
        })
        .collect();
    packages.sort();
    packages
}

fn steps() -> Vec<StepTime> {
    [
        ("resolve", "Resolving packages", 1_850, Some("220 packages, lock file unchanged")),
        ("fetch", "Fetching packages", 9_400, Some("220 packages, 168 MiB")),
        ("bootstrap", "Unpacking the base system", 31_200, Some("14 812 files")),
        ("customise", "Customising", 12_700, Some("2 scripts, 14 files")),
        ("harden", "Hardening", 2_100, Some("37 changes")),
        ("scan", "Judging the file tree", 4_020, None),
        ("assemble", "Assembling the disk", 5_600, Some("3 partitions, 612.1 MiB")),
        ("store", "Storing blocks", 3_300, Some("1225 blocks, 81 new")),
        ("boot-uefi", "Boot test, UEFI", 58_400, Some("8 checks")),
        ("boot-bios", "Boot test, BIOS", 120_200, Some("no login within 2 min")),
    ]
    .into_iter()
    .map(|(step, title, elapsed_ms, detail)| StepTime {
        step: step.to_owned(),
        title: title.to_owned(),
        elapsed_ms,
        detail: detail.map(ToOwned::to_owned),
    })
    .collect()
}

fn rule(
    id: &str,
    title: &str,
    severity: Severity,
    requirements: &[&str],
    outcome: RuleOutcome,
) -> RuleResult {
    RuleResult {
        rule: id.to_owned(),
        title: title.to_owned(),
        severity,
        requirements: requirements.iter().map(ToString::to_string).collect(),
        remedy: format!(
            "Change what `{id}` names, or add `harden.profiles = [\"marketplace\"]` to the recipe."
        ),
        outcome,
    }
}

fn scan() -> ScanReport {
    let mut rules = remarkable_rules();
    for number in 1..=6 {
        rules.push(rule(
            &format!("DB-{number:03}"),
            "the database listens on loopback only",
            Severity::High,
            &["A14"],
            RuleOutcome::NotApplicable { reason: "no database server is installed".to_owned() },
        ));
    }
    let severities = Severity::ALL;
    for number in 1..=29_usize {
        rules.push(rule(
            &format!("SYS-{number:03}"),
            "files of the system belong to root and nobody else may write to them",
            severities[number % severities.len()],
            &["B6", "A11"],
            RuleOutcome::Pass,
        ));
    }
    rules.sort_by(|left, right| left.rule.cmp(&right.rule));
    let changes = |rule: &str, changes: &[&str]| AppliedFix {
        rule: rule.to_owned(),
        changes: changes.iter().map(ToString::to_string).collect(),
    };
    ScanReport {
        profiles: vec!["marketplace".to_owned(), "shared-linux".to_owned(), "hardened".to_owned()],
        rules,
        fixes: vec![
            changes("ID-001", &["emptied /etc/machine-id", "removed /var/lib/dbus/machine-id"]),
            changes("LOG-003", &["removed /var/log/dpkg.log", "removed /var/log/apt/history.log"]),
            changes("SSH-002", &["set `PermitRootLogin no` in /etc/ssh/sshd_config.d/10-amint.conf"]),
        ],
        files: 14_812,
        unused_waivers: vec!["NET-007".to_owned()],
    }
}

fn check(id: &str, title: &str, outcome: CheckOutcome, detail: &str, elapsed_ms: u64) -> CheckResult {
    CheckResult {
        id: id.to_owned(),
        title: title.to_owned(),
        requirements: vec!["A9".to_owned()],
        rules: Vec::new(),
        severity: None,
        outcome,
        detail: detail.to_owned(),
        elapsed_ms,
    }
}

fn good_boot() -> BootReport {
    use CheckOutcome::{Noted, Pass, Skipped};
    BootReport {
        firmware: Firmware::Uefi,
        accelerator: "tcg".to_owned(),
        accelerator_note: Some("/dev/kvm is missing".to_owned()),
        boots: vec![
            BootRun { login_ms: Some(41_300), instance_id: "i-0a1b2c3d4e5f60718".to_owned() },
            BootRun { login_ms: Some(28_900), instance_id: "i-0f9e8d7c6b5a40312".to_owned() },
        ],
        checks: vec![
            check("ssh-login", "ec2-user logs in with the instance's key", Pass, "after 41 s", 41_300),
            check(
                "ssh-password",
                "a password login is refused",
                Pass,
                "publickey is the only method offered",
                220,
            ),
            check("host-keys", "host keys differ between two instances", Pass, "3 key types, all differ", 35),
            check("machine-id", "the machine id differs between two instances", Pass, "", 30),
            check("growth", "the root file system grows with its disk", Pass, "1.8 GiB became 7.8 GiB", 410),
            check("ports", "only the recipe's ports answer", Pass, "22, 443", 2_900),
            check("test-1", "http://{host}/healthz answers 200", Pass, "200 in 12 ms", 12),
            check(
                "enclave",
                "the Nitro TPM is there",
                Skipped,
                "QEMU was started without a TPM: swtpm is missing",
                0,
            ),
            CheckResult {
                rules: vec!["KRN-001".to_owned()],
                severity: Some(Severity::Medium),
                ..check(
                    "live-sysctl",
                    "the kernel runs with the settings of the files",
                    Noted,
                    "KRN-001 (medium): kernel.dmesg_restrict is 0",
                    3,
                )
            },
        ],
        disagreements: Vec::new(),
        console_tail: None,
    }
}

fn bad_boot() -> BootReport {
    use CheckOutcome::{Fail, Skipped};
    BootReport {
        firmware: Firmware::Bios,
        accelerator: "tcg".to_owned(),
        accelerator_note: Some("/dev/kvm is missing".to_owned()),
        boots: vec![BootRun { login_ms: None, instance_id: "i-00c0ffee00c0ffee0".to_owned() }],
        checks: vec![
            check(
                "ssh-login",
                "ec2-user logs in with the instance's key",
                Fail,
                "expected a login within 120 s; the guest stopped at the boot loader",
                120_000,
            ),
            check("ports", "only the recipe's ports answer", Skipped, "the guest never came up", 0),
        ],
        disagreements: Vec::new(),
        console_tail: Some(
            "SeaBIOS (version 1.16.2)\r\n\u{1b}[2J\u{1b}[1;1HBooting from Hard Disk...\r\n\
             GRUB loading.\r\n\u{1b}[31merror: file `/boot/grub/i386-pc/normal.mod' not found.\u{1b}[0m\r\n\
             Entering rescue mode...\r\ngrub rescue> "
                .to_owned(),
        ),
    }
}

/// Rules that failed, were waived or could not be evaluated.
fn remarkable_rules() -> Vec<RuleResult> {
    vec![
        rule(
            "KEY-001",
            "no authorised key is left in any account",
            Severity::Critical,
            &["A2", "MP-L3"],
            RuleOutcome::Fail {
                findings: vec![
                    finding(
                        "an authorised key of `builder` is left",
                        "/root/.ssh/authorized_keys",
                        Some(1),
                        Some("ssh-ed25519 AAAAC3Nz*** builder@ci"),
                    ),
                    finding(
                        "an authorised key is left",
                        "/home/ec2-user/.ssh/authorized_keys",
                        Some(3),
                        Some("ssh-rsa AAAAB3Nz*** old"),
                    ),
                ],
            },
        ),
        rule(
            "SSH-004",
            "password login is off",
            Severity::Medium,
            &["A2", "MP-L2", "CIS 5.2.11"],
            RuleOutcome::Fail {
                findings: vec![finding(
                    "`PasswordAuthentication` is `yes`",
                    "/etc/ssh/sshd_config.d/50-cloud-init.conf",
                    Some(1),
                    Some("PasswordAuthentication yes"),
                )],
            },
        ),
        rule(
            "TLS-002",
            "certificates in the image are valid for another 90 days",
            Severity::High,
            &["A13"],
            RuleOutcome::NotEvaluated { reason: "2 files of /etc/ssl/private are encrypted".to_owned() },
        ),
        rule(
            "MOD-009",
            "unused kernel modules cannot be loaded",
            Severity::Low,
            &["B6"],
            RuleOutcome::NotEvaluated { reason: "the initramfs has an unknown compression".to_owned() },
        ),
        rule(
            "SSH-012",
            "forwarding is off",
            Severity::Medium,
            &["B6"],
            RuleOutcome::Waived {
                findings: vec![finding(
                    "`AllowTcpForwarding` is `yes`",
                    "/etc/ssh/sshd_config",
                    Some(91),
                    None,
                )],
                reason: "the product forwards TCP".to_owned(),
                until: "2027-03-31".parse().unwrap(),
            },
        ),
    ]
}
