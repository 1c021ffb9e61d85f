use std::path::{Path, PathBuf};

use amint_types::Severity;
use amint_types::report::Finding;

use super::weakness::{weak_cipher, weak_protocol};
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict, glob};

/// The system's settings let nothing old in.
pub(in crate::rules) struct Policies;

static META: RuleMeta = RuleMeta {
    id: "CRY-001",
    title: "system-wide cryptography keeps broken algorithms out",
    requirements: &["A2", "B6", "CIS-1.6"],
    rationale: "Policies and libraries' files decide what every program on the machine accepts. One line that lets old \
                protocols in weakens all of them.",
    remedy: "Set the policy DEFAULT or a stricter one, and remove lines that allow old protocols, ciphers and key types \
             from the files of OpenSSL, GnuTLS, Java and Kerberos.",
    severities: Severities::public(Severity::High, Some(Severity::Low)),
};

const POLICY: &str = "/etc/crypto-policies/config";
/// The gravest finding: everything old is open in all programs.
const LEGACY: &str = "the policy is LEGACY";
/// Modules of policies that let old things in.
const WEAK_MODULES: [&str; 4] = ["SHA1", "AD-SUPPORT-LEGACY", "NO-ENFORCE-EMS", "LEGACY"];

impl Rule for Policies {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        let mut is_any = policy(cx, &mut findings)?;
        is_any |= openssl(cx, &mut findings)?;
        is_any |= gnutls(cx, &mut findings)?;
        is_any |= java(cx, &mut findings)?;
        is_any |= kerberos(cx, &mut findings)?;
        if !is_any {
            return Ok(Verdict::NotApplicable("no file that sets cryptography for all".to_owned()));
        }
        for found in findings.iter_mut().filter(|found| found.message != LEGACY) {
            found.severity = Some(Severity::Medium);
        }
        Ok(findings.into())
    }
}

/// The policy of Red Hat's systems (`crypto-policies(7)`).
fn policy(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<bool, CheckError> {
    let Some(text) = cx.text(POLICY)? else { return Ok(false) };
    let lines = (1_u32..).zip(text.lines());
    let Some((line, text)) =
        lines.into_iter().find(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
    else {
        return Ok(true);
    };
    let mut names = text.trim().split(':').map(str::to_ascii_uppercase);
    let base = names.next().unwrap_or_default();
    if base == "LEGACY" {
        findings.push(finding_at(LEGACY, Path::new(POLICY), line, text));
    }
    for module in names.filter(|module| WEAK_MODULES.contains(&module.as_str())) {
        let message = format!("the policy's module {module} lets old algorithms in");
        findings.push(finding_at(message, Path::new(POLICY), line, text));
    }
    let mut has_kernel_switch = false;
    for file in ["/etc/default/grub", "/etc/kernel/cmdline", "/boot/grub2/grubenv"] {
        let text = cx.text(file)?.unwrap_or_default();
        has_kernel_switch |= text.lines().filter(|line| !line.trim_start().starts_with('#')).any(|line| {
            line.split([' ', '"', '\'', '=']).collect::<Vec<_>>().windows(2).any(|pair| pair == ["fips", "1"])
        });
    }
    if base == "FIPS" && !has_kernel_switch {
        let message = "the policy is FIPS, but the kernel is not started with fips=1";
        findings.push(finding_at(message, Path::new(POLICY), line, text));
    } else if base != "FIPS" && has_kernel_switch {
        let message = "the kernel is started with fips=1, but the policy is not FIPS";
        findings.push(finding_at(message, Path::new(POLICY), line, text));
    }
    Ok(true)
}

/// Lines of `key = value` that are no comments.
fn settings(text: &str) -> impl Iterator<Item = (u32, &str, &str, &str)> {
    (1_u32..).zip(text.lines()).filter_map(|(line, text)| {
        let bare = text.split('#').next().unwrap_or_default();
        let (key, value) = bare.split_once('=')?;
        Some((line, text, key.trim(), value.trim()))
    })
}

fn openssl(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<bool, CheckError> {
    let mut files: Vec<PathBuf> = vec!["/etc/ssl/openssl.cnf".into(), "/etc/pki/tls/openssl.cnf".into()];
    files.extend(glob::expand(cx, "/etc/pki/tls/openssl.d/*.cnf")?);
    files.extend(glob::expand(cx, "/etc/ssl/openssl.cnf.d/*")?);
    let mut is_any = false;
    for path in files {
        let Some(text) = cx.text(&path)? else { continue };
        is_any = true;
        for (line, text, key, value) in settings(&text) {
            // Keys may carry the name of a protocol's family: `TLS.MinProtocol`.
            let key = key.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
            let message = match key.as_str() {
                "minprotocol" if value.eq_ignore_ascii_case("None") => {
                    Some("OpenSSL takes any protocol".to_owned())
                }
                "minprotocol" | "protocol" => {
                    weak_protocol(value.split([',', ' '])).map(|protocol| format!("OpenSSL takes {protocol}"))
                }
                "cipherstring" => {
                    weak_cipher(value).map(|weak| format!("OpenSSL takes weak ciphers: {weak}"))
                }
                "options" if value.contains("UnsafeLegacyRenegotiation") => {
                    Some("OpenSSL takes unsafe renegotiation".to_owned())
                }
                _ => None,
            };
            findings.extend(message.map(|message| finding_at(message, &path, line, text)));
        }
    }
    Ok(is_any)
}

fn gnutls(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<bool, CheckError> {
    const WEAK: [&str; 7] = [
        "+VERS-SSL3.0",
        "+VERS-TLS1.0",
        "+VERS-TLS1.1",
        "+ARCFOUR-128",
        "+3DES-CBC",
        "%UNSAFE_RENEGOTIATION",
        "+MD5",
    ];
    let mut is_any = false;
    for file in ["/etc/gnutls/config", "/etc/gnutls/default-priorities"] {
        let Some(text) = cx.text(file)? else { continue };
        is_any = true;
        for (line, text) in
            (1_u32..).zip(text.lines()).filter(|(_, text)| !text.trim_start().starts_with('#'))
        {
            let is_enabled_version = text.split_once('=').is_some_and(|(key, value)| {
                key.trim() == "enabled-version" && weak_protocol(value.split([',', ' '])).is_some()
            });
            if let Some(weak) = WEAK.iter().find(|weak| text.contains(**weak)) {
                findings.push(finding_at(format!("GnuTLS takes {weak}"), Path::new(file), line, text));
            } else if is_enabled_version {
                findings.push(finding_at("GnuTLS takes old protocols", Path::new(file), line, text));
            }
        }
    }
    Ok(is_any)
}

/// What Java must refuse, by the property that names it.
const JAVA: [(&str, &[&str]); 2] = [
    ("jdk.tls.disabledAlgorithms", &["SSLv3", "TLSv1", "TLSv1.1", "RC4"]),
    ("jdk.certpath.disabledAlgorithms", &["MD5"]),
];

fn java(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<bool, CheckError> {
    let mut is_any = false;
    for pattern in [
        "/etc/java*/security/java.security",
        "/etc/java/*/*/conf/security/java.security",
        "/usr/lib/jvm/*/conf/security/java.security",
        "/usr/lib/jvm/*/jre/lib/security/java.security",
        "/opt/*/conf/security/java.security",
    ] {
        for path in glob::expand(cx, pattern)? {
            let Some(text) = cx.text(&path)? else { continue };
            is_any = true;
            for (line, key, value) in properties(&text) {
                let Some((_, wanted)) = JAVA.iter().find(|(name, _)| *name == key) else { continue };
                let listed: Vec<&str> =
                    value.split(',').filter_map(|one| one.split_whitespace().next()).collect();
                let missing: Vec<&str> =
                    wanted.iter().filter(|name| !listed.contains(*name)).copied().collect();
                if !missing.is_empty() {
                    let message = format!("Java does not refuse {}", missing.join(", "));
                    findings.push(finding_at(message, &path, line, &format!("{key}={value}")));
                }
            }
        }
    }
    Ok(is_any)
}

/// Properties of Java, with lines that go on joined.
fn properties(text: &str) -> Vec<(u32, String, String)> {
    let mut found = Vec::new();
    let mut joined = String::new();
    let mut first = 1;
    for (line, text) in (1_u32..).zip(text.lines()) {
        if joined.is_empty() {
            first = line;
        }
        let text = text.trim_start();
        if joined.is_empty() && text.starts_with(['#', '!']) {
            continue;
        }
        joined.push_str(text);
        if joined.ends_with('\\') {
            joined.pop();
            continue;
        }
        let whole = std::mem::take(&mut joined);
        if let Some((key, value)) = whole.split_once('=') {
            found.push((first, key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    found
}

fn kerberos(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<bool, CheckError> {
    let mut files: Vec<PathBuf> = vec!["/etc/krb5.conf".into()];
    files.extend(glob::expand(cx, "/etc/krb5.conf.d/*")?);
    let mut is_any = false;
    for path in files {
        // A link to the policy's own file follows the policy.
        let is_link = cx.metadata(&path)?.is_some_and(|metadata| metadata.is_link());
        let Some(text) = cx.text(&path)?.filter(|_| !is_link) else { continue };
        is_any = true;
        for (line, text, key, value) in settings(&text) {
            let value = value.to_ascii_lowercase();
            let is_weak = match key {
                "allow_weak_crypto" | "allow_rc4" | "allow_des3" => {
                    ["true", "yes", "1", "on"].contains(&value.as_str())
                }
                "default_tkt_enctypes" | "default_tgs_enctypes" | "permitted_enctypes" => {
                    value.split([' ', ',']).any(|one| {
                        ["des-", "des3-", "arcfour", "rc4", "des_"].iter().any(|weak| one.starts_with(weak))
                            || one == "des"
                            || one == "des3"
                    })
                }
                _ => false,
            };
            if is_weak {
                findings.push(finding_at("Kerberos takes weak types of keys", &path, line, text));
            }
        }
    }
    let marker = Path::new("/etc/system-fips");
    if cx.metadata(marker)?.is_some() && cx.text(POLICY)?.is_some_and(|text| !text.contains("FIPS")) {
        findings.push(finding("the system is marked as FIPS, but its policy is not", marker));
    }
    Ok(is_any)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn old_algorithms_are_found_wherever_they_are_let_in() {
        for (path, content) in [
            ("/etc/crypto-policies/config", "# x\nLEGACY\n"),
            ("/etc/crypto-policies/config", "DEFAULT:SHA1\n"),
            ("/etc/crypto-policies/config", "FIPS\n"),
            ("/etc/ssl/openssl.cnf", "[s]\nMinProtocol = TLSv1\n"),
            ("/etc/ssl/openssl.cnf", "[s]\nCipherString = DEFAULT@SECLEVEL=0\n"),
            ("/etc/gnutls/config", "default-priority-string = NORMAL:+VERS-SSL3.0\n"),
            (
                "/etc/java-17-openjdk/security/java.security",
                "jdk.tls.disabledAlgorithms=SSLv3, RC4, \\\n    TLSv1.1\n",
            ),
            ("/etc/krb5.conf", "[libdefaults]\n allow_weak_crypto = true\n"),
        ] {
            assert_eq!(Fixture::new().file(path, content).paths("CRY-001"), [path], "{content}");
        }
    }

    #[test]
    fn what_distributions_ship_passes() {
        let fixture = Fixture::new()
            .file("/etc/crypto-policies/config", "DEFAULT\n")
            .file("/etc/ssl/openssl.cnf", "# MinProtocol = TLSv1\n[s]\nMinProtocol = TLSv1.2\nCipherString = DEFAULT@SECLEVEL=2\n")
            .file("/etc/java-17-openjdk/security/java.security", "#jdk.tls.disabledAlgorithms=MD5\njdk.tls.disabledAlgorithms=SSLv3, TLSv1, TLSv1.1, \\\n    RC4, DES, MD5withRSA\n")
            .file("/etc/krb5.conf", "[libdefaults]\n default_realm = X\n#allow_weak_crypto = true\n");
        assert!(fixture.is_pass("CRY-001"));
        let fips = Fixture::new()
            .file("/etc/crypto-policies/config", "FIPS\n")
            .file("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"quiet fips=1\"\n");
        assert!(fips.is_pass("CRY-001"));
    }
}
