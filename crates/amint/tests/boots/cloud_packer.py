"""The image that Packer made boots, with what its provisioner wrote."""
import os
import subprocess
import sys
import time

import boto3

user, folder = sys.argv[1:3]
ec2 = boto3.client("ec2", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
image = ec2.describe_images(Filters=[{"Name": "tag:made-by", "Values": ["packer"]}])["Images"][0]
assert image["Description"].startswith("Made by Packer"), image
groups = [one["GroupName"] for one in ec2.describe_security_groups()["SecurityGroups"]]
assert sorted(groups) == ["default", "test"], f"Packer left {groups}"
id = ec2.run_instances(
    ImageId=image["ImageId"], InstanceType="t2.micro", MinCount=1, MaxCount=1, KeyName="ed25519",
    SecurityGroups=["test"],
)["Instances"][0]["InstanceId"]
ec2.get_waiter("instance_running").wait(InstanceIds=[id], WaiterConfig={"Delay": 1})
address = ec2.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]["PublicIpAddress"]
end = time.time() + 900
while True:
    done = subprocess.run(
        ["ssh", "-F", "none", "-i", os.path.join(folder, "ed25519"), "-o", "IdentitiesOnly=yes",
         "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
         "-o", "ConnectTimeout=60", f"{user}@{address}", "cat /etc/packer-was-here"],
        capture_output=True, text=True,
    )
    if done.returncode != 255:
        break
    assert time.time() < end, done.stderr
    time.sleep(1)
assert done.stdout == "made by packer\n", done
ec2.terminate_instances(InstanceIds=[id])
ec2.get_waiter("instance_terminated").wait(InstanceIds=[id], WaiterConfig={"Delay": 1, "MaxAttempts": 300})
