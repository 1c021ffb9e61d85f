//! What several commands do with an image: find it, lay it on disk, know how to test it, write its report.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use amint_disk::raw::{self, RawDisk};
use amint_guest::imds::IdentityKeys;
use amint_guest::{
    BootTestSpec, Deadlines, DiskFormat, ExpectedPort, GuestDisk, GuestTest, HeaderExpectation, Promises,
    Protocol, ShellSpec,
};
use amint_identity::local::LocalKeys;
use amint_provenance::load_or_create_secret;
use amint_recipe::{RecipeFile, TestAction, TestInstance};
use amint_store::{ImageRecord, Store};
use amint_types::report::{BootReport, BuildReport, Firmware, ScanReport};
use amint_types::{Architecture, BlockSource, GIB, ImageRef, Severity, StepOutcome, Unit, format_bytes};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Where SSH listens.
const SSH_PORT: u16 = 22;
/// Memory of a guest: what a small instance has.
const MEMORY_MIB: u32 = 1024;
/// Most processors of a guest.
const PROCESSORS_MAX: usize = 2;

/// The stored document with the recipe's text.
pub(crate) const RECIPE: &str = "recipe";
/// The stored document with the build report.
pub(crate) const BUILD_REPORT: &str = "build-report";
/// The stored documents with boot reports: followed by `-uefi` or `-bios`.
pub(crate) const BOOT_REPORT: &str = "boot-report";

/// An image that a guest can be started from.
pub(crate) struct OnDisk {
    /// The disk.
    pub(crate) path: PathBuf,
    /// Its size.
    pub(crate) bytes: u64,
    /// The image of the store, unless a file was named.
    pub(crate) record: Option<ImageRecord>,
    /// The recipe, where one is known.
    pub(crate) recipe: Option<RecipeFile>,
}

/// Finds `NAME[:VERSION]` in the store, or a raw disk file, and lays it down in `work`.
pub(crate) fn lay_down(
    image: &str,
    recipe: Option<&Path>,
    store: &Store,
    work: &Path,
    context: &Context,
) -> Result<OnDisk, Failure> {
    let mut recipe = recipe.map(|path| super::commands::load_recipe(path, context)).transpose()?;
    let mut image = image.to_owned();
    if is_recipe(&image) {
        let named = super::commands::load_recipe(Path::new(&image), context)?;
        image = format!("{}:{}", named.recipe.image.name, named.recipe.image.version);
        recipe = recipe.or(Some(named));
    } else if is_path(&image) {
        let path = PathBuf::from(&image);
        let path = path.canonicalize().map_err(|error| Failure::file(&path, error))?;
        let format = raw::sniff(&path)?;
        if !format.may_be_raw() {
            return Err(Failure::new(
                ExitCode::Input,
                format!("{} is a {format} file, not a raw disk", path.display()),
            )
            .hint("convert it first: `qemu-img convert -O raw`"));
        }
        let bytes = RawDisk::open(&path)?.disk_bytes();
        return Ok(OnDisk { path, bytes, record: None, recipe });
    }
    let reference: ImageRef = image.parse()?;
    let record = store.resolve(&reference)?;
    let recipe = match recipe {
        Some(recipe) => Some(recipe),
        None => stored_recipe(store, &record)?,
    };
    let path = work.join("image.raw");
    copy_out(store, &record, &path, context)?;
    Ok(OnDisk { path, bytes: record.disk_bytes, record: Some(record), recipe })
}

/// Tells whether a recipe is named, and so the image that is built from it.
fn is_recipe(image: &str) -> bool {
    let path = Path::new(image);
    path.extension().is_some_and(|extension| extension == "toml") || (image.contains('/') && path.is_dir())
}

/// A name has no slash and no extension of a disk; `./web` is always a file.
pub(crate) fn is_path(image: &str) -> bool {
    let is_disk = Path::new(image).extension().is_some_and(|extension| {
        ["raw", "img", "qcow2", "vmdk", "vhd", "vhdx", "ova", "vdi", "tar"]
            .iter()
            .any(|known| extension == *known)
    });
    image.contains('/') || is_disk
}

pub(crate) fn stored_recipe(store: &Store, record: &ImageRecord) -> Result<Option<RecipeFile>, Failure> {
    let Some(bytes) = store.document(record, RECIPE)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let path = PathBuf::from(format!("{}:{} (stored recipe)", record.name, record.version));
    let recipe = amint_recipe::parse(&text, &path).map_err(amint_recipe::RecipeError::Invalid)?;
    Ok(Some(RecipeFile { path, text, recipe }))
}

fn copy_out(store: &Store, record: &ImageRecord, path: &Path, context: &Context) -> Result<(), Failure> {
    let sink = context.sink();
    let started = Instant::now();
    sink.step_started("lay-down", "Reading the image", Some(record.disk_bytes), Unit::Bytes);
    let reader = store.reader(record)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| Failure::file(path, error))?;
    let progress = |done: u64, total: u64| sink.step_progress("lay-down", done, Some(total), None);
    let written = raw::write_sparse(&reader, &file, &progress, &context.cancel);
    let outcome = if written.is_ok() { StepOutcome::Done } else { StepOutcome::Failed };
    sink.step_finished("lay-down", outcome, started.elapsed(), Some(format_bytes(record.used_bytes)));
    if context.cancel.is_cancelled() {
        return Err(amint_types::Cancelled.into());
    }
    written.map_err(|error| Failure::new(ExitCode::Input, error))?;
    Ok(())
}

/// Returns what a boot test has to ask: from the recipe, or the least that every image must meet.
pub(crate) fn boot_spec(
    recipe: Option<&RecipeFile>,
    path: PathBuf,
    bytes: u64,
    firmware: Firmware,
    work: &Path,
    context: &Context,
) -> Result<BootTestSpec, Failure> {
    let architecture = recipe.map_or(Architecture::X86_64, |file| file.recipe.image.architecture);
    let disk = GuestDisk { path, format: DiskFormat::Raw, bytes };
    let mut spec = BootTestSpec {
        disk,
        architecture,
        firmware,
        user: "ec2-user".to_owned(),
        ports: vec![ExpectedPort { port: SSH_PORT, protocol: Protocol::Tcp }],
        tests: Vec::new(),
        bridge: bridge()?,
        work_dir: work.to_owned(),
        memory_mib: MEMORY_MIB,
        cpus: processors(),
        // A volume larger than the image shows whether the root file system grows.
        grow_bytes: GIB,
        accelerator: None,
        second_boot: true,
        keep: false,
        ssh_port_in_guest: SSH_PORT,
        user_data: None,
        identity: Some(identity_keys(context)?),
        product_codes: Vec::new(),
        copy_tests: Vec::new(),
        deadline: Deadlines::default(),
        extra_login_users: Vec::new(),
        promises: Promises::default(),
        probe: false,
    };
    let Some(file) = recipe else { return Ok(spec) };
    let recipe = &file.recipe;
    spec.user.clone_from(&recipe.user.name);
    spec.ports = recipe
        .effective_ports()
        .iter()
        .map(|port| ExpectedPort { port: port.port, protocol: protocol(port.protocol) })
        .collect();
    spec.product_codes.clone_from(&recipe.image.product_codes);
    let (of_copy, of_product): (Vec<_>, Vec<_>) =
        recipe.tests.iter().partition(|test| test.instance == TestInstance::Copy);
    spec.tests = of_product.into_iter().map(guest_test).collect();
    spec.copy_tests = of_copy.into_iter().map(guest_test).collect();
    Ok(spec)
}

/// Opens the keys that sign the identity documents of instances on this machine; they are made at first use.
pub(crate) fn identity_keys(context: &Context) -> Result<IdentityKeys, Failure> {
    let path = context.home()?.join("keys/identity.txt");
    let made = load_or_create_secret(&path, || {
        let keys = LocalKeys::generate().map_err(|error| Failure::new(ExitCode::Environment, error))?;
        Ok::<_, Failure>(Zeroizing::new(keys.to_secret_text()))
    })?;
    let text = String::from_utf8_lossy(&made.content);
    let keys = LocalKeys::from_secret_text(&text).map_err(|error| {
        Failure::new(ExitCode::Input, error)
            .hint(format!("remove {}: new keys are made at the next use", path.display()))
    })?;
    Ok(IdentityKeys::new(keys))
}

/// Returns what the machine is compared with: the verdict over the image's files, and what the rules want.
pub(crate) fn promises(scan: ScanReport, gate: Severity) -> Promises {
    let setting = |(key, values): &(&str, &[&str])| {
        ((*key).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
    };
    Promises {
        scan: Some(scan),
        gate,
        kernel_settings: amint_scan::wanted_kernel_settings().iter().map(setting).collect(),
        unused_modules: amint_scan::unwanted_kernel_modules().iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// As many processors as this machine has, within reason.
fn processors() -> u32 {
    let count = std::thread::available_parallelism().map_or(1, usize::from).min(PROCESSORS_MAX);
    u32::try_from(count).unwrap_or(1)
}

/// Returns how a shell in the same guest is opened.
pub(crate) fn shell_spec(boot: BootTestSpec) -> ShellSpec {
    ShellSpec {
        disk: boot.disk,
        architecture: boot.architecture,
        firmware: boot.firmware,
        user: boot.user,
        bridge: boot.bridge,
        work_dir: boot.work_dir,
        memory_mib: boot.memory_mib,
        cpus: boot.cpus,
        grow_bytes: boot.grow_bytes,
        accelerator: boot.accelerator,
        keep: boot.keep,
        ssh_port_in_guest: boot.ssh_port_in_guest,
        user_data: boot.user_data,
        identity: boot.identity,
        product_codes: boot.product_codes,
        deadline: boot.deadline,
        command: None,
    }
}

fn protocol(protocol: amint_recipe::Protocol) -> Protocol {
    match protocol {
        amint_recipe::Protocol::Udp => Protocol::Udp,
        _ => Protocol::Tcp,
    }
}

fn guest_test(test: &amint_recipe::Test) -> GuestTest {
    let name = test.display_name();
    let deadline = test.deadline;
    let expect = &test.expect;
    match &test.action {
        TestAction::Http(url) => GuestTest::Http {
            name,
            url: url.clone(),
            status: expect.status,
            body_contains: expect.body_contains.clone(),
            header_contains: expect.header().map(|(name, value)| HeaderExpectation {
                name: name.to_owned(),
                value_contains: value.to_owned(),
            }),
            deadline,
        },
        TestAction::Tcp(port) => {
            GuestTest::Tcp { name, port: *port, expect: expect.banner_contains.clone(), deadline }
        }
        TestAction::Command(command) => GuestTest::Command {
            name,
            command: command.clone(),
            exit_code: expect.exit_code.unwrap_or(0),
            stdout_contains: expect.stdout_contains.clone(),
            deadline,
        },
    }
}

/// The program that QEMU starts for each metadata connection: this one.
pub(crate) fn bridge() -> Result<Vec<OsString>, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::new(ExitCode::Environment, error))?;
    Ok(vec![program.into_os_string(), "internal-imds-bridge".into()])
}

/// Returns the build report of an image, with the newest boot report of each firmware.
pub(crate) fn stored_report(store: &Store, record: &ImageRecord) -> Result<Option<BuildReport>, Failure> {
    let Some(bytes) = store.document(record, BUILD_REPORT)? else { return Ok(None) };
    let mut report: BuildReport =
        serde_json::from_slice(&bytes).map_err(|error| Failure::new(ExitCode::Input, error))?;
    let mut boots = Vec::new();
    for firmware in [Firmware::Uefi, Firmware::Bios] {
        if let Some(bytes) = store.document(record, &format!("{BOOT_REPORT}-{}", firmware.as_str()))? {
            let boot: BootReport =
                serde_json::from_slice(&bytes).map_err(|error| Failure::new(ExitCode::Input, error))?;
            boots.push(boot);
        }
    }
    if !boots.is_empty() {
        report.boots = boots;
    }
    Ok(Some(report))
}

/// Returns where the HTML page of an image lies.
pub(crate) fn report_path(home: &Path, report: &BuildReport) -> PathBuf {
    home.join("reports").join(format!("{}-{}.html", report.name, report.version))
}

/// Writes the HTML page of an image, replacing an older one at once.
pub(crate) fn write_report(report: &BuildReport, path: &Path) -> Result<(), Failure> {
    let page = amint_report::html(report).map_err(|error| Failure::new(ExitCode::Defect, error))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| Failure::file(folder, error))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| Failure::file(folder, error))?;
    file.write_all(page.as_bytes()).map_err(|error| Failure::file(path, error))?;
    let _: File = file.persist(path).map_err(|error| Failure::file(path, error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn rules_marked_as_confirmed_are_those_that_the_boot_test_confirms() {
        let marked: BTreeSet<&str> = amint_scan::confirmed_rules().iter().copied().collect();
        assert_eq!(marked, amint_guest::confirmed_rules());
    }
}
