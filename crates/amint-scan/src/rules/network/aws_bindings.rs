use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use amint_disk::tree::{FileKind, WalkLimits, WalkStep};
use amint_types::Severity;
use amint_types::report::Finding;
use regex::Regex;

use crate::facts::packages::installed;
use crate::redact::pattern;
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Profile, Rule, RuleMeta, Severities, Verdict};

/// Software finds out where it runs, by version 2 of the metadata service.
pub(in crate::rules) struct AwsBindings;

static META: RuleMeta = RuleMeta {
    id: "NET-003",
    title: "software is bound to no account or region, and asks IMDS by token",
    requirements: &["A2", "A8", "MP-A7", "MP-A8"],
    rationale: "An image for others runs in their accounts and regions, where the builder's names mean nothing; and where \
                instances demand IMDSv2, what asks without a token gets no answer.",
    remedy: "Read region and account from the metadata service at run time; fetch a token first (PUT /latest/api/token), or \
             use a newer SDK.",
    severities: Severities::public(Severity::Medium, None),
};

/// Where people put what they configure and write themselves.
const FOLDERS: [&str; 6] = ["/etc", "/home", "/opt", "/root", "/srv", "/usr/local"];
/// Folders of libraries and samples: what lies there is no configuration of this image.
const NOT_CONFIGURATION: [&str; 19] = [
    "dist-packages",
    "doc",
    "docs",
    "example",
    "examples",
    "gems",
    "man",
    "node_modules",
    "proc",
    "samples",
    "site-packages",
    "spec",
    "ssl",
    "terminfo",
    "test",
    "testdata",
    "tests",
    "vendor",
    "__pycache__",
];
/// Endings of configuration and scripts; a name without any ending counts too.
const ENDINGS: [&str; 24] = [
    "bash",
    "cfg",
    "cnf",
    "conf",
    "config",
    "env",
    "hcl",
    "ini",
    "js",
    "json",
    "php",
    "pl",
    "properties",
    "py",
    "rb",
    "service",
    "sh",
    "sql",
    "tf",
    "timer",
    "toml",
    "xml",
    "yaml",
    "yml",
];
const FILE_BYTES_MAX: u64 = 512 << 10;
const FILES_MAX: usize = 20_000;
/// How many findings one file gives.
const FINDINGS_OF_FILE: usize = 3;
/// Accounts of AWS and of distributions, whose images and registries everybody uses; sources as of 2026: the owners'
/// own pages about their images, and AWS's about its container images.
const PUBLIC_ACCOUNTS: [&str; 9] = [
    "013907871322", // SUSE
    "099720109477", // Canonical
    "125523088429", // Fedora, CentOS
    "136693071363", // Debian
    "137112412989", // Amazon Linux
    "309956199498", // Red Hat
    "602401143452", // AWS, add-ons of EKS
    "679593333241", // AWS Marketplace
    "763104351884", // AWS, deep learning containers
];

impl Rule for AwsBindings {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let is_for_others = cx.has_profile(Profile::Marketplace) || cx.has_profile(Profile::SharedLinux);
        let mut findings = Vec::new();
        let installed = installed(cx)?;
        for path in files(cx, &mut findings)? {
            // What a package brought is its maker's; in /etc the image's owner may have changed it.
            if !path.starts_with("/etc") && installed.owner(&path.to_string_lossy()).is_some() {
                continue;
            }
            let Some(text) = cx.text(&path)? else { continue };
            if text.contains('\0') {
                continue;
            }
            findings.extend(asks_without_token(&path, &text));
            if is_for_others {
                findings.extend(bindings(&path, &text).take(FINDINGS_OF_FILE));
            }
        }
        Ok(findings.into())
    }
}

/// Lists files to read, and tells of libraries that know only the first version of the metadata service.
fn files(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<Vec<PathBuf>, CheckError> {
    let mut files = Vec::new();
    for folder in FOLDERS.into_iter().chain(["/usr/lib/python3", "/var/www"]) {
        if cx.metadata(folder)?.is_none_or(|metadata| metadata.kind != FileKind::Directory) {
            continue;
        }
        cx.tree().walk(Path::new(folder), WalkLimits::default(), &mut |entry| {
            let name = entry.path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            if entry.metadata.kind == FileKind::Directory {
                if let Some(message) = old_library(&name) {
                    findings.push(finding(message, &entry.path));
                }
                // The libraries' own names are all that matters of them.
                let is_library = entry
                    .path
                    .parent()
                    .and_then(Path::file_name)
                    .is_some_and(|parent| parent == "site-packages" || parent == "dist-packages");
                let is_left_out = NOT_CONFIGURATION.contains(&name.as_ref())
                    && name != "site-packages"
                    && name != "dist-packages";
                return if is_library || is_left_out { WalkStep::Skip } else { WalkStep::Continue };
            }
            let is_plain = entry.metadata.is_file() && (1..=FILE_BYTES_MAX).contains(&entry.metadata.bytes);
            let ending = entry.path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
            let is_in_library = entry
                .path
                .components()
                .any(|part| part.as_os_str() == "site-packages" || part.as_os_str() == "dist-packages");
            if is_plain
                && !is_in_library
                && files.len() < FILES_MAX
                && ending.is_none_or(|ending| ENDINGS.contains(&ending.as_str()))
            {
                files.push(entry.path.clone());
            }
            WalkStep::Continue
        })?;
    }
    Ok(files)
}

/// Tells from the folder of a Python package's metadata whether the package is too old for IMDSv2.
///
/// botocore sends tokens from 1.13.25 on (its code, and AWS's list of SDKs that support IMDSv2); boto 2 never did.
fn old_library(folder: &str) -> Option<String> {
    let stem = folder.strip_suffix(".dist-info").or_else(|| folder.strip_suffix(".egg-info"))?;
    let (name, version) = stem.split_once('-')?;
    let version = version.split("-py").next()?;
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    let number = (numbers.next()?, numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let is_old = match name.to_ascii_lowercase().as_str() {
        "botocore" => number < (1, 13, 25),
        "boto" => true,
        _ => false,
    };
    is_old.then(|| format!("{name} {version} asks the metadata service without a token"))
}

/// Finds the first line that asks the metadata service, in a file that nowhere fetches a token.
fn asks_without_token(path: &Path, text: &str) -> Option<Finding> {
    static ASKS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?:169\.254\.169\.254|\[fd00:ec2::254\]|//instance-data)(?::80)?/(?:latest|20\d\d-\d\d-\d\d|1\.0)/(?:meta-data|user-data|dynamic)",
        )
    });
    if !ASKS.is_match(text) || text.contains("api/token") || text.contains("ec2-metadata-token") {
        return None;
    }
    let (number, line) =
        (1_u32..).zip(text.lines()).find(|(_, line)| !is_comment(line) && ASKS.is_match(line))?;
    Some(finding_at("asks the metadata service without a token", path, number, line))
}

/// Finds what names an account, a region, or a resource of one account.
fn bindings<'text>(path: &'text Path, text: &'text str) -> impl Iterator<Item = Finding> + 'text {
    static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\barn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}):|\b(\d{12})\.dkr\.ecr\.|\bsqs\.[a-z0-9-]+\.amazonaws\.com/(\d{12})/",
        )
    });
    static RESOURCE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"\b(?:i|vpc|subnet|sg|eni|vol|snap|rtb|acl|fs|fsap|lt|tgw|vpce|eipalloc)-[0-9a-f]{17}\b")
    });
    static REGION: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)(?:^|[^a-z0-9])(?:aws_default_region|aws_region|region|region_name|availability_?zone)[\x22']?\s*[:=]\s*[\x22']?((?:us|eu|ap|sa|ca|me|af|il|mx)-(?:gov-)?[a-z]+-\d[a-f]?)\b",
        )
    });
    (1_u32..).zip(text.lines()).filter(|(_, line)| line.len() < 4096 && !is_comment(line)).filter_map(
        move |(number, line)| {
            if let Some(found) = ACCOUNT.captures(line) {
                let account = found.iter().skip(1).flatten().next()?.as_str();
                return (!PUBLIC_ACCOUNTS.contains(&account))
                    .then(|| finding_at(format!("names the account {account}"), path, number, line));
            }
            if let Some(found) = RESOURCE.find(line) {
                let message = format!("names {}, which only one account has", found.as_str());
                return Some(finding_at(message, path, number, line));
            }
            let region = REGION.captures(line)?;
            let mut found = finding_at(format!("fixes the region {}", &region[1]), path, number, line);
            found.severity = Some(Severity::Low);
            Some(found)
        },
    )
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with(['#', ';']) || line.starts_with("//") || line.starts_with("--") || line.starts_with('*')
}

#[cfg(test)]
mod tests {
    use super::old_library;
    use crate::testing::Fixture;

    fn told(path: &str, text: &str) -> Vec<String> {
        Fixture::new().file(path, text).findings("NET-003")
    }

    #[test]
    fn accounts_resources_and_regions_in_configuration_are_found() {
        for (path, text, expected) in [
            (
                "/etc/app.conf",
                "role = arn:aws:iam::111122223333:role/x\n",
                ":1 names the account 111122223333",
            ),
            (
                "/opt/app/run.sh",
                "\ndocker pull 111122223333.dkr.ecr.eu-west-1.amazonaws.com/x\n",
                ":2 names the account 111122223333",
            ),
            (
                "/srv/app.json",
                "{\"subnet\": \"subnet-0123456789abcdef0\"}",
                ":1 names subnet-0123456789abcdef0, which only one account has",
            ),
            ("/root/.aws/config", "[default]\nregion = eu-west-1\n", ":2 fixes the region eu-west-1"),
            ("/etc/default/app", "AWS_DEFAULT_REGION=us-gov-west-1\n", ":1 fixes the region us-gov-west-1"),
        ] {
            assert_eq!(told(path, text), [format!("{path}{expected}")]);
        }
    }

    #[test]
    fn samples_comments_libraries_and_names_of_aws_bind_nothing() {
        for (path, text) in [
            ("/etc/app.conf", "# role = arn:aws:iam::111122223333:role/x\n"),
            ("/etc/app.conf", "policy = arn:aws:iam::aws:policy/ReadOnlyAccess\nbucket = arn:aws:s3:::x\n"),
            ("/etc/app.conf", "image = 602401143452.dkr.ecr.us-west-2.amazonaws.com/pause\n"),
            ("/opt/app/site-packages/x/config.json", "arn:aws:iam::111122223333:role/x\n"),
            ("/opt/app/examples/x.conf", "arn:aws:iam::111122223333:role/x\n"),
            ("/usr/share/x.conf", "arn:aws:iam::111122223333:role/x\n"),
            ("/etc/app.conf", "region = europe\ndialog = sg-1\n"),
        ] {
            assert!(told(path, text).is_empty(), "{path} {text}");
        }
    }

    #[test]
    fn whoever_fetches_a_token_asks_rightly() {
        let asks = "curl -s http://169.254.169.254/latest/meta-data/instance-id\n";
        assert_eq!(
            told("/usr/local/bin/id", asks),
            ["/usr/local/bin/id:1 asks the metadata service without a token"]
        );
        let with_token = format!("T=$(curl -X PUT http://169.254.169.254/latest/api/token)\n{asks}");
        assert!(told("/usr/local/bin/id", &with_token).is_empty());
    }

    #[test]
    fn libraries_are_told_by_their_versions() {
        for (folder, expected) in [
            ("botocore-1.13.24.dist-info", true),
            ("botocore-1.13.25.dist-info", false),
            ("botocore-1.9.2-py2.7.egg-info", true),
            ("boto-2.49.0.dist-info", true),
            ("boto3-1.35.80.dist-info", false),
            ("requests-2.0.dist-info", false),
            ("botocore", false),
        ] {
            assert_eq!(old_library(folder).is_some(), expected, "{folder}");
        }
        let fixture = Fixture::new().file(
            "/opt/app/lib/python3.8/site-packages/botocore-1.13.1.dist-info/METADATA",
            "Name: botocore\n",
        );
        assert_eq!(fixture.findings("NET-003").len(), 1);
    }
}
