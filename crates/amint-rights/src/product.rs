//! Software that is known not to be free to pass on, by package, vendor and file.

use std::sync::OnceLock;

use amint_types::Severity;
use amint_types::scan::ScannedPackage;

use crate::RightsRule;
use crate::pattern::fits_any;
use crate::table::{field, rows, words};
use crate::version::is_within;

const PRODUCTS: &str = include_str!("../data/products.tsv");

/// One row of the table of products.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) id: &'static str,
    pub(crate) rule: RightsRule,
    pub(crate) severity: Severity,
    pub(crate) requirements: Vec<&'static str>,
    pub(crate) owner: &'static str,
    /// Patterns of packages of the system, and of `kind:name` of others.
    packages: Vec<&'static str>,
    vendor: Option<&'static str>,
    pub(crate) paths: Vec<&'static str>,
    versions: Option<&'static str>,
    pub(crate) reason: &'static str,
    pub(crate) source: &'static str,
}

/// How a package fits a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is the product, in a version that counts.
    Is,
    /// It is the product, and its version cannot be read.
    MayBe,
    /// It is something else, or another version.
    No,
}

impl Product {
    /// Tells whether it can be found by packages, not only by files.
    pub(crate) fn has_packages(&self) -> bool {
        !self.packages.is_empty()
    }

    pub(crate) fn fit(&self, package: &ScannedPackage) -> Fit {
        let is_named = if package.kind.is_of_system() {
            fits_any(&self.packages, &package.name)
        } else {
            fits_any(&self.packages, &format!("{}:{}", package.kind.as_str(), package.name))
        };
        let is_vendor = self.vendor.is_none_or(|vendor| {
            let found = package.vendor.as_deref().unwrap_or_default().to_lowercase();
            fits_any(&[vendor], found.trim())
        });
        if !is_named || !is_vendor {
            return Fit::No;
        }
        match self.versions.map(|ranges| is_within(ranges, &package.version)) {
            None | Some(Some(true)) => Fit::Is,
            Some(Some(false)) => Fit::No,
            Some(None) => Fit::MayBe,
        }
    }
}

pub(crate) fn products() -> &'static [Product] {
    static FOUND: OnceLock<Vec<Product>> = OnceLock::new();
    FOUND.get_or_init(|| {
        rows::<11>(PRODUCTS)
            .filter_map(|row| {
                let [id, rule, severity, also, owner, packages, vendor, paths, versions, reason, source] =
                    row;
                Some(Product {
                    id,
                    rule: RightsRule::parse(rule)?,
                    severity: severity.parse().ok()?,
                    requirements: words(also),
                    owner,
                    packages: words(packages),
                    vendor: field(vendor),
                    paths: words(paths),
                    versions: field(versions),
                    reason,
                    source,
                })
            })
            .collect()
    })
}

#[cfg(test)]
mod tests;
