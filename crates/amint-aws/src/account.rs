//! What holds for the account: tag policies of its organization, and quotas.

use amint_publish::CloudError;
use amint_publish::calls;
use aws_sdk_organizations::types::EffectivePolicyType;

use crate::region::AwsRegion;

/// The quota `AMIs` (`ec2`, Service Quotas).
const IMAGES: &str = "L-B665C33B";

impl AwsRegion {
    /// Returns the account's effective tag policy; none when there is no organization, or no policy.
    pub(crate) async fn effective_tag_policy(&self) -> Result<Option<String>, CloudError> {
        let request =
            self.organizations.describe_effective_policy().policy_type(EffectivePolicyType::TagPolicy);
        match request.send().await {
            Ok(answer) => Ok(answer.effective_policy.and_then(|policy| policy.policy_content)),
            Err(error) => {
                let is_none = error.as_service_error().is_some_and(|error| {
                    error.is_aws_organizations_not_in_use_exception()
                        || error.is_effective_policy_not_found_exception()
                });
                if is_none {
                    return Ok(None);
                }
                Err(self.failed(calls::DESCRIBE_EFFECTIVE_POLICY)(error))
            }
        }
    }

    pub(crate) async fn quota_of_images(&self) -> Result<u64, CloudError> {
        let call = calls::GET_SERVICE_QUOTA;
        let request = self.quotas.get_service_quota().service_code("ec2").quota_code(IMAGES);
        let answer = request.send().await.map_err(self.failed(call))?;
        let value = answer.quota.and_then(|quota| quota.value).filter(|value| *value >= 0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, in a float")]
        self.needed(call, "value", value.map(|value| value as u64))
    }
}
