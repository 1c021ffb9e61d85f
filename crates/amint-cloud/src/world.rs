//! What the operations speak about.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use amint_store::{DiskWriter, ImageReader, ImageRecord, Store};
use amint_types::{Architecture, BLOCK_BYTES, Digest};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::Clock;
use crate::chaos::ChaosOptions;
use crate::machines::{MachineOptions, Machines};
use crate::operations::{default_group, is_region};
use crate::protocol::Fault;
use crate::records::{
    Binned, BlockDevice, Image, ImageOrigin, Import, Protection, SecurityGroup, Snapshot, Tables, Tags,
};
use crate::state::{Change, State, StateError};
use crate::trail::Trail;
use crate::volumes::Volumes;

/// The local account: the one that AWS's own documentation uses.
pub const ACCOUNT_ID: &str = "123456789012";

/// How a world behaves.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// The region in which the images of the store are.
    pub region: String,
    /// The file that keeps what was done; without one it ends with the process.
    pub state: Option<PathBuf>,
    /// The time, and how long things take.
    pub clock: Clock,
    /// How many entries a page has when the request does not say: AWS gives all, which hides clients that forget to
    /// page.
    pub page_default: Option<u32>,
    /// How instances run; without it none can.
    pub machines: Option<MachineOptions>,
    /// What goes wrong on purpose.
    pub chaos: ChaosOptions,
    /// The folder that keeps records of all calls; without one they end with the process.
    pub trail: Option<PathBuf>,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            region: "us-east-1".to_owned(),
            state: None,
            clock: Clock::default(),
            page_default: None,
            machines: None,
            chaos: ChaosOptions::default(),
            trail: None,
        }
    }
}

/// Opening a world failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// What was done before cannot be read.
    #[error("failed to read the state of the endpoint")]
    State(#[from] StateError),
    /// There is no place for what instances write, or no thread for their machines.
    #[error("failed to prepare the machines of instances")]
    Machines(#[source] std::io::Error),
    /// The folder of the trail cannot be used.
    #[error("failed to open the trail of calls")]
    Trail(#[source] std::io::Error),
}

/// Everything that the endpoint knows.
#[derive(Debug)]
pub struct World {
    pub(crate) store: Arc<Store>,
    pub(crate) state: State,
    pub(crate) options: WorldOptions,
    /// What was called.
    pub(crate) trail: Trail,
    /// What was written to volumes.
    pub(crate) volumes: Volumes,
    machines: Option<Machines>,
    /// Holds the volumes of an endpoint that has no place for them.
    _scratch: Option<TempDir>,
    writers: Mutex<HashMap<String, Arc<DiskWriter>>>,
    /// When a block of a snapshot came last.
    touched: Mutex<HashMap<String, Timestamp>>,
    opened: Timestamp,
}

impl World {
    /// Shows the images of a store, and remembers what is done with them.
    ///
    /// # Errors
    /// Fails when the file of the state cannot be read.
    pub fn open(store: Store, options: WorldOptions) -> Result<Arc<Self>, WorldError> {
        let mut state = match &options.state {
            Some(path) => State::open(path)?,
            None => State::in_memory()?,
        };
        if !options.chaos.consistency.is_zero() {
            state.come_late(options.clock.clone(), options.chaos.consistency);
        }
        let opened = options.clock.now();
        let trail = Trail::open(options.trail.clone(), options.clock.clone()).map_err(WorldError::Trail)?;
        let machines = options.machines.clone().map(Machines::open).transpose();
        let machines = machines.map_err(WorldError::Machines)?;
        let scratch = match machines {
            Some(_) => None,
            None => Some(TempDir::new().map_err(WorldError::Machines)?),
        };
        let folder = machines.as_ref().map(|machines| machines.options().folder.as_path());
        let folder = folder.or(scratch.as_ref().map(TempDir::path)).unwrap_or(Path::new("")).join("volumes");
        let world = Self {
            store: Arc::new(store),
            state,
            options,
            trail,
            volumes: Volumes::new(folder),
            machines,
            _scratch: scratch,
            writers: Mutex::default(),
            touched: Mutex::default(),
            opened,
        };
        world.recover();
        Ok(Arc::new(world))
    }

    /// Returns the machines of instances, if there can be any.
    pub(crate) fn machines(&self) -> Option<&Machines> {
        self.machines.as_ref()
    }

    /// Ends the machines of all instances. Guests are asked to shut down; those that take too long lose their power.
    ///
    /// Records of calls that are in no file yet get one.
    pub fn close(&self) {
        self.trail.close();
        if let Some(machines) = &self.machines {
            machines.close();
        }
    }

    /// Makes sure that an account has in a region what every account finds there.
    pub(crate) fn prepare(&self, account: &str, region: &str) -> Result<(), Fault> {
        if !is_region(region) {
            return Ok(());
        }
        let group = default_group(account, region);
        if self.state.read().security_groups.contains_key(&group.id) {
            return Ok(());
        }
        self.state.change_at_once(|change| {
            if change.get::<SecurityGroup>(&group.id).is_none() {
                change.put(group);
            }
            Ok(())
        })
    }

    /// Returns the region in which the images of the store are.
    pub fn region(&self) -> &str {
        &self.options.region
    }

    /// Returns the time, and how long things take.
    pub(crate) fn clock(&self) -> &Clock {
        &self.options.clock
    }

    /// Shows what came to the store, and what left it, since it was last looked at.
    ///
    /// An image that somebody deregistered stays away; one that is removed from the store goes, with its snapshot.
    pub(crate) fn look_at_store(&self) -> Result<(), Fault> {
        let records = self.store.images(false).map_err(|_| Fault::internal())?;
        let is_same = {
            let tables = self.state.read();
            records.len() == tables.imports.len()
                && records.iter().all(|record| {
                    let id = ids_of(record).0;
                    tables.imports.get(&id).is_some_and(|import| import.digest == record.digest)
                })
        };
        if is_same {
            return Ok(());
        }
        self.state.change_at_once(|change| {
            self.import(change, &records);
            Ok(())
        })
    }

    fn import(&self, change: &mut Change<'_>, records: &[ImageRecord]) {
        let known: Vec<Arc<Import>> = change.tables().imports.values().cloned().collect();
        for import in known {
            if records.iter().all(|record| ids_of(record).0 != import.id) {
                change.remove::<Import>(&import.id);
                change.remove::<Image>(&import.id);
                change.remove::<Binned<Image>>(&import.id);
                change.remove::<Binned<Snapshot>>(&import.snapshot_id);
                if image_with(change.tables(), &import.snapshot_id).is_none() {
                    change.remove::<Snapshot>(&import.snapshot_id);
                    // Left by an image that was made of it and is gone. What stays costs space, nothing else.
                    let _ = self.store.unpin(&import.snapshot_id);
                }
            }
        }
        for record in records {
            let (image_id, snapshot_id) = ids_of(record);
            if change.get::<Import>(&image_id).is_none() {
                let snapshot = snapshot_of(record, snapshot_id.clone(), &self.options.region);
                change.put(image_of(record, image_id.clone(), &snapshot));
                change.put(snapshot);
                change.put(Import { id: image_id, snapshot_id, digest: record.digest });
            }
        }
    }

    /// Opens the blocks of a snapshot.
    pub(crate) fn blocks(&self, snapshot: &Snapshot) -> Result<ImageReader, Fault> {
        let not_found = || snapshot_not_found(&snapshot.id);
        let digest = snapshot.manifest.ok_or_else(not_found)?;
        let label = snapshot.id.parse().map_err(|_| Fault::internal())?;
        self.store.disk(digest, label).map_err(|_| Fault::internal())
    }

    /// Begins pins for a change.
    pub(crate) fn pins(&self) -> Pins<'_> {
        Pins { store: &self.store, made: Vec::new() }
    }

    /// Returns the writer of a snapshot whose blocks are being written.
    pub(crate) fn writer(&self, snapshot_id: &str) -> Result<Arc<DiskWriter>, Fault> {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = writers.get(snapshot_id) {
            return Ok(Arc::clone(writer));
        }
        let writer = Arc::new(self.store.writer(snapshot_id).map_err(|_| Fault::internal())?);
        writers.insert(snapshot_id.to_owned(), Arc::clone(&writer));
        Ok(writer)
    }

    /// Forgets the blocks of a snapshot that nobody finishes. What cannot be removed now is removed with the store's litter.
    pub(crate) fn give_up(&self, snapshot_id: &str) {
        self.drop_writer(snapshot_id);
        let _ = self.store.abandon(snapshot_id);
    }

    /// Remembers that a block came.
    pub(crate) fn touch(&self, snapshot_id: &str, now: Timestamp) {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).insert(snapshot_id.to_owned(), now);
    }

    /// Returns when a block of a snapshot came last; what came before this start counts as its start.
    pub(crate) fn last_touch(&self, snapshot: &Snapshot) -> Timestamp {
        let touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        touched.get(&snapshot.id).copied().unwrap_or_else(|| snapshot.started.max(self.opened))
    }

    /// Lets go of the writer of a snapshot that is finished or given up.
    pub(crate) fn drop_writer(&self, snapshot_id: &str) {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner).remove(snapshot_id);
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).remove(snapshot_id);
    }
}

/// Makes an id of EC2's form: `ami-` and 17 random digits of hex.
pub(crate) fn new_id(kind: &str) -> String {
    let mut random = [0_u8; 9];
    // A machine without random numbers has no access key either: it does not come here.
    let _ = getrandom::fill(&mut random);
    format!("{kind}-{}", &hex::encode(random)[..17])
}

/// Says, as EBS direct APIs do, that there is no such snapshot.
pub(crate) fn snapshot_not_found(id: &str) -> Fault {
    Fault::client("ResourceNotFoundException", format!("The snapshot '{id}' does not exist."))
        .with_status(404)
        .with_reason("SNAPSHOT_NOT_FOUND")
}

/// Returns an image that has a snapshot.
pub(crate) fn image_with<'t>(tables: &'t Tables, snapshot_id: &str) -> Option<&'t Arc<Image>> {
    let has = |device: &BlockDevice| device.snapshot_id.as_deref() == Some(snapshot_id);
    tables.images.values().find(|image| image.block_devices.iter().any(has))
}

/// Pins of the store that a change needs. Dropped before they are kept, those that it made are taken back.
pub(crate) struct Pins<'a> {
    store: &'a Store,
    made: Vec<String>,
}

impl Pins<'_> {
    /// Keeps a manifest for a snapshot, if none is kept for it yet.
    pub(crate) fn pin(&mut self, snapshot_id: &str, manifest: Digest) -> Result<(), Fault> {
        let pins = self.store.pins().map_err(|_| Fault::internal())?;
        if pins.iter().all(|(name, _)| name != snapshot_id) {
            self.store.pin(snapshot_id, manifest).map_err(|_| Fault::internal())?;
            self.made.push(snapshot_id.to_owned());
        }
        Ok(())
    }

    /// Keeps them: the change was made.
    pub(crate) fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for Pins<'_> {
    fn drop(&mut self) {
        for name in &self.made {
            // What stays costs space, nothing else.
            let _ = self.store.unpin(name);
        }
    }
}

/// Returns the ids of image and snapshot: they follow from what is stored, so that they are always the same.
fn ids_of(record: &ImageRecord) -> (String, String) {
    let source = format!("{}\0{}\0{}", record.name, record.version, record.digest);
    let id = |kind: &str| {
        let digest = Digest::of(format!("{kind}\0{source}").as_bytes()).to_string();
        format!("{kind}-0{}", &digest[..16])
    };
    (id("ami"), id("snap"))
}

fn snapshot_of(record: &ImageRecord, snapshot_id: String, region: &str) -> Snapshot {
    Snapshot {
        id: snapshot_id,
        account: ACCOUNT_ID.to_owned(),
        region: region.to_owned(),
        volume_id: None,
        volume_gib: record.disk_bytes.div_ceil(1 << 30),
        description: format!("Disk of {}", record.reference()),
        tags: tags_of(record),
        started: whole_second(record.created_at),
        completed: Some(whole_second(record.created_at)),
        manifest: Some(record.digest),
        parent: None,
        // The store keeps each block once: any two of its images can be compared.
        lineage: STORE_LINEAGE.to_owned(),
        timeout_minutes: 0,
        failed: None,
        used_bytes: record.used_bytes.next_multiple_of(BLOCK_BYTES),
        is_encrypted: false,
        kms_key_id: None,
        users: BTreeSet::new(),
        is_public: false,
        is_of_store: true,
        tiering: None,
        lock: None,
        copied_from: None,
    }
}

fn image_of(record: &ImageRecord, image_id: String, snapshot: &Snapshot) -> Image {
    let device = BlockDevice {
        device_name: ROOT_DEVICE.to_owned(),
        snapshot_id: Some(snapshot.id.clone()),
        volume_gib: snapshot.volume_gib,
        volume_type: "gp3".to_owned(),
        is_deleted_on_termination: true,
        ..BlockDevice::default()
    };
    let architecture = match record.architecture {
        Architecture::Arm64 => "arm64",
        _ => "x86_64",
    };
    Image {
        id: image_id,
        account: ACCOUNT_ID.to_owned(),
        region: snapshot.region.clone(),
        name: name_of(record),
        description: Some(format!("{} of amint's store", record.reference())),
        architecture: architecture.to_owned(),
        created: snapshot.started,
        available: snapshot.started,
        root_device_name: ROOT_DEVICE.to_owned(),
        block_devices: vec![device],
        boot_mode: Some("uefi-preferred".to_owned()),
        has_ena: true,
        sriov: None,
        imds_support: Some("v2.0".to_owned()),
        tpm_support: None,
        uefi_data: None,
        product_codes: Vec::new(),
        permissions: BTreeSet::new(),
        origin: ImageOrigin::Store,
        source: None,
        source_instance: None,
        is_disabled: false,
        protection: Protection::Disabled,
        watermarks: Vec::new(),
        failure: None,
        deprecation: None,
        last_launched: None,
        tags: tags_of(record),
    }
}

/// The line of all images of the store.
const STORE_LINEAGE: &str = "store";

/// Where EC2 attaches the root volume of images with GRUB.
const ROOT_DEVICE: &str = "/dev/xvda";

/// Returns a name without what versions may hold and names of images may not (`RegisterImage`, Name). It stands apart from
/// the name that the image gets when it is published.
fn name_of(record: &ImageRecord) -> String {
    format!("store/{}-{}", record.name, record.version).replace(['+', '~'], "-")
}

fn tags_of(record: &ImageRecord) -> Tags {
    [
        ("Name", name_of(record)),
        ("amint:name", record.name.to_string()),
        ("amint:version", record.version.to_string()),
        ("amint:digest", record.digest.to_string()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// Drops what EC2 does not tell.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
