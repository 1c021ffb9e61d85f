//! The wire, as somebody else understands it: moto, which is no relative of the endpoint.
//!
//! It keeps snapshots and their blocks, and drops some of what an image is registered with: amint has to see that, and to
//! take its image back.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use amint_aws::{Connection, Endpoint};
use amint_publish::calls::Purpose;
use amint_publish::{
    ApplyError, Batch, BlockData, CompleteSnapshot, Copies, Region, SnapshotState, StartSnapshot, Tags,
    Wanted, apply_all, plan_all,
};
use amint_types::{BLOCK_BYTES, BlockSource, Cancel};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::support::{Bench, Disk, content};

/// A moto of this test's own, on a port that it chose.
struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    /// Starts it; none where it is not installed.
    fn start() -> Option<Self> {
        let mut child = Command::new("moto_server")
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let url = lines.find_map(|line| line.split_once("Running on ").map(|(_, url)| url.trim().to_owned()));
        // It tells of each request: somebody has to read that.
        std::thread::spawn(move || lines.for_each(drop));
        let url = url.unwrap();
        Some(Self { child, url })
    }

    async fn connect(&self, purpose: Purpose) -> Connection {
        let endpoint = Endpoint {
            url: self.url.clone(),
            region: "us-east-1".to_owned(),
            access_key_id: "AKIAEXAMPLE".to_owned(),
            secret_access_key: "anything".to_owned(),
        };
        Connection::to(purpose, &endpoint).await.unwrap()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_gives_every_block_back_and_what_it_drops_of_an_image_is_noticed() {
    let Some(moto) = Moto::start() else {
        eprintln!("SKIPPED: moto_server is not installed (`make test` brings it)");
        return;
    };
    let (bench, cancel) = (Bench::new(), Cancel::new());
    let disk = Disk(content(30));
    let record = bench.put("1.0.0", content(30));
    let wanted = Wanted::of(&record, &Tags::new());
    let manifest = bench.store.manifest(record.digest).unwrap();

    let connection = moto.connect(Purpose::Publish).await;
    let region = connection.in_region("us-east-1");
    let request = StartSnapshot {
        volume_gib: 1,
        parent_id: None,
        key: None,
        description: "blocks & <more>".to_owned(),
        client_token: "token".to_owned(),
        tags: wanted.tags.clone(),
        timeout_minutes: 60,
    };
    let started = region.start_snapshot(&request).await.unwrap();
    assert_eq!(started.block_bytes, 512, "in KiB, where AWS tells bytes");
    let (mut all, mut blocks) = (Sha256::new(), 0);
    for (index, block) in (0_u64..).zip(manifest.blocks()) {
        if block.is_none() {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(BLOCK_BYTES).unwrap()];
        disk.read_block(index, &mut bytes).unwrap();
        let digest = Sha256::digest(&bytes);
        let data = BlockData { bytes: bytes.into(), checksum: STANDARD.encode(digest) };
        region.put_block(&started.id, index, &data).await.unwrap();
        all.update(digest);
        blocks += 1;
    }
    let end = CompleteSnapshot { id: started.id.clone(), blocks, checksum: STANDARD.encode(all.finalize()) };
    region.complete_snapshot(&end).await.unwrap();
    let known = region.snapshot(&started.id).await.unwrap().unwrap();
    assert_eq!((known.volume_gib, known.state), (1, SnapshotState::Completed));

    // Its list of blocks has texts where AWS has numbers, which no SDK takes: each block is asked for by itself.
    let reader = moto.connect(Purpose::Verify).await.in_region("us-east-1");
    for (index, digest) in (0_u64..).zip(manifest.blocks()).filter(|(_, block)| block.is_some()) {
        let bytes = reader.get_block(&started.id, index, "token").await.unwrap();
        let length = usize::try_from(manifest.disk_bytes() - index * BLOCK_BYTES).unwrap().min(bytes.len());
        assert_eq!(Some(amint_types::Digest::of(&bytes[..length])), *digest, "{index}");
    }

    // Of a registration it keeps little: the image would not boot, and is taken back with its snapshot.
    let (regions, folder) = ([region], bench.folder());
    let plans = plan_all(&regions, &wanted, &manifest, &|_| None, Copies::Never, &cancel).await.unwrap();
    let (record, store) = (&record, &bench.store);
    let batch = Batch { regions: &regions, plans: &plans, wanted: &wanted, record, store, folder: &folder };
    let results = apply_all(&batch, &|_, _| {}, &cancel).await;
    let Err(ApplyError::Different { differences }) = &results[0] else { panic!("{results:?}") };
    assert!(differences.contains(&"ENA support is off, wanted on".to_owned()), "{differences:?}");
    assert_eq!(regions[0].images_named(&wanted.name).await.unwrap(), []);
}
