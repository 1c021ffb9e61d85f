//! A world for tests of what HTTP cannot reach: records of other accounts.

use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;

use super::{Call, Caller};
use crate::records::Image;
use crate::state::{Change, StateError};
use crate::world::{ACCOUNT_ID, World, WorldOptions};

pub(crate) struct Bench {
    pub(crate) world: Arc<World>,
    caller: Caller,
    now: Timestamp,
    _folder: TempDir,
}

impl Bench {
    /// Makes a world with one image and its snapshot.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = amint_store::Store::open(folder.path()).unwrap();
        let request = amint_store::PutRequest {
            name: "web".parse().unwrap(),
            version: "1".parse().unwrap(),
            architecture: amint_types::Architecture::X86_64,
            created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            documents: Vec::new(),
        };
        store.put(&request, &Empty, &|_, _| {}, &amint_types::Cancel::new()).unwrap();
        let world = World::open(store, WorldOptions::default()).unwrap();
        world.look_at_store().unwrap();
        let caller = Caller::root(ACCOUNT_ID, "AKIAEXAMPLE");
        let now = "2026-02-03T00:00:00Z".parse().unwrap();
        Self { world, caller, now, _folder: folder }
    }

    pub(crate) fn call(&self) -> Call<'_> {
        Call {
            world: &self.world,
            caller: &self.caller,
            region: self.world.region(),
            now: self.now,
            operation: "",
            is_dry: false,
        }
    }

    pub(crate) fn change(&self, edit: impl FnOnce(&mut Change<'_>)) {
        let changed: Result<(), StateError> = self.world.state.change(|change| {
            edit(change);
            Ok(())
        });
        changed.unwrap();
    }

    pub(crate) fn image(&self) -> Image {
        Image::clone(self.world.state.read().images.values().next().unwrap())
    }
}

/// A disk of one block of zeros.
struct Empty;

impl amint_types::BlockSource for Empty {
    fn disk_bytes(&self) -> u64 {
        amint_types::BLOCK_BYTES
    }

    fn read_block(&self, _: u64, _: &mut [u8]) -> std::io::Result<Option<usize>> {
        Ok(None)
    }
}
