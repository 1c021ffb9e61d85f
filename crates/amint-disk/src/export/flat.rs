//! Disks whose file is the disk byte by byte: raw, and fixed VHD with its footer.
//!
//! The digest of such a file covers all of its zeros, which takes longer than writing it. It is computed while
//! the file is written, by a thread of its own.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc::{Receiver, sync_channel};

use amint_types::{BLOCK_BYTES, BlockSource, Cancel, Digest, DigestWriter};

use super::error::WriterError;
use super::identity::Identity;
use super::output::hash_zeros;
use crate::raw::{for_each_block, write_data};

/// Blocks that may wait to be hashed.
const WAITING_BLOCKS_MAX: usize = 16;

/// Makes the footer from the size and the identity of the disk.
pub(super) type MakeFooter = fn(u64, Identity) -> Vec<u8>;

/// Writes the disk and then the footer, and returns length and digest of the file.
pub(super) fn write(
    source: &dyn BlockSource,
    target: &File,
    make_footer: Option<MakeFooter>,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<(u64, Digest), WriterError> {
    let disk_bytes = source.disk_bytes();
    target.set_len(disk_bytes).map_err(|error| WriterError::Structure("disk content", error))?;
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING_BLOCKS_MAX);
        let hasher = scope.spawn(move || hash(&receiver));
        let mut identity = make_footer.map(|make| (make, Identity::new(disk_bytes)));
        for_each_block(source, progress, cancel, |index, block| -> Result<(), WriterError> {
            let offset = index * BLOCK_BYTES;
            let piece = match block {
                None => Piece::Zeros(BLOCK_BYTES.min(disk_bytes - offset)),
                Some(block) => {
                    write_data(target, block, offset)?;
                    if let Some((_, identity)) = &mut identity {
                        identity.block(index, block);
                    }
                    Piece::Bytes(block.to_vec())
                }
            };
            sender.send(piece).expect("the hasher takes all there is");
            Ok(())
        })?;
        if let Some((make_footer, identity)) = identity {
            let footer = make_footer(disk_bytes, identity);
            target
                .write_all_at(&footer, disk_bytes)
                .map_err(|error| WriterError::Structure("the footer", error))?;
            sender.send(Piece::Bytes(footer)).expect("the hasher takes all there is");
        }
        drop(sender);
        Ok(hasher.join().expect("hashing does not panic"))
    })
}

/// A part of the file, in order.
enum Piece {
    Bytes(Vec<u8>),
    Zeros(u64),
}

/// Hashes all pieces, and counts their bytes.
fn hash(pieces: &Receiver<Piece>) -> (u64, Digest) {
    let mut digest = DigestWriter::new();
    let mut bytes = 0;
    for piece in pieces {
        match piece {
            Piece::Bytes(piece) => {
                digest.update(&piece);
                bytes += piece.len() as u64;
            }
            Piece::Zeros(count) => {
                hash_zeros(&mut digest, count);
                bytes += count;
            }
        }
    }
    (bytes, digest.finish())
}
