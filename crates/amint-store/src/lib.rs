//! The store: 512 KiB blocks by SHA-256, image manifests, operation log.
//!
//! Everything an image is lives here (requirements A7, A16, B4, B5): its bytes as blocks that are written once
//! and verified on every read, its manifest, its documents (recipe, build report), and the log of what was
//! done to it. The crate knows nothing of disks, clouds or terminals.
//!
//! # Layout
//! ```text
//! ROOT/
//!   blocks/ab/cdef…     one file per block, named by the SHA-256 of its bytes; zero blocks are not stored
//!   manifests/0123…     one file per disk, named by the SHA-256 of its bytes: the image's digest
//!   catalogue.sqlite    images, documents, trusted blocks, operation log (WAL, synchronous=FULL)
//!   writers/            one list for each disk that is written block by block
//!   tmp/                work folders, each with a lock beside it that its owner holds
//!   lock, gate          file locks between processes: shared to put and to read, exclusive to collect
//! ```
//! All folders are made with mode 0700, all files with 0600.
//!
//! # What survives what
//! A put writes blocks and the manifest without a sync each, then calls `syncfs` once, then commits to the
//! catalogue. Killed before the commit, it leaves files that nothing refers to; [`Store::gc`] takes them away.
//! After a loss of power such files may be torn, so a block that no commit vouches for is compared with the
//! bytes at hand before it is used again. A block found damaged loses its trust, and the next put of the same
//! bytes writes it anew.
//!
//! The catalogue is a trait with one implementation, SQLite; no SQL is found outside of it.

mod blocks;
mod catalogue;
mod check;
mod collect;
mod error;
mod layout;
mod lock;
mod manifest;
mod operation;
mod owner;
mod parallel;
mod put;
mod reader;
mod record;
mod similar;
mod store;
mod temporary;
mod writer;

pub use blocks::{BlockError, BlockFault, find_block_error};
pub use catalogue::CatalogueError;
pub use check::{CheckSummary, Problem};
pub use collect::GcSummary;
pub use error::StoreError;
pub use manifest::{DISK_BYTES_MAX, MANIFEST_FORMAT_VERSION, Manifest, ManifestError, manifest_of};
pub use operation::{OperationId, OperationRecord, OperationState, Outcome};
pub use reader::ImageReader;
pub use record::{ImageId, ImageRecord, PutRequest, Stored};
pub use store::{Store, StoreOptions};
pub use temporary::Temporary;
pub use writer::DiskWriter;
