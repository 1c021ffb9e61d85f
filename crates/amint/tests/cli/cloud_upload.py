"""AWS's own library makes an image out of a disk that it sends, tags it, copies it and removes it."""
import base64
import hashlib
import os

import boto3

url = os.environ["AWS_ENDPOINT_URL"]


def client(service, region="us-east-1"):
    return boto3.client(service, region_name=region, endpoint_url=url)


ebs, ec2 = client("ebs"), client("ec2")
sha256 = lambda data: hashlib.sha256(data).digest()
text = lambda digest: base64.b64encode(digest).decode()
blocks = {index: os.urandom(524288) for index in (0, 5, 2047)}

snapshot = ebs.start_snapshot(VolumeSize=1, Tags=[{"Key": "team", "Value": "web"}])["SnapshotId"]
for index, data in blocks.items():
    ebs.put_snapshot_block(
        SnapshotId=snapshot, BlockIndex=index, BlockData=data, DataLength=len(data),
        Checksum=text(sha256(data)), ChecksumAlgorithm="SHA256",
    )
ebs.complete_snapshot(
    SnapshotId=snapshot, ChangedBlocksCount=3, ChecksumAlgorithm="SHA256", ChecksumAggregationMethod="LINEAR",
    Checksum=text(sha256(b"".join(sha256(blocks[index]) for index in sorted(blocks)))),
)
ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig={"Delay": 1, "MaxAttempts": 30})

image = ec2.register_image(
    Name="upload-1", Architecture="x86_64", VirtualizationType="hvm", RootDeviceName="/dev/xvda", EnaSupport=True,
    BootMode="uefi-preferred", ImdsSupport="v2.0",
    BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, "VolumeType": "gp3"}}],
)["ImageId"]
ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
ec2.create_tags(Resources=[image, snapshot], Tags=[{"Key": "channel", "Value": "stable"}])
found = ec2.describe_images(Owners=["self"], Filters=[{"Name": "tag:channel", "Values": ["stable"]}])["Images"]
assert [one["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"] for one in found] == [snapshot], found

copy = client("ec2", "eu-west-1").copy_image(Name="upload-1", SourceImageId=image, SourceRegion="us-east-1")["ImageId"]
client("ec2", "eu-west-1").get_waiter("image_available").wait(ImageIds=[copy], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
shown = client("ec2", "eu-west-1").describe_images(ImageIds=[copy])["Images"][0]
there = client("ebs", "eu-west-1")
copied = shown["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
ec2.deregister_image(ImageId=image)
ec2.delete_snapshot(SnapshotId=snapshot)
for listed in there.list_snapshot_blocks(SnapshotId=copied)["Blocks"]:
    read = there.get_snapshot_block(
        SnapshotId=copied, BlockIndex=listed["BlockIndex"], BlockToken=listed["BlockToken"]
    )["BlockData"].read()
    assert read == blocks.pop(listed["BlockIndex"]), "a block came back otherwise"
assert not blocks, "blocks are missing"
