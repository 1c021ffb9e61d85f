//! The text of the instance identity document.

use crate::imds::Metadata;

/// Writes the instance identity document in the very form that EC2 gives it.
///
/// Two spaces of indent, ` : ` between name and value, no newline at the end. Signatures cover these bytes, so
/// the same metadata always gives the same bytes.
pub fn identity_document(metadata: &Metadata) -> String {
    let pending_time = metadata.pending_time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let fields: [(&str, String); 15] = [
        ("accountId", quoted(&metadata.account_id)),
        ("architecture", quoted(metadata.architecture.as_str())),
        ("availabilityZone", quoted(&metadata.availability_zone)),
        ("billingProducts", "null".to_owned()),
        ("devpayProductCodes", "null".to_owned()),
        ("marketplaceProductCodes", list(&metadata.product_codes)),
        ("imageId", quoted(&metadata.ami_id)),
        ("instanceId", quoted(&metadata.instance_id)),
        ("instanceType", quoted(&metadata.instance_type)),
        ("kernelId", "null".to_owned()),
        ("pendingTime", quoted(&pending_time)),
        ("privateIp", quoted(&metadata.local_ipv4.to_string())),
        ("ramdiskId", "null".to_owned()),
        ("region", quoted(&metadata.region)),
        ("version", quoted("2017-09-30")),
    ];
    let lines: Vec<String> = fields.iter().map(|(name, value)| format!("  \"{name}\" : {value}")).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list(items: &[String]) -> String {
    if items.is_empty() {
        return "null".to_owned();
    }
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[ {} ]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use amint_types::Architecture;

    use super::*;

    fn metadata() -> Metadata {
        Metadata {
            ami_id: "ami-0abc".to_owned(),
            instance_id: "i-0123456789abcdef0".to_owned(),
            ..Metadata::for_test(
                Architecture::X86_64,
                "02:00:00:00:00:01".to_owned(),
                "2026-01-02T03:04:05.678Z".parse().unwrap(),
            )
        }
    }

    #[test]
    fn document_has_the_bytes_that_ec2_would_write() {
        let expected = "{\n  \"accountId\" : \"123456789012\",\n  \"architecture\" : \"x86_64\",\n  \
            \"availabilityZone\" : \"us-east-1a\",\n  \"billingProducts\" : null,\n  \
            \"devpayProductCodes\" : null,\n  \"marketplaceProductCodes\" : null,\n  \
            \"imageId\" : \"ami-0abc\",\n  \"instanceId\" : \"i-0123456789abcdef0\",\n  \
            \"instanceType\" : \"t3.micro\",\n  \"kernelId\" : null,\n  \
            \"pendingTime\" : \"2026-01-02T03:04:05Z\",\n  \"privateIp\" : \"169.254.169.15\",\n  \
            \"ramdiskId\" : null,\n  \"region\" : \"us-east-1\",\n  \"version\" : \"2017-09-30\"\n}";
        assert_eq!(identity_document(&metadata()), expected);
    }

    #[test]
    fn product_codes_are_a_list() {
        let metadata = Metadata { product_codes: vec!["one".to_owned(), "two".to_owned()], ..metadata() };
        let document = identity_document(&metadata);
        assert!(document.contains("\"marketplaceProductCodes\" : [ \"one\", \"two\" ],"), "{document}");
        assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok());
    }
}
