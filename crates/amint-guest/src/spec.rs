//! What to boot and what to ask of it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use amint_types::Architecture;
use amint_types::report::Firmware;

use crate::imds::IdentityKeys;
use crate::promises::Promises;

/// The form of a disk image file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFormat {
    /// The bytes of the disk.
    Raw,
    /// QEMU's own form.
    Qcow2,
}

impl DiskFormat {
    /// Returns QEMU's name of the form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
        }
    }
}

/// The disk image under test. It is only read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestDisk {
    /// Where the image lies.
    pub path: PathBuf,
    /// Its form.
    pub format: DiskFormat,
    /// The size of the disk, as the guest sees it.
    pub bytes: u64,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// A port that the image may listen on, seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExpectedPort {
    /// The port number.
    pub port: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// A header that an answer must carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderExpectation {
    /// Name, in any case.
    pub name: String,
    /// Text that the value must contain; empty: the header need only be there.
    pub value_contains: String,
}

/// A test of the recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestTest {
    /// Asks a web server of the guest.
    Http {
        /// What the test is called.
        name: String,
        /// What to get: `http://{host}/healthz`, with `{host}` for the guest's address.
        url: String,
        /// The status that must come; none: any below 400.
        status: Option<u16>,
        /// Text that the answer's body must contain.
        body_contains: Option<String>,
        /// A header that the answer must carry.
        header_contains: Option<HeaderExpectation>,
        /// How long to keep trying.
        deadline: Duration,
    },
    /// Connects to a port.
    Tcp {
        /// What the test is called.
        name: String,
        /// The port.
        port: u16,
        /// Text that the server must send by itself; none: it must take the connection and hold it.
        expect: Option<String>,
        /// How long to keep trying.
        deadline: Duration,
    },
    /// Runs a command in the guest as the user, by `sh -c`.
    Command {
        /// What the test is called.
        name: String,
        /// The command.
        command: String,
        /// The exit code that must come.
        exit_code: i32,
        /// Text that standard output must contain.
        stdout_contains: Option<String>,
        /// How long it may take.
        deadline: Duration,
    },
}

impl GuestTest {
    /// Returns what the test is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Http { name, .. } | Self::Tcp { name, .. } | Self::Command { name, .. } => name,
        }
    }
}

/// When to stop waiting for a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// How long the guest may show no sign of life: no new console output, no step forward over SSH, no question
    /// to the metadata service.
    ///
    /// A guest that burns processor time without a word gets twice as long: under software emulation an
    /// initramfs may unpack, or a data base index may be made, in silence.
    pub no_progress: Duration,
    /// How long one power-on may take in all.
    pub total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { no_progress: Duration::from_mins(3), total: Duration::from_mins(20) }
    }
}

/// What runs the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// The processor itself, through the kernel.
    Kvm,
    /// QEMU's translator.
    Tcg,
}

impl Accelerator {
    /// Returns QEMU's name: `kvm`, `tcg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

/// A boot test: what to boot and what to ask of it.
#[derive(Clone, Debug)]
pub struct BootTestSpec {
    /// The image.
    pub disk: GuestDisk,
    /// The processor architecture.
    pub architecture: Architecture,
    /// The firmware that starts it.
    pub firmware: Firmware,
    /// The user that logs in.
    pub user: String,
    /// The ports that the guest must listen on; SSH is no exception and must be among them.
    pub ports: Vec<ExpectedPort>,
    /// The tests of the recipe.
    pub tests: Vec<GuestTest>,
    /// Tests of the other instance, which is launched from a copy of the image: it has no product codes.
    pub copy_tests: Vec<GuestTest>,
    /// The program, with its arguments, that QEMU starts per metadata connection; the path of the service's
    /// socket is appended. It must do what [`bridge`](crate::bridge) does.
    pub bridge: Vec<OsString>,
    /// A private folder for everything the test writes. It exists.
    pub work_dir: PathBuf,
    /// The guest's memory.
    pub memory_mib: u32,
    /// The guest's processors.
    pub cpus: u32,
    /// How much larger than the image the disk is; 0 means just as large.
    pub grow_bytes: u64,
    /// What runs the guest; none means to find out.
    pub accelerator: Option<Accelerator>,
    /// Whether to boot once more as another instance, to see that nothing of the first boot remains.
    pub second_boot: bool,
    /// Whether to keep overlay, console log and key.
    pub keep: bool,
    /// The port that the guest's SSH server listens on.
    pub ssh_port_in_guest: u16,
    /// The instance's user data.
    pub user_data: Option<Vec<u8>>,
    /// What signs the instance's identity document; none leaves it unsigned.
    pub identity: Option<IdentityKeys>,
    /// The product codes of AWS Marketplace that the instance was launched with.
    pub product_codes: Vec<String>,
    /// When to stop waiting.
    pub deadline: Deadlines,
    /// Further accounts whose password must not be asked for.
    pub extra_login_users: Vec<String>,
    /// What the rules said of the image's files: the machine is compared with it.
    pub promises: Promises,
    /// Whether a stranger's look from outside is taken: every port, and what listens there.
    pub probe: bool,
}

/// A shell in a guest: what to boot.
#[derive(Clone, Debug)]
pub struct ShellSpec {
    /// The image.
    pub disk: GuestDisk,
    /// The processor architecture.
    pub architecture: Architecture,
    /// The firmware that starts it.
    pub firmware: Firmware,
    /// The user that logs in.
    pub user: String,
    /// See [`BootTestSpec::bridge`].
    pub bridge: Vec<OsString>,
    /// A private folder for everything the shell writes. It exists.
    pub work_dir: PathBuf,
    /// The guest's memory.
    pub memory_mib: u32,
    /// The guest's processors.
    pub cpus: u32,
    /// How much larger than the image the disk is; 0 means just as large.
    pub grow_bytes: u64,
    /// What runs the guest; none means to find out.
    pub accelerator: Option<Accelerator>,
    /// Whether to keep overlay, console log and key.
    pub keep: bool,
    /// The port that the guest's SSH server listens on.
    pub ssh_port_in_guest: u16,
    /// The instance's user data.
    pub user_data: Option<Vec<u8>>,
    /// What signs the instance's identity document; none leaves it unsigned.
    pub identity: Option<IdentityKeys>,
    /// The product codes of AWS Marketplace that the instance was launched with.
    pub product_codes: Vec<String>,
    /// When to stop waiting for the login.
    pub deadline: Deadlines,
    /// A command to run in place of an interactive shell.
    pub command: Option<String>,
}
