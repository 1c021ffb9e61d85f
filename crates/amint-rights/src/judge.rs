//! Puts the parts together: the system, every package, known files, the sources to offer, the declared rights.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use amint_types::Severity;
use amint_types::scan::{OperatingSystem, PackageKind, ScannedPackage};
use jiff::civil::Date;

use crate::license::{Judged, classify, sum};
use crate::offer::{SOURCE_MANIFEST_VERSION, SourceManifest, SourceOffer};
use crate::package::{UBUNTU_PRO, judge_package, undeclared};
use crate::product::products;
use crate::report::{CoveredFinding, LicenseCounts, RightsReport, UnusedReason, UnusedRight};
use crate::section::promise;
use crate::system::judge_system;
use crate::{LicenseClass, Right, RightsFinding, RightsRule};

/// EC2's billing of Ubuntu Pro, which pays for its updates.
const UBUNTU_PRO_BILLING: &str = "RunInstances:0g00";
/// Most names that one finding tells.
const NAMES_TOLD: usize = 8;

/// What is known of an image.
pub struct Image<'a> {
    /// The operating system, where it is known.
    pub system: Option<&'a OperatingSystem>,
    /// The packages.
    pub packages: &'a [ScannedPackage],
    /// Returns the section of a Debian package, as its status says: `non-free/libs`.
    pub sections: &'a dyn Fn(&str) -> Option<String>,
    /// Tells whether a file or folder exists, by its full path.
    pub paths: &'a dyn Fn(&str) -> bool,
    /// EC2's `UsageOperation` of the image that it was made of, where that is known: `RunInstances:0010`. It tells
    /// whether AWS's billing pays for the system.
    pub usage_operation: Option<&'a str>,
}

type Offers = BTreeMap<(PackageKind, String, String), SourceOffer>;

/// What is gathered on the way through the packages.
#[derive(Default)]
struct Gathered<'a> {
    /// Packages share licences: each text is judged once.
    judged: HashMap<&'a str, Judged>,
    findings: Vec<RightsFinding>,
    products: BTreeSet<&'static str>,
    offers: Offers,
    counts: LicenseCounts,
    /// Packages whose copyright file was taken away.
    stripped: Vec<String>,
    /// Packages that tell no licence, by the file that they are in,
    /// and by whether their archive promises that they are free.
    silent: BTreeMap<(String, bool), Vec<String>>,
}

/// Tells what of an image needs rights, applies the declared ones on a day, and gathers the sources to offer.
pub fn judge(image: &Image<'_>, declared: &[Right], today: Date) -> RightsReport {
    let mut gathered =
        Gathered { findings: judge_system(image.system, image.usage_operation), ..Gathered::default() };
    for package in image.packages.iter().filter(|package| package.owner.is_none()) {
        gather(package, image, &mut gathered);
    }
    judge_paths(image, &mut gathered);
    let copyleft = SourceManifest {
        format_version: SOURCE_MANIFEST_VERSION,
        sources: std::mem::take(&mut gathered.offers).into_values().collect(),
    };
    gathered.findings.extend(source_findings(&copyleft, &gathered.stripped));
    let silent = gathered
        .silent
        .iter()
        .map(|((path, is_promised), names)| undeclared(path, *is_promised, names.len(), &told(names)));
    gathered.findings.extend(silent);
    sort(&mut gathered.findings);
    apply(gathered.findings, copyleft, gathered.counts, declared, today)
}

fn gather<'a>(package: &'a ScannedPackage, image: &Image<'_>, gathered: &mut Gathered<'a>) {
    let judged = sum(package
        .licenses
        .iter()
        .map(|text| gathered.judged.entry(text).or_insert_with(|| classify(text)).clone()));
    let class = judged.as_ref().map_or(LicenseClass::Unknown, |judged| judged.class);
    gathered.counts.packages += 1;
    gathered.counts.undeclared += usize::from(judged.is_none());
    *gathered.counts.classes.entry(class).or_default() += 1;
    if let Some(judged) = judged.as_ref().filter(|judged| !judged.copyleft.is_empty()) {
        offer(package, judged, &mut gathered.offers);
    }
    let section = if package.kind == PackageKind::Deb { (image.sections)(&package.name) } else { None };
    let found = judge_package(package, section.as_deref(), judged.as_ref());
    gathered.products.extend(found.product);
    if let Some(mut finding) = found.finding {
        if image.usage_operation == Some(UBUNTU_PRO_BILLING)
            && finding.names.iter().any(|name| name == UBUNTU_PRO)
        {
            finding.severity = Severity::Info;
        }
        gathered.findings.push(finding);
    } else if judged.is_none() {
        let is_stripped = package.kind == PackageKind::Deb
            && !(image.paths)(&format!("/usr/share/doc/{}/copyright", package.name));
        if is_stripped {
            gathered.stripped.push(package.name.clone());
        } else {
            let is_promised = promise(package, section.as_deref()).is_some();
            let group = (package.path.clone(), is_promised);
            gathered.silent.entry(group).or_default().push(package.name.clone());
        }
    }
}

fn offer(package: &ScannedPackage, judged: &Judged, offers: &mut Offers) {
    let source = package.source.clone().unwrap_or_else(|| package.name.clone());
    let version = package.source_version.clone().unwrap_or_else(|| package.version.clone());
    let class = judged
        .copyleft
        .iter()
        .map(|name| crate::license::class_of_name(name))
        .max()
        .unwrap_or(LicenseClass::Copyleft);
    let offer =
        offers.entry((package.kind, source.clone(), version.clone())).or_insert_with(|| SourceOffer {
            kind: package.kind,
            source,
            version,
            class,
            licenses: BTreeSet::new(),
            packages: BTreeSet::new(),
            found_at: None,
        });
    offer.class = offer.class.max(class);
    offer.licenses.extend(judged.copyleft.iter().cloned());
    offer.packages.insert(package.name.clone());
}

/// Products whose files lie in the image without a package that brought them.
fn judge_paths(image: &Image<'_>, gathered: &mut Gathered<'_>) {
    for product in products() {
        if gathered.products.contains(product.id) {
            continue;
        }
        let Some(path) = product.paths.iter().find(|path| (image.paths)(path)) else { continue };
        let is_registration = !product.has_packages() && product.rule == RightsRule::System;
        let (title, names, fix) = if is_registration {
            (
                format!("the image is registered with {}", product.owner),
                Vec::new(),
                format!("unregister before the image is sealed, so that `{path}` is gone"),
            )
        } else {
            (
                format!("{} of {} was found by its files", product.id, product.owner),
                vec![product.id.to_owned(), (*path).to_owned()],
                format!("remove it, or declare the right in `[[rights]]` with the name `{}`", product.id),
            )
        };
        gathered.findings.push(RightsFinding {
            rule: product.rule,
            severity: product.severity,
            title,
            reason: product.reason.to_owned(),
            source: product.source.to_owned(),
            owner: Some(product.owner.to_owned()),
            names,
            package: None,
            path: (*path).to_owned(),
            fix,
            requirements: product.requirements.iter().map(|id| (*id).to_owned()).collect(),
            ended: None,
        });
    }
}

fn source_findings(copyleft: &SourceManifest, stripped: &[String]) -> Vec<RightsFinding> {
    let blank = |severity, title, reason: String, fix: &str, path: &str| RightsFinding {
        rule: RightsRule::Source,
        severity,
        title,
        reason,
        source: "https://www.gnu.org/licenses/gpl-faq.html#DistributeWithSourceOnInternet".to_owned(),
        owner: None,
        names: Vec::new(),
        package: None,
        path: path.to_owned(),
        fix: fix.to_owned(),
        requirements: Vec::new(),
        ended: None,
    };
    let mut found = Vec::new();
    if !copyleft.sources.is_empty() {
        let network =
            copyleft.sources.iter().filter(|offer| offer.class == LicenseClass::NetworkCopyleft).count();
        found.push(blank(
            Severity::Info,
            format!("{} source packages ask that their source is offered", copyleft.sources.len()),
            format!("the manifest of sources lists them; {network} also ask it for users over a network"),
            "publish the manifest of sources with the product and keep the sources",
            "/",
        ));
    }
    if !stripped.is_empty() {
        found.push(blank(
            Severity::Medium,
            format!("the copyright files of {} packages are missing", stripped.len()),
            format!("licences ask that their text goes with copies: {}", told(stripped)),
            "keep `/usr/share/doc/*/copyright` (no `path-exclude` for it in dpkg's configuration)",
            "/usr/share/doc",
        ));
    }
    found
}

fn told(names: &[String]) -> String {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    let has_more = names.len() > NAMES_TOLD;
    names.truncate(NAMES_TOLD);
    let mut text = names.join(", ");
    if has_more {
        text.push_str(", …");
    }
    text
}

fn sort(findings: &mut [RightsFinding]) {
    findings.sort_by(|left, right| {
        let key = |finding: &RightsFinding| {
            (
                Reverse(finding.severity),
                finding.rule,
                finding.package.clone(),
                finding.path.clone(),
                finding.title.clone(),
            )
        };
        key(left).cmp(&key(right))
    });
}

fn apply(
    findings: Vec<RightsFinding>,
    copyleft: SourceManifest,
    counts: LicenseCounts,
    declared: &[Right],
    today: Date,
) -> RightsReport {
    let is_needed: Vec<bool> =
        declared.iter().map(|right| findings.iter().any(|finding| right.covers(&finding.names))).collect();
    let mut report =
        RightsReport { findings: Vec::new(), covered: Vec::new(), unused: Vec::new(), copyleft, counts };
    for mut finding in findings {
        match finding.covered_by(declared, today) {
            Some(right) => report.covered.push(CoveredFinding { finding, right: right.clone() }),
            None => report.findings.push(finding),
        }
    }
    for (right, is_needed) in declared.iter().zip(is_needed) {
        let reason = match (right.has_pattern(), is_needed) {
            (false, _) => UnusedReason::TooWide,
            (true, true) => continue,
            (true, false) if right.has_ended(today) => UnusedReason::Ended,
            (true, false) => UnusedReason::NothingNeedsIt,
        };
        report.unused.push(UnusedRight { right: right.clone(), reason });
    }
    report
}

#[cfg(test)]
mod tests;
