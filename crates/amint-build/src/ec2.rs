//! What EC2 needs from every image, whatever is on it.
//!
//! Sources: "Requirements and limitations" for building Linux AMIs in the EC2 user guide (NVMe and ENA drivers,
//! serial console, NVMe I/O timeout, Amazon Time Sync at 169.254.169.123) and cloud-init's Ec2 data source.

use amint_recipe::Recipe;

use crate::tree::FileToWrite;

/// Packages that make a Debian tree a bootable EC2 image.
///
/// No DHCP client of its own: systemd-networkd configures every interface, so cloud-init's first stage has
/// nothing to wait for and finds the metadata service in its network stage.
pub(crate) const PACKAGES: [&str; 20] = [
    "apt",
    "ca-certificates",
    "cloud-guest-utils",
    "cloud-init",
    "dbus",
    "e2fsprogs",
    "fdisk",
    "initramfs-tools",
    "iproute2",
    "kmod",
    "openssh-server",
    "passwd",
    "procps",
    "sudo",
    "systemd-resolved",
    "systemd-sysv",
    "systemd-timesyncd",
    "tzdata",
    "udev",
    "zstd",
];

/// The kernel's command line: both consoles, the serial one last so that it is `/dev/console`; NVMe requests
/// wait as long as EBS needs ("Amazon EBS and NVMe": I/O operation timeout).
pub(crate) const KERNEL_COMMAND_LINE: &str =
    "console=tty0 console=ttyS0,115200n8 nvme_core.io_timeout=4294967295";

/// The label of the root file system.
pub(crate) const ROOT_LABEL: &str = "root";

const NETWORK: &str = "\
# Every Ethernet interface of the instance gets its address by DHCP.
[Match]
Type=ether
Name=!veth* !docker* !br-*

[Network]
DHCP=yes

[DHCPv4]
UseDomains=yes
";

const TIME: &str = "\
# The Amazon Time Sync Service, on every instance and without a route out.
[Time]
NTP=169.254.169.123
FallbackNTP=
";

const RESOLVER: &str = "\
# Names come from the VPC's resolver: nothing listens for multicast names (LLMNR, mDNS).
[Resolve]
LLMNR=no
MulticastDNS=no
";

const INITRAMFS_MODULES: &str = "\
# The drivers that EC2 instances boot from and talk through: Nitro (NVMe, ENA) and Xen.
nvme
ena
xen-blkfront
";

/// Level 3: a fifth of the time to make it, for 4 % more bytes than the default 9; it unpacks as fast.
const INITRAMFS_CONF: &str = "\
MODULES=most
COMPRESS=zstd
COMPRESSLEVEL=3
";

/// Returns the files that configure the image for EC2.
pub(crate) fn files(recipe: &Recipe, root_uuid: &str) -> Vec<FileToWrite> {
    let plain = |path: &str, content: String| FileToWrite::new(path, content.into_bytes());
    vec![
        plain("/etc/cloud/cloud.cfg.d/90_amint.cfg", cloud_config(recipe)),
        plain("/etc/default/grub.d/50-amint.cfg", grub_defaults(recipe)),
        plain("/etc/fstab", fstab(root_uuid)),
        plain("/etc/hostname", "localhost\n".to_owned()),
        plain("/etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n".to_owned()),
        plain("/etc/initramfs-tools/conf.d/amint", INITRAMFS_CONF.to_owned()),
        plain("/etc/initramfs-tools/modules", INITRAMFS_MODULES.to_owned()),
        plain("/etc/systemd/network/80-ec2.network", NETWORK.to_owned()),
        plain("/etc/systemd/resolved.conf.d/50-amint.conf", RESOLVER.to_owned()),
        plain("/etc/systemd/timesyncd.conf.d/50-amint.conf", TIME.to_owned()),
    ]
}

/// Units that are switched on in every image.
pub(crate) const UNITS: [&str; 5] = [
    "ssh.service",
    "systemd-networkd.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "serial-getty@ttyS0.service",
];

fn cloud_config(recipe: &Recipe) -> String {
    let user = &recipe.user;
    let groups: Vec<&str> =
        ["adm", "systemd-journal"].into_iter().chain(user.groups.iter().map(String::as_str)).collect();
    let sudo = if user.sudo { "[\"ALL=(ALL) NOPASSWD:ALL\"]" } else { "null" };
    format!(
        "\
# Made by amint: the instance is configured from EC2's metadata service and nothing else.
datasource_list: [ Ec2, None ]
ssh_pwauth: false
disable_root: true
ssh_deletekeys: true
ssh_genkeytypes: [ed25519, ecdsa]
manage_etc_hosts: true
# The one locale that needs no generating: any other fails where the package `locales` is missing.
locale: C.UTF-8
# systemd-networkd configures every interface by DHCP: /etc/systemd/network/80-ec2.network.
network: {{config: disabled}}
system_info:
  default_user:
    name: {name}
    gecos: {name}
    lock_passwd: true
    groups: [{groups}]
    sudo: {sudo}
    shell: {shell}
",
        name = user.name,
        groups = groups.join(", "),
        shell = user.shell,
    )
}

/// Returns the whole kernel command line of an image.
pub(crate) fn kernel_command_line(recipe: &Recipe) -> String {
    match &recipe.kernel.cmdline {
        Some(extra) => format!("{KERNEL_COMMAND_LINE} {extra}"),
        None => KERNEL_COMMAND_LINE.to_owned(),
    }
}

fn grub_defaults(recipe: &Recipe) -> String {
    format!(
        "\
# Made by amint. Used when grub.cfg is made anew on the instance, as after a kernel update.
GRUB_TIMEOUT=0
GRUB_CMDLINE_LINUX_DEFAULT=\"\"
GRUB_CMDLINE_LINUX=\"{}\"
GRUB_TERMINAL=\"console serial\"
GRUB_SERIAL_COMMAND=\"serial --speed=115200\"
GRUB_DISABLE_OS_PROBER=true
",
        kernel_command_line(recipe)
    )
}

fn fstab(root_uuid: &str) -> String {
    format!(
        "\
UUID={root_uuid} / ext4 rw,discard,errors=remount-ro 0 1
LABEL=ESP /boot/efi vfat umask=0077,nofail 0 2
"
    )
}
