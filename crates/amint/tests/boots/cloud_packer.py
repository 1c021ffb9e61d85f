"""The images that Packer made boot, with what its provisioners wrote and installed."""
import os
import subprocess
import sys
import time

import boto3

user, folder = sys.argv[1:3]
ec2 = boto3.client("ec2", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
expected = {
    "packer": ("cat /etc/packer-was-here; dpkg-query --show --showformat '${Version} ${db:Status-Status}\\n' amint-greeting",
               "made by packer\n1.2.3 installed\n"),
    "packer-surrogate": ("cat /etc/packer-was-here", "copied by packer\n"),
}
groups = [one["GroupName"] for one in ec2.describe_security_groups()["SecurityGroups"]]
assert sorted(groups) == ["default", "test"], f"Packer left {groups}"
assert not ec2.describe_launch_templates()["LaunchTemplates"], "Packer left a template"
made = {}
for name in expected:
    image = ec2.describe_images(Filters=[{"Name": "tag:made-by", "Values": [name]}])["Images"][0]
    assert name != "packer" or image["Description"].startswith("Made by Packer"), image
    snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "completed"
    made[name] = ec2.run_instances(
        ImageId=image["ImageId"], InstanceType="t2.micro", MinCount=1, MaxCount=1, KeyName="ed25519",
        SecurityGroups=["test"],
    )["Instances"][0]["InstanceId"]
for name, (command, words) in expected.items():
    id = made[name]
    ec2.get_waiter("instance_running").wait(InstanceIds=[id], WaiterConfig={"Delay": 1})
    address = ec2.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]["PublicIpAddress"]
    end = time.time() + 900
    while True:
        done = subprocess.run(
            ["ssh", "-F", "none", "-i", os.path.join(folder, "ed25519"), "-o", "IdentitiesOnly=yes",
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
             "-o", "ConnectTimeout=60", f"{user}@{address}", command],
            capture_output=True, text=True,
        )
        if done.returncode != 255:
            break
        assert time.time() < end, done.stderr
        time.sleep(1)
    assert done.stdout == words, done
ids = list(made.values())
ec2.terminate_instances(InstanceIds=ids)
ec2.get_waiter("instance_terminated").wait(InstanceIds=ids, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
