//! The reference page of the endpoint, made from its own list of operations.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::operation_names;

/// The services by their ids: what they are called, and what is told of them as a whole.
const SERVICES: [(&str, &str); 12] = [
    ("autoscaling", "Auto Scaling"),
    ("aws-marketplace", "AWS Marketplace Catalog"),
    ("cloudtrail", "CloudTrail"),
    ("ebs", "EBS direct APIs"),
    ("ec2", "EC2"),
    ("iam", "IAM"),
    ("kms", "KMS"),
    ("organizations", "Organizations"),
    ("rbin", "Recycle Bin"),
    ("servicequotas", "Service Quotas"),
    ("ssm", "Systems Manager"),
    ("sts", "Security Token Service"),
];

/// Returns the page that lists every operation, in Markdown.
pub fn reference_markdown() -> String {
    let mut services: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in operation_names() {
        let Some((service, operation)) = name.split_once(' ') else { continue };
        services.entry(service.to_owned()).or_default().push(operation.to_owned());
    }
    let mut page = String::from(
        "# Operations of the endpoint\n\
         <!-- Made by `cargo run -p xtask -- generate`. -->\n\
         What `amint cloud up` serves. Names, parameters and answers are those of AWS's API references. An operation or a \
         parameter\nthat is not known is refused as AWS refuses it, never answered with a success that did nothing. What \
         differs from AWS on purpose\nstands in the [guide](../guides/cloud.md).\n",
    );
    for (service, operations) in services {
        let title =
            SERVICES.iter().find(|(id, _)| *id == service).map_or(service.as_str(), |(_, title)| title);
        let _ = write!(page, "\n## {title}\n{} operations:\n\n", operations.len());
        for operation in operations {
            let _ = writeln!(page, "- `{operation}`");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_stands_once_below_its_service() {
        let page = reference_markdown();
        for name in operation_names() {
            let (_, operation) = name.split_once(' ').unwrap();
            assert!(page.contains(&format!("- `{operation}`\n")), "{name}");
        }
        assert!(page.contains("\n## EC2\n") && page.contains("\n## EBS direct APIs\n"));
    }
}
