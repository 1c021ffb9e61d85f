//! The services, and how each speaks.

use crate::protocol::{Element, Fault};

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Service {
    /// Elastic Compute Cloud, by its Query protocol.
    Ec2,
    /// Security Token Service, by the Query protocol.
    Sts,
    /// Identity and Access Management, by the Query protocol.
    Iam,
    /// Auto Scaling, by the Query protocol.
    AutoScaling,
    /// Systems Manager, by JSON.
    Ssm,
    /// Key Management Service, by JSON.
    Kms,
    /// CloudTrail, by JSON.
    CloudTrail,
    /// Organizations, by JSON.
    Organizations,
    /// Service Quotas, by JSON.
    ServiceQuotas,
    /// EBS direct APIs, by REST.
    Ebs,
    /// Recycle Bin, by REST.
    Rbin,
    /// AWS Marketplace Catalog, by REST.
    Marketplace,
}

/// How requests and answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Query, as EC2 has it.
    Ec2,
    /// Query.
    Query,
    /// JSON 1.1: `X-Amz-Target` names the operation.
    Json,
    /// REST with JSON: method and path name the operation.
    Rest,
}

impl Service {
    const ALL: [Self; 12] = [
        Self::Ec2,
        Self::Sts,
        Self::Iam,
        Self::AutoScaling,
        Self::Ssm,
        Self::Kms,
        Self::CloudTrail,
        Self::Organizations,
        Self::ServiceQuotas,
        Self::Ebs,
        Self::Rbin,
        Self::Marketplace,
    ];

    /// Finds the service that a signature's scope names.
    pub fn of_scope(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.as_str() == name)
    }

    /// Returns the name that a signature's scope has.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::AutoScaling => "autoscaling",
            Self::Ssm => "ssm",
            Self::Kms => "kms",
            Self::CloudTrail => "cloudtrail",
            Self::Organizations => "organizations",
            Self::ServiceQuotas => "servicequotas",
            Self::Ebs => "ebs",
            Self::Rbin => "rbin",
            Self::Marketplace => "aws-marketplace",
        }
    }

    /// Returns the version that requests of the Query protocol state.
    pub fn version(self) -> &'static str {
        match self {
            Self::Ec2 => "2016-11-15",
            Self::Sts => "2011-06-15",
            Self::Iam => "2010-05-08",
            Self::AutoScaling => "2011-01-01",
            Self::Ssm => "2014-11-06",
            Self::Kms => "2014-11-01",
            Self::CloudTrail => "2013-11-01",
            Self::Organizations => "2016-11-28",
            Self::ServiceQuotas => "2019-06-24",
            Self::Ebs => "2019-11-02",
            Self::Rbin => "2021-06-15",
            Self::Marketplace => "2018-09-17",
        }
    }

    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Ec2 => Protocol::Ec2,
            Self::Sts | Self::Iam | Self::AutoScaling => Protocol::Query,
            Self::Ssm | Self::Kms | Self::CloudTrail | Self::Organizations | Self::ServiceQuotas => {
                Protocol::Json
            }
            Self::Ebs | Self::Rbin | Self::Marketplace => Protocol::Rest,
        }
    }

    /// Returns what stands before the operation's name in `X-Amz-Target`.
    fn target_prefix(self) -> &'static str {
        match self {
            Self::Ssm => "AmazonSSM.",
            Self::Kms => "TrentService.",
            Self::CloudTrail => "CloudTrail_20131101.",
            Self::Organizations => "AWSOrganizationsV20161128.",
            Self::ServiceQuotas => "ServiceQuotasV20190624.",
            _ => "",
        }
    }

    /// Takes the operation's name out of `X-Amz-Target`.
    ///
    /// boto3 and the AWS CLI write the name space of CloudTrail's interface, other SDKs its name alone.
    pub(crate) fn operation_of_target(self, target: &str) -> Option<&str> {
        let target = target.strip_prefix("com.amazonaws.cloudtrail.v20131101.").unwrap_or(target);
        target.strip_prefix(self.target_prefix())
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Self::AutoScaling => "http://autoscaling.amazonaws.com/doc/2011-01-01/",
            _ => "http://ec2.amazonaws.com/doc/2016-11-15/",
        }
    }

    /// Says that there were too many calls.
    pub(crate) fn throttled(self) -> Fault {
        let words = "Rate exceeded";
        match self {
            Self::Ec2 => Fault::client("RequestLimitExceeded", "Request limit exceeded.").with_status(503),
            Self::Sts | Self::Iam | Self::AutoScaling => Fault::client("Throttling", words),
            Self::Ebs => Fault::client("RequestThrottledException", words).with_reason("ACCOUNT_THROTTLED"),
            Self::Marketplace => Fault::client("ThrottlingException", words).with_status(429),
            Self::Organizations | Self::ServiceQuotas => Fault::client("TooManyRequestsException", words),
            Self::Ssm | Self::Kms | Self::CloudTrail | Self::Rbin => {
                Fault::client("ThrottlingException", words)
            }
        }
    }

    /// Says that something broke within.
    pub(crate) fn broken(self) -> Fault {
        let code = match self {
            Self::Ec2 => "InternalError",
            Self::Sts | Self::AutoScaling | Self::CloudTrail => "InternalFailure",
            Self::Iam => "ServiceFailure",
            Self::Ssm => "InternalServerError",
            Self::Kms => "KMSInternalException",
            Self::Ebs | Self::Rbin => "InternalServerException",
            Self::Organizations | Self::ServiceQuotas => "ServiceException",
            Self::Marketplace => "InternalServiceException",
        };
        Fault::client(code, "An internal error has occurred").with_status(500)
    }

    /// Says that nobody knows the operation.
    pub(crate) fn unknown_operation(self, name: &str) -> Fault {
        match self.protocol() {
            Protocol::Ec2 | Protocol::Query => {
                let message = if self == Self::Iam && name.starts_with("Simulate") {
                    format!("The action {name} is not supported here: policies are kept, and not evaluated.")
                } else {
                    format!("The action {name} is not valid for this web service.")
                };
                Fault::client("InvalidAction", message)
            }
            Protocol::Json | Protocol::Rest => {
                let fault = Fault::client("UnknownOperationException", "The operation is not known here");
                if self.protocol() == Protocol::Json { fault } else { fault.with_status(404) }
            }
        }
    }

    /// Writes the answer of an operation in the Query protocol.
    pub(crate) fn success(
        self,
        root: &'static str,
        result: &'static str,
        answer: Element,
        id: &str,
    ) -> String {
        let children = answer.into_children();
        if self == Self::Ec2 {
            let root = children.into_iter().fold(Element::new(root).text("requestId", id), Element::with);
            return root.to_document(self.namespace());
        }
        let result = children.into_iter().fold(Element::new(result), Element::with);
        let metadata = Element::new("ResponseMetadata").text("RequestId", id);
        let root = Element::new(root).with(result).with(metadata);
        root.to_document(self.namespace())
    }

    /// Writes an error: content type and body.
    pub(crate) fn failure(self, fault: &Fault, id: &str) -> (&'static str, String) {
        match self.protocol() {
            Protocol::Ec2 => {
                let error = Element::new("Error").text("Code", fault.code).text("Message", &fault.message);
                let response =
                    Element::new("Response").with(Element::new("Errors").with(error)).text("RequestID", id);
                ("text/xml;charset=UTF-8", response.to_document(""))
            }
            Protocol::Query => {
                let kind = if fault.status < 500 { "Sender" } else { "Receiver" };
                let error = Element::new("Error")
                    .text("Type", kind)
                    .text("Code", fault.code)
                    .text("Message", &fault.message);
                let response = Element::new("ErrorResponse").with(error).text("RequestId", id);
                ("text/xml", response.to_document(self.namespace()))
            }
            Protocol::Json => {
                let body = serde_json::json!({ "__type": fault.code, "message": fault.message });
                ("application/x-amz-json-1.1", body.to_string())
            }
            Protocol::Rest => {
                let mut body = serde_json::json!({ "Message": fault.message });
                if let Some(reason) = fault.reason {
                    body["Reason"] = reason.into();
                }
                ("application/json", body.to_string())
            }
        }
    }
}
