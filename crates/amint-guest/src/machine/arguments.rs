//! The command line of QEMU.
//!
//! A machine that looks like a Nitro instance: `NVMe` root, serial console, SMBIOS tables that name Amazon EC2
//! (EC2 User Guide, "Detect whether a host is an EC2 instance": UUID and serial number begin with `ec2`), and
//! the metadata service at its true address. The network ends at QEMU: nothing but the metadata service can be
//! reached from the guest unless it is let out, and only forwarded ports from outside.

use std::ffi::{OsStr, OsString};
use std::net::Ipv4Addr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use amint_types::Architecture;
use uuid::Uuid;

use crate::machine::{PreparedDisk, PreparedFirmware};
use crate::spec::Accelerator;

/// A port of this computer's loopback address that leads to a port of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forward {
    /// The port here.
    pub(crate) host_port: u16,
    /// The port there.
    pub(crate) guest_port: u16,
}

/// Who a machine says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The SMBIOS UUID, beginning with `ec2`.
    pub(crate) uuid: String,
    /// The hardware address.
    pub(crate) mac: String,
}

impl Identity {
    /// Makes up an identity that no other machine has.
    pub(crate) fn fresh() -> Self {
        let random = Uuid::new_v4().simple().to_string();
        let uuid = Uuid::new_v4().hyphenated().to_string();
        let mac: Vec<&str> = (0..5).filter_map(|index| random.get(20 + 2 * index..22 + 2 * index)).collect();
        Self {
            uuid: format!("ec2{}", &uuid[3..]),
            // Locally administered, unicast, as EC2's own.
            mac: format!("0e:{}", mac.join(":")),
        }
    }

    /// Returns the hardware address as bytes.
    pub(crate) fn mac_bytes(&self) -> [u8; 6] {
        let mut bytes = [0; 6];
        for (byte, text) in bytes.iter_mut().zip(self.mac.split(':')) {
            *byte = u8::from_str_radix(text, 16).unwrap_or_default();
        }
        bytes
    }
}

/// A disk of a machine.
#[derive(Clone, Debug)]
pub(crate) struct Drive {
    pub(crate) source: DriveSource,
    /// The serial number, which EC2 makes of the volume's id: `vol…`.
    pub(crate) serial: String,
}

/// Where the bytes of a disk are.
#[derive(Clone, Debug)]
pub(crate) enum DriveSource {
    /// In a file that goes away with the machine.
    File(PreparedDisk),
    /// A server of network block devices serves them at this socket.
    Served(PathBuf),
}

impl Drive {
    /// Takes a file for a disk, with a serial number that no other has.
    pub(crate) fn file(disk: PreparedDisk) -> Self {
        let random = Uuid::new_v4().simple().to_string();
        Self { source: DriveSource::File(disk), serial: format!("vol0{}", &random[16..]) }
    }

    /// Writes the value of `-drive` for the disk `id`.
    fn value(&self, id: &str) -> Vec<u8> {
        match &self.source {
            DriveSource::File(disk) => {
                let options = format!(
                    "if=none,id={id},format={},cache=unsafe,discard=unmap,file=",
                    disk.format.as_str()
                );
                [options.as_bytes(), &escaped(&disk.path)].concat()
            }
            DriveSource::Served(socket) => {
                let options = format!(
                    "if=none,id={id},format=raw,cache=writeback,discard=unmap,detect-zeroes=unmap,\
                     file.driver=nbd,file.server.type=unix,file.server.path="
                );
                [options.as_bytes(), &escaped(socket)].concat()
            }
        }
    }
}

/// The network that a machine finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    /// All addresses of it, as `ADDRESS/BITS`. The metadata service's is among them.
    pub(crate) addresses: &'static str,
    /// Those that matter; none leaves them to QEMU.
    pub(crate) places: Option<Places>,
    /// Whether the guest reaches what this computer reaches.
    pub(crate) is_open: bool,
}

/// Addresses of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// The guest's.
    pub(crate) guest: Ipv4Addr,
    /// The way out, which is this computer itself.
    pub(crate) gateway: Ipv4Addr,
    /// The name server.
    pub(crate) names: Ipv4Addr,
}

impl Network {
    /// The network of a test: the guest is at [`GUEST_ADDRESS`](crate::imds::GUEST_ADDRESS) and reaches nothing.
    pub(crate) const TEST: Self = Self { addresses: "169.254.169.0/24", places: None, is_open: false };
}

/// Everything that makes up the command line.
#[derive(Clone, Debug)]
pub(crate) struct MachineLayout {
    pub(crate) architecture: Architecture,
    pub(crate) accelerator: Accelerator,
    pub(crate) firmware: PreparedFirmware,
    pub(crate) memory_mib: u32,
    pub(crate) cpus: u32,
    /// The disks; the machine starts from the first.
    pub(crate) drives: Vec<Drive>,
    /// How many disks can be plugged in while the machine runs.
    pub(crate) slots: u32,
    pub(crate) network: Network,
    pub(crate) identity: Identity,
    pub(crate) instance_type: String,
    pub(crate) forwards: Vec<Forward>,
    pub(crate) bridge: Vec<OsString>,
    pub(crate) metadata_socket: PathBuf,
    pub(crate) console_log: PathBuf,
    pub(crate) control_socket: PathBuf,
    /// Where a stranger's look joins the guest's network, and has a control socket of its own.
    pub(crate) probe: Option<ProbeSockets>,
}

/// The sockets of a stranger's look.
#[derive(Clone, Debug)]
pub(crate) struct ProbeSockets {
    /// We listen here, and QEMU joins it to the guest's network.
    pub(crate) wire: PathBuf,
    /// QEMU listens here.
    pub(crate) control: PathBuf,
}

impl MachineLayout {
    /// Writes the command line, without the program.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut line = Line::default();
        let board = match (self.architecture, &self.firmware) {
            (Architecture::Arm64, _) => "virt",
            // SeaBIOS shows its words, and those of a boot loader, on the serial console too, as on EC2.
            (_, PreparedFirmware::Bios) => "q35,graphics=off",
            _ => "q35",
        };
        line.plain("-nodefaults").plain("-no-user-config");
        line.option("-machine", board).option("-accel", self.accelerator.as_str()).option("-cpu", "max");
        line.option("-smp", &self.cpus.max(1).to_string());
        line.option("-m", &self.memory_mib.to_string());
        line.option("-display", "none");
        if self.architecture == Architecture::X86_64 {
            // Nitro instances have a plain VGA device too, and GRUB may want one.
            line.option("-vga", "std");
        }
        self.add_firmware(&mut line);
        line.option("-smbios", "type=0,vendor=Amazon EC2,version=1.0");
        line.option(
            "-smbios",
            &format!(
                "type=1,manufacturer=Amazon EC2,product={},uuid={uuid},serial={uuid}",
                self.instance_type,
                uuid = self.identity.uuid
            ),
        );
        self.add_drives(&mut line);
        self.add_network(&mut line);
        line.option("-device", "virtio-rng-pci");
        line.parts("-chardev", &[b"file,id=console,path=", &escaped(&self.console_log)]);
        line.option("-serial", "chardev:console");
        line.parts(
            "-chardev",
            &[b"socket,id=control,server=on,wait=off,path=", &escaped(&self.control_socket)],
        );
        line.option("-mon", "chardev=control,mode=control");
        if let Some(probe) = &self.probe {
            line.parts("-chardev", &[b"socket,id=probe,server=on,wait=off,path=", &escaped(&probe.control)]);
            line.option("-mon", "chardev=probe,mode=control");
        }
        line.0
    }

    fn add_firmware(&self, line: &mut Line) {
        let PreparedFirmware::Uefi { code, variables } = &self.firmware else { return };
        line.parts("-drive", &[b"if=pflash,unit=0,format=raw,readonly=on,file=", &escaped(code)]);
        line.parts("-drive", &[b"if=pflash,unit=1,format=raw,file=", &escaped(variables)]);
    }

    fn add_drives(&self, line: &mut Line) {
        for (index, drive) in self.drives.iter().enumerate() {
            let id = format!("disk{index}");
            line.plain("-drive").0.push(OsString::from_vec(drive.value(&id)));
            line.option("-device", &format!("nvme,drive={id},bootindex={index},serial={}", drive.serial));
        }
        for slot in 1..=self.slots {
            // Disks need no input and output ports, of which there are few.
            line.option("-device", &format!("pcie-root-port,id=slot{slot},chassis={slot},io-reserve=0"));
        }
    }

    fn add_network(&self, line: &mut Line) {
        let Network { addresses, places, is_open } = self.network;
        let restrict = if is_open { "off" } else { "on" };
        let mut value = format!("user,id=net,restrict={restrict},net={addresses}").into_bytes();
        if let Some(Places { guest, gateway, names }) = places {
            value.extend(format!(",host={gateway},dns={names},dhcpstart={guest}").into_bytes());
        }
        for Forward { host_port, guest_port } in &self.forwards {
            value.extend(format!(",hostfwd=tcp:127.0.0.1:{host_port}-:{guest_port}").into_bytes());
        }
        value.extend(b",guestfwd=tcp:169.254.169.254:80-cmd:");
        let mut command = self.bridge.clone();
        command.push(self.metadata_socket.clone().into_os_string());
        value.extend(doubled_commas(&shell_quoted(&command)));
        line.parts("-netdev", &[&value]);
        let mut card = "net";
        if let Some(probe) = &self.probe {
            // A hub joins the user-mode network, our wire and the guest's one card.
            line.option("-netdev", "hubport,id=hub-net,hubid=0,netdev=net");
            line.parts(
                "-netdev",
                &[b"stream,id=wire,server=off,addr.type=unix,addr.path=", &escaped(&probe.wire)],
            );
            line.option("-netdev", "hubport,id=hub-wire,hubid=0,netdev=wire");
            line.option("-netdev", "hubport,id=card,hubid=0");
            card = "card";
        }
        line.option("-device", &format!("virtio-net-pci,netdev={card},mac={},romfile=", self.identity.mac));
    }
}

#[derive(Default)]
struct Line(Vec<OsString>);

impl Line {
    fn plain(&mut self, text: &str) -> &mut Self {
        self.0.push(text.into());
        self
    }

    fn option(&mut self, name: &str, value: &str) -> &mut Self {
        self.plain(name).plain(value)
    }

    fn parts(&mut self, name: &str, value: &[&[u8]]) {
        self.plain(name);
        self.0.push(OsString::from_vec(value.concat()));
    }
}

/// QEMU splits option values at commas; a doubled comma stands for itself.
fn doubled_commas(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    for byte in text {
        result.push(*byte);
        if *byte == b',' {
            result.push(b',');
        }
    }
    result
}

fn escaped(path: &Path) -> Vec<u8> {
    doubled_commas(path.as_os_str().as_bytes())
}

/// QEMU takes the program of `guestfwd` apart as a shell would (`g_shell_parse_argv`).
fn shell_quoted(words: &[impl AsRef<OsStr>]) -> Vec<u8> {
    let mut line = Vec::new();
    for word in words {
        if !line.is_empty() {
            line.push(b' ');
        }
        line.push(b'\'');
        for byte in word.as_ref().as_bytes() {
            match byte {
                b'\'' => line.extend(b"'\\''"),
                other => line.push(*other),
            }
        }
        line.push(b'\'');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::DiskFormat;

    fn layout() -> MachineLayout {
        MachineLayout {
            architecture: Architecture::X86_64,
            accelerator: Accelerator::Tcg,
            firmware: PreparedFirmware::Bios,
            memory_mib: 1024,
            cpus: 2,
            drives: vec![
                Drive::file(PreparedDisk {
                    path: "/w/a,b.qcow2".into(),
                    format: DiskFormat::Qcow2,
                    bytes: 1,
                }),
                Drive { source: DriveSource::Served("/w/disk,2".into()), serial: "vol02".to_owned() },
            ],
            slots: 2,
            network: Network::TEST,
            identity: Identity::fresh(),
            instance_type: "t3.micro".to_owned(),
            forwards: vec![Forward { host_port: 4022, guest_port: 22 }],
            bridge: vec!["/opt/it's, here/amint".into(), "bridge".into()],
            metadata_socket: "/w/imds".into(),
            console_log: "/w/console.log".into(),
            control_socket: "/w/qmp".into(),
            probe: None,
        }
    }

    fn value_of(arguments: &[OsString], name: &str, start: &str) -> String {
        arguments
            .windows(2)
            .filter(|pair| pair[0] == name)
            .map(|pair| pair[1].to_str().unwrap().to_owned())
            .find(|value| value.starts_with(start))
            .unwrap_or_else(|| panic!("no {name} {start}"))
    }

    #[test]
    fn guest_reaches_nothing_but_the_metadata_service() {
        let arguments = layout().arguments();
        let value = value_of(&arguments, "-netdev", "user");
        assert!(value.contains("restrict=on"), "{value}");
        assert!(value.contains("hostfwd=tcp:127.0.0.1:4022-:22"), "{value}");
        assert!(value.ends_with(r"-cmd:'/opt/it'\''s,, here/amint' 'bridge' '/w/imds'"), "{value}");
    }

    #[test]
    fn stranger_joins_the_network_by_a_hub_and_only_when_asked_for() {
        let plain = layout().arguments();
        assert!(!plain.iter().any(|word| word.to_str().unwrap().contains("hubport")));
        let probe = ProbeSockets { wire: "/w/wi,re".into(), control: "/w/probe".into() };
        let arguments = MachineLayout { probe: Some(probe), ..layout() }.arguments();
        assert!(value_of(&arguments, "-netdev", "stream").ends_with("addr.path=/w/wi,,re"));
        assert!(value_of(&arguments, "-device", "virtio-net-pci").contains("netdev=card,"));
        assert!(value_of(&arguments, "-netdev", "user").contains("restrict=on"));
    }

    #[test]
    fn paths_with_commas_stay_whole() {
        let value = value_of(&layout().arguments(), "-drive", "if=none");
        assert!(value.ends_with("file=/w/a,,b.qcow2"), "{value}");
        let served = value_of(&layout().arguments(), "-drive", "if=none,id=disk1");
        assert!(served.ends_with("file.server.path=/w/disk,,2"), "{served}");
    }

    #[test]
    fn machine_that_is_let_out_has_the_address_that_it_is_given() {
        let places = Places {
            guest: Ipv4Addr::new(169, 254, 3, 9),
            gateway: Ipv4Addr::new(169, 254, 0, 1),
            names: Ipv4Addr::new(169, 254, 169, 253),
        };
        let network = Network { addresses: "169.254.0.0/16", places: Some(places), is_open: true };
        let value = value_of(&MachineLayout { network, ..layout() }.arguments(), "-netdev", "user");
        let expected =
            "restrict=off,net=169.254.0.0/16,host=169.254.0.1,dns=169.254.169.253,dhcpstart=169.254.3.9,";
        assert!(value.contains(expected), "{value}");
    }

    #[test]
    fn machine_looks_like_an_instance_of_ec2() {
        let layout = layout();
        let value = value_of(&layout.arguments(), "-smbios", "type=1");
        let uuid = &layout.identity.uuid;
        assert!(uuid.starts_with("ec2") && Uuid::parse_str(uuid).is_ok(), "{uuid}");
        assert!(value.contains(&format!("uuid={uuid},serial={uuid}")), "{value}");
        let mac = &layout.identity.mac;
        assert_eq!(mac.len(), 17, "{mac}");
        assert_eq!(layout.identity.mac_bytes()[0], 0x0e);
        assert_ne!(Identity::fresh(), Identity::fresh());
    }
}
