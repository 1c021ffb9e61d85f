"""AWS's own library governs an image: rules, protection, archive, locks, the recycle bin and the end.

A day lasts a second here, so that every wait is short.
"""
import os
import time

import boto3
import botocore

url = os.environ["AWS_ENDPOINT_URL"]


def client(service, region="us-east-1"):
    return boto3.client(service, region_name=region, endpoint_url=url)


ebs, ec2, rbin = client("ebs"), client("ec2"), client("rbin")


def fails(code, call, **parameters):
    try:
        call(**parameters)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(f"{code} did not come")


def until(what, is_so):
    """Asks again until it is so: what takes AWS a day takes a second."""
    for _ in range(300):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come about")


def upload():
    snapshot = ebs.start_snapshot(VolumeSize=1, Timeout=4320)["SnapshotId"]
    ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=0)
    until("the snapshot", lambda: shown(snapshot)["State"] == "completed")
    return snapshot


def shown(snapshot):
    return ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]


def tier(snapshot):
    filters = [{"Name": "snapshot-id", "Values": [snapshot]}]
    return ec2.describe_snapshot_tier_status(Filters=filters)["SnapshotTierStatuses"][0]


def describe(image, of=ec2):
    return of.describe_images(ImageIds=[image], IncludeDisabled=True)["Images"][0]


snapshot = upload()
image = ec2.register_image(
    Name="governed-1", Architecture="x86_64", VirtualizationType="hvm", RootDeviceName="/dev/xvda",
    BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, "VolumeType": "gp3"}}],
)["ImageId"]

# Marks and the line of images.
key = ec2.attach_image_watermark(ImageId=image, WatermarkName="approved")["WatermarkKey"]
europe = client("ec2", "eu-west-1")
copy = europe.copy_image(Name="governed-1", SourceImageId=image, SourceRegion="us-east-1")["ImageId"]
europe.get_waiter("image_available").wait(ImageIds=[copy], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
assert describe(copy, europe)["ImageWatermarks"][0]["WatermarkKey"] == key
line = [entry["ImageId"] for entry in europe.get_image_ancestry(ImageId=copy)["ImageAncestryEntries"]]
assert line == [copy, image], line
ec2.detach_image_watermark(ImageId=image, WatermarkKey=key)

# Nothing becomes public.
ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
until("the block", lambda: ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"] != "unblocked")
fails(
    "OperationNotPermitted", ec2.modify_image_attribute,
    ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]},
)
ec2.enable_snapshot_block_public_access(State="block-all-sharing")
fails(
    "OperationNotPermitted", ec2.modify_snapshot_attribute,
    SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"],
)

# Which images of others are allowed.
ec2.replace_image_criteria_in_allowed_images_settings(ImageCriteria=[
    {"ImageProviders": ["amazon"], "CreationDateCondition": {"MaximumDaysSinceCreated": 300}},
    {"ImageNames": ["golden-*"], "ImageWatermarks": [{"WatermarkKey": key}]},
])
ec2.enable_allowed_images_settings(AllowedImagesSettingsState="audit-mode")
settings = ec2.get_allowed_images_settings()
assert settings["State"] == "audit-mode" and settings["ImageCriteria"][1]["ImageNames"] == ["golden-*"], settings
assert describe(image)["ImageAllowed"] is True

# Who uses it.
assert ec2.describe_image_references(ImageIds=[image], IncludeAllResourceTypes=True)["ImageReferences"] == []
report = ec2.create_image_usage_report(ImageId=image, ResourceTypes=[{"ResourceType": "ec2:Instance"}])["ReportId"]
reports = lambda: ec2.describe_image_usage_reports(ReportIds=[report])["ImageUsageReports"]
until("the report", lambda: reports()[0]["State"] == "available")
assert ec2.describe_image_usage_report_entries(ReportIds=[report])["ImageUsageReportEntries"] == []
ec2.delete_image_usage_report(ReportId=report)

# Deprecated, disabled, and its snapshot in the archive and back.
ec2.disable_image(ImageId=image)
assert describe(image)["State"] == "disabled"
ec2.modify_snapshot_tier(SnapshotId=snapshot, StorageTier="archive")
until("the archive", lambda: tier(snapshot)["LastTieringOperationStatus"] == "archival-completed")
assert shown(snapshot)["StorageTier"] == "archive"
fails("IncorrectState", ec2.copy_snapshot, SourceSnapshotId=snapshot, SourceRegion="us-east-1")
assert ec2.restore_snapshot_tier(SnapshotId=snapshot, PermanentRestore=True)["IsPermanentRestore"] is True
until("the restore", lambda: tier(snapshot)["LastTieringOperationStatus"] == "permanent-restore-completed")
spare = ec2.copy_snapshot(
    SourceSnapshotId=snapshot, SourceRegion="us-east-1", Encrypted=True, KmsKeyId="alias/mine",
)["SnapshotId"]
until("the copy", lambda: shown(spare)["State"] == "completed")
assert shown(spare)["KmsKeyId"] == "alias/mine"
ec2.enable_image(ImageId=image)

# Protection with a cooldown of a day.
assert ec2.enable_image_deregistration_protection(ImageId=image, WithCooldown=True)["Return"] == "enabled-with-cooldown"
fails("OperationNotPermitted", ec2.deregister_image, ImageId=image)
ec2.disable_image_deregistration_protection(ImageId=image)

# The recycle bin.
for kind, more in [("EC2_IMAGE", {}), ("EBS_SNAPSHOT", {"ExcludeResourceTags": [{"ResourceTagKey": "temporary"}]})]:
    period = {"RetentionPeriodValue": 365, "RetentionPeriodUnit": "DAYS"}
    rule = rbin.create_rule(ResourceType=kind, RetentionPeriod=period, Description="keep", **more)
    until("the rule", lambda: rbin.get_rule(Identifier=rule["Identifier"])["Status"] == "available")
    assert [one["Identifier"] for one in rbin.list_rules(ResourceType=kind)["Rules"]] == [rule["Identifier"]]


def deregister():
    try:
        return ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "OperationNotPermitted", error
        return None


ended = []
until("the end of the cooldown", lambda: ended.append(deregister()) or ended[-1])
assert ended[-1]["DeleteSnapshotResults"] == [{"SnapshotId": snapshot, "ReturnCode": "success"}], ended[-1]
fails("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[image])
assert [one["ImageId"] for one in ec2.list_images_in_recycle_bin()["Images"]] == [image]
fails("InvalidSnapshot.NotFound", ec2.restore_image_from_recycle_bin, ImageId=image)
assert ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot)["State"] == "completed"
ec2.restore_image_from_recycle_bin(ImageId=image)
assert describe(image)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"] == snapshot

# Locks.
ec2.lock_snapshot(SnapshotId=spare, LockMode="compliance", LockDuration=4)
fails("OperationNotPermitted", ec2.unlock_snapshot, SnapshotId=spare)
fails("OperationNotPermitted", ec2.delete_snapshot, SnapshotId=spare)
assert ec2.describe_locked_snapshots(SnapshotIds=[spare])["Snapshots"][0]["LockState"] == "compliance"
until("the end of the lock", lambda: ec2.describe_locked_snapshots()["Snapshots"][0]["LockState"] == "expired")
ec2.create_tags(Resources=[spare], Tags=[{"Key": "temporary", "Value": ""}])
ec2.delete_snapshot(SnapshotId=spare)
assert ec2.list_snapshots_in_recycle_bin()["Snapshots"] == []
