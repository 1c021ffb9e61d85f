//! The door of an instance: its own address on loopback, with the true numbers of the ports that its security groups open.
//!
//! A port that no rule opens has nobody who listens: connections are refused. At one that is open each connection is held
//! against the rules as they are then. QEMU's network ends the guest's connections by itself, so what an open port leads
//! to is found out only when somebody comes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::Command;
use crate::records::{Instance, Rule, Tables};
use crate::world::World;

/// The most ports of an instance that rules open one by one. Of a rule with more, the first 1,023 ports are opened, and
/// [`WELL_KNOWN_PORTS`].
const PORTS_MAX: usize = 1024;
/// Ports beyond 1,023 that are opened by rules which open nearly everything.
const WELL_KNOWN_PORTS: [u16; 18] = [
    1433, 1521, 3000, 3306, 3389, 5000, 5432, 5671, 5672, 5985, 5986, 6379, 8000, 8080, 8443, 9090, 9200,
    27_017,
];
/// How many connections an instance may have at once.
const CONNECTIONS_MAX: usize = 512;
/// How soon the next connection is taken when one could not be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Returns the TCP ports that the groups of an instance open.
pub(super) fn open_ports(tables: &Tables, instance: &Instance) -> BTreeSet<u16> {
    let groups = instance.group_ids.iter().filter_map(|id| tables.security_groups.get(id));
    ports_of(groups.flat_map(|group| &group.rules).filter_map(Rule::tcp_ports).collect())
}

/// Returns the ports of some ranges, as many as are opened.
fn ports_of(mut ranges: Vec<(u16, u16)>) -> BTreeSet<u16> {
    let mut ports = BTreeSet::new();
    // Small ones first, so that a large one takes nothing from them.
    ranges.sort_by_key(|(first, last)| last.saturating_sub(*first));
    for (first, last) in ranges {
        if usize::from(last.saturating_sub(first)) < PORTS_MAX.saturating_sub(ports.len()) {
            ports.extend(first.max(1)..=last);
        } else {
            ports.extend(first.max(1)..=last.min(1023));
            ports.extend(WELL_KNOWN_PORTS.into_iter().filter(|port| (first..=last).contains(port)));
        }
    }
    ports
}

/// The door of one instance; it closes with this value.
pub(super) struct Door {
    world: Weak<World>,
    id: Arc<str>,
    address: Ipv4Addr,
    machine: UnboundedSender<Command>,
    connections: Arc<Semaphore>,
    listeners: BTreeMap<u16, AbortHandle>,
}

impl Drop for Door {
    fn drop(&mut self) {
        for listener in self.listeners.values() {
            listener.abort();
        }
    }
}

impl Door {
    /// Makes a door that is closed.
    pub(super) fn new(
        world: &Arc<World>,
        id: &str,
        address: Ipv4Addr,
        machine: UnboundedSender<Command>,
    ) -> Self {
        Self {
            world: Arc::downgrade(world),
            id: id.into(),
            address,
            machine,
            connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            listeners: BTreeMap::new(),
        }
    }

    /// Opens these ports, and closes all others. A port that this computer does not give stays closed.
    pub(super) async fn open(&mut self, ports: &BTreeSet<u16>) {
        self.listeners.retain(|port, listener| {
            let is_open = ports.contains(port);
            if !is_open {
                listener.abort();
            }
            is_open
        });
        for port in ports {
            if self.listeners.contains_key(port) {
                continue;
            }
            let Ok(listener) = TcpListener::bind((self.address, *port)).await else { continue };
            let keeper = Keeper {
                world: Weak::clone(&self.world),
                id: Arc::clone(&self.id),
                port: *port,
                machine: self.machine.clone(),
                connections: Arc::clone(&self.connections),
            };
            self.listeners.insert(*port, tokio::spawn(keeper.attend(listener)).abort_handle());
        }
    }
}

/// Who attends to one port.
#[derive(Clone)]
struct Keeper {
    world: Weak<World>,
    id: Arc<str>,
    port: u16,
    machine: UnboundedSender<Command>,
    connections: Arc<Semaphore>,
}

impl Keeper {
    async fn attend(self, listener: TcpListener) {
        loop {
            // Without a free descriptor nobody is let in; others may come later.
            let Ok((client, peer)) = listener.accept().await else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let Ok(permit) = Arc::clone(&self.connections).try_acquire_owned() else { continue };
            if !self.is_admitted(peer.ip()) {
                continue;
            }
            let keeper = self.clone();
            tokio::spawn(async move {
                // Either side may hang up at any time.
                let _ = keeper.pass(client).await;
                drop(permit);
            });
        }
    }

    fn is_admitted(&self, peer: IpAddr) -> bool {
        let (Some(world), IpAddr::V4(peer)) = (self.world.upgrade(), peer) else { return false };
        let tables = world.state.read();
        let Some(instance) = tables.instances.get(&*self.id) else { return false };
        let mut groups = instance.group_ids.iter().filter_map(|id| tables.security_groups.get(id));
        groups.any(|group| group.rules.iter().any(|rule| rule.admits(peer, self.port)))
    }

    async fn pass(&self, mut client: TcpStream) -> io::Result<()> {
        let (answer, place) = oneshot::channel();
        let gone = || io::Error::from(io::ErrorKind::NotConnected);
        self.machine.send(Command::Forward { port: self.port, answer }).map_err(|_| gone())?;
        let place: SocketAddr = place.await.map_err(|_| gone())?.ok_or_else(gone)?;
        let mut guest = TcpStream::connect(place).await?;
        client.set_nodelay(true)?;
        guest.set_nodelay(true)?;
        copy_bidirectional(&mut client, &mut guest).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_without_bounds_open_low_and_well_known_ports_and_leave_the_others_theirs() {
        let ports = ports_of(vec![(0, u16::MAX), (12_000, 12_999), (22, 22)]);
        assert!([1, 22, 443, 1023, 5432, 8080, 12_000, 12_999].iter().all(|port| ports.contains(port)));
        assert!([0, 1024, 13_000, u16::MAX].iter().all(|port| !ports.contains(port)));
        assert!(ports_of(vec![(0, u16::MAX); 60]).len() < 2 * PORTS_MAX, "rules do not add up");
        assert_eq!(ports_of(vec![(8000, 8001), (8001, 8002)]), BTreeSet::from([8000, 8001, 8002]));
        assert!(ports_of(Vec::new()).is_empty());
    }
}
