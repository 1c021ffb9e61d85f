//! A region of AWS.

use std::collections::BTreeSet;

use amint_publish::calls::{self, Call};
use amint_publish::{
    BlockData, CloudError, CloudImage, CloudKey, CloudSnapshot, CompleteSnapshot, CopyImage, Listed,
    Protection, Region, RegisterImage, StartSnapshot, StartedSnapshot,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bytes::Bytes;
use jiff::Timestamp;

use crate::error::{cloud_error, odd_answer};

/// A region of AWS, for the account of a [`Connection`](crate::Connection).
#[derive(Clone, Debug)]
pub struct AwsRegion {
    pub(crate) name: String,
    pub(crate) ebs: aws_sdk_ebs::Client,
    pub(crate) ec2: aws_sdk_ec2::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) organizations: aws_sdk_organizations::Client,
    pub(crate) quotas: aws_sdk_servicequotas::Client,
    pub(crate) ssm: aws_sdk_ssm::Client,
    pub(crate) sts: aws_sdk_sts::Client,
}

impl AwsRegion {
    /// Translates the error of a request.
    pub(crate) fn failed<E>(&self, call: Call) -> impl Fn(SdkError<E, HttpResponse>) -> CloudError
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        move |error| cloud_error(call, &self.name, &error)
    }

    /// Returns what an answer has to have, or tells that it has not.
    pub(crate) fn needed<T>(&self, call: Call, what: &str, value: Option<T>) -> Result<T, CloudError> {
        value.ok_or_else(|| odd_answer(call, &self.name, format!("the answer has no {what}")))
    }
}

impl Region for AwsRegion {
    fn name(&self) -> &str {
        &self.name
    }

    async fn account(&self) -> Result<String, CloudError> {
        let call = calls::GET_CALLER_IDENTITY;
        let answer = self.sts.get_caller_identity().send().await.map_err(self.failed(call))?;
        self.needed(call, "account", answer.account)
    }

    async fn is_encrypted_by_default(&self) -> Result<bool, CloudError> {
        self.ec2_is_encrypted_by_default().await
    }

    async fn images_named(&self, name: &str) -> Result<Vec<CloudImage>, CloudError> {
        self.ec2_images("name", vec![name.to_owned()]).await
    }

    async fn image(&self, id: &str) -> Result<Option<CloudImage>, CloudError> {
        self.ec2_image(id).await
    }

    async fn snapshots_tagged(&self, key: &str, value: &str) -> Result<Vec<CloudSnapshot>, CloudError> {
        self.ec2_snapshots(&format!("tag:{key}"), value).await
    }

    async fn snapshot(&self, id: &str) -> Result<Option<CloudSnapshot>, CloudError> {
        self.ec2_snapshot(id).await
    }

    async fn start_snapshot(&self, request: &StartSnapshot) -> Result<StartedSnapshot, CloudError> {
        self.ebs_start(request).await
    }

    async fn put_block(&self, snapshot_id: &str, index: u64, block: &BlockData) -> Result<(), CloudError> {
        self.ebs_put(snapshot_id, index, block).await
    }

    async fn complete_snapshot(&self, request: &CompleteSnapshot) -> Result<(), CloudError> {
        self.ebs_complete(request).await
    }

    async fn list_blocks(&self, snapshot_id: &str, page: Option<&str>) -> Result<Listed, CloudError> {
        self.ebs_list(snapshot_id, page).await
    }

    async fn get_block(&self, snapshot_id: &str, index: u64, token: &str) -> Result<Bytes, CloudError> {
        self.ebs_get(snapshot_id, index, token).await
    }

    async fn delete_snapshot(&self, id: &str) -> Result<(), CloudError> {
        let answer = self.ec2.delete_snapshot().snapshot_id(id).send().await;
        answer.map(drop).map_err(self.failed(calls::DELETE_SNAPSHOT))
    }

    async fn register_image(&self, request: &RegisterImage) -> Result<String, CloudError> {
        self.ec2_register(request).await
    }

    async fn deregister_image(&self, id: &str) -> Result<(), CloudError> {
        let answer = self.ec2.deregister_image().image_id(id).send().await;
        answer.map(drop).map_err(self.failed(calls::DEREGISTER_IMAGE))
    }

    async fn copy_image(&self, request: &CopyImage) -> Result<String, CloudError> {
        self.ec2_copy(request).await
    }

    async fn images_using(&self, snapshot_ids: &[String]) -> Result<Vec<CloudImage>, CloudError> {
        self.ec2_images("block-device-mapping.snapshot-id", snapshot_ids.to_vec()).await
    }

    async fn image_accounts(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        self.ec2_image_accounts(id).await
    }

    async fn snapshot_accounts(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        self.ec2_snapshot_accounts(id).await
    }

    async fn share_image(&self, id: &str, accounts: &BTreeSet<String>) -> Result<(), CloudError> {
        self.ec2_share_image(id, accounts).await
    }

    async fn share_snapshot(&self, id: &str, accounts: &BTreeSet<String>) -> Result<(), CloudError> {
        self.ec2_share_snapshot(id, accounts).await
    }

    async fn image_organizations(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        self.ec2_image_organizations(id).await
    }

    async fn share_image_with_organizations(
        &self,
        id: &str,
        arns: &BTreeSet<String>,
    ) -> Result<(), CloudError> {
        self.ec2_share_image_with_organizations(id, arns).await
    }

    async fn key(&self, id: &str) -> Result<Option<CloudKey>, CloudError> {
        self.kms_key(id).await
    }

    async fn deprecate_image(&self, id: &str, at: Timestamp) -> Result<(), CloudError> {
        self.ec2_deprecate(id, at).await
    }

    async fn protect_image(&self, id: &str, protection: Protection) -> Result<(), CloudError> {
        self.ec2_protect(id, protection).await
    }

    async fn watermark_image(&self, id: &str, name: &str) -> Result<(), CloudError> {
        self.ec2_watermark(id, name).await
    }

    async fn tag_policy(&self) -> Result<Option<String>, CloudError> {
        self.effective_tag_policy().await
    }

    async fn image_quota(&self) -> Result<u64, CloudError> {
        self.quota_of_images().await
    }

    async fn image_count(&self) -> Result<u64, CloudError> {
        self.ec2_image_count().await
    }
}
