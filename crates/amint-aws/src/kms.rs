//! Keys that images are encrypted with.

use amint_publish::{CloudError, CloudErrorClass, CloudKey, accounts_let_in, calls};
use aws_sdk_kms::types::{KeyManagerType, KeySpec, KeyUsageType};

use crate::region::AwsRegion;

/// The only policy that a key has.
const POLICY: &str = "default";

impl AwsRegion {
    pub(crate) async fn kms_key(&self, id: &str) -> Result<Option<CloudKey>, CloudError> {
        let call = calls::DESCRIBE_KEY;
        let answer = match self.kms.describe_key().key_id(id).send().await.map_err(self.failed(call)) {
            Ok(answer) => answer,
            Err(error) if error.class == CloudErrorClass::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let key = self.needed(call, "key", answer.key_metadata)?;
        let arn = self.needed(call, "ARN", key.arn.clone())?;
        let is_of_aws = key.key_manager() == Some(&KeyManagerType::Aws);
        let accounts = if is_of_aws { None } else { self.kms_accounts(&arn).await? };
        Ok(Some(CloudKey {
            state: key.key_state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
            is_for_volumes: key.key_usage() == Some(&KeyUsageType::EncryptDecrypt)
                && key.key_spec() == Some(&KeySpec::SymmetricDefault),
            is_of_aws,
            accounts,
            arn,
        }))
    }

    /// Returns the accounts that a key's policy lets in; none when it may not be read.
    async fn kms_accounts(
        &self,
        arn: &str,
    ) -> Result<Option<std::collections::BTreeSet<String>>, CloudError> {
        let request = self.kms.get_key_policy().key_id(arn).policy_name(POLICY);
        match request.send().await.map_err(self.failed(calls::GET_KEY_POLICY)) {
            Ok(answer) => Ok(answer.policy().map(accounts_let_in)),
            Err(error) if error.class == CloudErrorClass::Denied => Ok(None),
            Err(error) => Err(error),
        }
    }
}
