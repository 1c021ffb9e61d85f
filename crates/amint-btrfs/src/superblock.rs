//! The superblock and its mirrors (btrfs on-disk format, "Superblock").

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::bytes::{id_at, u8_at, u16_at, u32_at, u64_at};
use crate::checksum::{CHECKSUM_BYTES_MAX, Checksum};
use crate::error::{KIND, damaged, short, unsupported};
use crate::tree::Pointer;

/// Where the superblock and its mirrors are, in bytes.
pub(crate) const PLACES: [u64; 3] = [64 << 10, 64 << 20, 256 << 30];
/// Bytes of a superblock.
pub(crate) const SUPERBLOCK_BYTES: usize = 4096;
const MAGIC: &[u8; 8] = b"_BHRfS_M";
const MAGIC_AT: usize = 64;
const LABEL_AT: usize = 299;
const LABEL_BYTES: usize = 256;
const SYSTEM_CHUNKS_AT: usize = 811;
const SYSTEM_CHUNKS_BYTES_MAX: usize = 2048;
const LEVEL_MAX: u8 = 7;

/// Incompatible features that need nothing of a reader, or that this reader knows.
const KNOWN_FEATURES: u64 = 0x1_0fff;
/// The bit of `metadata_uuid`.
const METADATA_UUID: u64 = 1 << 10;
/// Names of features that are refused.
const REFUSED_FEATURES: [(u64, &str); 5] = [
    (1 << 12, "zoned"),
    (1 << 13, "extent-tree-v2"),
    (1 << 14, "raid-stripe-tree"),
    (1 << 15, "incompatible feature 15"),
    (1 << 17, "remap-tree"),
];
/// Compatible features for reading that do not change what the trees of extents say: free-space-tree, its valid
/// bit, verity, block-group-tree.
const KNOWN_READ_FEATURES: u64 = 0xf;
/// States that make the trees something else: dumps of metadata, conversions that are under way.
const REFUSED_STATES: [(u64, &str); 5] = [
    (1 << 33, "the form of a metadata dump"),
    (1 << 34, "the form of a metadata dump, version 2"),
    (1 << 38, "an unfinished conversion of its block groups"),
    (1 << 39, "an unfinished change of its data checksums"),
    (1 << 40, "an unfinished change of its metadata checksums"),
];

/// What the superblock says.
#[derive(Clone, Debug)]
pub(crate) struct Superblock {
    /// The id that users see.
    pub(crate) id: [u8; 16],
    /// The id that blocks of metadata carry.
    pub(crate) metadata_id: [u8; 16],
    pub(crate) checksum: Checksum,
    pub(crate) sector_bytes: u32,
    pub(crate) node_bytes: u32,
    pub(crate) total_bytes: u64,
    /// Bytes of the one device.
    pub(crate) device_bytes: u64,
    pub(crate) device_id: u64,
    pub(crate) root: Pointer,
    pub(crate) chunk_root: Pointer,
    /// The log of what was synced since the last commit.
    pub(crate) log_root: Option<Pointer>,
    /// The object of the root tree that names the default subvolume.
    pub(crate) root_folder: u64,
    pub(crate) label: Vec<u8>,
    /// Chunks that the tree of chunks is found with.
    pub(crate) system_chunks: Vec<u8>,
    /// Whether the trees of extents can be understood.
    pub(crate) knows_extents: bool,
    /// Which mirror it is; 0 is the first.
    pub(crate) mirror: usize,
}

/// Tells whether a superblock of btrfs is there, first or mirror.
pub(crate) fn is_there(source: &dyn ReadAt) -> bool {
    PLACES.iter().any(|place| {
        let mut magic = [0; 8];
        source.read_exact_at(place + MAGIC_AT as u64, &mut magic).is_ok() && magic == *MAGIC
    })
}

/// Reads the first superblock, or the newest mirror where the first is damaged.
pub(crate) fn read(source: &dyn ReadAt) -> Result<Superblock, FsError> {
    let mut newest: Option<(u64, Vec<u8>, usize)> = None;
    let mut has_magic = false;
    for (mirror, place) in PLACES.into_iter().enumerate() {
        let mut bytes = vec![0; SUPERBLOCK_BYTES];
        if place.saturating_add(SUPERBLOCK_BYTES as u64) > source.size_bytes() {
            break;
        }
        source.read_exact_at(place, &mut bytes)?;
        if bytes.get(MAGIC_AT..MAGIC_AT + 8) != Some(MAGIC) {
            continue;
        }
        has_magic = true;
        if !is_whole(&bytes, place)? {
            continue;
        }
        let generation = u64_at(&bytes, 72).ok_or_else(|| short("a superblock"))?;
        if newest.as_ref().is_none_or(|(newest, ..)| generation > *newest) {
            newest = Some((generation, bytes, mirror));
        }
        if mirror == 0 {
            break;
        }
    }
    match newest {
        Some((_, bytes, mirror)) => parse(&bytes, mirror),
        None if has_magic => Err(damaged("the checksum of every superblock is wrong")),
        None => Err(FsError::NotThis(KIND)),
    }
}

/// Tells whether the checksum fits and the superblock is where it says.
fn is_whole(bytes: &[u8], place: u64) -> Result<bool, FsError> {
    let number = u16_at(bytes, 196).ok_or_else(|| short("a superblock"))?;
    let Some(checksum) = Checksum::from_number(number) else {
        return Err(unsupported(format!("checksums of kind {number}")));
    };
    let data = bytes.get(CHECKSUM_BYTES_MAX..).unwrap_or_default();
    Ok(checksum.fits(data, bytes) && u64_at(bytes, 48) == Some(place))
}

fn parse(bytes: &[u8], mirror: usize) -> Result<Superblock, FsError> {
    let missing = || short("a superblock");
    let long = |at| u64_at(bytes, at).ok_or_else(missing);
    let word = |at| u32_at(bytes, at).ok_or_else(missing);
    let level = |at| match u8_at(bytes, at) {
        Some(level) if level <= LEVEL_MAX => Ok(level),
        _ => Err(damaged("a tree deeper than any can be")),
    };
    let features = long(188)?;
    refuse_features(features, long(56)?, long(136)?)?;
    let id = id_at(bytes, 32).ok_or_else(missing)?;
    let metadata_id =
        if features & METADATA_UUID == 0 { id } else { id_at(bytes, 571).ok_or_else(missing)? };
    let (sector_bytes, node_bytes) = (word(144)?, word(148)?);
    let sizes = 4096..=65536;
    if !sector_bytes.is_power_of_two()
        || !node_bytes.is_power_of_two()
        || !sizes.contains(&sector_bytes)
        || !(sector_bytes..=65536).contains(&node_bytes)
    {
        return Err(damaged(format!("sectors of {sector_bytes} and nodes of {node_bytes} bytes")));
    }
    let generation = long(72)?;
    let log_root = long(96)?;
    let system_bytes = usize::try_from(word(160)?).unwrap_or(usize::MAX);
    if system_bytes > SYSTEM_CHUNKS_BYTES_MAX {
        return Err(damaged(format!("{system_bytes} bytes of system chunks")));
    }
    let label = bytes.get(LABEL_AT..LABEL_AT + LABEL_BYTES).ok_or_else(missing)?;
    Ok(Superblock {
        id,
        metadata_id,
        checksum: Checksum::from_number(u16_at(bytes, 196).ok_or_else(missing)?).ok_or_else(missing)?,
        sector_bytes,
        node_bytes,
        total_bytes: long(112)?,
        device_bytes: long(201 + 8)?,
        device_id: long(201)?,
        root: Pointer { logical: long(80)?, level: level(198)?, generation },
        chunk_root: Pointer { logical: long(88)?, level: level(199)?, generation: long(164)? },
        // The log is written within the transaction that follows.
        log_root: (log_root != 0)
            .then(|| {
                Ok::<_, FsError>(Pointer {
                    logical: log_root,
                    level: level(200)?,
                    generation: generation.saturating_add(1),
                })
            })
            .transpose()?,
        root_folder: long(128)?,
        label: label.split(|byte| *byte == 0).next().unwrap_or_default().to_vec(),
        system_chunks: bytes
            .get(SYSTEM_CHUNKS_AT..SYSTEM_CHUNKS_AT + system_bytes)
            .ok_or_else(missing)?
            .to_vec(),
        knows_extents: long(180)? & !KNOWN_READ_FEATURES == 0,
        mirror,
    })
}

/// Refuses what this reader would misread.
fn refuse_features(features: u64, states: u64, device_count: u64) -> Result<(), FsError> {
    if let Some((_, name)) = REFUSED_FEATURES.iter().find(|(bit, _)| features & bit != 0) {
        return Err(unsupported(format!("the feature {name}")));
    }
    let unknown = features & !KNOWN_FEATURES;
    if unknown != 0 {
        return Err(unsupported(format!("the incompatible feature {}", unknown.trailing_zeros())));
    }
    if let Some((_, name)) = REFUSED_STATES.iter().find(|(bit, _)| states & bit != 0) {
        return Err(unsupported(*name));
    }
    if device_count != 1 {
        return Err(unsupported(format!("{device_count} devices, of which this is one")));
    }
    Ok(())
}
