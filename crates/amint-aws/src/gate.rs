//! Lets only those requests out that are listed for the purpose at hand, and counts them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use amint_publish::calls::{Call, Purpose};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// A request that no list knows: a defect of amint, found before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{service}:{operation} is not among the requests that amint sends for this")]
pub(crate) struct NotListed {
    service: String,
    operation: String,
}

/// Sits in every client.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    purpose: Purpose,
    sent: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

impl Gate {
    pub(crate) fn new(purpose: Purpose) -> Self {
        Self { purpose, sent: Arc::default() }
    }

    /// Returns how often each request was sent.
    pub(crate) fn sent(&self) -> BTreeMap<&'static str, u64> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn pass(&self, service: &str, operation: &str) -> Result<(), NotListed> {
        let call = Call::find(service, operation).filter(|call| call.is_for(self.purpose));
        let Some(call) = call else {
            return Err(NotListed { service: service.to_owned(), operation: operation.to_owned() });
        };
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner).entry(call.action).or_default() += 1;
        Ok(())
    }
}

impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "amint's list of requests"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (service, operation) = cfg
            .load::<Metadata>()
            .map_or(("unknown", "unknown"), |metadata| (metadata.service(), metadata.name()));
        Ok(self.pass(service, operation)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_for_the_purpose_passes() {
        let gate = Gate::new(Purpose::Verify);
        assert_eq!(gate.pass("EC2", "DescribeImages"), Ok(()));
        assert!(gate.pass("EC2", "RegisterImage").is_err(), "listed, but for another purpose");
        assert!(gate.pass("EC2", "RunInstances").is_err());
        assert_eq!(gate.sent(), [("ec2:DescribeImages", 1)].into());
    }
}
