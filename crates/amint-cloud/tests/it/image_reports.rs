//! Who uses an image.

use amint_cloud::WorldOptions;

use crate::support::{Bench, DAY};

#[test]
fn a_report_is_made_once_and_lasts_thirty_days() {
    let (bench, time) = Bench::timed();
    let id = bench.image_id();
    let create = format!(
        "CreateImageUsageReport&ImageId={id}&ResourceType.1.ResourceType=ec2:LaunchTemplate&\
         ResourceType.1.ResourceTypeOption.1.OptionName=version-depth&\
         ResourceType.1.ResourceTypeOption.1.OptionValue.1=100&AccountId.1=111122223333&ClientToken=once&\
         TagSpecification.1.ResourceType=image-usage-report&TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=v"
    );
    let report = bench.did(&create).one("reportId");
    assert_eq!(bench.did(&create).one("reportId"), report);
    assert_eq!(bench.refused(&format!("{create}&AccountId.2=444455556666")), "IdempotentParameterMismatch");
    let shown = |more: &str| bench.did(&format!("DescribeImageUsageReports{more}"));
    let pending = shown(&format!("&ReportId.1={report}"));
    for (element, text) in
        [("state", "pending"), ("imageId", id.as_str()), ("resourceType", "ec2:LaunchTemplate"), ("key", "k")]
    {
        assert_eq!(pending.one(element), text);
    }
    assert!(
        pending.text().contains("<item>111122223333</item>") && pending.text().contains("<item>100</item>")
    );
    time.pass(60);
    assert_eq!(shown("&Filter.1.Name=state&Filter.1.Value.1=available").one("reportId"), report);
    let entries = bench.did(&format!("DescribeImageUsageReportEntries&ReportId.1={report}"));
    assert!(
        entries.text().contains("<imageUsageReportEntrySet></imageUsageReportEntrySet>"),
        "nobody else is here"
    );
    bench.did(&format!("CreateTags&ResourceId.1={report}&Tag.1.Key=team&Tag.1.Value=web"));
    assert_eq!(shown("&Filter.1.Name=tag:team&Filter.1.Value.1=web").one("reportId"), report);
    time.pass(30 * DAY - 61);
    assert_eq!(shown("").one("reportId"), report);
    time.pass(1);
    assert!(shown("").all("reportId").is_empty());
    assert_eq!(
        bench.refused(&format!("DeleteImageUsageReport&ReportId={report}")),
        "InvalidImageUsageReportId.NotFound"
    );
}

#[test]
fn wrong_reports_are_refused() {
    let bench = Bench::new(true);
    let id = bench.image_id();
    let create = |more: &str| format!("CreateImageUsageReport&ImageId={id}{more}");
    for (more, code) in [
        ("", "MissingParameter"),
        ("&ResourceType.1.ResourceType=ssm:Parameter", "InvalidParameterValue"),
        ("&ResourceType.1.ResourceType=ec2:Instance&AccountId.1=12", "InvalidParameterValue"),
        (
            "&ResourceType.1.ResourceType=ec2:Instance&ResourceType.1.ResourceTypeOption.1.OptionName=state-name&\
             ResourceType.1.ResourceTypeOption.1.OptionValue.1=running",
            "InvalidParameterValue",
        ),
        (
            "&ResourceType.1.ResourceType=ec2:Instance&TagSpecification.1.ResourceType=image&\
             TagSpecification.1.Tag.1.Key=k",
            "InvalidParameterValue",
        ),
    ] {
        assert_eq!(bench.refused(&create(more)), code, "{more}");
    }
    let report = bench.did(&create("&ResourceType.1.ResourceType=ec2:Instance")).one("reportId");
    assert_eq!(bench.did(&format!("DeleteImageUsageReport&ReportId={report}")).one("return"), "true");
    assert_eq!(
        bench.refused(&format!("DescribeImageUsageReports&ReportId.1={report}")),
        "InvalidImageUsageReportId.NotFound"
    );
}

#[test]
fn small_pages_of_reports_join_to_the_whole_list() {
    let bench = Bench::with(true, WorldOptions { page_default: Some(2), ..WorldOptions::default() });
    let id = bench.image_id();
    let create = format!("CreateImageUsageReport&ImageId={id}&ResourceType.1.ResourceType=ec2:Instance");
    let mut made: Vec<String> = (0..5).map(|_| bench.did(&create).one("reportId")).collect();
    made.sort();
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = bench.did(&format!("DescribeImageUsageReports&NextToken={token}"));
        seen.extend(page.all("reportId"));
        let Some(next) = page.all("nextToken").pop() else { break };
        token = next;
    }
    assert_eq!(seen, made);
}

#[test]
fn references_are_asked_for_by_image_and_kind() {
    let bench = Bench::new(true);
    let id = bench.image_id();
    let ask = |more: &str| format!("DescribeImageReferences&ImageId.1={id}{more}");
    assert!(
        bench
            .did(&ask("&IncludeAllResourceTypes=true"))
            .text()
            .contains("<imageReferenceSet></imageReferenceSet>")
    );
    bench.did(&ask("&ResourceType.1.ResourceType=ssm:Parameter&MaxResults=5"));
    for (more, code) in [
        ("", "MissingParameter"),
        ("&ResourceType.1.ResourceType=autoscaling:Group", "InvalidParameterValue"),
        ("&IncludeAllResourceTypes=true&MaxResults=4", "InvalidParameterValue"),
        ("&IncludeAllResourceTypes=true&Colour=red", "UnknownParameter"),
    ] {
        assert_eq!(bench.refused(&ask(more)), code, "{more}");
    }
    let many: Vec<String> = (1..=11).map(|index| format!("ImageId.{index}={id}")).collect();
    let many = format!("DescribeImageReferences&IncludeAllResourceTypes=true&{}", many.join("&"));
    assert_eq!(bench.refused(&many), "InvalidParameterValue");
    assert_eq!(
        bench.refused("DescribeInstanceImageMetadata&InstanceId.1=i-00000000"),
        "InvalidInstanceID.NotFound"
    );
    assert!(
        bench
            .did("DescribeInstanceImageMetadata")
            .text()
            .contains("<instanceImageMetadataSet></instanceImageMetadataSet>")
    );
    assert!(bench.did("DescribeFastSnapshotRestores").text().contains("<fastSnapshotRestoreSet>"));
}
