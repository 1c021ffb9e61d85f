//! One package: a known product, the part of the archive that it came from, its licences (RES-002).

use amint_types::Severity;
use amint_types::scan::{PackageKind, ScannedPackage};

use crate::finding::AboutPackage;
use crate::license::Judged;
use crate::product::{Fit, Product, products};
use crate::section::{component, firmware, promise};
use crate::{LicenseClass, RightsFinding, RightsRule};

const POLICY: &str = "https://docs.aws.amazon.com/marketplace/latest/userguide/product-and-ami-policies.html";

/// What was found about a package.
pub(crate) struct PackageFound {
    /// The product that it is, where it is a known one.
    pub(crate) product: Option<&'static str>,
    /// The most severe finding: one right must do for one package.
    pub(crate) finding: Option<RightsFinding>,
}

/// What a right must name for updates of Ubuntu Pro.
pub(crate) const UBUNTU_PRO: &str = "ubuntu-pro";

pub(crate) fn judge_package(
    package: &ScannedPackage,
    section: Option<&str>,
    judged: Option<&Judged>,
) -> PackageFound {
    let product = products()
        .iter()
        .filter_map(|product| match product.fit(package) {
            Fit::No => None,
            fit => Some((product, fit)),
        })
        .max_by_key(|(product, _)| product.severity);
    let mut finding = product.map(|(product, fit)| of_product(package, product, fit));
    let section_finding = section.and_then(|section| of_section(package, section));
    for other in [of_paid_update(package), section_finding, of_license(package, section, judged)] {
        // At the same severity the more special one stays: product, then section, then licence.
        if let Some(other) = other
            && finding.as_ref().is_none_or(|finding| finding.severity < other.severity)
        {
            finding = Some(other);
        }
    }
    let known = firmware(&package.name);
    if let (Some(finding), Some(known), None) = (finding.as_mut(), known, product) {
        if known.may_be_passed_on {
            finding.severity = Severity::Info;
            finding.title = format!("firmware that is not free may be passed on unchanged: {}", package.name);
            "keep its licence text in the image and leave its files unchanged".clone_into(&mut finding.fix);
        }
        finding.reason = format!("{}: {}", known.license, known.reason);
        known.source.clone_into(&mut finding.source);
    }
    if let Some(finding) = &mut finding {
        name_for_rights(finding, package, judged);
    }
    PackageFound { product: product.map(|(product, _)| product.id), finding }
}

/// One finding for all packages of a file that tell no licence; less where their archive promises that they are free.
pub(crate) fn undeclared(path: &str, is_promised: bool, count: usize, names: &str) -> RightsFinding {
    let of_whom = if is_promised { " of an archive of free software" } else { "" };
    RightsFinding {
        rule: RightsRule::Software,
        severity: if is_promised { Severity::Low } else { Severity::Medium },
        title: if count == 1 {
            format!("{names}{of_whom} tells no licence")
        } else {
            format!("{count} packages{of_whom} tell no licence")
        },
        reason: format!("nobody can say whether it may be sold: {names}"),
        source: POLICY.to_owned(),
        owner: None,
        names: vec![path.to_owned()],
        package: None,
        path: path.to_owned(),
        fix: "read their licences, and declare in `[[rights]]` what you found".to_owned(),
        requirements: Vec::new(),
        ended: None,
    }
}

fn of_product(package: &ScannedPackage, product: &'static Product, fit: Fit) -> RightsFinding {
    let mut reason = product.reason.to_owned();
    if fit == Fit::MayBe {
        reason.push_str("; its version cannot be read, so the strictest was taken");
    }
    let title = match product.severity {
        Severity::Critical => {
            format!("{} may not be sold without a right of {}", package.name, product.owner)
        }
        Severity::High => format!("{} needs a look at the terms of {}", package.name, product.owner),
        _ => format!("{} comes with terms of {}", package.name, product.owner),
    };
    let mut finding = blank(package, product.severity, title, reason, product.source);
    finding.rule = product.rule;
    finding.owner = Some(product.owner.to_owned());
    finding.names.push(product.id.to_owned());
    finding.requirements.extend(product.requirements.iter().map(|id| (*id).to_owned()));
    finding
}

/// Updates of Ubuntu that only subscribers of Ubuntu Pro get: their versions say so.
fn of_paid_update(package: &ScannedPackage) -> Option<RightsFinding> {
    let version = package.version.to_lowercase();
    let is_paid = ["+esm", "~esm", "+fips", "~fips"].iter().any(|mark| version.contains(mark));
    if package.kind != PackageKind::Deb || !is_paid {
        return None;
    }
    let title = format!("{} is an update for subscribers of Ubuntu Pro", package.name);
    let reason = "its version names Canonical's paid archives; buyers need a subscription of their own, or an image of \
                  AWS with the billing of Ubuntu Pro";
    let source = "https://ubuntu.com/legal/ubuntu-pro-description";
    let mut finding = blank(package, Severity::High, title, reason.to_owned(), source);
    finding.rule = RightsRule::System;
    finding.owner = Some("Canonical".to_owned());
    finding.names.push(UBUNTU_PRO.to_owned());
    Some(finding)
}

fn of_section(package: &ScannedPackage, section: &str) -> Option<RightsFinding> {
    let component = component(section)?;
    let title = format!("{} is from the archive's part `{}`", package.name, component.name);
    Some(blank(package, component.severity, title, component.reason.to_owned(), component.source))
}

fn of_license(
    package: &ScannedPackage,
    section: Option<&str>,
    judged: Option<&Judged>,
) -> Option<RightsFinding> {
    let judged = judged?;
    let (severity, what, reason) = match judged.class {
        LicenseClass::Unknown => {
            (Severity::Medium, "has licences that nobody knows", "a person must read what they allow")
        }
        LicenseClass::SourceAvailable => (
            Severity::High,
            "is under a licence that forbids some uses or changes",
            "the source is public, and it is not free: the terms must allow your product",
        ),
        LicenseClass::NonCommercial => {
            (Severity::Critical, "may not be sold", "the licence forbids commercial use")
        }
        LicenseClass::Proprietary => (
            Severity::High,
            "is under a licence of its owner alone",
            "copies need an agreement, or terms that allow them",
        ),
        _ => return None,
    };
    // The strictest names decide, and unknown ones are told beside them.
    let mut names: Vec<String> = judged.names.union(&judged.unknown).map(|name| short(name)).collect();
    let count = names.len();
    names.truncate(8);
    let mut names = names.join(", ");
    if count > 8 {
        names.push_str(", …");
    }
    let title = format!("{} {what}", package.name);
    let mut finding = blank(package, severity, title, format!("{reason}: {names}"), POLICY);
    if judged.class == LicenseClass::Unknown
        && let Some((promise, source)) = promise(package, section)
    {
        finding.severity = Severity::Low;
        finding.reason.push_str("; ");
        finding.reason.push_str(promise);
        source.clone_into(&mut finding.source);
    }
    Some(finding)
}

fn blank(
    package: &ScannedPackage,
    severity: Severity,
    title: String,
    reason: String,
    source: &str,
) -> RightsFinding {
    RightsFinding {
        rule: RightsRule::Software,
        severity,
        title,
        reason,
        source: source.to_owned(),
        owner: None,
        names: Vec::new(),
        package: Some(AboutPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            purl: package.purl.clone(),
        }),
        path: package.path.clone(),
        fix: format!("remove `{0}`, or declare the right in `[[rights]]` with the name `{0}`", package.name),
        requirements: Vec::new(),
        ended: None,
    }
}

fn name_for_rights(finding: &mut RightsFinding, package: &ScannedPackage, judged: Option<&Judged>) {
    finding.names.push(package.name.clone());
    finding.names.extend(package.source.clone().filter(|source| *source != package.name));
    // A right for one licence covers a package only where that licence alone decides.
    if let Some(judged) = judged.filter(|judged| !judged.class.may_be_sold() && judged.names.len() == 1) {
        finding.names.extend(judged.names.iter().map(|name| format!("license:{}", short(name))));
    }
}

fn short(name: &str) -> String {
    let mut text: String = name.chars().take(80).collect();
    if text.trim().is_empty() {
        "(nothing)".clone_into(&mut text);
    }
    text
}
