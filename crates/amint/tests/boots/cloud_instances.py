"""AWS's own library runs an instance: logs in, plugs a volume in, makes images of it, stops it and ends it.

Prints the id of an image that is made of the instance, and leaves that image.
"""
import json
import os
import socket
import subprocess
import sys
import time

import boto3

source, user, folder = sys.argv[1:4]
ec2 = boto3.client("ec2", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
ebs = boto3.client("ebs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
quick = {"Delay": 1, "MaxAttempts": 900}


def tell(words):
    print(f"{time.time() - started:7.1f} {words}", file=sys.stderr, flush=True)


def instance(id):
    return ec2.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]


def run(address, command, key):
    """Runs a command in the guest, as soon as somebody is let in."""
    end = time.time() + 900
    while True:
        done = subprocess.run(
            ["ssh", "-F", "none", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
             "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=60",
             f"{user}@{address}", command],
            capture_output=True, text=True,
        )
        if done.returncode != 255:
            assert done.returncode == 0, done
            return done.stdout
        assert time.time() < end, done.stderr
        time.sleep(1)


def knock(address, port):
    with socket.socket() as one:
        one.settimeout(10)
        return one.connect_ex((address, port))


started = time.time()
pairs = {}
for kind in ("ed25519", "rsa"):
    pairs[kind] = os.path.join(folder, kind)
    with open(os.open(pairs[kind], os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(ec2.create_key_pair(KeyName=kind, KeyType=kind)["KeyMaterial"])
group = ec2.create_security_group(GroupName="test", Description="test")["GroupId"]
rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "127.0.0.0/8"}]}
ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])

iam = boto3.client("iam", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
iam.create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps(trust))
profile = iam.create_instance_profile(InstanceProfileName="web")["InstanceProfile"]["Arn"]
iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")

started = time.time()
id = ec2.run_instances(
    ImageId=source, InstanceType="t3.micro", MinCount=1, MaxCount=1, KeyName="rsa", SecurityGroupIds=[group],
    IamInstanceProfile={"Name": "web"},
    UserData="#!/bin/sh\necho told >/etc/user-data-was-here\n",
)["Instances"][0]["InstanceId"]
ec2.get_waiter("instance_running").wait(InstanceIds=[id], WaiterConfig=quick)
address = instance(id)["PublicIpAddress"]
console = lambda: ec2.get_console_output(InstanceId=id, Latest=True).get("Output", "")
while "Linux version" not in console():
    time.sleep(0.1)
tell("the kernel speaks")
screen = ec2.get_console_screenshot(InstanceId=id)["ImageData"]
assert screen.startswith("/9j/") and len(screen) > 4096, "no JPEG, or nothing in it"

assert run(address, "cloud-init status --wait >/dev/null; cat /etc/user-data-was-here", pairs["rsa"]) == "told\n"
tell("logged in, and cloud-init is done")
assert run(address, "cat /var/lib/cloud/data/instance-id", pairs["rsa"]).strip() == id
assert run(address, "cat /sys/class/dmi/id/sys_vendor", pairs["rsa"]) == "Amazon EC2\n"
ask = """import urllib.request as u
def get(method, path, **headers):
    return u.urlopen(u.Request("http://169.254.169.254/latest/" + path, method=method, headers=headers)).read().decode()
token = get("PUT", "api/token", **{"X-aws-ec2-metadata-token-ttl-seconds": "60"})
print(get("GET", "PATH", **{"X-aws-ec2-metadata-token": token}), end="")"""
told = lambda path: run(address, f"python3 -c '{ask.replace('PATH', path)}'", pairs["rsa"])
for name in ("document", "rsa2048"):
    text = told(f"dynamic/instance-identity/{name}")
    with open(os.path.join(folder, f"identity.{name}"), "w") as file:
        file.write(text)
assert json.loads(told("meta-data/iam/info"))["InstanceProfileArn"] == profile
assert told("meta-data/iam/security-credentials/") == "web"
given = json.loads(told("meta-data/iam/security-credentials/web"))
as_role = boto3.client(
    "sts", endpoint_url=os.environ["AWS_ENDPOINT_URL"], aws_access_key_id=given["AccessKeyId"],
    aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["Token"],
)
assert as_role.get_caller_identity()["Arn"] == f"arn:aws:sts::123456789012:assumed-role/web/{id}"
assert instance(id)["PrivateIpAddress"] in run(address, "hostname -I", pairs["rsa"])
assert knock(address, 80) != 0, "no rule opens the port"
elsewhere = dict(rule, FromPort=80, ToPort=80, IpRanges=[{"CidrIp": "203.0.113.0/24"}])
ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[elsewhere])
with socket.socket() as one:
    one.settimeout(10)
    if one.connect_ex((address, 80)) == 0:
        assert one.recv(1) == b"", "a stranger is let in"

volume = ec2.create_volume(AvailabilityZone=instance(id)["Placement"]["AvailabilityZone"], Size=1)["VolumeId"]
ec2.attach_volume(VolumeId=volume, InstanceId=id, Device="/dev/sdf")
disk = f"/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{volume.replace('-', '')}"
wait = f"for i in $(seq 100); do test -e {disk} && break; sleep 0.5; done"
run(address, f"{wait}; sudo mkfs.ext4 -q {disk} && sudo mount {disk} /mnt && echo plugged | sudo tee /mnt/file && sudo umount /mnt", pairs["rsa"])
ec2.detach_volume(VolumeId=volume)
ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig=quick)
tell("a volume came and went")

run(address, "echo kept | sudo tee /etc/kept && sync", pairs["rsa"])
live = ec2.create_image(InstanceId=id, Name="live", NoReboot=True)["ImageId"]
ec2.get_waiter("image_available").wait(ImageIds=[live], WaiterConfig=quick)
snapshot = lambda image: ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
changed = ebs.list_changed_blocks(FirstSnapshotId=snapshot(source), SecondSnapshotId=snapshot(live))["ChangedBlocks"]
held = ebs.list_snapshot_blocks(SnapshotId=snapshot(live))["Blocks"]
tell(f"an image of the running instance: {len(changed)} of {len(held)} blocks are new")
assert 0 < len(changed) < len(held) / 2

ec2.stop_instances(InstanceIds=[id])
ec2.get_waiter("instance_stopped").wait(InstanceIds=[id], WaiterConfig=quick)
assert knock(address, 22) != 0, "the instance is off"
root = instance(id)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
ec2.modify_volume(VolumeId=root, Size=3)
ec2.attach_volume(VolumeId=volume, InstanceId=id, Device="/dev/sdf")
ec2.start_instances(InstanceIds=[id])
ec2.get_waiter("instance_running").wait(InstanceIds=[id], WaiterConfig=quick)
address = instance(id)["PublicIpAddress"]
seen = run(address, f"cat /etc/kept; sudo mount {disk} /mnt; cat /mnt/file; sudo umount /mnt; lsblk -bdno SIZE /dev/nvme0n1", pairs["rsa"])
assert seen == f"kept\nplugged\n{3 << 30}\n", seen
tell("stopped, grown, and started again")

image = ec2.create_image(InstanceId=id, Name="rebooted")["ImageId"]
ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig=quick)
tell("an image of the instance, which was shut down for it")
ec2.terminate_instances(InstanceIds=[id])
ec2.get_waiter("instance_terminated").wait(InstanceIds=[id], WaiterConfig=quick)
left = [one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]]
assert left == [volume], left
ec2.delete_volume(VolumeId=volume)

other = ec2.run_instances(
    ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, KeyName="ed25519", SecurityGroupIds=[group],
)["Instances"][0]["InstanceId"]
ec2.get_waiter("instance_running").wait(InstanceIds=[other], WaiterConfig=quick)
assert run(instance(other)["PublicIpAddress"], "cat /etc/kept", pairs["ed25519"]) == "kept\n"
tell("the image boots")
ec2.terminate_instances(InstanceIds=[other])
ec2.get_waiter("instance_terminated").wait(InstanceIds=[other], WaiterConfig=quick)
