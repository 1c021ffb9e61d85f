//! Images and snapshots as EC2 knows them.

use std::collections::BTreeSet;

use amint_publish::calls;
use amint_publish::{
    CloudError, CloudErrorClass, CloudImage, CloudSnapshot, CopyImage, Protection, RegisterImage,
};
use aws_sdk_ec2::types::{
    ArchitectureValues, BlockDeviceMapping, BootModeValues, CreateVolumePermission,
    CreateVolumePermissionModifications, EbsBlockDevice, Filter, ImageAttributeName, ImdsSupportValues,
    LaunchPermission, LaunchPermissionModifications, ResourceType, SnapshotAttributeName, VolumeType,
};
use aws_smithy_types::DateTime;
use jiff::Timestamp;

use crate::convert;
use crate::error::odd_answer;
use crate::region::AwsRegion;

/// How many entries a page has: AWS advises to ask for pages, and takes up to 1,000.
const PAGE: i32 = 500;
/// The most that it can have, for those that are only counted.
const PAGE_MAX: i32 = 1000;
/// How many pages are read at most: an account has 50,000 images (quota) and 100,000 snapshots.
const PAGES_MAX: u32 = 400;

impl AwsRegion {
    pub(crate) async fn ec2_is_encrypted_by_default(&self) -> Result<bool, CloudError> {
        let call = calls::GET_EBS_ENCRYPTION_BY_DEFAULT;
        let answer = self.ec2.get_ebs_encryption_by_default().send().await.map_err(self.failed(call))?;
        // Unsaid is not unencrypted: on that it depends which blocks may be left out.
        self.needed(call, "setting", answer.ebs_encryption_by_default)
    }

    /// Lists the account's own images that a filter finds, the disabled ones too: they keep their names and snapshots.
    pub(crate) async fn ec2_images(
        &self,
        filter: &str,
        values: Vec<String>,
    ) -> Result<Vec<CloudImage>, CloudError> {
        let call = calls::DESCRIBE_IMAGES;
        let (mut found, mut page) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let answer = self
                .ec2
                .describe_images()
                .owners("self")
                .include_disabled(true)
                .filters(Filter::builder().name(filter).set_values(Some(values.clone())).build())
                .max_results(PAGE)
                .set_next_token(page.take())
                .send()
                .await
                .map_err(self.failed(call))?;
            found.extend(answer.images().iter().map(convert::image));
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(found);
            }
        }
        Err(odd_answer(call, &self.name, "the list of images does not end"))
    }

    pub(crate) async fn ec2_image(&self, id: &str) -> Result<Option<CloudImage>, CloudError> {
        let answer = self.ec2.describe_images().image_ids(id).send().await;
        let answer = known(answer.map_err(self.failed(calls::DESCRIBE_IMAGES)))?;
        let images = answer.and_then(|answer| answer.images).unwrap_or_default();
        Ok(images.first().map(convert::image))
    }

    pub(crate) async fn ec2_snapshots(
        &self,
        filter: &str,
        value: &str,
    ) -> Result<Vec<CloudSnapshot>, CloudError> {
        let call = calls::DESCRIBE_SNAPSHOTS;
        let (mut found, mut page) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let answer = self
                .ec2
                .describe_snapshots()
                .owner_ids("self")
                .filters(Filter::builder().name(filter).values(value).build())
                .max_results(PAGE)
                .set_next_token(page.take())
                .send()
                .await
                .map_err(self.failed(call))?;
            for one in answer.snapshots() {
                found.push(self.needed(call, "state of a snapshot", convert::snapshot(one))?);
            }
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(found);
            }
        }
        Err(odd_answer(call, &self.name, "the list of snapshots does not end"))
    }

    pub(crate) async fn ec2_snapshot(&self, id: &str) -> Result<Option<CloudSnapshot>, CloudError> {
        let call = calls::DESCRIBE_SNAPSHOTS;
        let answer = self.ec2.describe_snapshots().snapshot_ids(id).send().await;
        let Some(answer) = known(answer.map_err(self.failed(call)))? else { return Ok(None) };
        let Some(one) = answer.snapshots().first() else { return Ok(None) };
        self.needed(call, "state of a snapshot", convert::snapshot(one)).map(Some)
    }

    pub(crate) async fn ec2_register(&self, request: &RegisterImage) -> Result<String, CloudError> {
        let call = calls::REGISTER_IMAGE;
        let volume = EbsBlockDevice::builder()
            .snapshot_id(&request.snapshot_id)
            .volume_size(i32::try_from(request.volume_gib).unwrap_or(i32::MAX))
            .volume_type(VolumeType::from(request.volume_type))
            .delete_on_termination(true)
            .build();
        let root = BlockDeviceMapping::builder().device_name(request.root_device).ebs(volume).build();
        let answer = self
            .ec2
            .register_image()
            .name(&request.name)
            .description(&request.description)
            .architecture(ArchitectureValues::from(request.architecture))
            .virtualization_type("hvm")
            .boot_mode(BootModeValues::from(request.boot_mode))
            .ena_support(true)
            .imds_support(ImdsSupportValues::V20)
            .root_device_name(request.root_device)
            .block_device_mappings(root)
            .tag_specifications(convert::specification(ResourceType::Image, &request.tags))
            .send()
            .await
            .map_err(self.failed(call))?;
        self.needed(call, "image", answer.image_id)
    }

    pub(crate) async fn ec2_copy(&self, request: &CopyImage) -> Result<String, CloudError> {
        let call = calls::COPY_IMAGE;
        let answer = self
            .ec2
            .copy_image()
            .name(&request.name)
            .description(&request.description)
            .source_region(&request.source_region)
            .source_image_id(&request.source_image_id)
            .client_token(&request.client_token)
            .tag_specifications(convert::specification(ResourceType::Image, &request.tags))
            .tag_specifications(convert::specification(ResourceType::Snapshot, &request.tags))
            .send()
            .await
            .map_err(self.failed(call))?;
        self.needed(call, "image", answer.image_id)
    }

    pub(crate) async fn ec2_image_accounts(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        let attribute = ImageAttributeName::LaunchPermission;
        let answer = self.ec2.describe_image_attribute().image_id(id).attribute(attribute).send().await;
        let answer = answer.map_err(self.failed(calls::DESCRIBE_IMAGE_ATTRIBUTE))?;
        Ok(answer.launch_permissions().iter().filter_map(|one| one.user_id().map(str::to_owned)).collect())
    }

    pub(crate) async fn ec2_snapshot_accounts(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        let attribute = SnapshotAttributeName::CreateVolumePermission;
        let answer = self.ec2.describe_snapshot_attribute().snapshot_id(id).attribute(attribute).send().await;
        let answer = answer.map_err(self.failed(calls::DESCRIBE_SNAPSHOT_ATTRIBUTE))?;
        let permissions = answer.create_volume_permissions().iter();
        Ok(permissions.filter_map(|one| one.user_id().map(str::to_owned)).collect())
    }

    pub(crate) async fn ec2_share_image(
        &self,
        id: &str,
        accounts: &BTreeSet<String>,
    ) -> Result<(), CloudError> {
        let added = accounts.iter().map(|account| LaunchPermission::builder().user_id(account).build());
        let change = LaunchPermissionModifications::builder().set_add(Some(added.collect())).build();
        let answer = self.ec2.modify_image_attribute().image_id(id).launch_permission(change).send().await;
        answer.map(drop).map_err(self.failed(calls::MODIFY_IMAGE_ATTRIBUTE))
    }

    pub(crate) async fn ec2_image_organizations(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        let attribute = ImageAttributeName::LaunchPermission;
        let answer = self.ec2.describe_image_attribute().image_id(id).attribute(attribute).send().await;
        let answer = answer.map_err(self.failed(calls::DESCRIBE_IMAGE_ATTRIBUTE))?;
        let permissions = answer.launch_permissions().iter();
        let arns = permissions.filter_map(|one| one.organization_arn().or(one.organizational_unit_arn()));
        Ok(arns.map(str::to_owned).collect())
    }

    pub(crate) async fn ec2_share_image_with_organizations(
        &self,
        id: &str,
        arns: &BTreeSet<String>,
    ) -> Result<(), CloudError> {
        let added = arns.iter().map(|arn| {
            let permission = LaunchPermission::builder();
            if arn.contains(":ou/") {
                permission.organizational_unit_arn(arn).build()
            } else {
                permission.organization_arn(arn).build()
            }
        });
        let change = LaunchPermissionModifications::builder().set_add(Some(added.collect())).build();
        let answer = self.ec2.modify_image_attribute().image_id(id).launch_permission(change).send().await;
        answer.map(drop).map_err(self.failed(calls::MODIFY_IMAGE_ATTRIBUTE))
    }

    pub(crate) async fn ec2_share_snapshot(
        &self,
        id: &str,
        accounts: &BTreeSet<String>,
    ) -> Result<(), CloudError> {
        let added = accounts.iter().map(|account| CreateVolumePermission::builder().user_id(account).build());
        let change = CreateVolumePermissionModifications::builder().set_add(Some(added.collect())).build();
        let request = self.ec2.modify_snapshot_attribute().snapshot_id(id).create_volume_permission(change);
        request.send().await.map(drop).map_err(self.failed(calls::MODIFY_SNAPSHOT_ATTRIBUTE))
    }

    pub(crate) async fn ec2_protect(&self, id: &str, protection: Protection) -> Result<(), CloudError> {
        let has_cooldown = protection == Protection::WithCooldown;
        let request =
            self.ec2.enable_image_deregistration_protection().image_id(id).with_cooldown(has_cooldown);
        let answer = request.send().await;
        answer.map(drop).map_err(self.failed(calls::ENABLE_IMAGE_DEREGISTRATION_PROTECTION))
    }

    pub(crate) async fn ec2_watermark(&self, id: &str, name: &str) -> Result<(), CloudError> {
        let answer = self.ec2.attach_image_watermark().image_id(id).watermark_name(name).send().await;
        answer.map(drop).map_err(self.failed(calls::ATTACH_IMAGE_WATERMARK))
    }

    /// Counts the account's own images, the disabled ones too: the quota counts them.
    pub(crate) async fn ec2_image_count(&self) -> Result<u64, CloudError> {
        let call = calls::DESCRIBE_IMAGES;
        let (mut count, mut page) = (0, None);
        for _ in 0..PAGES_MAX {
            let request =
                self.ec2.describe_images().owners("self").include_disabled(true).max_results(PAGE_MAX);
            let answer = request.set_next_token(page.take()).send().await.map_err(self.failed(call))?;
            count += answer.images().len() as u64;
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(count);
            }
        }
        Err(odd_answer(call, &self.name, "the list of images does not end"))
    }

    pub(crate) async fn ec2_deprecate(&self, id: &str, at: Timestamp) -> Result<(), CloudError> {
        let time = DateTime::from_secs(at.as_second());
        let answer = self.ec2.enable_image_deprecation().image_id(id).deprecate_at(time).send().await;
        answer.map(drop).map_err(self.failed(calls::ENABLE_IMAGE_DEPRECATION))
    }
}

/// Takes "there is no such thing" for an answer.
fn known<T>(answer: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.class == CloudErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
