//! What an account sets in a region.

use aws_sdk_ec2::types::{
    AllowedImagesSettingsDisabledState, AllowedImagesSettingsEnabledState, CreationDateConditionRequest,
    DeprecationTimeConditionRequest, ImageBlockPublicAccessDisabledState, ImageBlockPublicAccessEnabledState,
    ImageCriterionRequest, ImageWatermarkFilterRequest, ManagedBy, ScanResultConditionRequest, SeverityLabel,
    SnapshotBlockPublicAccessState, SseType,
};

use crate::support::{ACCOUNT, Bench, REGION, refused};

pub(crate) const SETTINGS: &[&str] = &[
    "ec2 DisableAllowedImagesSettings",
    "ec2 DisableEbsEncryptionByDefault",
    "ec2 DisableImageBlockPublicAccess",
    "ec2 DisableSnapshotBlockPublicAccess",
    "ec2 EnableAllowedImagesSettings",
    "ec2 EnableEbsEncryptionByDefault",
    "ec2 EnableImageBlockPublicAccess",
    "ec2 EnableSnapshotBlockPublicAccess",
    "ec2 GetAllowedImagesSettings",
    "ec2 GetEbsDefaultKmsKeyId",
    "ec2 GetEbsEncryptionByDefault",
    "ec2 GetImageBlockPublicAccessState",
    "ec2 GetSnapshotBlockPublicAccessState",
    "ec2 ModifyEbsDefaultKmsKeyId",
    "ec2 ReplaceImageCriteriaInAllowedImagesSettings",
    "ec2 ResetEbsDefaultKmsKeyId",
];

fn criterion() -> ImageCriterionRequest {
    let created = CreationDateConditionRequest::builder().maximum_days_since_created(300).build();
    let deprecated = DeprecationTimeConditionRequest::builder().maximum_days_since_deprecated(0).build();
    let mark = ImageWatermarkFilterRequest::builder()
        .watermark_key(format!("{ACCOUNT}:approved"))
        .source_image_region(REGION)
        .maximum_days_since_source_image_created(31)
        .maximum_days_since_watermark_created(32)
        .build();
    let scan = ScanResultConditionRequest::builder()
        .max_days_since_last_finding_scan(8)
        .maximum_severity_label(SeverityLabel::Medium)
        .max_days_since_informational_fix_available(15)
        .max_days_since_low_fix_available(14)
        .max_days_since_medium_fix_available(13)
        .max_days_since_high_fix_available(12)
        .max_days_since_critical_fix_available(11)
        .build();
    ImageCriterionRequest::builder()
        .image_providers("amazon")
        .image_providers(ACCOUNT)
        .image_names("web-*")
        .creation_date_condition(created)
        .deprecation_time_condition(deprecated)
        .image_watermarks(mark)
        .scan_result_condition(scan)
        .build()
}

#[test]
fn what_is_set_is_told() {
    let bench = Bench::new();
    bench.run(SETTINGS, async {
        let client = bench.ec2();
        let replaced = client
            .replace_image_criteria_in_allowed_images_settings()
            .image_criteria(criterion())
            .send()
            .await
            .unwrap();
        assert_eq!(replaced.return_value(), Some(true));
        let audit = AllowedImagesSettingsEnabledState::AuditMode;
        let enabled = client
            .enable_allowed_images_settings()
            .allowed_images_settings_state(audit.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(enabled.allowed_images_settings_state(), Some(&audit));
        let told = client.get_allowed_images_settings().send().await.unwrap();
        assert_eq!((told.state(), told.managed_by()), (Some("audit-mode"), Some(&ManagedBy::Account)));
        let criteria = &told.image_criteria()[0];
        assert_eq!(criteria.image_providers(), ["amazon", ACCOUNT]);
        assert_eq!(criteria.image_names(), ["web-*"]);
        assert_eq!(
            criteria.creation_date_condition().and_then(|one| one.maximum_days_since_created()),
            Some(300)
        );
        assert_eq!(
            criteria.deprecation_time_condition().and_then(|one| one.maximum_days_since_deprecated()),
            Some(0)
        );
        let mark = &criteria.image_watermarks()[0];
        assert_eq!(mark.watermark_key(), Some(&*format!("{ACCOUNT}:approved")));
        assert_eq!(mark.source_image_region(), Some(REGION));
        assert_eq!(mark.maximum_days_since_source_image_created(), Some(31));
        assert_eq!(mark.maximum_days_since_watermark_created(), Some(32));
        let scan = criteria.scan_result_condition().unwrap();
        assert_eq!(scan.maximum_severity_label(), Some(&SeverityLabel::Medium));
        assert_eq!(scan.max_days_since_last_finding_scan(), Some(8));
        assert_eq!(scan.max_days_since_informational_fix_available(), Some(15));
        assert_eq!(scan.max_days_since_low_fix_available(), Some(14));
        assert_eq!(scan.max_days_since_medium_fix_available(), Some(13));
        assert_eq!(scan.max_days_since_high_fix_available(), Some(12));
        assert_eq!(scan.max_days_since_critical_fix_available(), Some(11));
        let images = client.describe_images().send().await.unwrap();
        assert!(images.images()[0].image_allowed().is_some());
        let wrong = ImageCriterionRequest::builder().image_providers("me").build();
        let wrong =
            client.replace_image_criteria_in_allowed_images_settings().image_criteria(wrong).send().await;
        assert_eq!(refused(wrong), "InvalidParameterValue");
        let disabled = client.disable_allowed_images_settings().send().await.unwrap();
        assert_eq!(
            disabled.allowed_images_settings_state(),
            Some(&AllowedImagesSettingsDisabledState::Disabled)
        );

        let block = ImageBlockPublicAccessEnabledState::BlockNewSharing;
        let enabled = client
            .enable_image_block_public_access()
            .image_block_public_access_state(block.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(enabled.image_block_public_access_state(), Some(&block));
        bench.time.pass(600);
        let told = client.get_image_block_public_access_state().send().await.unwrap();
        assert_eq!(
            (told.image_block_public_access_state(), told.managed_by()),
            (Some("block-new-sharing"), Some(&ManagedBy::Account))
        );
        let disabled = client.disable_image_block_public_access().send().await.unwrap();
        assert_eq!(
            disabled.image_block_public_access_state(),
            Some(&ImageBlockPublicAccessDisabledState::Unblocked)
        );

        let all = SnapshotBlockPublicAccessState::BlockAllSharing;
        let enabled = client.enable_snapshot_block_public_access().state(all.clone()).send().await.unwrap();
        assert_eq!(enabled.state(), Some(&all));
        let told = client.get_snapshot_block_public_access_state().send().await.unwrap();
        assert_eq!((told.state(), told.managed_by()), (Some(&all), Some(&ManagedBy::Account)));
        let disabled = client.disable_snapshot_block_public_access().send().await.unwrap();
        assert_eq!(disabled.state(), Some(&SnapshotBlockPublicAccessState::Unblocked));

        assert_eq!(
            client.enable_ebs_encryption_by_default().send().await.unwrap().ebs_encryption_by_default(),
            Some(true)
        );
        let told = client.get_ebs_encryption_by_default().send().await.unwrap();
        assert_eq!((told.ebs_encryption_by_default(), told.sse_type()), (Some(true), Some(&SseType::SseKms)));
        let key = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/1");
        let modified = client.modify_ebs_default_kms_key_id().kms_key_id(&key).send().await.unwrap();
        assert_eq!(modified.kms_key_id(), Some(&*key));
        assert_eq!(client.get_ebs_default_kms_key_id().send().await.unwrap().kms_key_id(), Some(&*key));
        assert_eq!(
            client.reset_ebs_default_kms_key_id().send().await.unwrap().kms_key_id(),
            Some("alias/aws/ebs")
        );
        let disabled = client.disable_ebs_encryption_by_default().send().await.unwrap();
        assert_eq!(disabled.ebs_encryption_by_default(), Some(false));
    });
}
