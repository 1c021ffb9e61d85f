//! What tests of the engine stand on: images in a store, and a cloud in memory.

mod fake;
mod parameters;
mod region;

use std::collections::BTreeSet;
use std::io;

use amint_store::{ImageRecord, Manifest, PutRequest, Store, manifest_of};
use amint_types::{Architecture, BLOCK_BYTES, BlockSource, Cancel, Digest};
use jiff::Timestamp;

use crate::cloud::{CloudImage, RegisterImage, Tags};
use crate::wanted::Wanted;
pub(crate) use fake::{Fake, Faults, Stop};

const BLOCK: usize = 512 << 10;

/// A disk of which each block is filled with one byte.
pub(crate) struct Disk<'a>(pub(crate) &'a [u8]);

impl BlockSource for Disk<'_> {
    fn disk_bytes(&self) -> u64 {
        self.0.len() as u64 * BLOCK_BYTES
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let fill = self.0[usize::try_from(index).unwrap()];
        if fill == 0 {
            return Ok(None);
        }
        buffer[..BLOCK].fill(fill);
        Ok(Some(BLOCK))
    }
}

pub(crate) fn manifest(content: &[u8]) -> Manifest {
    manifest_of(&Disk(content), &Cancel::new()).unwrap()
}

pub(crate) fn digest_of(content: &[u8]) -> Digest {
    manifest(content).digest()
}

/// Stores an image, and returns the store that holds it.
pub(crate) fn stored(content: &[u8]) -> (tempfile::TempDir, Store, ImageRecord) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let record = put(&store, "1.0.0", content);
    (folder, store, record)
}

/// Stores a version of the image.
pub(crate) fn put(store: &Store, version: &str, content: &[u8]) -> ImageRecord {
    let request = PutRequest {
        name: "web".parse().unwrap(),
        version: version.parse().unwrap(),
        architecture: Architecture::X86_64,
        created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        documents: Vec::new(),
    };
    store.put(&request, &Disk(content), &|_, _| {}, &Cancel::new()).unwrap().record
}

pub(crate) fn record(content: &[u8]) -> ImageRecord {
    stored(content).2
}

pub(crate) fn wanted(content: &[u8]) -> Wanted {
    Wanted::of(&record(content), &Tags::new())
}

/// Returns the image that a right registration makes.
pub(crate) fn image_of(wanted: &Wanted, id: &str, snapshot_id: &str) -> CloudImage {
    made(id, &wanted.registration(snapshot_id))
}

fn made(id: &str, request: &RegisterImage) -> CloudImage {
    CloudImage {
        id: id.to_owned(),
        name: request.name.clone(),
        state: "available".to_owned(),
        architecture: request.architecture.to_owned(),
        virtualization: "hvm".to_owned(),
        boot_mode: Some(request.boot_mode.to_owned()),
        has_ena: true,
        imds_support: Some("v2.0".to_owned()),
        platform_details: Some("Linux/UNIX".to_owned()),
        root_device: Some(request.root_device.to_owned()),
        snapshot_id: Some(request.snapshot_id.clone()),
        snapshot_ids: [request.snapshot_id.clone()].into(),
        deprecated_at: None,
        protection: None,
        watermarks: BTreeSet::new(),
        volume_gib: Some(request.volume_gib),
        volume_type: Some(request.volume_type.to_owned()),
        is_deleted_on_termination: true,
        is_encrypted: false,
        owner: None,
        is_public: false,
        root_device_type: Some("ebs".to_owned()),
        has_instance_types: false,
        created: Some(Timestamp::UNIX_EPOCH),
        product_codes: Vec::new(),
        tags: request.tags.clone(),
    }
}
