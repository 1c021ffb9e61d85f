//! Fills a store for comparisons: `fill STORE DISK COUNT`.
//!
//! Makes `run0` to `runCOUNT`, each in version 1.0.0 (1 GiB of which 400 blocks hold something) and 1.1.0 (3 of them changed),
//! writes the disk of the first version to a file, and makes `sparse` of 100 GiB with the same blocks.

use std::error::Error;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use amint_store::{PutRequest, Store};
use amint_types::{Architecture, BLOCK_BYTES, BlockSource, Cancel, GIB};

/// Which block of five holds something: 409 of 2048.
const STEP: u64 = 5;

struct Disk {
    version: u64,
    gib: u64,
}

impl BlockSource for Disk {
    fn disk_bytes(&self) -> u64 {
        self.gib * GIB
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if !index.is_multiple_of(STEP) || index / STEP >= 400 {
            return Ok(None);
        }
        let length = usize::try_from(BLOCK_BYTES).map_err(io::Error::other)?;
        let changed = if (100..103).contains(&(index / STEP)) { self.version } else { 0 };
        // A linear congruential generator (Knuth, The Art of Computer Programming, volume 2, section 3.3.4).
        let mut state = (index << 8) + changed + 1;
        for chunk in buffer[..length].chunks_exact_mut(8) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            chunk.copy_from_slice(&state.to_le_bytes());
        }
        Ok(Some(length))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, disk, count] = &arguments[..] else { return Err("usage: fill STORE DISK COUNT".into()) };
    let store = Store::open(Path::new(root))?;
    let put = |name: &str, disk: &Disk| -> Result<(), Box<dyn Error>> {
        let request = PutRequest {
            name: name.parse()?,
            version: format!("1.{}.0", disk.version).parse()?,
            architecture: Architecture::X86_64,
            created_at: "2026-01-02T03:04:05Z".parse()?,
            documents: Vec::new(),
        };
        store.put(&request, disk, &|_, _| {}, &Cancel::new())?;
        Ok(())
    };
    for run in 0..=count.parse::<u32>()? {
        for version in 0..2 {
            put(&format!("run{run}"), &Disk { version, gib: 1 })?;
        }
    }
    put("sparse", &Disk { version: 0, gib: 100 })?;
    let file = File::create(disk)?;
    file.set_len(GIB)?;
    let source = Disk { version: 0, gib: 1 };
    let mut buffer = vec![0; usize::try_from(BLOCK_BYTES)?];
    for index in 0..GIB / BLOCK_BYTES {
        if source.read_block(index, &mut buffer)?.is_some() {
            file.write_all_at(&buffer, index * BLOCK_BYTES)?;
        }
    }
    Ok(())
}
