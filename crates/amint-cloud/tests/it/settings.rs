//! What an account sets in a region, and what comes of it.

use serde_json::json;

use crate::support::Bench;

#[test]
fn no_image_is_made_public_once_that_is_blocked() {
    let (bench, time) = Bench::timed();
    let id = bench.image_id();
    let state = || bench.did("GetImageBlockPublicAccessState").one("imageBlockPublicAccessState");
    let publish = format!("ModifyImageAttribute&ImageId={id}&LaunchPermission.Add.1.Group=all");
    let hide = format!("ModifyImageAttribute&ImageId={id}&LaunchPermission.Remove.1.Group=all");
    assert_eq!(
        bench.refused("EnableImageBlockPublicAccess&ImageBlockPublicAccessState=all"),
        "InvalidParameterValue"
    );
    let enable = || bench.did("EnableImageBlockPublicAccess&ImageBlockPublicAccessState=block-new-sharing");
    assert_eq!(enable().one("imageBlockPublicAccessState"), "block-new-sharing");
    assert_eq!(state(), "unblocked", "it takes a while");
    bench.did(&publish);
    time.pass(60);
    enable();
    assert_eq!(state(), "block-new-sharing", "asked again, it does not begin anew");
    assert!(bench.did("DescribeImages&ExecutableBy.1=all").text().contains(&id), "what is public stays so");
    bench.did(&hide);
    assert_eq!(bench.refused(&publish), "OperationNotPermitted");
    bench.did(&format!("ModifyImageAttribute&ImageId={id}&LaunchPermission.Add.1.UserId=111122223333"));
    let elsewhere = bench.send("POST", "/", "eu-west-1/ec2", "Action=GetImageBlockPublicAccessState");
    assert_eq!(elsewhere.one("imageBlockPublicAccessState"), "unblocked");
    assert_eq!(bench.did("DisableImageBlockPublicAccess").one("imageBlockPublicAccessState"), "unblocked");
    bench.did(&publish);
}

#[test]
fn public_snapshots_count_as_private_while_all_sharing_is_blocked() {
    let bench = Bench::new(true);
    let id = bench.snapshot_id();
    let publish = format!("ModifySnapshotAttribute&SnapshotId={id}&UserGroup.1=all");
    let is_public = || bench.did("DescribeSnapshots&RestorableBy.1=all").text().contains(&id);
    let attribute = || {
        bench
            .did(&format!("DescribeSnapshotAttribute&SnapshotId={id}&Attribute=createVolumePermission"))
            .text()
    };
    let enable = |state: &str| format!("EnableSnapshotBlockPublicAccess&State={state}");
    bench.did(&publish);
    assert!(is_public());
    assert_eq!(bench.refused(&enable("unblocked")), "InvalidParameterValue");
    assert_eq!(bench.did(&enable("block-new-sharing")).one("state"), "block-new-sharing");
    assert!(is_public());
    assert_eq!(bench.refused(&publish), "OperationNotPermitted");
    assert_eq!(bench.did(&enable("block-all-sharing")).one("state"), "block-all-sharing");
    assert!(!is_public() && attribute().contains("<group>all</group>"));
    assert_eq!(bench.did("DisableSnapshotBlockPublicAccess").one("state"), "unblocked");
    assert!(is_public());
    bench.did(&format!("ResetSnapshotAttribute&SnapshotId={id}&Attribute=createVolumePermission"));
    assert!(!is_public() && !attribute().contains("group"));
    assert_eq!(bench.did("GetSnapshotBlockPublicAccessState").one("state"), "unblocked");
}

#[test]
fn criteria_for_images_are_told_as_they_were_set() {
    let bench = Bench::new(true);
    let id = bench.image_id();
    let replace = |criteria: &str| format!("ReplaceImageCriteriaInAllowedImagesSettings&{criteria}");
    let criteria = "ImageCriterion.1.ImageProvider.1=amazon&ImageCriterion.1.ImageProvider.2=111122223333&\
                    ImageCriterion.1.ImageName.1=al2023-*&ImageCriterion.1.CreationDateCondition.MaximumDaysSinceCreated=300&\
                    ImageCriterion.2.DeprecationTimeCondition.MaximumDaysSinceDeprecated=0&\
                    ImageCriterion.2.ImageWatermark.1.WatermarkKey=111122223333:good&\
                    ImageCriterion.2.ScanResultCondition.MaximumSeverityLabel=medium&\
                    ImageCriterion.2.ScanResultCondition.MaxDaysSinceHighFixAvailable=7";
    assert_eq!(bench.did("GetAllowedImagesSettings").one("state"), "disabled");
    assert!(bench.did("DescribeImages").all("imageAllowed").is_empty());
    assert_eq!(bench.did(&replace(criteria)).one("return"), "true");
    let shown = bench.did("GetAllowedImagesSettings");
    for (element, text) in [
        ("maximumDaysSinceCreated", "300"),
        ("maximumDaysSinceDeprecated", "0"),
        ("watermarkKey", "111122223333:good"),
        ("maximumSeverityLabel", "medium"),
        ("maxDaysSinceHighFixAvailable", "7"),
        ("managedBy", "account"),
    ] {
        assert_eq!(shown.one(element), text);
    }
    assert!(shown.text().contains("<imageProviderSet><item>amazon</item><item>111122223333</item>"));
    for (wrong, code) in [
        ("ImageCriterion.1.ImageProvider.1=me", "InvalidParameterValue"),
        (
            "ImageCriterion.1.ImageProvider.1=none&ImageCriterion.1.ImageProvider.2=amazon",
            "InvalidParameterCombination",
        ),
        ("ImageCriterion.1.ImageName.1=%24", "InvalidParameterValue"),
        (
            "ImageCriterion.1.CreationDateCondition.MaximumDaysSinceCreated=9999999999",
            "InvalidParameterValue",
        ),
        ("ImageCriterion.1.Colour=red", "InvalidParameterCombination"),
    ] {
        assert_eq!(bench.refused(&replace(wrong)), code, "{wrong}");
    }
    let eleven: Vec<String> =
        (1..=11).map(|index| format!("ImageCriterion.{index}.ImageProvider.1=amazon")).collect();
    assert_eq!(bench.refused(&replace(&eleven.join("&"))), "InvalidParameterValue");
    for state in ["audit-mode", "enabled"] {
        let answer = bench.did(&format!("EnableAllowedImagesSettings&AllowedImagesSettingsState={state}"));
        assert_eq!(answer.one("allowedImagesSettingsState"), state);
        let own = bench.did("DescribeImages&Filter.1.Name=image-allowed&Filter.1.Value.1=true");
        assert_eq!((own.one("imageId"), own.one("imageAllowed")), (id.clone(), "true".to_owned()));
    }
    assert_eq!(bench.did("DisableAllowedImagesSettings").one("allowedImagesSettingsState"), "disabled");
    assert_eq!(
        bench.did("GetAllowedImagesSettings").all("maximumDaysSinceCreated"),
        ["300"],
        "they are kept"
    );
    assert_eq!(bench.did(&replace("")).one("return"), "true");
    assert!(bench.did("GetAllowedImagesSettings").text().contains("<imageCriterionSet></imageCriterionSet>"));
}

#[test]
fn new_snapshots_count_as_encrypted_when_that_is_the_default() {
    let (bench, time) = Bench::timed();
    assert_eq!(bench.did("GetEbsEncryptionByDefault").one("ebsEncryptionByDefault"), "false");
    assert_eq!(bench.did("GetEbsDefaultKmsKeyId").one("kmsKeyId"), "alias/aws/ebs");
    assert_eq!(bench.did("EnableEbsEncryptionByDefault").one("ebsEncryptionByDefault"), "true");
    let start = || {
        let answer =
            bench.send("POST", "/snapshots", "us-east-1/ebs", &json!({ "VolumeSize": 1 }).to_string());
        answer.json()["KmsKeyArn"].as_str().map(str::to_owned)
    };
    assert_eq!(start().as_deref(), Some("arn:aws:kms:us-east-1:123456789012:alias/aws/ebs"));
    let copy = bench.free_snapshot(&time);
    let shown = bench.did(&format!("DescribeSnapshots&SnapshotId.1={copy}"));
    assert_eq!(shown.one("encrypted"), "true");
    let share = format!("ModifySnapshotAttribute&SnapshotId={copy}&UserId.1=111122223333");
    assert_eq!(bench.refused(&share), "OperationNotPermitted", "nobody else has the default key");
    let key = "arn:aws:kms:us-east-1:123456789012:key/1";
    assert_eq!(bench.did(&format!("ModifyEbsDefaultKmsKeyId&KmsKeyId={key}")).one("kmsKeyId"), key);
    assert_eq!(start().as_deref(), Some(key));
    assert_eq!(bench.did("ResetEbsDefaultKmsKeyId").one("kmsKeyId"), "alias/aws/ebs");
    assert_eq!(bench.did("DisableEbsEncryptionByDefault").one("ebsEncryptionByDefault"), "false");
    assert_eq!(start(), None);
}
