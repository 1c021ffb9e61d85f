//! The machines of instances: each a QEMU process with its disks, its metadata service and its door.
//!
//! All of them live on one thread of their own. What is asked of one goes to its task ([`Command`]); what becomes of it
//! goes to the tables of the [`World`]. Whatever way the endpoint ends, no machine outlives it: its thread ends them in
//! good order, the kernel ends them with the thread, and the next endpoint ends what is left ([`orphans`]).

mod door;
mod metadata;
mod orphans;
mod power;
mod task;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use amint_guest::imds::IdentityKeys;
use amint_guest::{InstanceSpec, Screen};
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use crate::world::World;

/// How instances run.
#[derive(Clone, Debug)]
pub struct MachineOptions {
    /// The folder of instances and volumes. It exists, and nobody else can read it.
    pub folder: PathBuf,
    /// The program, with its arguments, that QEMU starts per metadata connection; see [`amint_guest::bridge`].
    pub bridge: Vec<OsString>,
    /// What signs the identity documents of instances.
    pub identity: IdentityKeys,
    /// How many machines may be on at once.
    pub count_max: u32,
    /// How much memory they may have altogether.
    pub memory_mib_max: u32,
    /// Whether guests reach what this computer reaches, this computer's own ports among it.
    pub is_let_out: bool,
}

/// What is asked of a machine.
#[derive(Debug)]
pub(crate) enum Command {
    /// Shut down, or lose power.
    Stop { is_forced: bool },
    /// Shut down where a volume outlives the instance, else lose power; then the instance is gone.
    Terminate,
    /// Shut down and start again.
    Reboot,
    /// Shut down, let `meanwhile` run, and start again.
    Pause { meanwhile: Meanwhile },
    /// Rules, groups, tags or options have changed.
    Look,
    /// Where is this port of the guest?
    Forward { port: u16, answer: oneshot::Sender<Option<std::net::SocketAddr>> },
    /// What does the screen show?
    Screen { is_woken: bool, answer: oneshot::Sender<Result<Screen, String>> },
    /// Plug a volume in.
    Plug { volume_id: String, answer: oneshot::Sender<Result<(), String>> },
    /// Let go of a volume.
    Unplug { volume_id: String, answer: oneshot::Sender<Result<(), String>> },
}

/// What happens while a machine is off.
pub(crate) struct Meanwhile(pub(crate) Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Meanwhile")
    }
}

/// All machines of an endpoint.
#[derive(Debug)]
pub(crate) struct Machines {
    options: MachineOptions,
    /// A folder with a short name: that of a socket has at most 107 bytes (unix(7)).
    sockets: TempDir,
    running: Mutex<HashMap<String, UnboundedSender<Command>>>,
    runtime: Handle,
    /// Told to end everything.
    closing: watch::Sender<bool>,
    /// How many machines there are.
    count: Arc<watch::Sender<usize>>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Machines {
    /// Makes the thread on which machines live, and ends what a former endpoint left.
    pub(crate) fn open(options: MachineOptions) -> io::Result<Self> {
        let instances = options.folder.join("instances");
        DirBuilder::new().recursive(true).mode(0o700).create(&instances)?;
        orphans::end_all(&instances);
        let sockets = private_folder(&options.folder.join("sockets"))?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (closing, mut closed) = watch::channel(false);
        let count = Arc::new(watch::Sender::new(0));
        let mut left = count.subscribe();
        let thread = thread::Builder::new().name("machines".to_owned()).spawn(move || {
            runtime.block_on(async {
                // The last sender is told to close, or gone.
                let _ = closed.wait_for(|is_closing| *is_closing).await;
                let _ = left.wait_for(|count| *count == 0).await;
            });
        })?;
        Ok(Self {
            options,
            sockets,
            running: Mutex::default(),
            runtime: handle,
            closing,
            count,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(crate) fn options(&self) -> &MachineOptions {
        &self.options
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, UnboundedSender<Command>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the folder of an instance.
    pub(crate) fn folder(&self, id: &str) -> PathBuf {
        self.options.folder.join("instances").join(id)
    }

    /// Switches the machine of an instance on.
    pub(crate) fn start(&self, world: &Arc<World>, id: &str) {
        if *self.closing.borrow() {
            world.machine_failed(id, "the endpoint ends");
            return;
        }
        let (sender, commands) = unbounded_channel();
        self.running().insert(id.to_owned(), sender.clone());
        self.count.send_modify(|count| *count += 1);
        let (world, id, closing) = (Arc::clone(world), id.to_owned(), self.closing.subscribe());
        let count = Arc::clone(&self.count);
        self.runtime.spawn(async move {
            if let Some(machines) = world.machines() {
                task::run(&world, machines, &id, (sender, commands), closing).await;
            }
            count.send_modify(|count| *count -= 1);
        });
    }

    /// Asks something of the machine of an instance; false when it has none.
    pub(crate) fn ask(&self, id: &str, command: Command) -> bool {
        self.running().get(id).is_some_and(|machine| machine.send(command).is_ok())
    }

    /// Asks something of all machines.
    pub(crate) fn look(&self) {
        for machine in self.running().values() {
            // A machine that ends just now looks at nothing any more.
            let _ = machine.send(Command::Look);
        }
    }

    /// Reads the end of what an instance wrote to its serial console, and when that was.
    pub(crate) fn console(&self, id: &str, bytes_max: u64) -> io::Result<Option<(Vec<u8>, jiff::Timestamp)>> {
        use std::io::{Read, Seek, SeekFrom};
        let path = InstanceSpec::console_log(&self.folder(id));
        let mut file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        let written = jiff::Timestamp::try_from(metadata.modified()?).map_err(io::Error::other)?;
        file.seek(SeekFrom::Start(metadata.len().saturating_sub(bytes_max)))?;
        let mut text = Vec::new();
        file.take(bytes_max).read_to_end(&mut text)?;
        Ok(Some((text, written)))
    }

    /// Takes the machine of an instance out of the list: nobody shall ask it any more.
    pub(super) fn strike(&self, id: &str) {
        self.running().remove(id);
    }

    /// Forgets the files of an instance that is gone, but for what it wrote to its console: that is asked for afterwards.
    pub(crate) fn forget_machine(&self, id: &str) {
        let folder = self.folder(id);
        let console = InstanceSpec::console_log(&folder);
        let Ok(entries) = fs::read_dir(&folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| *path != console) {
            // What cannot be removed costs space, nothing else; here and below.
            let _ = fs::remove_file(path);
        }
    }

    /// Forgets all files of an instance.
    pub(crate) fn forget(&self, id: &str) {
        let _ = fs::remove_dir_all(self.folder(id));
    }

    /// Ends all machines: guests are asked to shut down, and lose their power when they take too long.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // One that panicked has ended too.
            let _ = thread.join();
        }
    }
}

/// Makes a private folder with a short name, which `note` remembers, and removes the one that an endpoint left which was killed.
fn private_folder(note: &Path) -> io::Result<TempDir> {
    let place = std::env::temp_dir();
    if let Ok(name) = fs::read_to_string(note)
        // A name alone: what stands there leads nowhere else.
        && name.starts_with(SOCKETS)
        && name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
    {
        // One that is gone, or somebody else's, stays as it is.
        let _ = fs::remove_dir_all(place.join(name));
    }
    let folder = tempfile::Builder::new().prefix(SOCKETS).tempdir_in(place)?;
    if let Some(name) = folder.path().file_name() {
        fs::write(note, name.as_encoded_bytes())?;
    }
    Ok(folder)
}

/// How names of folders with sockets begin.
const SOCKETS: &str = "amint-";

/// How long a guest may take to shut down when it is asked to, and when the endpoint ends.
const SHUT_DOWN_TIME: Duration = Duration::from_mins(2);
const CLOSING_TIME: Duration = Duration::from_secs(20);

type Commands = (UnboundedSender<Command>, UnboundedReceiver<Command>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_an_endpoint_that_was_killed_is_removed_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("sockets");
        // Never dropped, as when the process is killed.
        let left = private_folder(&note).unwrap().keep();
        fs::write(left.join("i-1.qmp"), "").unwrap();
        let next = private_folder(&note).unwrap();
        assert!(!left.exists() && next.path().exists());
        let other = folder.path().join("amint-other");
        fs::create_dir(&other).unwrap();
        fs::write(&note, other.to_str().unwrap()).unwrap();
        private_folder(&note).unwrap();
        assert!(other.exists(), "a path is no name");
    }
}
