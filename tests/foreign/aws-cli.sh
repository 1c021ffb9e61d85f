#!/bin/sh
# The AWS CLI through an image's whole life, against the endpoint that the environment names: a disk is sent block by block, becomes an
# image, is found, tagged, shared, copied, deprecated, disabled, protected, removed and had back, and ends with its snapshots.
# Exit code 0 says that all of it came out as in EC2.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export AWS_PAGER="" AWS_MAX_ATTEMPTS=4
export AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-us-east-1}"

fail() {
  echo "aws-cli: $*" >&2
  exit 1
}

# Asks for one value: text EXPRESSION COMMAND…
text() {
  query=$1
  shift
  aws "$@" --query "$query" --output text
}

# Compares: same WHAT EXPECTED FOUND.
same() {
  [ "$2" = "$3" ] || fail "$1: expected \`$2\`, found \`$3\`"
}

# Refused with a code: refused CODE COMMAND…
refused() {
  code=$1
  shift
  if aws "$@" >"$work/out" 2>&1; then fail "$* was not refused"; fi
  grep -q "($code)" "$work/out" || fail "$*: expected $code, found: $(cat "$work/out")"
}

account=$(text Account sts get-caller-identity)
other=111122223333

# A disk of a GiB of which two blocks hold something.
snapshot=$(text SnapshotId ebs start-snapshot --volume-size 1 --description disk --timeout 60)
for index in 0 7; do
  head -c 524288 /dev/zero | tr '\0' "$index" >"$work/block"
  digest=$(openssl dgst -sha256 -binary "$work/block" | base64)
  aws ebs put-snapshot-block --snapshot-id "$snapshot" --block-index "$index" --block-data "$work/block" \
    --data-length 524288 --checksum "$digest" --checksum-algorithm SHA256 >/dev/null
done
refused ValidationException ebs put-snapshot-block --snapshot-id "$snapshot" --block-index 1 --block-data "$work/block" \
  --data-length 524288 --checksum "$(printf wrong | openssl dgst -sha256 -binary | base64)" --checksum-algorithm SHA256
aws ebs complete-snapshot --snapshot-id "$snapshot" --changed-blocks-count 2 >/dev/null
aws ec2 wait snapshot-completed --snapshot-ids "$snapshot"
same "blocks" "0	7" "$(text 'Blocks[].BlockIndex' ebs list-snapshot-blocks --snapshot-id "$snapshot")"
token=$(text 'Blocks[1].BlockToken' ebs list-snapshot-blocks --snapshot-id "$snapshot")
aws ebs get-snapshot-block --snapshot-id "$snapshot" --block-index 7 --block-token "$token" "$work/back" >/dev/null
cmp "$work/block" "$work/back"

# An image of it, with everything said.
mapping="DeviceName=/dev/xvda,Ebs={SnapshotId=$snapshot,VolumeType=gp3,DeleteOnTermination=true}"
register() {
  aws ec2 register-image --name "$1" --architecture x86_64 --virtualization-type hvm --ena-support --boot-mode uefi-preferred \
    --imds-support v2.0 --root-device-name /dev/xvda --block-device-mappings "$mapping" \
    --tag-specifications 'ResourceType=image,Tags=[{Key=team,Value=web}]' --query ImageId --output text
}
image=$(register life-1)
aws ec2 wait image-available --image-ids "$image"
refused InvalidAMIName.Duplicate ec2 register-image --name life-1 --architecture x86_64 --virtualization-type hvm \
  --root-device-name /dev/xvda --block-device-mappings "$mapping"
same "the snapshot of the image" "$snapshot" \
  "$(text 'Images[0].BlockDeviceMappings[0].Ebs.SnapshotId' ec2 describe-images --image-ids "$image")"
same "what is found by tag and name" "$image" "$(text 'Images[].ImageId' ec2 describe-images --owners self \
  --filters Name=tag:team,Values=web 'Name=name,Values=life-*' Name=state,Values=available)"
refused InvalidSnapshot.InUse ec2 delete-snapshot --snapshot-id "$snapshot"

# Tags, sharing, dates.
aws ec2 create-tags --resources "$image" "$snapshot" --tags Key=stage,Value=beta
aws ec2 delete-tags --resources "$snapshot" --tags Key=stage
same "tags" "beta" "$(text "Tags[?Key=='stage'].Value" ec2 describe-tags --filters "Name=resource-id,Values=$image,$snapshot" Name=key,Values=stage)"
aws ec2 modify-image-attribute --image-id "$image" --launch-permission "Add=[{UserId=$other}]"
same "who may launch it" "$other" \
  "$(text 'LaunchPermissions[].UserId' ec2 describe-image-attribute --image-id "$image" --attribute launchPermission)"
aws ec2 modify-snapshot-attribute --snapshot-id "$snapshot" --attribute createVolumePermission --operation-type add --user-ids "$other"
aws ec2 reset-image-attribute --image-id "$image" --attribute launchPermission
same "who may launch it then" "" \
  "$(text 'LaunchPermissions[].UserId' ec2 describe-image-attribute --image-id "$image" --attribute launchPermission)"
aws ec2 enable-image-deprecation --image-id "$image" --deprecate-at 2035-01-01T00:00:00Z >/dev/null
same "its end" "2035-01-01T00:00:00.000Z" "$(text 'Images[0].DeprecationTime' ec2 describe-images --image-ids "$image")"

# A copy in another region has blocks of its own.
copy=$(text ImageId ec2 copy-image --name life-1 --source-image-id "$image" --source-region "$AWS_DEFAULT_REGION" --region eu-west-1 --copy-image-tags)
aws ec2 wait image-available --image-ids "$copy" --region eu-west-1
same "tags of the copy" "beta" "$(text "Images[0].Tags[?Key=='stage'].Value" ec2 describe-images --image-ids "$copy" --region eu-west-1)"
there=$(text 'Images[0].BlockDeviceMappings[0].Ebs.SnapshotId' ec2 describe-images --image-ids "$copy" --region eu-west-1)
same "blocks of the copy" "0	7" "$(text 'Blocks[].BlockIndex' ebs list-snapshot-blocks --snapshot-id "$there" --region eu-west-1)"

# Disabled, enabled, protected.
aws ec2 disable-image --image-id "$image" >/dev/null
same "its state" "disabled" "$(text 'Images[0].State' ec2 describe-images --image-ids "$image" --include-disabled)"
aws ec2 enable-image --image-id "$image" >/dev/null
aws ec2 enable-image-deregistration-protection --image-id "$image" >/dev/null
refused OperationNotPermitted ec2 deregister-image --image-id "$image"
aws ec2 disable-image-deregistration-protection --image-id "$image" >/dev/null

# Pages: ten more images, three at a time.
for index in 1 2 3 4 5 6 7 8 9 10; do register "many-$index" >/dev/null; done
same "all pages" 10 "$(aws ec2 describe-images --owners self --filters 'Name=name,Values=many-*' --page-size 5 --query 'length(Images)' --output text | awk '{ sum += $1 } END { print sum }')"
for one in $(text 'Images[].ImageId' ec2 describe-images --owners self --filters 'Name=name,Values=many-*'); do
  aws ec2 deregister-image --image-id "$one" >/dev/null
done

# The end, and back from the recycle bin, and the end with its snapshot.
rule=$(text Identifier rbin create-rule --resource-type EC2_IMAGE --retention-period RetentionPeriodValue=1,RetentionPeriodUnit=DAYS)
tries=0
until [ "$(text Status rbin get-rule --identifier "$rule")" = available ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || fail "the rule does not come into force"
done
aws ec2 deregister-image --image-id "$image" >/dev/null
same "the bin" "$image" "$(text 'Images[].ImageId' ec2 list-images-in-recycle-bin --image-ids "$image")"
aws ec2 restore-image-from-recycle-bin --image-id "$image" >/dev/null
same "had back" "life-1" "$(text 'Images[0].Name' ec2 describe-images --image-ids "$image")"
aws rbin delete-rule --identifier "$rule"
aws ec2 deregister-image --image-id "$image" --delete-associated-snapshots >/dev/null
aws ec2 deregister-image --image-id "$copy" --delete-associated-snapshots --region eu-west-1 >/dev/null
refused InvalidAMIID.NotFound ec2 describe-images --image-ids "$image"
refused InvalidSnapshot.NotFound ec2 describe-snapshots --snapshot-ids "$snapshot"
same "what is left of $account" "0" "$(text 'length(Snapshots)' ec2 describe-snapshots --owner-ids self --filters Name=description,Values=disk)"
echo "an image's whole life: as in EC2"
