//! The build itself: from a recipe to a disk and what is known about it.

use std::fs;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use amint_archive::{Client, PackageFile};
use amint_disk::image::{DiskSpec, DiskSummary, assemble};
use amint_recipe::lock::{Lock, LockedPackage, Stage};
use amint_recipe::{Debian, Recipe, RecipeFile};
use amint_scan::{Protocol, Right, ScanRequest, Waiver};
use amint_types::report::{Package, ScanReport};
use amint_types::{Cancel, EventSink, MIB, Seed, format_bytes};
use jiff::civil::Date;

use crate::apt_state::{apt_sources, extended_states};
use crate::boot_loader::{self, Loader};
use crate::customise::{RunSteps, copy_files, set_services};
use crate::ec2;
use crate::error::BuildError;
use crate::install::{InstallOptions, PackageToInstall, install};
use crate::keys;
use crate::layers::{Asked, Chain, LayerCache};
use crate::locking::package_files;
use crate::mirror::Mirrors;
use crate::normalise;
use crate::packages::read_status;
use crate::steps::Steps;
use crate::tree::{FileToWrite, ImageTree};

/// Size of the EFI system partition.
const ESP_BYTES: u64 = 64 * MIB;
/// How many damaged layers one build puts up with.
const DAMAGED_MAX: u32 = 8;
/// Where the build's apt sources stand in the tree while the build runs.
const SOURCES: &str = "/etc/apt/sources.list";

/// What to build.
pub struct BuildRequest<'a> {
    /// The recipe.
    pub recipe: &'a RecipeFile,
    /// Where packages come from.
    pub mirrors: Mirrors,
    /// A private, empty folder for the work.
    pub work: &'a Path,
    /// The present day, for waivers.
    pub today: Date,
    /// The latest time stamp in the image, or none to take the newest of the packages.
    pub source_epoch: Option<i64>,
    /// The packages, exactly.
    pub lock: &'a Lock,
    /// Gets the packages.
    pub client: &'a Client,
    /// Where the results of steps are kept, or none to run every step.
    pub cache: Option<&'a LayerCache>,
}

/// What a build made.
pub struct Built {
    /// The unpacked tree, in the work folder.
    pub tree: PathBuf,
    /// What was installed, by name.
    pub packages: Vec<Package>,
    /// What the rules said.
    pub scan: ScanReport,
    /// The latest time stamp in the image.
    pub source_epoch: i64,
    /// What the image is based on: `Debian 13 (trixie)`.
    pub base: String,
    /// The disk, in the work folder, unless the rules stopped the build.
    pub disk: Option<(PathBuf, DiskSummary)>,
}

/// Builds an image inside the build's namespaces (see [`crate::namespace`]).
///
/// The rules are a gate: when one stops the image, `disk` is `None` and `scan` tells why.
pub fn build(request: &BuildRequest<'_>, sink: &dyn EventSink, cancel: &Cancel) -> Result<Built, BuildError> {
    check_architecture(request.recipe.recipe.image.architecture)?;
    if request.mirrors.security.is_none() {
        sink.warn(
            "no mirror of the security archive is known: the image lacks security fixes",
            Some("give one with `--security-mirror` or `security_mirror` under `[base]`"),
        );
    }
    let tree_path = request.work.join("tree");
    let mut damaged = 0;
    loop {
        fs::create_dir(&tree_path).map_err(|source| BuildError::Work { path: tree_path.clone(), source })?;
        // The folder becomes the image's root directory.
        set_mode(&tree_path, 0o755)?;
        match build_in(request, &tree_path, sink, cancel) {
            // What was restored so far is of no use: another try runs the step whose layer is gone now.
            Err(BuildError::DamagedLayer { source }) if damaged < DAMAGED_MAX => {
                sink.warn(&format!("a layer of the cache was damaged and was removed: {source}"), None);
                damaged += 1;
                fs::remove_dir_all(&tree_path)
                    .map_err(|source| BuildError::Work { path: tree_path.clone(), source })?;
            }
            result => return result,
        }
    }
}

fn build_in(
    request: &BuildRequest<'_>,
    tree_path: &Path,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<Built, BuildError> {
    let recipe = &request.recipe.recipe;
    let steps = Steps { sink };
    let present = present_of(request);
    let start = keys::start(recipe, present);
    let mut chain = Chain::new(request.cache, tree_path, start, steps, cancel);
    let newest = install_packages(request, tree_path, present, &mut chain, sink, cancel)?;
    let source_epoch = request.source_epoch.unwrap_or(newest);
    let seed = seed(request.recipe);
    let root_uuid = root_uuid_of(request.recipe);
    let tree = ImageTree::open(tree_path)?;
    let times = Times { present, source_epoch };
    customise(request, &tree, times, &root_uuid.to_string(), &mut chain, steps, cancel)?;
    let kernel = boot_loader::find_kernel(&tree)?;
    let asked = Asked {
        step: "initramfs",
        title: "Making the initramfs",
        inputs: &[kernel.version.as_bytes()],
        is_repeatable: true,
    };
    chain.initramfs(&asked, || {
        boot_loader::make_initramfs(&tree, &kernel, present, "initramfs", sink, cancel)
            .map_err(BuildError::Configure)?;
        Ok((String::new(), format!("Linux {}", kernel.version)))
    })?;
    let boot = steps.run("boot-loader", "Making the boot files", || {
        let line = ec2::kernel_command_line(recipe);
        let loader = Loader {
            architecture: recipe.image.architecture,
            kernel: &kernel,
            root_uuid: &root_uuid.to_string(),
            command_line: &line,
        };
        let boot = boot_loader::install(&tree, &loader, "boot-loader", sink, cancel)?;
        Ok((boot, format!("Linux {}", kernel.version)))
    })?;
    let states = extended_states(request.lock);
    tree.write(&FileToWrite::new("/var/lib/apt/extended_states", states.into_bytes()))?;
    // Packages that steps installed count as well.
    let packages = installed(tree_path)?;
    normalise::clean(&tree, &apt_sources(recipe, &request.mirrors), SOURCES)?;
    let scan = harden(request, &tree, sink)?;
    let mut built = Built {
        tree: tree_path.to_owned(),
        packages,
        scan,
        source_epoch,
        base: base_name(recipe.base.debian).to_owned(),
        disk: None,
    };
    if built.scan.blocking(recipe.harden.gate).next().is_some() {
        return Ok(built);
    }
    let disk_path = request.work.join("disk.raw");
    let spec = DiskSpec {
        bytes: recipe.disk.size_bytes,
        seed,
        epoch: source_epoch,
        root_label: ec2::ROOT_LABEL.to_owned(),
        root_uuid,
        architecture: recipe.image.architecture,
        boot,
        esp_bytes: ESP_BYTES,
    };
    let summary = steps.run("assemble", "Assembling the disk", || {
        let summary = assemble(tree_path, &disk_path, &spec, sink, "assemble", cancel)?;
        let detail = format!(
            "{} with {} of files",
            format_bytes(summary.bytes),
            format_bytes(summary.root_used_bytes)
        );
        Ok((summary, detail))
    })?;
    built.disk = Some((disk_path, summary));
    Ok(built)
}

/// The two times of an image, in seconds since 1970.
#[derive(Clone, Copy)]
struct Times {
    /// What scripts take for the present.
    present: i64,
    /// The latest time of a file: that of the newest package.
    source_epoch: i64,
}

/// Everything that follows package installation and comes before the kernel's files. Each step finds times of files that
/// are the same in every build.
fn customise(
    request: &BuildRequest<'_>,
    tree: &ImageTree,
    times: Times,
    root_uuid: &str,
    chain: &mut Chain<'_>,
    steps: Steps<'_>,
    cancel: &Cancel,
) -> Result<(), BuildError> {
    let recipe = &request.recipe.recipe;
    let folder = request.recipe.path.parent().unwrap_or(Path::new("."));
    let sink = steps.sink;
    let sources = apt_sources(recipe, &request.mirrors);
    let files = ec2::files(recipe, root_uuid);
    let inputs = keys::files(&files, recipe, request.lock, &sources);
    let asked = Asked { step: "files", title: "Placing files", inputs: &[&inputs], is_repeatable: true };
    chain.step(&asked, || {
        for file in &files {
            tree.write(file)?;
        }
        tree.write(&FileToWrite::new(SOURCES, sources.clone().into_bytes()))?;
        let copied = copy_files(tree, recipe, folder, cancel)?;
        normalise::clamp(tree.root(), times.source_epoch)?;
        Ok((String::new(), format!("{} files for EC2, {copied} of the recipe", files.len())))
    })?;
    let runs = RunSteps { tree, folder, source_epoch: times.present, sink, cancel };
    for (index, run) in recipe.run.iter().enumerate() {
        let step = format!("run-{}", index + 1);
        let title = format!("Running `{}`", run.display_name());
        let inputs = keys::run(run, request.lock);
        // What comes from the network is not the same tomorrow.
        let asked = Asked { step: &step, title: &title, inputs: &[&inputs], is_repeatable: !run.network };
        chain.step(&asked, || {
            runs.run(run, index + 1, &step)?;
            normalise::clamp(tree.root(), times.source_epoch)?;
            Ok((String::new(), String::new()))
        })?;
    }
    chain.bring()?;
    steps.run("services", "Switching services", || {
        set_services(tree, recipe, "services", sink, cancel).map_err(BuildError::Configure)?;
        Ok(((), String::new()))
    })
}

fn harden(
    request: &BuildRequest<'_>,
    tree: &ImageTree,
    sink: &dyn EventSink,
) -> Result<ScanReport, BuildError> {
    let scan_request = scan_request(&request.recipe.recipe, request.today);
    let fixes = amint_scan::harden(tree.files(), &scan_request, sink)?;
    let mut report = amint_scan::scan(tree.files(), &scan_request, sink)?;
    report.fixes = fixes;
    Ok(report)
}

/// Gives a recipe's profile as the rules know it: one that got lost on the way would pass unjudged.
fn scan_profile(profile: amint_recipe::Profile) -> amint_scan::Profile {
    profile.as_str().parse().expect("the rules know every profile of recipes: a test compares them")
}

/// Tells the rules what a recipe says: its profiles, waivers, user, ports and rights.
pub fn scan_request(recipe: &Recipe, today: Date) -> ScanRequest {
    let profiles = recipe.harden.profiles.iter().map(|profile| scan_profile(*profile)).collect();
    let ports = recipe.effective_ports().into_iter().map(|port| {
        let protocol = match port.protocol {
            amint_recipe::Protocol::Udp => Protocol::Udp,
            _ => Protocol::Tcp,
        };
        (port.port, protocol)
    });
    let rights = recipe.rights.iter().map(|right| Right {
        name: right.software.clone(),
        holder: right.holder.clone(),
        document: right.document.clone(),
        until: right.until,
    });
    ScanRequest {
        profiles,
        waivers: recipe.harden.waive.iter().map(scan_waiver).collect(),
        today,
        user: recipe.user.name.clone(),
        ports: ports.collect(),
        rights: rights.collect(),
    }
}

/// Tells the rules what a waiver of a recipe or of a file says.
pub fn scan_waiver(waiver: &amint_recipe::Waiver) -> Waiver {
    Waiver {
        rule: waiver.rule.clone(),
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        until: waiver.until,
        path: waiver.path.clone(),
        package: waiver.package.clone(),
        version: waiver.version.clone(),
    }
}

/// Installs the packages of the lock, the base first; returns the newest time among their files.
fn install_packages(
    request: &BuildRequest<'_>,
    tree: &Path,
    present: i64,
    chain: &mut Chain<'_>,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<i64, BuildError> {
    let files = package_files(request.recipe, request.lock, &request.mirrors)?;
    let packages: Vec<_> = request.lock.packages.iter().zip(files).collect();
    let mut newest = 0;
    for (stage, step, title) in [
        (Stage::Base, "base", "Installing the base"),
        (Stage::Added, "packages", "Installing the recipe's packages"),
    ] {
        let (packages, files): (Vec<&LockedPackage>, Vec<PackageFile>) =
            packages.iter().filter(|(package, _)| package.stage == stage).cloned().unzip();
        if packages.is_empty() {
            continue;
        }
        let inputs = keys::packages(&packages);
        let asked = Asked { step, title, inputs: &[&inputs], is_repeatable: true };
        let before = newest;
        let note = chain.step(&asked, || {
            let paths = request.client.packages(&files, step, sink, cancel)?;
            let describe = |(package, file): (&&LockedPackage, PathBuf)| PackageToInstall {
                name: package.name.clone(),
                version: package.version.clone(),
                architecture: package.architecture.clone(),
                file,
                bytes: package.bytes,
                sha256: package.sha256,
            };
            let packages: Vec<PackageToInstall> = packages.iter().zip(paths).map(describe).collect();
            let options =
                InstallOptions { is_base: stage == Stage::Base, work: request.work, source_epoch: present };
            let installed = install(&packages, tree, options, step, sink, cancel)?;
            let newest = installed.newest.max(before);
            normalise::forget_identity(tree)?;
            normalise::clamp(tree, newest)?;
            let longest = installed.configured.iter().take(3);
            let longest: Vec<String> =
                longest.map(|(name, time)| format!("{name} {:.1} s", time.as_secs_f64())).collect();
            let detail = format!("{} packages; longest: {}", packages.len(), longest.join(", "));
            Ok((newest.to_string(), detail))
        })?;
        newest = note.parse().unwrap_or_default();
    }
    // Which packages nobody asked for is the recipe's affair, not the layers'.
    chain.packages_are_there();
    Ok(newest)
}

/// Returns the day of a release's first publication: a fixed "present" for maintainer scripts.
fn release_epoch(release: Debian) -> i64 {
    match release {
        Debian::Bookworm => 1_686_355_200, // 2023-06-10
        _ => 1_754_697_600,                // 2025-08-09
    }
}

fn base_name(release: Debian) -> &'static str {
    match release {
        Debian::Bookworm => "Debian 12 (bookworm)",
        _ => "Debian 13 (trixie)",
    }
}

/// Returns what scripts take for the present.
pub(crate) fn present_of(request: &BuildRequest<'_>) -> i64 {
    request.source_epoch.unwrap_or(release_epoch(request.recipe.recipe.base.debian))
}

/// Returns the UUID of the root file system.
pub(crate) fn root_uuid_of(recipe: &RecipeFile) -> uuid::Uuid {
    seed(recipe).uuid("root-file-system")
}

/// Derives every random-looking value of the image from the recipe.
fn seed(recipe: &RecipeFile) -> Seed {
    let image = &recipe.recipe.image;
    Seed::new(format!("amint image 1\n{}\n{}\n{}", image.name, image.version, recipe.text).as_bytes())
}

fn installed(tree: &Path) -> Result<Vec<Package>, BuildError> {
    let path = tree.join("var/lib/dpkg/status");
    let read = || -> io::Result<Vec<Package>> { read_status(BufReader::new(fs::File::open(&path)?)) };
    read().map_err(|source| BuildError::Work { path: path.clone(), source })
}

fn set_mode(path: &Path, mode: u32) -> Result<(), BuildError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|source| BuildError::Work { path: path.to_owned(), source })
}

fn check_architecture(wanted: amint_types::Architecture) -> Result<(), BuildError> {
    let host = std::env::consts::ARCH;
    let fits = matches!(
        (wanted, host),
        (amint_types::Architecture::X86_64, "x86_64") | (amint_types::Architecture::Arm64, "aarch64")
    );
    if fits { Ok(()) } else { Err(BuildError::Architecture { wanted, host }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_know_every_profile_that_a_recipe_may_name() {
        use amint_recipe::Profile;
        let all = [
            Profile::Marketplace,
            Profile::SharedLinux,
            Profile::Hardened,
            Profile::HardenedLevel2,
            Profile::Private,
        ];
        for profile in all {
            assert_eq!(scan_profile(profile).as_str(), profile.as_str());
        }
        assert_eq!(amint_scan::Profile::ALL.len(), all.len());
    }
}
