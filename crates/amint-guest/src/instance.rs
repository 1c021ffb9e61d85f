//! Machines that run for days: the instances of the embedded endpoint.
//!
//! Unlike the machines of boot tests, their disks are served by whoever starts them, their files outlive the machine, and
//! disks and ports come and go while they run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use amint_types::report::Firmware;
use amint_types::{Architecture, Cancel};
use serde_json::json;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

use crate::error::GuestError;
use crate::imds::ImdsService;
use crate::machine::{
    Drive, DriveSource, Identity, Machine, MachineLayout, Network, Places, QmpError, StartError, free_ports,
    prepare_firmware, probe_accelerator, qemu_program,
};
use crate::screen::Screen;

/// All addresses of the network that instances are in: the metadata service's true address has to be one of them.
pub const INSTANCE_NETWORK: &str = "169.254.0.0/16";
/// The way out of that network, as in a subnet of EC2; and the name server, at the address that EC2's has.
const GATEWAY: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 1);
const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 253);
/// How many disks can be plugged in while an instance runs.
const SLOTS: u32 = 4;
/// How often other ports are tried when someone else was faster.
const PORT_ATTEMPTS_MAX: u32 = 5;

/// A disk of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceDisk {
    /// The volume's id, `vol-…`; the guest sees it as the serial number, without the dash.
    pub volume_id: String,
    /// The socket at which a server of network block devices serves it.
    pub socket: PathBuf,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct InstanceSpec {
    /// The processor architecture.
    pub architecture: Architecture,
    /// The firmware that starts it.
    pub firmware: Firmware,
    /// The guest's memory.
    pub memory_mib: u32,
    /// The guest's processors.
    pub cpus: u32,
    /// What EC2 calls this kind of machine.
    pub instance_type: String,
    /// The SMBIOS UUID, beginning with `ec2`.
    pub uuid: String,
    /// The hardware address, lower case with colons.
    pub mac: String,
    /// The guest's address, one of [`INSTANCE_NETWORK`].
    pub address: Ipv4Addr,
    /// Whether the guest reaches what this computer reaches, this computer's own ports among it.
    pub is_let_out: bool,
    /// The disks; the machine starts from the first.
    pub disks: Vec<InstanceDisk>,
    /// The program, with its arguments, that QEMU starts per metadata connection; see [`bridge`](crate::bridge).
    pub bridge: Vec<OsString>,
    /// The folder of the instance, which outlives the machine: console, firmware variables. It exists.
    pub folder: PathBuf,
    /// A private folder with a short name, for sockets; and how the names of this machine's begin.
    pub sockets: (PathBuf, String),
}

impl InstanceSpec {
    /// Returns the file that the serial console of an instance is written to.
    pub fn console_log(folder: &Path) -> PathBuf {
        folder.join("console.log")
    }

    /// Makes up a UUID as those of EC2's machines.
    pub fn fresh_uuid() -> String {
        Identity::fresh().uuid
    }

    fn socket(&self, end: &str) -> PathBuf {
        self.sockets.0.join(format!("{}.{end}", self.sockets.1))
    }
}

/// A running instance. Dropped, it loses power.
#[derive(Debug)]
pub struct Instance {
    machine: Machine,
    service: JoinHandle<std::io::Result<()>>,
    /// Ports of the guest, and where they are found here.
    forwards: BTreeMap<u16, SocketAddr>,
    /// Volumes that were plugged in, and the slot of each.
    plugged: BTreeMap<String, u32>,
    /// Volumes that were there from the start, and the number of each.
    built_in: BTreeMap<String, usize>,
    /// The folder of the instance.
    folder: PathBuf,
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.service.abort();
    }
}

impl Instance {
    /// Switches the machine on. Its metadata service is `imds`.
    ///
    /// # Errors
    /// Fails when QEMU or a firmware is missing, or QEMU does not start.
    pub async fn start(spec: &InstanceSpec, imds: ImdsService, cancel: &Cancel) -> Result<Self, GuestError> {
        let qemu = qemu_program(spec.architecture)?;
        let firmware = prepare_firmware(spec.architecture, spec.firmware, &spec.folder.join("variables.fd"))?;
        let (program, architecture, stop) = (qemu.clone(), spec.architecture, cancel.clone());
        let probe = tokio::task::spawn_blocking(move || probe_accelerator(&program, architecture, &stop));
        let (accelerator, _) = probe.await.map_err(|error| GuestError::Runtime(error.into()))?;
        let metadata_socket = fresh(spec.socket("imds"))?;
        let control_socket = fresh(spec.socket("qmp"))?;
        let listener = UnixListener::bind(&metadata_socket).map_err(GuestError::Runtime)?;
        let layout = MachineLayout {
            architecture: spec.architecture,
            accelerator,
            firmware,
            memory_mib: spec.memory_mib,
            cpus: spec.cpus,
            drives: spec.disks.iter().map(drive).collect(),
            slots: SLOTS,
            network: Network {
                addresses: INSTANCE_NETWORK,
                places: Some(Places { guest: spec.address, gateway: GATEWAY, names: NAME_SERVER }),
                is_open: spec.is_let_out,
            },
            identity: Identity { uuid: spec.uuid.clone(), mac: spec.mac.clone() },
            instance_type: spec.instance_type.clone(),
            forwards: Vec::new(),
            bridge: spec.bridge.clone(),
            metadata_socket,
            console_log: InstanceSpec::console_log(&spec.folder),
            control_socket,
            probe: None,
        };
        let service = tokio::spawn(imds.serve(listener));
        let messages = spec.folder.join("qemu.log");
        let started =
            Machine::start(&qemu, &layout.arguments(), &layout.control_socket, messages, cancel).await;
        let machine = started.map_err(|error| {
            service.abort();
            match error {
                StartError::Other(error) => error,
                // None was asked for yet.
                StartError::PortTaken => GuestError::MachineDied { message: "a port is taken".to_owned() },
            }
        })?;
        let built_in = (0..).zip(&spec.disks).map(|(index, disk)| (disk.volume_id.clone(), index)).collect();
        let folder = spec.folder.clone();
        Ok(Self { machine, service, forwards: BTreeMap::new(), plugged: BTreeMap::new(), built_in, folder })
    }

    /// Returns the process id of QEMU, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.machine.process_id()
    }

    /// Waits until the machine ends by itself: the guest switched it off, or QEMU died.
    pub async fn ended(&mut self) {
        self.machine.ended().await;
    }

    /// Tells in QEMU's own words why it ended, if it said anything.
    pub fn message(&self) -> String {
        self.machine.message()
    }

    /// Presses the power button: what the guest makes of it is up to it.
    ///
    /// # Errors
    /// Fails when QEMU does not take the command.
    pub async fn power_down(&mut self) -> Result<(), GuestError> {
        Ok(self.machine.qmp().power_down().await?)
    }

    /// Returns what the guest's screen shows. With `is_woken` a key is pressed before: that wakes one that sleeps.
    ///
    /// # Errors
    /// Fails when the machine has no screen, or QEMU does not take the command.
    pub async fn screen(&mut self, is_woken: bool) -> Result<Screen, GuestError> {
        let qmp = self.machine.qmp();
        if is_woken {
            let keys = json!({ "keys": [{ "type": "qcode", "data": "ctrl" }] });
            qmp.execute_with("send-key", keys).await?;
        }
        // One file after the other, in a folder that nobody else reads.
        let path = self.folder.join("screen.ppm");
        qmp.execute_with("screendump", json!({ "filename": path })).await?;
        let read = Screen::read(&path);
        // What cannot be removed is overwritten by the next.
        let _ = std::fs::remove_file(&path);
        read.map_err(|source| GuestError::File { action: "read", path, source })
    }

    /// Presses the reset button: the guest starts anew without a warning.
    ///
    /// # Errors
    /// Fails when QEMU does not take the command.
    pub async fn reset(&mut self) -> Result<(), GuestError> {
        self.machine.qmp().execute("system_reset").await?;
        Ok(())
    }

    /// Takes the power away.
    pub async fn end(mut self) {
        self.machine.end().await;
    }

    /// Returns where a TCP port of the guest is found on this computer.
    ///
    /// # Errors
    /// Fails when no local port is free, or QEMU does not take the command.
    pub async fn forward(&mut self, guest_port: u16) -> Result<SocketAddr, GuestError> {
        if let Some(address) = self.forwards.get(&guest_port) {
            return Ok(*address);
        }
        let mut attempt = 1;
        loop {
            let port = free_ports(1).map_err(GuestError::Runtime)?.into_iter().next().unwrap_or_default();
            let line = format!("hostfwd_add net tcp:127.0.0.1:{port}-:{guest_port}");
            match self.machine.qmp().monitor(&line).await {
                Ok(()) => {
                    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
                    self.forwards.insert(guest_port, address);
                    return Ok(address);
                }
                // Somebody else took the port meanwhile.
                Err(QmpError::Refused { .. }) if attempt < PORT_ATTEMPTS_MAX => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Closes all ways into the guest but those to some ports. Connections that stand go on.
    pub async fn keep_forwards(&mut self, is_kept: impl Fn(u16) -> bool) {
        let closed: Vec<(u16, SocketAddr)> = self
            .forwards
            .iter()
            .map(|(port, address)| (*port, *address))
            .filter(|(port, _)| !is_kept(*port))
            .collect();
        for (port, address) in closed {
            self.forwards.remove(&port);
            // It says something in either case.
            drop(self.machine.qmp().monitor(&format!("hostfwd_remove net tcp:{address}")).await);
        }
    }

    /// Plugs a disk in.
    ///
    /// # Errors
    /// Fails when all slots are taken, or QEMU does not take it.
    pub async fn plug(&mut self, disk: &InstanceDisk) -> Result<(), GuestError> {
        let is_free = |slot: &u32| self.plugged.values().all(|taken| taken != slot);
        let Some(slot) = (1..=SLOTS).find(is_free) else {
            let description = format!("all {SLOTS} slots for disks are taken");
            return Err(QmpError::Refused { command: "device_add".to_owned(), description }.into());
        };
        let (node, device) = (format!("plug{slot}"), format!("plugged{slot}"));
        let block = json!({
            "driver": "raw", "node-name": node, "discard": "unmap", "detect-zeroes": "unmap",
            "file": { "driver": "nbd", "server": { "type": "unix", "path": disk.socket } },
        });
        let qmp = self.machine.qmp();
        qmp.execute_with("blockdev-add", block).await?;
        let card = json!({
            "driver": "nvme", "id": device, "drive": node, "bus": format!("slot{slot}"),
            "serial": serial(&disk.volume_id),
        });
        if let Err(error) = qmp.execute_with("device_add", card).await {
            drop(qmp.execute_with("blockdev-del", json!({ "node-name": node })).await);
            return Err(error.into());
        }
        self.plugged.insert(disk.volume_id.clone(), slot);
        Ok(())
    }

    /// Asks the guest to let go of a disk. It is gone once [`is_plugged`](Self::is_plugged) says so.
    ///
    /// # Errors
    /// Fails when the disk was there from the start, or QEMU does not take the command.
    pub async fn unplug(&mut self, volume_id: &str) -> Result<(), GuestError> {
        let Some(slot) = self.plugged.get(volume_id) else {
            let description = if self.built_in.contains_key(volume_id) {
                "the disk was there when the machine started".to_owned()
            } else {
                "there is no such disk".to_owned()
            };
            return Err(QmpError::Refused { command: "device_del".to_owned(), description }.into());
        };
        self.machine.qmp().execute_with("device_del", json!({ "id": format!("plugged{slot}") })).await?;
        Ok(())
    }

    /// Tells whether a disk that was plugged in still is; one that the guest let go of is taken away for good.
    ///
    /// # Errors
    /// Fails when QEMU does not answer.
    pub async fn is_plugged(&mut self, volume_id: &str) -> Result<bool, GuestError> {
        let Some(slot) = self.plugged.get(volume_id).copied() else { return Ok(false) };
        let qmp = self.machine.qmp();
        let path = json!({ "path": "/machine/peripheral" });
        let devices = qmp.execute_with("qom-list", path).await?;
        let name = format!("plugged{slot}");
        let is_there =
            devices.as_array().is_some_and(|list| list.iter().any(|one| one["name"] == name.as_str()));
        if is_there {
            return Ok(true);
        }
        // The device goes from the list before it lets go of its disk: QEMU does that a little later.
        match qmp.execute_with("blockdev-del", json!({ "node-name": format!("plug{slot}") })).await {
            Ok(_) => {
                self.plugged.remove(volume_id);
                Ok(false)
            }
            Err(QmpError::Refused { .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

fn drive(disk: &InstanceDisk) -> Drive {
    Drive { source: DriveSource::Served(disk.socket.clone()), serial: serial(&disk.volume_id) }
}

fn serial(volume_id: &str) -> String {
    volume_id.replace('-', "")
}

/// Removes what a former machine left at a path.
fn fresh(path: PathBuf) -> Result<PathBuf, GuestError> {
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(GuestError::file("remove", &path)(error))
        }
        _ => Ok(path),
    }
}
