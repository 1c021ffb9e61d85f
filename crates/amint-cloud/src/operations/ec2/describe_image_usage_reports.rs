use std::sync::Arc;

use super::image_usage_reports::{check_report_id, not_found};
use super::{check_id, filters, passes, tag_set, time};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::{ReportedResource, Tables, UsageReport};

/// Which reports are asked for.
pub(super) struct Asked<'p> {
    images: Vec<&'p str>,
    reports: Vec<&'p str>,
}

impl<'p> Asked<'p> {
    /// Reads `ImageId.N` and `ReportId.N`; the reports have to be there.
    pub(super) fn new(call: &Call<'_>, params: &'p Params, tables: &Tables) -> Result<Self, Fault> {
        let (images, reports) = (params.list("ImageId"), params.list("ReportId"));
        for id in &images {
            check_id("ami", "InvalidAMIID.Malformed", id)?;
        }
        for id in &reports {
            check_report_id(id)?;
            let report = tables.usage_reports.get(*id);
            if report.is_none_or(|report| !call.owns(&report.account, &report.region)) {
                return Err(not_found(id));
            }
        }
        Ok(Self { images, reports })
    }

    /// Tells whether a report is one of them.
    pub(super) fn has(&self, call: &Call<'_>, report: &UsageReport) -> bool {
        call.owns(&report.account, &report.region)
            && (self.images.is_empty() || self.images.contains(&report.image_id.as_str()))
            && (self.reports.is_empty() || self.reports.contains(&report.id.as_str()))
    }
}

/// Lists the reports of whoever asks.
pub(crate) fn describe_image_usage_reports(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let tables = call.tables();
    let asked = Asked::new(call, params, &tables)?;
    let filters = filters(params, &["creation-time", "state"])?;
    let pager = Pager::new(call, params, 1..=*USUAL.end())?;
    let values = |report: &UsageReport, name: &str| match name {
        "creation-time" => vec![time(report.created)],
        _ => vec![state(call, report).to_owned()],
    };
    let found = pager.rest(&tables.usage_reports).filter(|report| {
        asked.has(call, report) && passes(&filters, &report.tags, |name| values(report, name))
    });
    let page = pager.page(found.map(|report| Ok(Arc::clone(report))))?;
    let entries = page.entries.iter().map(|report| describe(call, report));
    let list = Element::list("imageUsageReportSet", entries);
    Ok(Element::default().with(list).maybe("nextToken", page.next_token))
}

/// Returns the state of a report.
pub(super) fn state(call: &Call<'_>, report: &UsageReport) -> &'static str {
    if report.available <= call.now { "available" } else { "pending" }
}

fn describe(call: &Call<'_>, report: &UsageReport) -> Element {
    let accounts = report.accounts.iter().map(|account| Element::of("item", account));
    Element::default()
        .text("imageId", &report.image_id)
        .text("reportId", &report.id)
        .with(Element::list("resourceTypeSet", report.resources.iter().map(resource)))
        .with(Element::list("accountIdSet", accounts))
        .text("state", state(call, report))
        .text("creationTime", time(report.created))
        .text("expirationTime", time(report.expires))
        .with(tag_set(&report.tags))
}

fn resource(resource: &ReportedResource) -> Element {
    let options = resource.version_depth.iter().map(|depth| {
        let values = Element::list("optionValueSet", [Element::of("item", depth)]);
        Element::default().text("optionName", "version-depth").with(values)
    });
    Element::default()
        .text("resourceType", &resource.name)
        .with(Element::list("resourceTypeOptionSet", options))
}
