//! EBS direct APIs: a disk that is sent block by block, read again, and compared with the next one.

use aws_sdk_ebs::primitives::ByteStream;
use aws_sdk_ebs::types::{ChecksumAggregationMethod, ChecksumAlgorithm, Status, Tag};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::support::{ACCOUNT, Bench, refused};

pub(crate) const BLOCKS: &[&str] = &[
    "ebs CompleteSnapshot",
    "ebs GetSnapshotBlock",
    "ebs ListChangedBlocks",
    "ebs ListSnapshotBlocks",
    "ebs PutSnapshotBlock",
    "ebs StartSnapshot",
];

const BLOCK: usize = 512 << 10;

fn checksum(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}

/// Sends blocks that are filled with a number each, and ends the snapshot.
async fn fill(client: &aws_sdk_ebs::Client, id: &str, blocks: &[(i32, u8)]) {
    for (index, number) in blocks {
        let bytes = vec![*number; BLOCK];
        let put = client
            .put_snapshot_block()
            .snapshot_id(id)
            .block_index(*index)
            .data_length(i32::try_from(BLOCK).unwrap())
            .progress(50)
            .checksum(checksum(&bytes))
            .checksum_algorithm(ChecksumAlgorithm::ChecksumAlgorithmSha256)
            .block_data(ByteStream::from(bytes.clone()))
            .send()
            .await
            .unwrap();
        assert_eq!(put.checksum(), Some(checksum(&bytes).as_str()));
        assert_eq!(put.checksum_algorithm(), Some(&ChecksumAlgorithm::ChecksumAlgorithmSha256));
    }
    let all: Vec<u8> = blocks.iter().flat_map(|(_, number)| Sha256::digest(vec![*number; BLOCK])).collect();
    let complete = client
        .complete_snapshot()
        .snapshot_id(id)
        .changed_blocks_count(i32::try_from(blocks.len()).unwrap())
        .checksum(checksum(&all))
        .checksum_algorithm(ChecksumAlgorithm::ChecksumAlgorithmSha256)
        .checksum_aggregation_method(ChecksumAggregationMethod::ChecksumAggregationLinear)
        .send()
        .await
        .unwrap();
    assert_eq!(complete.status(), Some(&Status::Pending));
}

/// Makes a snapshot of blocks, as other tests need one.
pub(crate) async fn snapshot(bench: &Bench, blocks: &[(i32, u8)]) -> String {
    let client = bench.ebs();
    let started = client.start_snapshot().volume_size(1).send().await.unwrap();
    let id = started.snapshot_id.unwrap();
    fill(&client, &id, blocks).await;
    bench.time.pass(60);
    id
}

#[test]
fn a_disk_is_sent_read_and_compared() {
    let bench = Bench::new();
    bench.run(BLOCKS, async {
        let client = bench.ebs();
        let start = || {
            client
                .start_snapshot()
                .volume_size(1)
                .description("mine")
                .client_token("once")
                .timeout(60)
                .tags(Tag::builder().key("a").value("b").build())
        };
        let first = start().send().await.unwrap();
        assert_eq!(first.status(), Some(&Status::Pending));
        assert_eq!((first.volume_size(), first.block_size()), (Some(1), Some(524_288)));
        assert_eq!((first.description(), first.owner_id()), (Some("mine"), Some(ACCOUNT)));
        assert_eq!((first.tags()[0].key(), first.tags()[0].value()), (Some("a"), Some("b")));
        assert!(first.start_time().is_some());
        let id = first.snapshot_id().unwrap();
        assert_eq!(start().send().await.unwrap().snapshot_id(), Some(id), "the token is the same");
        assert_eq!(refused(start().volume_size(2).send().await), "ConflictException");
        assert_eq!(
            refused(client.list_snapshot_blocks().snapshot_id(id).send().await),
            "ResourceNotFoundException"
        );
        fill(&client, id, &[(0, 1), (7, 2), (2047, 3)]).await;
        bench.time.pass(60);

        let mut pages = client.list_snapshot_blocks().snapshot_id(id).into_paginator().send();
        let (mut blocks, mut page_count) = (Vec::new(), 0);
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            assert_eq!((page.volume_size(), page.block_size()), (Some(1), Some(524_288)));
            assert!(page.expiry_time().is_some());
            blocks.extend(page.blocks.unwrap());
            page_count += 1;
        }
        assert_eq!(page_count, 2);
        let from = client.list_snapshot_blocks().snapshot_id(id).starting_block_index(8).max_results(100);
        let from = from.send().await.unwrap();
        assert_eq!((from.blocks().len(), from.blocks()[0].block_index()), (1, Some(2047)));
        let indexes: Vec<_> = blocks.iter().filter_map(|block| block.block_index()).collect();
        assert_eq!(indexes, [0, 7, 2047]);
        let token = blocks[1].block_token().unwrap();
        let block = |token: &str| {
            client.get_snapshot_block().snapshot_id(id).block_index(7).block_token(token).send()
        };
        let read = block(token).await.unwrap();
        assert_eq!(
            (read.data_length(), read.checksum_algorithm()),
            (Some(524_288), Some(&ChecksumAlgorithm::ChecksumAlgorithmSha256))
        );
        let expected = read.checksum().unwrap().to_owned();
        let bytes = read.block_data.collect().await.unwrap().into_bytes();
        assert!(bytes[..] == vec![2; BLOCK]);
        assert_eq!(checksum(&bytes), expected);
        let error = block("none").await.unwrap_err().into_service_error();
        assert!(error.is_validation_exception(), "{error:?}");

        let second = client.start_snapshot().volume_size(1).parent_snapshot_id(id).send().await.unwrap();
        assert_eq!(second.parent_snapshot_id(), Some(id));
        let second = second.snapshot_id().unwrap();
        fill(&client, second, &[(7, 4), (9, 5), (11, 6)]).await;
        bench.time.pass(60);
        let changed = client.list_changed_blocks().first_snapshot_id(id).second_snapshot_id(second);
        let pages = changed.into_paginator().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!((pages[0].volume_size(), pages[0].block_size()), (Some(1), Some(524_288)));
        assert!(pages[0].expiry_time().is_some());
        let blocks: Vec<_> = pages.iter().flat_map(|page| page.changed_blocks()).collect();
        let indexes: Vec<_> = blocks.iter().filter_map(|block| block.block_index()).collect();
        assert_eq!((pages.len(), indexes), (2, vec![7, 9, 11]));
        let tokens = [(id, blocks[0].first_block_token()), (second, blocks[0].second_block_token())];
        for ((snapshot, token), number) in tokens.into_iter().zip([2, 4]) {
            let read = client.get_snapshot_block().snapshot_id(snapshot).block_index(7);
            let read = read.block_token(token.unwrap()).send().await.unwrap();
            let bytes = read.block_data.collect().await.unwrap().into_bytes();
            assert!(bytes[..] == vec![number; BLOCK], "{snapshot}");
        }
        assert_eq!(blocks[1].first_block_token(), None, "the first snapshot has no such block");

        let wrong = client.start_snapshot().volume_size(0).send().await.unwrap_err().into_service_error();
        let aws_sdk_ebs::operation::start_snapshot::StartSnapshotError::ValidationException(wrong) = wrong
        else {
            panic!("{wrong:?}");
        };
        assert_eq!(wrong.reason().map(|reason| reason.as_str()), Some("INVALID_VOLUME_SIZE"));
        let none = client.list_snapshot_blocks().snapshot_id("snap-00000000").send().await;
        assert_eq!(refused(none), "ResourceNotFoundException");
    });
}
