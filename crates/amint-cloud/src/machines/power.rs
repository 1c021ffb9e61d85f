//! A machine that is on, with all that serves it.

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use amint_guest::imds::{ImdsService, Metadata};
use amint_guest::{Instance as Guest, InstanceDisk, InstanceSpec, SystemClock};
use amint_types::Cancel;
use amint_types::report::Firmware;
use tokio::net::UnixListener;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, spawn_blocking};

use super::door::{Door, open_ports};
use super::metadata::{access, architecture, metadata, volumes};
use super::{Command, Machines, orphans};
use crate::instance_types;
use crate::operations::{InstanceSession, instance_role};
use crate::records::Instance;
use crate::volumes::{Disk, serve};
use crate::world::World;

/// A machine that is on.
pub(super) struct On {
    pub(super) guest: Guest,
    pub(super) door: Option<Door>,
    imds: ImdsService,
    session: InstanceSession,
    served: HashMap<String, Served>,
    folder: PathBuf,
}

/// A volume that is served at a socket, until this value is dropped.
struct Served {
    listener: JoinHandle<()>,
    connections: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Served {
    /// Serves a volume at a socket.
    fn start(disk: Arc<Disk>, socket: &Path) -> io::Result<Self> {
        match std::fs::remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(socket)?;
        let connections = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&connections);
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let disk = Arc::clone(&disk);
                let Ok(stream) = stream.into_std() else { continue };
                let connection = spawn_blocking(move || {
                    // QEMU tells its guest what fails; a connection that breaks ends with its machine.
                    let _ = stream.set_nonblocking(false).and_then(|()| serve(&disk, &stream));
                });
                all.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
        });
        Ok(Self { listener, connections })
    }

    /// Waits until everything that was written is in the volume. Its machine has to be off, or have let go of it.
    async fn end(self) {
        self.listener.abort();
        let connections =
            std::mem::take(&mut *self.connections.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in connections {
            // One that panicked has ended too.
            let _ = connection.await;
        }
    }
}

fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl On {
    /// Switches the machine of an instance on.
    pub(super) async fn start(
        world: &Arc<World>,
        machines: &Machines,
        id: &str,
        commands: &UnboundedSender<Command>,
    ) -> Result<Self, String> {
        let (instance, told, disks) = {
            let tables = world.state.read();
            let instance = Instance::clone(tables.instances.get(id).ok_or("the instance is gone")?);
            let disks: Vec<(String, u64)> = volumes(&tables, &instance)
                .iter()
                .map(|volume| (volume.id.clone(), volume.bytes()))
                .collect();
            let told = metadata(&tables, &instance);
            (instance, told, disks)
        };
        let mut session = InstanceSession::default();
        let told = Metadata { role: instance_role(world, id, &mut session), ..told };
        let folder = machines.folder(id);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| words(&error))?;
        let mut served = HashMap::new();
        let mut attached = Vec::new();
        for (volume_id, bytes) in disks {
            let (one, disk) =
                serve_volume(world, machines, &volume_id, bytes).map_err(|error| words(&error))?;
            served.insert(volume_id, one);
            attached.push(disk);
        }
        let keys = machines.options().identity.clone();
        let rights = access(&instance);
        // Three signatures take a while.
        let imds = spawn_blocking(move || {
            let service = ImdsService::new(&told, Arc::new(SystemClock));
            service.update(&told, &keys, rights).map(|()| service)
        });
        let imds = imds.await.map_err(|error| words(&error))?.map_err(|error| words(&error))?;
        let spec = spec(machines, &instance, attached)?;
        let guest = Guest::start(&spec, imds.clone(), &Cancel::new()).await.map_err(|error| words(&error))?;
        if let Some(process) = guest.process_id() {
            orphans::note(&folder, process).map_err(|error| words(&error))?;
        }
        let door = instance.public_ip.map(|address| Door::new(world, id, address, commands.clone()));
        let mut on = Self { guest, door, imds, session, served, folder };
        on.look(world, machines, id).await;
        Ok(on)
    }

    /// Looks at rules, groups, tags and options.
    pub(super) async fn look(&mut self, world: &World, machines: &Machines, id: &str) {
        let (ports, told, rights) = {
            let tables = world.state.read();
            let Some(instance) = tables.instances.get(id) else { return };
            (open_ports(&tables, instance), metadata(&tables, instance), access(instance))
        };
        let told = Metadata { role: instance_role(world, id, &mut self.session), ..told };
        if let Some(door) = &mut self.door {
            door.open(&ports).await;
        }
        self.guest.keep_forwards(|port| ports.contains(&port)).await;
        let (imds, keys) = (self.imds.clone(), machines.options().identity.clone());
        // Without random numbers the guest is told what it was told before.
        let _ = spawn_blocking(move || imds.update(&told, &keys, rights)).await;
    }

    /// Gives the guest new credentials when those that it has are halfway through.
    pub(super) async fn renew(&mut self, world: &World, machines: &Machines, id: &str) {
        if self.session.is_due(world.clock().now()) {
            self.look(world, machines, id).await;
        }
    }

    /// Plugs a volume in.
    pub(super) async fn plug(
        &mut self,
        world: &World,
        machines: &Machines,
        volume_id: &str,
    ) -> Result<(), String> {
        let bytes = world.state.read().volumes.get(volume_id).map(|volume| volume.bytes());
        let bytes = bytes.ok_or("the volume is gone")?;
        let (served, disk) =
            serve_volume(world, machines, volume_id, bytes).map_err(|error| words(&error))?;
        self.guest.plug(&disk).await.map_err(|error| words(&error))?;
        self.served.insert(volume_id.to_owned(), served);
        Ok(())
    }

    /// Ends the service of a volume that the guest has let go of.
    pub(super) async fn unserve(&mut self, volume_id: &str) {
        if let Some(served) = self.served.remove(volume_id) {
            served.end().await;
        }
    }

    /// Takes the power away, if the machine is still on, and waits until its volumes hold everything.
    pub(super) async fn end(mut self) {
        self.door = None;
        self.guest.end().await;
        for (_, served) in self.served {
            served.end().await;
        }
        orphans::forget(&self.folder);
    }
}

fn serve_volume(
    world: &World,
    machines: &Machines,
    volume_id: &str,
    bytes: u64,
) -> io::Result<(Served, InstanceDisk)> {
    let socket = machines.sockets.path().join(volume_id);
    let disk = world.volumes.open(&world.store, volume_id, bytes)?;
    let served = Served::start(disk, &socket)?;
    Ok((served, InstanceDisk { volume_id: volume_id.to_owned(), socket }))
}

fn spec(machines: &Machines, instance: &Instance, disks: Vec<InstanceDisk>) -> Result<InstanceSpec, String> {
    let size = instance_types::find(&instance.instance_type).ok_or("the instance type is unknown")?;
    let firmware = if instance.starts_by_uefi() { Firmware::Uefi } else { Firmware::Bios };
    let host = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(InstanceSpec {
        architecture: architecture(instance),
        firmware,
        memory_mib: size.memory_mib,
        cpus: size.cpus.min(u32::try_from(host).unwrap_or(u32::MAX)),
        instance_type: instance.instance_type.clone(),
        uuid: instance.uuid.clone(),
        mac: instance.mac.clone(),
        address: instance.private_ip,
        is_let_out: machines.options().is_let_out,
        disks,
        bridge: machines.options().bridge.clone(),
        folder: machines.folder(&instance.id),
        sockets: (machines.sockets.path().to_owned(), instance.id.clone()),
    })
}
