//! What the document says.

use std::net::IpAddr;
use std::time::SystemTime;

use crate::json::{self, Value};
use crate::time;

/// How long a document may be; EC2's are below 1 KiB.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// How many product codes a document may list.
const CODES_MAX: usize = 1000;

/// An instance identity document (EC2 User Guide, "Instance identity documents").
///
/// Made anew by EC2 whenever the instance starts. Fields that are not known here are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// The account that launched the instance: 12 digits.
    pub account_id: String,
    /// `x86_64`, `arm64` or `i386`.
    pub architecture: Option<String>,
    /// The availability zone.
    pub availability_zone: Option<String>,
    /// Billing products, such as `bp-…`.
    pub billing_products: Vec<String>,
    /// Product codes of a programme that ended; listed for completeness.
    pub devpay_product_codes: Vec<String>,
    /// Product codes of AWS Marketplace; empty where the document lists none.
    pub marketplace_product_codes: Vec<String>,
    /// The image that the instance was launched from.
    pub image_id: String,
    /// The instance.
    pub instance_id: String,
    /// The type of the instance.
    pub instance_type: Option<String>,
    /// When the instance was last launched or started.
    pub pending_time: SystemTime,
    /// The same, as the document writes it.
    pub pending_time_text: String,
    /// The instance's own address within its network.
    pub private_ip: Option<IpAddr>,
    /// The region.
    pub region: String,
    /// The version of the document's form.
    pub version: String,
}

impl Document {
    /// Reads a document without verifying anything. The error says what is wrong with the text.
    ///
    /// Use [`verify`](crate::verify) for everything that must be true.
    pub fn parse_unverified(text: &[u8]) -> Result<Self, &'static str> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err("it is too long");
        }
        let text = str::from_utf8(text).map_err(|_| "it is no UTF-8")?;
        let Value::Object(members) = json::parse(text).map_err(|error| error.0)? else {
            return Err("it is no JSON object");
        };
        let fields = Fields(members);
        let pending_time_text = fields.text("pendingTime")?;
        let private_ip = match fields.optional("privateIp")? {
            Some(address) => Some(address.parse().map_err(|_| "its privateIp is no address")?),
            None => None,
        };
        Ok(Self {
            account_id: fields.text("accountId")?,
            architecture: fields.optional("architecture")?,
            availability_zone: fields.optional("availabilityZone")?,
            billing_products: fields.list("billingProducts")?,
            devpay_product_codes: fields.list("devpayProductCodes")?,
            marketplace_product_codes: fields.list("marketplaceProductCodes")?,
            image_id: fields.text("imageId")?,
            instance_id: fields.text("instanceId")?,
            instance_type: fields.optional("instanceType")?,
            pending_time: time::rfc3339(&pending_time_text).ok_or("its pendingTime is no time")?,
            pending_time_text,
            private_ip,
            region: fields.text("region")?,
            version: fields.text("version")?,
        })
    }
}

struct Fields(Vec<(String, Value)>);

impl Fields {
    fn find(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn optional(&self, name: &str) -> Result<Option<String>, &'static str> {
        match self.find(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err("a field that should be text is not"),
        }
    }

    fn text(&self, name: &str) -> Result<String, &'static str> {
        match self.optional(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err("it lacks one of accountId, imageId, instanceId, pendingTime, region, version"),
        }
    }

    fn list(&self, name: &str) -> Result<Vec<String>, &'static str> {
        let items = match self.find(name) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::List(items)) if items.len() <= CODES_MAX => items,
            Some(_) => return Err("a field that should be a list is not"),
        };
        let text = |item: &Value| match item {
            Value::Text(text) => Ok(text.clone()),
            _ => Err("a list holds something else than text"),
        };
        items.iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[u8] = include_bytes!("../tests/data/a-dsa-us-east-1-2016.document.json");

    #[test]
    fn reads_documents_older_than_product_codes() {
        let document = Document::parse_unverified(OLD).unwrap();
        assert_eq!(document.instance_id, "i-f79fe56c");
        assert_eq!(document.private_ip, Some("172.30.0.252".parse().unwrap()));
        assert!(document.marketplace_product_codes.is_empty());
    }

    #[test]
    fn names_what_is_wrong() {
        let text = str::from_utf8(OLD).unwrap();
        let edited = |from: &str, to: &str| {
            assert!(text.contains(from));
            Document::parse_unverified(text.replace(from, to).as_bytes())
        };
        assert!(edited("\"us-east-1\"", "null").unwrap_err().contains("lacks"));
        assert_eq!(
            edited("\"billingProducts\" : null", "\"billingProducts\" : 1"),
            Err("a field that should be a list is not")
        );
        assert_eq!(edited("172.30.0.252", "172.30.0.2520"), Err("its privateIp is no address"));
        assert_eq!(edited("2016-04-08T", "2016-04-31T"), Err("its pendingTime is no time"));
        assert_eq!(edited("\"t2.micro\"", "[]"), Err("a field that should be text is not"));
        assert_eq!(Document::parse_unverified(&vec![b' '; DOCUMENT_BYTES_MAX + 1]), Err("it is too long"));
    }
}
