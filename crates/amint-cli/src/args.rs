//! The command line's grammar.

use std::path::PathBuf;

use amint_types::report::Firmware;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Make, prove, publish, govern and retire Amazon Machine Images
///
/// One recipe becomes a hardened, boot-tested image: `amint init`, `amint build`, `amint test`.
#[derive(Debug, Parser)]
#[command(name = "amint", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,

    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct GlobalArgs {
    /// Write one JSON document, or one event per line while working, to standard output
    #[arg(long, global = true)]
    pub json: bool,

    /// Tell nothing but warnings and errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Show what programs and guests write
    #[arg(long, short, global = true)]
    pub verbose: bool,

    /// Folder of the store [default: the XDG data folder, usually ~/.local/share/amint]
    #[arg(long, global = true, env = "AMINT_HOME", value_name = "DIR", hide_env_values = true)]
    pub home: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a new recipe
    Init(InitArgs),
    /// Check a recipe, and show every error with its place
    Check(CheckArgs),
    /// Print the JSON Schema of recipes
    Schema,
    /// Write down every package and file that an image is made of
    Lock(LockArgs),
    /// Show which packages are newer than those of the lock, and take them
    Update(UpdateArgs),
    /// Build an image from a recipe, harden it, boot it, and store it
    Build(BuildArgs),
    /// Boot an image as EC2 would, and check it
    Test(TestArgs),
    /// Boot an image and log in
    Shell(ShellArgs),
    /// List the images of the store
    Images(ImagesArgs),
    /// Show what is known about an image
    Show(ShowArgs),
    /// Write an image to a file
    Export(ExportArgs),
    /// Look into any image: what it holds, what is known against it, what could not be read
    Scan(ScanArgs),
    /// Compare two images: packages, files, services, ports, users, findings
    Diff(DiffArgs),
    /// Build and show the database of advisories
    #[command(subcommand)]
    Db(DbCommand),
    /// Bring an image to regions of AWS: send the blocks that differ, register, prove
    Publish(crate::publish_args::PublishArgs),
    /// Let a channel, a parameter such as /golden/web/stable, name an image in all regions, or move it back
    Promote(crate::publish_args::PromoteArgs),
    /// Sell the image on AWS Marketplace: check, submit, follow
    #[command(subcommand)]
    Marketplace(crate::marketplace_args::MarketplaceCommand),
    /// Check an image's signature and blocks, and that building it again gives the same bytes; or that an AMI has them
    Verify(VerifyArgs),
    /// Print the policy that allows what a command does in AWS, and nothing else
    #[command(subcommand)]
    Iam(crate::publish_args::IamCommand),
    /// Prove on which EC2 product this software runs, from signed identity documents
    #[command(subcommand)]
    Identity(crate::identity_args::IdentityCommand),
    /// Serve the images of the store to any tool of AWS, from this machine
    #[command(subcommand)]
    Cloud(crate::cloud_args::CloudCommand),
    /// Remove an image from the store
    Rm(RmArgs),
    /// Free the space of removed and replaced images, and of work broken off
    Gc(GcArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write manual pages into a folder
    #[command(hide = true)]
    Man {
        /// The folder
        folder: PathBuf,
    },
    /// Pass one metadata connection of a guest on (started by QEMU)
    #[command(hide = true)]
    InternalImdsBridge {
        /// The metadata service's socket
        socket: PathBuf,
    },
}

/// `amint init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Folder to write `amint.toml` to
    #[arg(default_value = ".")]
    pub folder: PathBuf,

    /// Name of the image [default: the folder's name]
    #[arg(long)]
    pub name: Option<String>,
}

/// `amint check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The recipe, or the folder with its `amint.toml`
    #[arg(default_value = "amint.toml")]
    pub recipe: PathBuf,
}

/// Where packages come from.
#[derive(Clone, Debug, Args)]
pub struct SourceArgs {
    /// Mirror of Debian's archive [default: the recipe's, else the host's apt sources]
    #[arg(long, env = "AMINT_DEBIAN_MIRROR", value_name = "URL", hide_env_values = true)]
    pub mirror: Option<String>,

    /// Mirror of Debian's security archive
    #[arg(long, env = "AMINT_DEBIAN_SECURITY_MIRROR", value_name = "URL", hide_env_values = true)]
    pub security_mirror: Option<String>,

    /// Use what is in the cache, and no network
    #[arg(long)]
    pub offline: bool,
}

/// `amint lock`.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// The recipe, or the folder with its `amint.toml`
    #[arg(default_value = "amint.toml")]
    pub recipe: PathBuf,

    /// Tell whether the lock fits the recipe, and change nothing: exit code 1 if it does not
    #[arg(long)]
    pub check: bool,

    /// Where packages come from.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `amint update`.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// The recipe, or the folder with its `amint.toml`
    #[arg(default_value = "amint.toml")]
    pub recipe: PathBuf,

    /// Show what is newer, and change nothing: exit code 1 if there is anything
    #[arg(long)]
    pub check: bool,

    /// Where packages come from.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `amint build`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub struct BuildArgs {
    /// The recipe, or the folder with its `amint.toml`
    #[arg(default_value = "amint.toml")]
    pub recipe: PathBuf,

    /// Build twice and compare the bytes; store nothing
    #[arg(long)]
    pub check: bool,

    /// Show what would be fetched, reused, run and written, and do nothing
    #[arg(long, conflicts_with = "check")]
    pub plan: bool,

    /// Store the image without booting it
    #[arg(long, conflicts_with = "check")]
    pub no_test: bool,

    /// Firmware of the boot test
    #[arg(long, value_enum, default_value_t = BootMode::Uefi, conflicts_with_all = ["check", "no_test"])]
    pub boot: BootMode,

    /// Take changes of the recipe into the lock first; the versions of packages stay
    #[arg(long)]
    pub lock: bool,

    /// Run every step, and keep no result of a step for later builds
    #[arg(long)]
    pub no_cache: bool,

    /// Results of steps and packages that are kept for later builds, in GiB altogether
    #[arg(long, env = "AMINT_CACHE_LIMIT", value_name = "GIB", default_value_t = 20, hide_env_values = true)]
    pub cache_limit: u64,

    /// Where packages come from.
    #[command(flatten)]
    pub source: SourceArgs,

    /// No time stamp in the image is later than this (seconds since 1970)
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS", hide_env_values = true)]
    pub source_date_epoch: Option<i64>,

    /// Key to sign the image's provenance with: ed25519, PKCS#8 PEM [default: this machine's own, made at first use]
    #[arg(long, env = "AMINT_SIGNING_KEY", value_name = "FILE", hide_env_values = true)]
    pub signing_key: Option<PathBuf>,

    /// Folder for the work [default: inside the store]
    #[arg(long, env = "AMINT_TMPDIR", value_name = "DIR", hide_env_values = true)]
    pub tmpdir: Option<PathBuf>,

    /// Keep the work folder when something fails, to look around
    #[arg(long)]
    pub keep: bool,
}

/// Which firmware starts the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BootMode {
    /// UEFI
    Uefi,
    /// Legacy BIOS
    Bios,
}

impl From<BootMode> for Firmware {
    fn from(mode: BootMode) -> Self {
        match mode {
            BootMode::Uefi => Self::Uefi,
            BootMode::Bios => Self::Bios,
        }
    }
}

/// How guests run.
#[derive(Clone, Debug, Args)]
pub struct GuestArgs {
    /// Firmware that starts the guest
    #[arg(long, value_enum, default_value_t = BootMode::Uefi)]
    pub boot: BootMode,

    /// Memory of the guest in MiB
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(256..=65536), value_name = "MIB")]
    pub memory: u32,

    /// Recipe to take the user, ports and tests from [default: the one stored with the image]
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
}

/// `amint test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// NAME[:VERSION] in the store, a disk image file, or a recipe: the image that was built from it
    pub image: String,

    /// How the guest runs.
    #[command(flatten)]
    pub guest: GuestArgs,

    /// Boot once only: do not compare two first boots
    #[arg(long)]
    pub once: bool,

    /// Look from outside as a stranger would: every TCP port, what listens there, TLS, usual passwords
    #[arg(long)]
    pub probe: bool,

    /// Keep overlay, console log and key when something fails
    #[arg(long)]
    pub keep: bool,
}

/// `amint shell`.
#[derive(Debug, Args)]
pub struct ShellArgs {
    /// NAME[:VERSION] in the store, a disk image file, or a recipe: the image that was built from it
    pub image: String,

    /// How the guest runs.
    #[command(flatten)]
    pub guest: GuestArgs,
}

/// `amint images`.
#[derive(Debug, Args)]
pub struct ImagesArgs {
    /// List replaced builds as well
    #[arg(long, short)]
    pub all: bool,
}

/// `amint show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// NAME[:VERSION]
    pub image: String,

    /// List every package
    #[arg(long)]
    pub packages: bool,

    /// Print the recipe the image was made from
    #[arg(long)]
    pub recipe: bool,
}

/// `amint export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// NAME[:VERSION]
    pub image: String,

    /// File to write
    pub file: PathBuf,

    /// Format: raw, qcow2, vmdk, vhd [default: by the file's extension]
    #[arg(long)]
    pub format: Option<String>,

    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,
}

/// A form of a scan's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScanFormat {
    /// For people
    Text,
    /// The document itself
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// JUnit XML
    Junit,
    /// One page
    Html,
    /// The answer of AWS Marketplace's assessments, by amint's own list of requirements
    Marketplace,
}

/// A form of a bill of materials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SbomFormat {
    /// CycloneDX 1.6 as JSON
    Cyclonedx,
    /// SPDX 2.3 as JSON
    Spdx,
}

/// Options of commands that look into images.
#[derive(Clone, Debug, Args)]
pub struct InspectArgs {
    /// Leave an analyzer out; may be given several times
    #[arg(long = "skip", value_name = "ANALYZER")]
    pub skipped: Vec<String>,

    /// File that a qcow2 image may name as its backing file
    #[arg(long = "allow-backing", value_name = "FILE")]
    pub backing_files: Vec<PathBuf>,

    /// Database of advisories [default: that of `amint db build`]
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,

    /// Oldest advisories that a verdict may stand on, in days
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    pub max_age: u32,

    /// Judge no vulnerabilities: the inventory alone
    #[arg(long, conflicts_with = "db")]
    pub no_advisories: bool,

    /// OpenVEX document with statements on what does not apply; may be given several times
    #[arg(long = "vex", value_name = "FILE")]
    pub vex: Vec<PathBuf>,

    /// Ask the rules of a profile too: marketplace, shared-linux, hardened, hardened-2, private; may be given several times
    #[arg(long = "profile", value_name = "PROFILE")]
    pub profiles: Vec<String>,

    /// File of `[[harden.waive]]`, as in a recipe: findings that are accepted for a while; may be given several times
    #[arg(long = "waivers", value_name = "FILE")]
    pub waivers: Vec<PathBuf>,
}

/// `amint scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Disk image, folder, tar archive, or NAME[:VERSION] of the store
    pub target: String,

    /// What to write
    #[arg(long, value_enum, default_value_t = ScanFormat::Text, conflicts_with_all = ["sbom", "json"])]
    pub format: ScanFormat,

    /// Write a bill of materials instead
    #[arg(long, value_enum, value_name = "FORM", conflicts_with = "json")]
    pub sbom: Option<SbomFormat>,

    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Write an OpenVEX document with what amint found not to apply
    #[arg(long, value_name = "FILE")]
    pub write_vex: Option<PathBuf>,

    /// Write the list of sources that copyleft licences ask to be offered with copies, as JSON
    #[arg(long, value_name = "FILE")]
    pub source_offer: Option<PathBuf>,

    /// Where a source is found, with {source} and {version} in it; goes into the list of sources
    #[arg(long, value_name = "TEMPLATE", env = "AMINT_SOURCE_URL", requires = "source_offer")]
    pub source_url: Option<String>,

    /// Severity from which a finding fails the image: info, low, medium, high, critical
    #[arg(long, default_value = "high", value_name = "SEVERITY")]
    pub gate: String,

    /// Earlier report of `amint scan --format json`: only what is new since then fails the image
    #[arg(long, value_name = "REPORT")]
    pub against: Option<PathBuf>,

    /// Answer of AWS Marketplace's `DescribeAssessment` on the same image, to be compared with; for each page once
    #[arg(long, value_name = "FILE")]
    pub assessment: Vec<PathBuf>,

    /// Write the changes of the recipe that clear the findings, and what only a person can clear
    #[arg(long, conflicts_with_all = ["format", "sbom", "json"])]
    pub fix_plan: bool,

    /// Show every finding: the lowered ones, those that do not apply and those that are accepted too
    #[arg(long)]
    pub all: bool,

    /// How the image is looked into
    #[command(flatten)]
    pub inspect: InspectArgs,
}

/// `amint diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The older image
    pub old: String,

    /// The newer image
    pub new: String,

    /// How the images are looked into
    #[command(flatten)]
    pub inspect: InspectArgs,
}

/// `amint db`.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Fetch advisories on the images of the store, and put them into one signed file
    Build(DbBuildArgs),
    /// Show what the database knows and how old it is
    Status(DbStatusArgs),
}

/// `amint db build`.
#[derive(Debug, Args)]
pub struct DbBuildArgs {
    /// Image, folder or archive to fetch advisories for, besides the images of the store; may be given several times
    #[arg(long = "for", value_name = "TARGET")]
    pub targets: Vec<String>,

    /// More advisories, as KIND=FILE or KIND=ADDRESS; kinds are listed by `amint db status --kinds`
    #[arg(long = "source", value_name = "KIND=PLACE")]
    pub sources: Vec<String>,

    /// Ask no archive: only what `--source` names
    #[arg(long)]
    pub no_archives: bool,

    /// Keys that archives may be signed with [default: the keyring of the distribution]
    #[arg(long, value_name = "FILE")]
    pub keyring: Option<PathBuf>,

    /// File to write [default: in the store's folder]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Mirrors of Debian's archives
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `amint db status`.
#[derive(Debug, Args)]
pub struct DbStatusArgs {
    /// File to look at [default: in the store's folder]
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,

    /// List the kinds of sources that `amint db build --source` takes
    #[arg(long)]
    pub kinds: bool,
}

/// `amint verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// NAME[:VERSION], or ami-… of an image that was published: each block of its snapshot is compared with the store's
    pub image: String,

    /// Region of the AMI [default: the environment's]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,

    /// Public key that is trusted, as PEM, or a folder of such; besides this machine's own
    #[arg(long = "key", value_name = "PATH")]
    pub keys: Vec<PathBuf>,

    /// Check signature and blocks only
    #[arg(long)]
    pub no_rebuild: bool,

    /// The recipe to build again from [default: where it was]
    #[arg(long, value_name = "FILE", conflicts_with = "no_rebuild")]
    pub recipe: Option<PathBuf>,

    /// Where packages come from.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `amint rm`.
#[derive(Debug, Args)]
pub struct RmArgs {
    /// NAME[:VERSION]
    #[arg(required = true)]
    pub images: Vec<String>,
}

/// `amint gc`.
#[derive(Debug, Args)]
pub struct GcArgs {
    /// Empty the caches of packages, of results of steps and of reports of scans, too
    #[arg(long)]
    pub cache: bool,

    /// Tell what would go, and remove nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Remove what unfinished runs of `amint publish` left in AWS instead: snapshots of amint that no image uses
    #[arg(long, conflicts_with = "cache")]
    pub cloud: bool,

    /// Region to look in; may be given several times [default: those that this store published to, and the environment's]
    #[arg(long = "region", value_name = "REGION", requires = "cloud")]
    pub regions: Vec<String>,

    /// Hours after which a snapshot that no image uses was left: a run that is under way needs its own
    #[arg(long, value_name = "HOURS", default_value_t = 24, requires = "cloud")]
    pub older_than: u32,
}
