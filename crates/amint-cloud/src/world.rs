//! What the operations speak about: the images of the store as AMIs and snapshots.

use std::sync::Arc;

use amint_store::{ImageReader, ImageRecord, Store, StoreError};
use amint_types::{Architecture, BLOCK_BYTES, Digest};

use crate::protocol::Fault;

/// The local account: the one that AWS's own documentation uses.
pub const ACCOUNT_ID: &str = "123456789012";

/// Everything that the endpoint knows.
#[derive(Debug)]
pub struct World {
    store: Arc<Store>,
    region: String,
}

/// An image of the store as EC2 shows it.
#[derive(Clone, Debug)]
pub(crate) struct Ami {
    pub(crate) image_id: String,
    pub(crate) snapshot_id: String,
    pub(crate) name: String,
    pub(crate) record: ImageRecord,
}

impl World {
    /// Shows the images of a store in one region.
    pub fn new(store: Store, region: impl Into<String>) -> Self {
        Self { store: Arc::new(store), region: region.into() }
    }

    /// Returns the region in which the images are.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the images that a region has, the newest first.
    pub(crate) fn images(&self, region: &str) -> Result<Vec<Ami>, StoreError> {
        if region != self.region {
            return Ok(Vec::new());
        }
        Ok(self.store.images(false)?.into_iter().map(Ami::of).collect())
    }

    /// Opens the blocks of a snapshot.
    pub(crate) fn snapshot(&self, region: &str, id: &str) -> Result<(Ami, ImageReader), Fault> {
        let not_found = || {
            Fault::client("ResourceNotFoundException", format!("The snapshot '{id}' does not exist."))
                .with_status(404)
                .with_reason("SNAPSHOT_NOT_FOUND")
        };
        let images = self.images(region).map_err(|_| Fault::internal())?;
        let ami = images.into_iter().find(|image| image.snapshot_id == id).ok_or_else(not_found)?;
        let reader = self
            .store
            .reader(&ami.record)
            .map_err(|error| if error.is_not_found() { not_found() } else { Fault::internal() })?;
        Ok((ami, reader))
    }
}

impl Ami {
    fn of(record: ImageRecord) -> Self {
        // Ids follow from what is stored, so that they are the same after every start.
        let source = format!("{}\0{}\0{}", record.name, record.version, record.digest);
        let id = |kind: &str| {
            let digest = Digest::of(format!("{kind}\0{source}").as_bytes()).to_string();
            format!("{kind}-0{}", &digest[..16])
        };
        // What versions may hold and names of images may not (`RegisterImage`, Name).
        let name = format!("{}-{}", record.name, record.version).replace(['+', '~'], "-");
        Self { image_id: id("ami"), snapshot_id: id("snap"), name, record }
    }

    pub(crate) fn architecture(&self) -> &'static str {
        match self.record.architecture {
            Architecture::Arm64 => "arm64",
            _ => "x86_64",
        }
    }

    /// Returns the size of the volume in GiB.
    pub(crate) fn volume_gib(&self) -> u64 {
        self.record.disk_bytes.div_ceil(1 << 30)
    }

    /// Returns the bytes of the blocks that the snapshot holds.
    pub(crate) fn snapshot_bytes(&self) -> u64 {
        self.record.used_bytes.next_multiple_of(BLOCK_BYTES)
    }

    /// Returns when it was made, in EC2's form.
    pub(crate) fn created(&self) -> String {
        self.record.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
    }

    /// Returns the tags of image and snapshot.
    pub(crate) fn tags(&self) -> [(&'static str, String); 4] {
        [
            ("Name", self.name.clone()),
            ("amint:name", self.record.name.to_string()),
            ("amint:version", self.record.version.to_string()),
            ("amint:digest", self.record.digest.to_string()),
        ]
    }
}
