//! Reports of which other accounts use an image.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::references::{self, Asked, Reference, SOURCES};
use super::{check_id, images, tags};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, ReportedResource, Tables, UsageEntry, UsageReport};
use crate::state::Change;
use crate::world::new_id;

/// The kinds of resources that reports are about.
const KINDS: [&str; 4] =
    ["ec2:Instance", "ec2:LaunchTemplate", "imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe"];
/// How long a report is pending, and how long it is kept.
const PENDING: SignedDuration = SignedDuration::from_mins(1);
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many accounts a report may name.
const ACCOUNTS_MAX: usize = 200;

/// Makes a report of which other accounts use an image, as it is now.
pub(crate) fn create_image_usage_report(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    let asked = references::asked(params, &KINDS)?;
    if asked.is_empty() {
        return Err(Fault::missing("ResourceType"));
    }
    if let Some(wrong) = asked.iter().find(|asked| !asked.options.state_names.is_empty()) {
        return Err(Fault::invalid_value("ResourceTypeOption", wrong.kind));
    }
    let accounts = params.list("AccountId");
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(wrong) = accounts.iter().find(|account| !is_account(account)) {
        return Err(Fault::invalid_value("AccountId", wrong));
    }
    if accounts.len() > ACCOUNTS_MAX {
        let message = format!("AccountIds may have at most {ACCOUNTS_MAX} entries");
        return Err(Fault::client("InvalidParameterValue", message));
    }
    let tags = tags::specified(params, "image-usage-report")?;
    let report = call.change(params, |change| {
        call.make_once(change, params, |change| {
            let image = images::own(call, change, id)?;
            let report = UsageReport {
                id: new_id("amiur"),
                account: call.account().to_owned(),
                region: call.region.to_owned(),
                image_id: image.id.clone(),
                resources: asked.iter().map(resource).collect(),
                accounts: accounts.iter().map(|account| (*account).to_owned()).collect(),
                created: call.now,
                available: call.world.clock().after(call.now, PENDING),
                expires: call.world.clock().after(call.now, KEPT),
                tags,
                entries: entries(change.tables(), &image, &asked, &accounts),
            };
            let id = report.id.clone();
            change.put(report);
            Ok(id)
        })
    })?;
    Ok(Element::default().text("reportId", report))
}

fn resource(asked: &Asked<'_>) -> ReportedResource {
    let has_versions = asked.kind == "ec2:LaunchTemplate";
    ReportedResource {
        name: asked.kind.to_owned(),
        version_depth: has_versions.then(|| asked.options.version_depth.to_string()),
    }
}

fn entries(tables: &Tables, image: &Image, asked: &[Asked<'_>], accounts: &[&str]) -> Vec<UsageEntry> {
    count(&references::find(SOURCES, tables, asked), image, accounts)
}

/// Counts what other accounts have in the region of the image.
fn count(found: &[Reference], image: &Image, accounts: &[&str]) -> Vec<UsageEntry> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let of_others = found.iter().filter(|reference| {
        reference.image_id == image.id
            && reference.region == image.region
            && reference.account != image.account
            && (accounts.is_empty() || accounts.contains(&reference.account.as_str()))
    });
    for reference in of_others {
        *counts.entry((&reference.account, reference.kind)).or_default() += 1;
    }
    let entry = |((account, kind), count): ((&str, &str), u64)| UsageEntry {
        resource_type: kind.to_owned(),
        account: account.to_owned(),
        count,
    };
    counts.into_iter().map(entry).collect()
}

/// Removes a report.
pub(crate) fn delete_image_usage_report(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = params.required("ReportId")?;
    check_report_id(id)?;
    call.change(params, |change| {
        own(call, change, id)?;
        change.remove::<UsageReport>(id);
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}

fn own(call: &Call<'_>, change: &Change<'_>, id: &str) -> Result<(), Fault> {
    let report = change.get::<UsageReport>(id).filter(|report| call.owns(&report.account, &report.region));
    report.map(|_| ()).ok_or_else(|| not_found(id))
}

/// The codes for reports are assumed: AWS documents none.
pub(super) fn check_report_id(id: &str) -> Result<(), Fault> {
    check_id("amiur", "InvalidImageUsageReportId.Malformed", id)
}

pub(super) fn not_found(id: &str) -> Fault {
    let message = format!("The image usage report '{id}' does not exist");
    Fault::client("InvalidImageUsageReportId.NotFound", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::support::Bench;

    #[test]
    fn what_other_accounts_have_is_counted() {
        let image = Bench::new().image();
        let reference = |account: &str, kind: &'static str, arn: &str| Reference {
            image_id: image.id.clone(),
            kind,
            account: account.to_owned(),
            region: image.region.clone(),
            arn: arn.to_owned(),
        };
        let mut elsewhere = reference("111122223333", "ec2:Instance", "arn:4");
        elsewhere.region = "eu-west-1".to_owned();
        let found = [
            reference("111122223333", "ec2:Instance", "arn:1"),
            reference("111122223333", "ec2:Instance", "arn:2"),
            reference("444455556666", "ec2:LaunchTemplate", "arn:3"),
            reference(&image.account, "ec2:Instance", "arn:5"),
            elsewhere,
        ];
        let counted = |accounts: &[&str]| {
            let entries = count(&found, &image, accounts).into_iter();
            entries.map(|entry| (entry.account, entry.count)).collect::<Vec<_>>()
        };
        assert_eq!(counted(&[]), [("111122223333".to_owned(), 2), ("444455556666".to_owned(), 1)]);
        assert_eq!(counted(&["444455556666"]), [("444455556666".to_owned(), 1)]);
    }
}
