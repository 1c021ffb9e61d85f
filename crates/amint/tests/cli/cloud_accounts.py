"""AWS's own library shares an image with another account, and works there by a role."""
import json
import os

import boto3
import botocore

url = os.environ["AWS_ENDPOINT_URL"]
LOCAL, OTHER = "123456789012", "111122223333"


def client(service, region="us-east-1", **more):
    return boto3.client(service, region_name=region, endpoint_url=url, **more)


def of(credentials):
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def fails(code, call, **more):
    try:
        call(**more)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(code)


other = {"aws_access_key_id": os.environ["OTHER_ID"], "aws_secret_access_key": os.environ["OTHER_SECRET"]}
assert client("sts", **other).get_caller_identity()["Account"] == OTHER
assert client("sts").get_access_key_info(AccessKeyId=other["aws_access_key_id"])["Account"] == OTHER

snapshot = client("ebs").start_snapshot(VolumeSize=1)["SnapshotId"]
client("ebs").complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=0)
client("ec2").get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
image = client("ec2").register_image(
    Name="shared-1", Architecture="x86_64", VirtualizationType="hvm", RootDeviceName="/dev/xvda",
    BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}],
)["ImageId"]
there = client("ec2", **other)
fails("InvalidAMIID.NotFound", there.describe_images, ImageIds=[image])
client("ec2").modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": OTHER}]})
assert there.describe_images(ImageIds=[image])["Images"][0]["OwnerId"] == LOCAL

iam = client("iam")
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}, "Action": "sts:AssumeRole",
     "Condition": {"StringEquals": {"sts:ExternalId": "x-1"}}}]}
role = iam.create_role(RoleName="publisher", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
assert iam.get_role(RoleName="publisher")["Role"]["AssumeRolePolicyDocument"] == trust
sts = client("sts", **other)
fails("AccessDenied", sts.assume_role, RoleArn=role["Arn"], RoleSessionName="build")
session = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="build", ExternalId="x-1")["Credentials"]
assert client("sts", **of(session)).get_caller_identity()["Arn"] == f"arn:aws:sts::{LOCAL}:assumed-role/publisher/build"
assert client("ec2", **of(session)).describe_images(Owners=["self"])["Images"], "the role works in its account"
fails("SignatureDoesNotMatch", client("ec2", **{**of(session), "aws_secret_access_key": "x"}).describe_images)
fails("AuthFailure", client("ec2", **{**of(session), "aws_session_token": "x"}).describe_images)

iam.create_user(UserName="ci")
key = iam.create_access_key(UserName="ci")["AccessKey"]
user = client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
assert user.get_caller_identity()["Arn"] == f"arn:aws:iam::{LOCAL}:user/ci"
