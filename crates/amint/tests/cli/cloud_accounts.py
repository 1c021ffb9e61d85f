"""AWS's own library acts for a second account, and in a role of a third, with keys that it signs with."""
import os

import boto3
import botocore

url = os.environ["AWS_ENDPOINT_URL"]
client = lambda service, **more: boto3.client(service, region_name="us-east-1", endpoint_url=url, **more)


def fails(code, call):
    try:
        call()
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(code)


assert client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::111122223333:root"
taken = client("sts").assume_role(RoleArn="arn:aws:iam::444455556666:role/ci/publisher", RoleSessionName="build")["Credentials"]
keys = dict(aws_access_key_id=taken["AccessKeyId"], aws_secret_access_key=taken["SecretAccessKey"])
session = client("sts", aws_session_token=taken["SessionToken"], **keys)
assert session.get_caller_identity()["Arn"] == "arn:aws:sts::444455556666:assumed-role/publisher/build"
assert client("ec2", aws_session_token=taken["SessionToken"], **keys).describe_images(Owners=["self"])["Images"] == []
fails("InvalidClientTokenId", client("sts", aws_session_token="x", **keys).get_caller_identity)
wrong = dict(keys, aws_secret_access_key="wrong")
fails("SignatureDoesNotMatch", client("sts", aws_session_token=taken["SessionToken"], **wrong).get_caller_identity)
