//! Switching a machine on: overlay, firmware, key, metadata service, network, QEMU.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use amint_types::report::Firmware;
use amint_types::{Architecture, Cancel};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::clock::SystemClock;
use crate::error::GuestError;
use crate::imds::{IdentityKeys, ImdsService, LoginKey, Metadata};
use crate::machine::{
    Console, Drive, Forward, Identity, Machine, MachineLayout, Network, ProbeSockets, Qmp, StartError,
    free_ports, prepare_disk, prepare_firmware, probe_accelerator, qemu_program,
};
use crate::probe::{STRANGER, Station, Wire};
use crate::spec::{Accelerator, GuestDisk};
use crate::ssh::{LoginKeyPair, Target};

/// How often other ports are tried when someone else was faster.
const PORT_ATTEMPTS_MAX: u32 = 5;
/// How long QEMU may take to join its network to ours.
const JOIN_TIME: Duration = Duration::from_secs(10);
/// The longest name of a Unix socket is 107 bytes (unix(7)); this much of it is ours.
const SOCKET_FOLDER_BYTES_MAX: usize = 80;

/// What to switch on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PowerOn<'a> {
    /// Begins the names of all files of this machine.
    pub(crate) name: &'a str,
    pub(crate) disk: &'a GuestDisk,
    pub(crate) architecture: Architecture,
    pub(crate) firmware: Firmware,
    pub(crate) bridge: &'a [OsString],
    pub(crate) work_dir: &'a Path,
    pub(crate) memory_mib: u32,
    pub(crate) cpus: u32,
    pub(crate) grow_bytes: u64,
    pub(crate) accelerator: Accelerator,
    pub(crate) user_data: Option<&'a [u8]>,
    /// What signs the identity document; none leaves it unsigned.
    pub(crate) identity: Option<&'a IdentityKeys>,
    /// The product codes that the instance was launched with.
    pub(crate) product_codes: &'a [String],
    pub(crate) ssh_port_in_guest: u16,
    /// Further TCP ports of the guest that are asked from outside.
    pub(crate) guest_ports: &'a [u16],
    /// Whether a stranger may join the guest's network.
    pub(crate) probe: bool,
    /// Whether overlay, console log and key stay.
    pub(crate) keep: bool,
}

/// A machine that is on.
pub(crate) struct Running {
    pub(crate) machine: RefCell<Option<Machine>>,
    pub(crate) console: RefCell<Console>,
    pub(crate) metadata: Metadata,
    pub(crate) key: LoginKeyPair,
    pub(crate) key_path: PathBuf,
    pub(crate) target: Target,
    /// Where the ports of the guest are found: port in the guest to address here.
    pub(crate) addresses: BTreeMap<u16, SocketAddr>,
    pub(crate) imds: ImdsService,
    pub(crate) disk_bytes: u64,
    pub(crate) started: Instant,
    /// The stranger's cable and control socket, where one was asked for.
    pub(crate) probe: RefCell<Option<(Wire, Qmp)>>,
    service: JoinHandle<std::io::Result<()>>,
    _files: Files,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.service.abort();
    }
}

/// Finds out what runs the guest, unless the caller knows.
pub(crate) fn chosen_accelerator(
    wish: Option<Accelerator>,
    architecture: Architecture,
    cancel: &Cancel,
) -> Result<(Accelerator, Option<String>), GuestError> {
    let qemu = qemu_program(architecture)?;
    let chosen = wish.map_or_else(|| probe_accelerator(&qemu, architecture, cancel), |wish| (wish, None));
    cancel.check()?;
    Ok(chosen)
}

/// The files of one machine; removed at the end unless they shall stay.
struct Files {
    folder: PathBuf,
    name: String,
    sockets: Sockets,
    keep: bool,
}

enum Sockets {
    /// In the work folder.
    Near(Vec<PathBuf>),
    /// In a folder with a short name.
    Far(TempDir),
}

impl Files {
    fn new(power: &PowerOn<'_>) -> Result<Self, GuestError> {
        let folder = power.work_dir.to_owned();
        let sockets = if folder.as_os_str().as_bytes().len() + power.name.len() <= SOCKET_FOLDER_BYTES_MAX {
            Sockets::Near(SOCKETS.iter().map(|end| folder.join(format!("{}.{end}", power.name))).collect())
        } else {
            Sockets::Far(tempfile::Builder::new().prefix("amint-").tempdir().map_err(GuestError::Runtime)?)
        };
        Ok(Self { folder, name: power.name.to_owned(), sockets, keep: power.keep })
    }

    fn path(&self, end: &str) -> PathBuf {
        self.folder.join(format!("{}{end}", self.name))
    }

    fn socket(&self, end: &str) -> PathBuf {
        match &self.sockets {
            Sockets::Near(_) => self.folder.join(format!("{}.{end}", self.name)),
            Sockets::Far(folder) => folder.path().join(end),
        }
    }
}

const SOCKETS: [&str; 4] = ["imds", "qmp", "wire", "probe"];
const KEPT: [&str; 4] = [".qcow2", "-console.log", "-qemu.log", "-key"];

impl Drop for Files {
    fn drop(&mut self) {
        let kept: &[&str] = if self.keep { &[] } else { &KEPT };
        let mut files: Vec<PathBuf> = kept.iter().map(|end| self.path(end)).collect();
        files.push(self.path("-variables.fd"));
        if let Sockets::Near(sockets) = &self.sockets {
            files.extend(sockets.iter().cloned());
        }
        for file in files {
            // What was never made cannot be removed, and the folder is the caller's.
            drop(fs::remove_file(file));
        }
    }
}

impl PowerOn<'_> {
    /// Switches the machine on.
    pub(crate) async fn start(&self, cancel: &Cancel) -> Result<Running, GuestError> {
        let qemu = qemu_program(self.architecture)?;
        let files = Files::new(self)?;
        let disk = prepare_disk(self.disk, self.grow_bytes, &files.path(".qcow2"))?;
        let firmware = prepare_firmware(self.architecture, self.firmware, &files.path("-variables.fd"))?;
        let key = LoginKeyPair::generate(&format!("amint-{}", self.name))?;
        let key_path = files.path("-key");
        key.write(&key_path)?;
        let identity = Identity::fresh();
        let metadata = self.metadata(&identity, &key)?;
        let imds = match self.identity {
            Some(keys) => ImdsService::signed(&metadata, keys, Arc::new(SystemClock))?,
            None => ImdsService::new(&metadata, Arc::new(SystemClock)),
        };
        let probe =
            self.probe.then(|| ProbeSockets { wire: files.socket("wire"), control: files.socket("probe") });
        let wire = probe.as_ref().map(|probe| UnixListener::bind(&probe.wire)).transpose();
        let wire = wire.map_err(GuestError::Runtime)?;
        let metadata_socket = files.socket("imds");
        let listener = UnixListener::bind(&metadata_socket).map_err(GuestError::Runtime)?;
        let disk_bytes = disk.bytes;
        let mut layout = MachineLayout {
            architecture: self.architecture,
            accelerator: self.accelerator,
            firmware,
            memory_mib: self.memory_mib,
            cpus: self.cpus,
            drives: vec![Drive::file(disk)],
            slots: 0,
            network: Network::TEST,
            identity,
            instance_type: metadata.instance_type.clone(),
            forwards: Vec::new(),
            bridge: self.bridge.to_vec(),
            metadata_socket,
            console_log: files.path("-console.log"),
            control_socket: files.socket("qmp"),
            probe,
        };
        let service = tokio::spawn(imds.clone().serve(listener));
        let started = Instant::now();
        let machine = self.start_machine(&qemu, &mut layout, files.path("-qemu.log"), cancel).await;
        let machine = machine.inspect_err(|_| service.abort())?;
        let addresses: BTreeMap<u16, SocketAddr> = layout
            .forwards
            .iter()
            .map(|forward| (forward.guest_port, (Ipv4Addr::LOCALHOST, forward.host_port).into()))
            .collect();
        let ssh = addresses.get(&self.ssh_port_in_guest).copied();
        let probe = join_network(wire.as_ref(), &layout, &metadata).await?;
        Ok(Running {
            machine: RefCell::new(Some(machine)),
            console: RefCell::new(Console::new(layout.console_log)),
            metadata,
            key,
            key_path,
            target: Target::new(ssh.expect("the SSH port is always forwarded")),
            addresses,
            imds,
            disk_bytes,
            started,
            probe: RefCell::new(probe),
            service,
            _files: files,
        })
    }

    fn metadata(&self, identity: &Identity, key: &LoginKeyPair) -> Result<Metadata, GuestError> {
        let login_key = LoginKey { name: format!("amint-{}", self.name), openssh: key.public_line()? };
        Ok(Metadata {
            login_keys: vec![login_key],
            user_data: self.user_data.map(ToOwned::to_owned),
            product_codes: self.product_codes.to_vec(),
            ..Metadata::for_test(self.architecture, identity.mac.clone(), Timestamp::now())
        })
    }

    async fn start_machine(
        &self,
        qemu: &Path,
        layout: &mut MachineLayout,
        messages: PathBuf,
        cancel: &Cancel,
    ) -> Result<Machine, GuestError> {
        let mut guest_ports: Vec<u16> = self.guest_ports.to_vec();
        guest_ports.push(self.ssh_port_in_guest);
        guest_ports.sort_unstable();
        guest_ports.dedup();
        let mut attempt = 1;
        loop {
            let host_ports = free_ports(guest_ports.len()).map_err(GuestError::Runtime)?;
            layout.forwards = host_ports
                .iter()
                .zip(&guest_ports)
                .map(|(host_port, guest_port)| Forward { host_port: *host_port, guest_port: *guest_port })
                .collect();
            let arguments = layout.arguments();
            match Machine::start(qemu, &arguments, &layout.control_socket, messages.clone(), cancel).await {
                Ok(machine) => return Ok(machine),
                Err(StartError::PortTaken) if attempt < PORT_ATTEMPTS_MAX => attempt += 1,
                Err(StartError::PortTaken) => {
                    let message = "no local port stays free long enough".to_owned();
                    return Err(GuestError::MachineDied { message });
                }
                Err(StartError::Other(error)) => return Err(error),
            }
        }
    }
}

/// Joins the guest's network as a stranger, where that was asked for.
async fn join_network(
    wire: Option<&UnixListener>,
    layout: &MachineLayout,
    metadata: &Metadata,
) -> Result<Option<(Wire, Qmp)>, GuestError> {
    let (Some(listener), Some(sockets)) = (wire, &layout.probe) else { return Ok(None) };
    let guest = Station { mac: layout.identity.mac_bytes(), address: metadata.local_ipv4 };
    // QEMU connects before it answers on its control socket; one that did not would leave us waiting.
    let wire = tokio::time::timeout(JOIN_TIME, Wire::accept(listener, STRANGER, guest))
        .await
        .map_err(|_| GuestError::Runtime(std::io::ErrorKind::TimedOut.into()))?
        .map_err(GuestError::Runtime)?;
    Ok(Some((wire, Qmp::connect(&sockets.control).await?)))
}

impl Running {
    /// Takes the power away.
    pub(crate) async fn end(self) {
        let machine = self.machine.borrow_mut().take();
        if let Some(mut machine) = machine {
            machine.end().await;
        }
    }

    /// Lets the guest shut down in good order, for at most `patience`.
    pub(crate) async fn shut_down(self, patience: Duration) {
        let machine = self.machine.borrow_mut().take();
        if let Some(machine) = machine {
            machine.shut_down(patience).await;
        }
    }
}
