use super::describe_image_usage_reports::{Asked, state};
use super::{filters, passes, time};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::{Tags, UsageEntry, UsageReport};

/// Lists what the reports of whoever asks found: of those that are available.
pub(crate) fn describe_image_usage_report_entries(
    call: &Call<'_>,
    params: &Params,
) -> Result<Element, Fault> {
    let tables = call.tables();
    let asked = Asked::new(call, params, &tables)?;
    let filters = filters(params, &["account-id", "creation-time", "resource-type"])?;
    let pager = Pager::new(call, params, 1..=*USUAL.end())?;
    let values = |report: &UsageReport, entry: &UsageEntry, name: &str| match name {
        "account-id" => vec![entry.account.clone()],
        "creation-time" => vec![time(report.created)],
        _ => vec![entry.resource_type.clone()],
    };
    let reports = tables
        .usage_reports
        .values()
        .filter(|report| asked.has(call, report) && state(call, report) == "available");
    let found = reports
        .flat_map(|report| report.entries.iter().map(move |entry| (report, entry)))
        .filter(|(report, entry)| passes(&filters, &Tags::new(), |name| values(report, entry, name)));
    let page = pager
        .page_by(found, |(report, entry)| format!("{} {} {}", report.id, entry.account, entry.resource_type));
    let entries = page.entries.iter().map(|(report, entry)| {
        Element::default()
            .text("resourceType", &entry.resource_type)
            .text("reportId", &report.id)
            .text("usageCount", entry.count)
            .text("accountId", &entry.account)
            .text("imageId", &report.image_id)
            .text("reportCreationTime", time(report.created))
    });
    let list = Element::list("imageUsageReportEntrySet", entries);
    Ok(Element::default().with(list).maybe("nextToken", page.next_token))
}
