//! The EBS direct APIs: snapshots, block by block.

use amint_publish::calls;
use amint_publish::{
    BlockData, CloudError, CompleteSnapshot, Listed, SnapshotState, StartSnapshot, StartedSnapshot,
};
use aws_sdk_ebs::types::{ChecksumAggregationMethod, ChecksumAlgorithm, Status, Tag};
use aws_smithy_types::byte_stream::{AggregatedBytes, ByteStream};
use bytes::Bytes;

use crate::error::odd_answer;
use crate::region::AwsRegion;

/// The most blocks that a page has.
const PAGE_MAX: i32 = 10_000;

impl AwsRegion {
    pub(crate) async fn ebs_start(&self, request: &StartSnapshot) -> Result<StartedSnapshot, CloudError> {
        let call = calls::START_SNAPSHOT;
        let tags = request.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let answer = self
            .ebs
            .start_snapshot()
            .volume_size(i64::try_from(request.volume_gib).unwrap_or(i64::MAX))
            .set_parent_snapshot_id(request.parent_id.clone())
            .set_encrypted(request.key.is_some().then_some(true))
            .set_kms_key_arn(request.key.clone())
            .description(&request.description)
            .client_token(&request.client_token)
            .set_tags(Some(tags.collect()))
            .timeout(i32::try_from(request.timeout_minutes).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(self.failed(call))?;
        let state = match answer.status {
            Some(Status::Completed) => SnapshotState::Completed,
            Some(Status::Error) => SnapshotState::Unusable,
            _ => SnapshotState::Pending,
        };
        let block_bytes = self.needed(call, "size of a block", answer.block_size)?;
        Ok(StartedSnapshot {
            id: self.needed(call, "snapshot", answer.snapshot_id)?,
            block_bytes: u64::try_from(block_bytes).unwrap_or(0),
            state,
        })
    }

    pub(crate) async fn ebs_put(
        &self,
        snapshot_id: &str,
        index: u64,
        block: &BlockData,
    ) -> Result<(), CloudError> {
        let answer = self
            .ebs
            .put_snapshot_block()
            .snapshot_id(snapshot_id)
            .block_index(number(index))
            .data_length(i32::try_from(block.bytes.len()).unwrap_or(i32::MAX))
            .checksum(&block.checksum)
            .checksum_algorithm(ChecksumAlgorithm::ChecksumAlgorithmSha256)
            .block_data(ByteStream::from(block.bytes.clone()))
            .send()
            .await;
        answer.map(drop).map_err(self.failed(calls::PUT_SNAPSHOT_BLOCK))
    }

    pub(crate) async fn ebs_complete(&self, request: &CompleteSnapshot) -> Result<(), CloudError> {
        let answer = self
            .ebs
            .complete_snapshot()
            .snapshot_id(&request.id)
            .changed_blocks_count(number(request.blocks))
            .checksum(&request.checksum)
            .checksum_algorithm(ChecksumAlgorithm::ChecksumAlgorithmSha256)
            .checksum_aggregation_method(ChecksumAggregationMethod::ChecksumAggregationLinear)
            .send()
            .await;
        answer.map(drop).map_err(self.failed(calls::COMPLETE_SNAPSHOT))
    }

    pub(crate) async fn ebs_list(&self, snapshot_id: &str, page: Option<&str>) -> Result<Listed, CloudError> {
        let call = calls::LIST_SNAPSHOT_BLOCKS;
        let answer = self
            .ebs
            .list_snapshot_blocks()
            .snapshot_id(snapshot_id)
            .max_results(PAGE_MAX)
            .set_next_token(page.map(str::to_owned))
            .send()
            .await
            .map_err(self.failed(call))?;
        let blocks = answer.blocks().iter().map(|block| {
            let index = block.block_index().and_then(|index| u64::try_from(index).ok());
            Some((index?, block.block_token()?.to_owned()))
        });
        let blocks: Option<Vec<(u64, String)>> = blocks.collect();
        let next = answer.next_token().filter(|token| !token.is_empty());
        if next.is_some() && next == page {
            return Err(odd_answer(call, &self.name, "the list of blocks goes in circles"));
        }
        Ok(Listed {
            next: next.map(str::to_owned),
            block_bytes: answer.block_size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            blocks: self.needed(call, "token of a block", blocks)?,
        })
    }

    pub(crate) async fn ebs_get(
        &self,
        snapshot_id: &str,
        index: u64,
        token: &str,
    ) -> Result<Bytes, CloudError> {
        let call = calls::GET_SNAPSHOT_BLOCK;
        let answer = self
            .ebs
            .get_snapshot_block()
            .snapshot_id(snapshot_id)
            .block_index(number(index))
            .block_token(token)
            .send()
            .await
            .map_err(self.failed(call))?;
        let read = answer.block_data.collect().await;
        // The connection broke within the block.
        read.map(AggregatedBytes::into_bytes).map_err(|error| odd_answer(call, &self.name, error.to_string()))
    }
}

/// The service counts blocks in 32 bits, of which the largest volume (64 TiB) needs 27.
fn number(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
