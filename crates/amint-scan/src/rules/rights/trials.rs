//! Licence files of vendors: who has one has an agreement that the buyer has not, often with an end.

use std::path::{Path, PathBuf};

use amint_disk::tree::{WalkLimits, WalkStep};
use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::packages::installed;
use crate::request::Right;
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context};

/// Where software of others keeps its licence files.
const FOLDERS: [&str; 5] = ["/opt", "/usr/local", "/srv", "/etc", "/var/opt"];
/// Names of licence files; `.lic` is another sign by itself.
const NAMES: [&str; 4] = ["license.dat", "license.key", "licence.dat", "licence.key"];
/// Words that begin a line of `FLEXlm`'s files, whose fourth field after them is the day of the end.
const FEATURES: [&str; 3] = ["FEATURE", "INCREMENT", "PACKAGE"];
/// How many licence files are looked at.
const FILES_MAX: usize = 1000;
/// The largest licence file that is looked into.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Licence files that no package brought, each with its size.
pub(super) struct LicenseFiles(Vec<(PathBuf, u64)>);

impl LicenseFiles {
    /// Looks through the folders where software of others lies.
    pub(super) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut files: Vec<(PathBuf, u64)> = Vec::new();
        for folder in FOLDERS {
            if !cx.metadata(folder)?.is_some_and(|metadata| metadata.is_dir()) {
                continue;
            }
            cx.tree().walk(Path::new(folder), WalkLimits::default(), &mut |entry| {
                let has_ending =
                    entry.path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("lic"));
                let name = entry.path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase());
                let is_license = has_ending || name.is_some_and(|name| NAMES.contains(&name.as_str()));
                if is_license && entry.metadata.is_file() && files.len() <= FILES_MAX {
                    files.push((entry.path.clone(), entry.metadata.bytes));
                }
                WalkStep::Continue
            })?;
        }
        if files.len() > FILES_MAX {
            return Err(CheckError::Limit {
                path: PathBuf::from("/"),
                limit: FILES_MAX,
                what: "licence files",
            });
        }
        let installed = installed(cx)?;
        files.retain(|(path, _)| installed.owner(&path.to_string_lossy()).is_none());
        Ok(Self(files))
    }

    /// Tells whether a right covers one of them.
    pub(super) fn need(&self, right: &Right) -> bool {
        self.0.iter().any(|(path, _)| covers(right, path))
    }
}

fn covers(right: &Right, path: &Path) -> bool {
    right.covers(&[path.to_string_lossy().into_owned()])
}

/// Finds licence files that no package brought and no right covers.
pub(super) fn find(cx: &Context<'_>) -> Result<Vec<Finding>, CheckError> {
    let files = cx.fact(LicenseFiles::load)?;
    let request = cx.request();
    let mut findings = Vec::new();
    for (path, bytes) in &files.0 {
        let mut rights = request.rights.iter().filter(|right| !right.has_ended(request.today));
        if !rights.any(|right| covers(right, path)) {
            findings.push(told(cx, path, *bytes)?);
        }
    }
    Ok(findings)
}

fn told(cx: &Context<'_>, path: &Path, bytes: u64) -> Result<Finding, CheckError> {
    let text = if bytes <= FILE_BYTES_MAX { cx.text(path)?.unwrap_or_default() } else { String::new() };
    let feature = (1_u32..).zip(text.lines()).find_map(|(number, line)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_feature = words.first().is_some_and(|word| FEATURES.contains(word));
        let ends = words.get(4).filter(|_| is_feature)?;
        Some((number, words[..5].join(" "), (*ends).to_owned()))
    });
    let mut found = match feature {
        // Without the signature behind it: it is a secret of the vendor.
        Some((number, line, ends)) if ends.contains('-') => {
            finding_at(format!("a vendor's licence file that ends on {ends}"), path, number, &line)
        }
        _ => finding("a vendor's licence file is in the image", path),
    };
    found.severity = Some(Severity::Medium);
    Ok(found)
}
