"""AWS's own library names images by parameters, templates and groups, keeps keys, sells an image, and reads the trail."""
import json
import os
import time

import boto3
import botocore

url = os.environ["AWS_ENDPOINT_URL"]
ACCOUNT = "123456789012"


def client(service):
    return boto3.client(service, region_name="us-east-1", endpoint_url=url)


def fails(code, call, **more):
    try:
        call(**more)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(code)


def until(what, ask):
    end = time.time() + 60
    while not ask():
        assert time.time() < end, what
        time.sleep(0.05)


ec2, ebs, ssm, kms, scaling = (client(name) for name in ("ec2", "ebs", "ssm", "kms", "autoscaling"))


def image(name):
    snapshot = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=0)
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    return ec2.register_image(
        Name=name, Architecture="x86_64", VirtualizationType="hvm", RootDeviceName="/dev/xvda", EnaSupport=True,
        ImdsSupport="v2.0",
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, "VolumeType": "gp3"}}],
    )["ImageId"]


old, new = image("web-1"), image("web-2")

# Systems Manager: parameters whose values have to be images.
name = "/golden/web/latest"
assert ssm.put_parameter(Name=name, Value=old, Type="String", DataType="aws:ec2:image")["Version"] == 1
until("the first value is there", lambda: ssm.get_parameters(Names=[name])["Parameters"])
fails("ParameterAlreadyExists", ssm.put_parameter, Name=name, Value=new, Type="String")
ssm.put_parameter(Name=name, Value=new, Type="String", DataType="aws:ec2:image", Overwrite=True)
until("the second value is there", lambda: ssm.get_parameter(Name=name)["Parameter"]["Value"] == new)
ssm.label_parameter_version(Name=name, ParameterVersion=1, Labels=["former"])
assert ssm.get_parameter(Name=f"{name}:former")["Parameter"]["Value"] == old
history = ssm.get_paginator("get_parameter_history").paginate(Name=name, PaginationConfig={"PageSize": 1})
assert [one["Value"] for page in history for one in page["Parameters"]] == [old, new]
for index in range(12):
    ssm.put_parameter(Name=f"/many/{index}", Value="x", Type="String")
pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/many"))
assert len(pages) == 2 and sum(len(page["Parameters"]) for page in pages) == 12
fails("ParameterNotFound", ssm.get_parameter, Name="/golden/none")

# Keys are names with policies.
key = kms.create_key(Description="images")["KeyMetadata"]
kms.create_alias(AliasName="alias/golden", TargetKeyId=key["KeyId"])
assert kms.describe_key(KeyId="alias/golden")["KeyMetadata"]["Arn"] == key["Arn"]
grant = kms.create_grant(
    KeyId=key["KeyId"], GranteePrincipal="arn:aws:iam::111122223333:root", Operations=["Decrypt", "CreateGrant"],
)
assert [one["GrantId"] for one in kms.list_grants(KeyId=key["Arn"])["Grants"]] == [grant["GrantId"]]
policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
assert policy["Statement"][0]["Principal"]["AWS"] == f"arn:aws:iam::{ACCOUNT}:root"
fails("NotFoundException", kms.describe_key, KeyId="alias/none")
kms.disable_key(KeyId=key["KeyId"])
assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"

# Templates and groups are references to images.
template = ec2.create_launch_template(
    LaunchTemplateName="web", LaunchTemplateData={"ImageId": f"resolve:ssm:{name}", "InstanceType": "t3.nano"},
)["LaunchTemplate"]["LaunchTemplateId"]
ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"ImageId": old})
ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")
versions = ec2.describe_launch_template_versions(
    LaunchTemplateId=template, Versions=["$Latest", "$Default", "1"], ResolveAlias=True,
)["LaunchTemplateVersions"]
assert sorted((one["VersionNumber"], one["LaunchTemplateData"]["ImageId"]) for one in versions) == [(1, new), (2, old)]
scaling.create_auto_scaling_group(
    AutoScalingGroupName="web", MinSize=0, MaxSize=1, AvailabilityZones=["us-east-1a"],
    LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Default"},
)
pages = scaling.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=["web"])
assert pages.build_full_result()["AutoScalingGroups"][0]["LaunchTemplate"]["LaunchTemplateId"] == template
found = ec2.describe_image_references(
    ImageIds=[old, new], IncludeAllResourceTypes=True,
)["ImageReferences"]
assert {one["ResourceType"] for one in found} >= {"ec2:LaunchTemplate", "ssm:Parameter"}, found

# AWS Marketplace: a product, its first version, and one that is refused.
iam, market = client("iam"), client("marketplace-catalog")
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "assets.marketplace.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
role = iam.create_role(RoleName="ingestion", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
iam.attach_role_policy(RoleName="ingestion", PolicyArn="arn:aws:iam::aws:policy/AWSMarketplaceAmiIngestion")


def change(kind, product, details):
    entity = {"Type": "AmiProduct@1.0"} | ({"Identifier": product} if product else {})
    return {"ChangeType": kind, "Entity": entity, "Details": json.dumps(details)}


def submit(*changes):
    id = market.start_change_set(Catalog="AWSMarketplace", ChangeSet=list(changes))["ChangeSetId"]
    ask = lambda: market.describe_change_set(Catalog="AWSMarketplace", ChangeSetId=id)
    until(id, lambda: ask()["Status"] not in ("PREPARING", "APPLYING"))
    return ask()


made = "$New.Entity.Identifier"
done = submit(
    change("CreateProduct", None, {}) | {"ChangeName": "New"},
    change("UpdateInformation", made, {"ProductTitle": "Web"}),
    change("AddRegions", made, {"Regions": ["us-east-1"]}),
    change("AddInstanceTypes", made, {"InstanceTypes": ["t3.micro"]}),
)
assert done["Status"] == "SUCCEEDED", done
product = done["ChangeSet"][0]["Entity"]["Identifier"]


def version(ami):
    return {
        "Version": {"VersionTitle": "1.0", "ReleaseNotes": "first"},
        "DeliveryOptions": [{"Details": {"AmiDeliveryOptionDetails": {
            "AmiSource": {"AmiId": ami, "AccessRoleArn": role, "UserName": "ec2-user",
                          "OperatingSystemName": "OTHERLINUX", "OperatingSystemVersion": "13"},
            "UsageInstructions": "ssh", "RecommendedInstanceType": "t3.micro",
            "SecurityGroups": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ["10.0.0.0/16"]}],
        }}}],
    }


refused = submit(change("AddDeliveryOptions", product, version("ami-0123456789abcdef0")))
assert refused["Status"] == "FAILED" and refused["ChangeSet"][0]["ErrorDetailList"], refused
done = submit(change("AddDeliveryOptions", product, version(new)))
assert done["Status"] == "SUCCEEDED", done
shown = json.loads(market.describe_entity(Catalog="AWSMarketplace", EntityId=product)["Details"])
assert [one["VersionTitle"] for one in shown["Versions"]] == ["1.0"], shown
listed = market.list_entities(Catalog="AWSMarketplace", EntityType="AmiProduct")["EntitySummaryList"]
assert [one["EntityId"] for one in listed] == [product]

# The trail knows who did what, without values of parameters.
trail = client("cloudtrail").get_paginator("lookup_events")
attribute = lambda key, value: [{"AttributeKey": key, "AttributeValue": value}]
events = trail.paginate(LookupAttributes=attribute("EventName", "RegisterImage")).build_full_result()["Events"]
record = json.loads(events[0]["CloudTrailEvent"])
assert len(events) == 2 and record["responseElements"] == {"imageId": new, "requestId": record["requestID"]}, record
assert record["userIdentity"]["accountId"] == ACCOUNT and record["eventSource"] == "ec2.amazonaws.com"
events = trail.paginate(LookupAttributes=attribute("EventName", "StartChangeSet")).build_full_result()["Events"]
assert len(events) == 3
