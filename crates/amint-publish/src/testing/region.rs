//! What EC2 and EBS do, in memory.

use std::collections::{BTreeMap, BTreeSet};

use amint_types::BLOCK_BYTES;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::fake::{Fake, FakeSnapshot, State, error};
use super::{BLOCK, made};
use crate::cloud::{
    BlockData, CloudError, CloudErrorClass, CloudImage, CloudSnapshot, CompleteSnapshot, CopyImage, Listed,
    Protection, Region, RegisterImage, SnapshotState, StartSnapshot, StartedSnapshot,
};
use crate::keys::CloudKey;

impl Region for Fake {
    fn name(&self) -> &str {
        self.name
    }

    async fn account(&self) -> Result<String, CloudError> {
        self.call("sts:GetCallerIdentity", |_| Ok("123456789012".to_owned())).await
    }

    async fn is_encrypted_by_default(&self) -> Result<bool, CloudError> {
        self.call("ec2:GetEbsEncryptionByDefault", |state| Ok(state.faults.is_encrypted)).await
    }

    async fn images_named(&self, name: &str) -> Result<Vec<CloudImage>, CloudError> {
        self.call("ec2:DescribeImages", |state| {
            Ok(state.images.values().filter(|image| image.name == name).cloned().collect())
        })
        .await
    }

    async fn image(&self, id: &str) -> Result<Option<CloudImage>, CloudError> {
        self.call("ec2:DescribeImages", |state| Ok(state.images.get(id).cloned())).await
    }

    async fn snapshots_tagged(&self, key: &str, value: &str) -> Result<Vec<CloudSnapshot>, CloudError> {
        self.call("ec2:DescribeSnapshots", |state| {
            let all = state.snapshots.values().map(|snapshot| &snapshot.told);
            Ok(all.filter(|told| told.tags.get(key).is_some_and(|found| found == value)).cloned().collect())
        })
        .await
    }

    async fn snapshot(&self, id: &str) -> Result<Option<CloudSnapshot>, CloudError> {
        self.call("ec2:DescribeSnapshots", |state| {
            Ok(state.snapshots.get(id).map(|snapshot| snapshot.told.clone()))
        })
        .await
    }

    async fn start_snapshot(&self, request: &StartSnapshot) -> Result<StartedSnapshot, CloudError> {
        self.call("ebs:StartSnapshot", |state| {
            let started = |id: &str| StartedSnapshot {
                id: id.to_owned(),
                block_bytes: BLOCK_BYTES,
                state: SnapshotState::Pending,
            };
            if let Some((known, id)) = state.tokens.get(&request.client_token) {
                assert_eq!(known, request, "one token, two requests");
                return Ok(started(id));
            }
            let id = state.id("snap");
            let blocks = match &request.parent_id {
                Some(parent) => state.snapshots[parent].blocks.clone(),
                None => BTreeMap::new(),
            };
            let of_parent = request.parent_id.as_ref().and_then(|id| state.snapshots[id].told.key.clone());
            let key = request.key.clone().or(of_parent);
            let told = CloudSnapshot {
                id: id.clone(),
                state: SnapshotState::Pending,
                volume_gib: request.volume_gib,
                is_encrypted: state.faults.is_encrypted || key.is_some(),
                key,
                started: Timestamp::UNIX_EPOCH,
                tags: request.tags.clone(),
            };
            state.changes += 1;
            state.snapshots.insert(id.clone(), FakeSnapshot { told, blocks, written: BTreeMap::new() });
            state.tokens.insert(request.client_token.clone(), (request.clone(), id.clone()));
            Ok(started(&id))
        })
        .await
    }

    async fn put_block(&self, snapshot_id: &str, index: u64, block: &BlockData) -> Result<(), CloudError> {
        let is_stalled = {
            let mut state = self.state();
            state.arrived += 1;
            state.faults.stall_at == Some(state.arrived)
        };
        if is_stalled {
            return std::future::pending().await;
        }
        self.call("ebs:PutSnapshotBlock", |state| {
            let Some(snapshot) = state.snapshots.get_mut(snapshot_id) else {
                return Err(error("ebs:PutSnapshotBlock", CloudErrorClass::NotFound, "no such snapshot"));
            };
            assert_eq!(snapshot.told.state, SnapshotState::Pending, "a block after the end");
            let digest: [u8; 32] = Sha256::digest(&block.bytes).into();
            assert_eq!(
                (block.bytes.len(), block.checksum.as_str()),
                (BLOCK, STANDARD.encode(digest).as_str())
            );
            // A copy: the memory of blocks on their way is wanted back.
            snapshot.blocks.insert(index, Bytes::copy_from_slice(&block.bytes));
            snapshot.written.insert(index, digest);
            state.puts += 1;
            state.changes += 1;
            Ok(())
        })
        .await
    }

    async fn complete_snapshot(&self, request: &CompleteSnapshot) -> Result<(), CloudError> {
        self.call("ebs:CompleteSnapshot", |state| {
            let Some(snapshot) = state.snapshots.get_mut(&request.id) else {
                return Err(error("ebs:CompleteSnapshot", CloudErrorClass::NotFound, "no such snapshot"));
            };
            if snapshot.told.state != SnapshotState::Pending {
                let message = "the snapshot takes no more blocks";
                return Err(error("ebs:CompleteSnapshot", CloudErrorClass::Invalid, message));
            }
            let mut hasher = Sha256::new();
            for digest in snapshot.written.values() {
                hasher.update(digest);
            }
            let is_told = request.blocks == snapshot.written.len() as u64;
            if !is_told || request.checksum != STANDARD.encode(hasher.finalize()) {
                let message = "the blocks are not those that were sent";
                return Err(error("ebs:CompleteSnapshot", CloudErrorClass::Invalid, message));
            }
            snapshot.told.state = SnapshotState::Completed;
            state.changes += 1;
            Ok(())
        })
        .await
    }

    async fn list_blocks(&self, snapshot_id: &str, page: Option<&str>) -> Result<Listed, CloudError> {
        self.call("ebs:ListSnapshotBlocks", |state| {
            let start: u64 = page.map_or(0, |page| page.parse().unwrap());
            let mut rest = state.snapshots[snapshot_id].blocks.range(start..);
            let blocks = rest.by_ref().take(2).map(|(index, _)| (*index, format!("token {index}"))).collect();
            Ok(Listed {
                blocks,
                block_bytes: BLOCK_BYTES,
                next: rest.next().map(|(index, _)| index.to_string()),
            })
        })
        .await
    }

    async fn get_block(&self, snapshot_id: &str, index: u64, token: &str) -> Result<Bytes, CloudError> {
        assert_eq!(token, format!("token {index}"));
        self.call("ebs:GetSnapshotBlock", |state| Ok(state.snapshots[snapshot_id].blocks[&index].clone()))
            .await
    }

    async fn delete_snapshot(&self, id: &str) -> Result<(), CloudError> {
        self.call("ec2:DeleteSnapshot", |state| {
            state.changes += 1;
            match state.snapshots.remove(id) {
                Some(_) => Ok(()),
                None => Err(error("ec2:DeleteSnapshot", CloudErrorClass::NotFound, "no such snapshot")),
            }
        })
        .await
    }

    async fn register_image(&self, request: &RegisterImage) -> Result<String, CloudError> {
        self.call("ec2:RegisterImage", |state| {
            if state.images.values().any(|image| image.name == request.name) {
                return Err(error("ec2:RegisterImage", CloudErrorClass::Conflict, "the name is taken"));
            }
            let snapshot = &state.snapshots[&request.snapshot_id];
            assert_eq!(snapshot.told.state, SnapshotState::Completed);
            let id = state.id("ami");
            let mut image = made(&id, request);
            if state.faults.is_billing_lost {
                image.platform_details = None;
            }
            state.images.insert(id.clone(), image);
            state.changes += 1;
            Ok(id)
        })
        .await
    }

    async fn deregister_image(&self, id: &str) -> Result<(), CloudError> {
        self.call("ec2:DeregisterImage", |state| {
            state.changes += 1;
            match state.images.remove(id) {
                Some(_) => Ok(()),
                None => Err(error("ec2:DeregisterImage", CloudErrorClass::NotFound, "no such image")),
            }
        })
        .await
    }

    async fn copy_image(&self, request: &CopyImage) -> Result<String, CloudError> {
        let blocks = self.elsewhere.as_ref().map(|other| {
            let state = other.lock().unwrap();
            let source = state.images.get(&request.source_image_id).cloned().unwrap();
            let snapshot = &state.snapshots[source.snapshot_id.as_deref().unwrap()];
            (source, snapshot.told.clone(), snapshot.blocks.clone())
        });
        self.call("ec2:CopyImage", |state| {
            if let Some(id) = state.copies.get(&request.client_token) {
                return Ok(id.clone());
            }
            let (source, told, blocks) = blocks.unwrap();
            let (id, snapshot_id) = (state.id("ami"), state.id("snap"));
            let told = CloudSnapshot { id: snapshot_id.clone(), tags: request.tags.clone(), ..told };
            let image = CloudImage {
                id: id.clone(),
                name: request.name.clone(),
                snapshot_id: Some(snapshot_id.clone()),
                snapshot_ids: [snapshot_id.clone()].into(),
                tags: request.tags.clone(),
                ..source
            };
            state.snapshots.insert(snapshot_id, FakeSnapshot { told, blocks, written: BTreeMap::new() });
            state.images.insert(id.clone(), image);
            state.copies.insert(request.client_token.clone(), id.clone());
            state.changes += 1;
            Ok(id)
        })
        .await
    }

    async fn images_using(&self, snapshot_ids: &[String]) -> Result<Vec<CloudImage>, CloudError> {
        self.call("ec2:DescribeImages", |state| {
            let uses = |image: &&CloudImage| snapshot_ids.iter().any(|id| image.snapshot_ids.contains(id));
            Ok(state.images.values().filter(uses).cloned().collect())
        })
        .await
    }

    async fn image_accounts(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        self.call("ec2:DescribeImageAttribute", |state| {
            Ok(state.accounts.get(id).cloned().unwrap_or_default())
        })
        .await
    }

    async fn snapshot_accounts(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        self.call("ec2:DescribeSnapshotAttribute", |state| {
            Ok(state.accounts.get(id).cloned().unwrap_or_default())
        })
        .await
    }

    async fn share_image(&self, id: &str, accounts: &BTreeSet<String>) -> Result<(), CloudError> {
        self.call("ec2:ModifyImageAttribute", |state| {
            assert!(state.images.contains_key(id));
            state.share(id, accounts);
            Ok(())
        })
        .await
    }

    async fn share_snapshot(&self, id: &str, accounts: &BTreeSet<String>) -> Result<(), CloudError> {
        self.call("ec2:ModifySnapshotAttribute", |state| {
            assert!(state.snapshots.contains_key(id));
            state.share(id, accounts);
            Ok(())
        })
        .await
    }

    async fn image_organizations(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        let key = format!("{id} organizations");
        let find = |state: &mut State| Ok(state.accounts.get(&key).cloned().unwrap_or_default());
        self.call("ec2:DescribeImageAttribute", find).await
    }

    async fn share_image_with_organizations(
        &self,
        id: &str,
        arns: &BTreeSet<String>,
    ) -> Result<(), CloudError> {
        self.call("ec2:ModifyImageAttribute", |state| {
            state.share(&format!("{id} organizations"), arns);
            Ok(())
        })
        .await
    }

    async fn key(&self, id: &str) -> Result<Option<CloudKey>, CloudError> {
        let is_of_aws = id == "alias/aws/ebs";
        let key = CloudKey {
            arn: format!("arn:aws:kms:eu-west-1:123456789012:key/{id}"),
            state: "Enabled".to_owned(),
            is_for_volumes: true,
            is_of_aws,
            accounts: Some(["123456789012".to_owned()].into()),
        };
        self.call("kms:DescribeKey", |_| Ok(Some(key).filter(|_| id != "alias/none"))).await
    }

    async fn deprecate_image(&self, id: &str, at: Timestamp) -> Result<(), CloudError> {
        self.call("ec2:EnableImageDeprecation", |state| {
            state.images.get_mut(id).unwrap().deprecated_at = Some(at);
            state.changes += 1;
            Ok(())
        })
        .await
    }

    async fn protect_image(&self, id: &str, protection: Protection) -> Result<(), CloudError> {
        self.call("ec2:EnableImageDeregistrationProtection", |state| {
            state.images.get_mut(id).unwrap().protection = Some(protection);
            state.changes += 1;
            Ok(())
        })
        .await
    }

    async fn watermark_image(&self, id: &str, name: &str) -> Result<(), CloudError> {
        self.call("ec2:AttachImageWatermark", |state| {
            state.images.get_mut(id).unwrap().watermarks.insert(format!("123456789012:{name}"));
            state.changes += 1;
            Ok(())
        })
        .await
    }

    async fn tag_policy(&self) -> Result<Option<String>, CloudError> {
        let tell = |state: &mut State| match state.faults.tag_policy {
            Some("denied") => {
                Err(error("organizations:DescribeEffectivePolicy", CloudErrorClass::Denied, "no"))
            }
            policy => Ok(policy.map(str::to_owned)),
        };
        self.call("organizations:DescribeEffectivePolicy", tell).await
    }

    async fn image_quota(&self) -> Result<u64, CloudError> {
        self.call("servicequotas:GetServiceQuota", |state| Ok(state.faults.image_quota.unwrap_or(50_000)))
            .await
    }

    async fn image_count(&self) -> Result<u64, CloudError> {
        self.call("ec2:DescribeImages", |state| Ok(state.images.len() as u64)).await
    }
}
