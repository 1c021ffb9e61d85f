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
    /// EBS direct APIs, by REST.
    Ebs,
    /// Recycle Bin, by REST.
    Rbin,
}

impl Service {
    /// Finds the service that a signature's scope names.
    pub fn of_scope(name: &str) -> Option<Self> {
        match name {
            "ec2" => Some(Self::Ec2),
            "sts" => Some(Self::Sts),
            "ebs" => Some(Self::Ebs),
            "rbin" => Some(Self::Rbin),
            _ => None,
        }
    }

    /// Returns the name that a signature's scope has.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Sts => "sts",
            Self::Ebs => "ebs",
            Self::Rbin => "rbin",
        }
    }

    /// Returns the version that requests of the Query protocol state.
    pub fn version(self) -> &'static str {
        match self {
            Self::Ec2 => "2016-11-15",
            Self::Sts => "2011-06-15",
            Self::Ebs => "2019-11-02",
            Self::Rbin => "2021-06-15",
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
            return root.to_document("http://ec2.amazonaws.com/doc/2016-11-15/");
        }
        let result = children.into_iter().fold(Element::new(result), Element::with);
        let metadata = Element::new("ResponseMetadata").text("RequestId", id);
        let root = Element::new(root).with(result).with(metadata);
        root.to_document("https://sts.amazonaws.com/doc/2011-06-15/")
    }

    /// Writes an error: content type and body.
    pub(crate) fn failure(self, fault: &Fault, id: &str) -> (&'static str, String) {
        match self {
            Self::Ec2 => {
                let error = Element::new("Error").text("Code", fault.code).text("Message", &fault.message);
                let response =
                    Element::new("Response").with(Element::new("Errors").with(error)).text("RequestID", id);
                ("text/xml;charset=UTF-8", response.to_document(""))
            }
            Self::Sts => {
                let kind = if fault.status < 500 { "Sender" } else { "Receiver" };
                let error = Element::new("Error")
                    .text("Type", kind)
                    .text("Code", fault.code)
                    .text("Message", &fault.message);
                let response = Element::new("ErrorResponse").with(error).text("RequestId", id);
                ("text/xml", response.to_document("https://sts.amazonaws.com/doc/2011-06-15/"))
            }
            Self::Ebs | Self::Rbin => {
                let mut body = serde_json::json!({ "Message": fault.message });
                if let Some(reason) = fault.reason {
                    body["Reason"] = reason.into();
                }
                ("application/json", body.to_string())
            }
        }
    }
}
