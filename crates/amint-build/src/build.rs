//! The build itself: from a recipe to a disk and what is known about it.

use std::fs;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use amint_disk::image::{DiskSpec, DiskSummary, assemble};
use amint_recipe::{Debian, Recipe, RecipeFile};
use amint_scan::{Protocol, ScanRequest, Waiver};
use amint_types::report::{Package, ScanReport};
use amint_types::{Cancel, EventSink, MIB, Seed, StepOutcome, Unit, format_bytes};
use jiff::civil::Date;

use crate::boot_loader::{self, Loader};
use crate::bootstrap::{Bootstrap, BootstrapRequest, apt_sources};
use crate::customise::{copy_files, run_steps, set_services};
use crate::ec2;
use crate::error::BuildError;
use crate::mirror::Mirrors;
use crate::normalise;
use crate::packages::read_status;
use crate::tree::{FileToWrite, ImageTree};

/// Size of the EFI system partition.
const ESP_BYTES: u64 = 64 * MIB;
/// Where the bootstrap's apt sources stand in the tree while the build runs.
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
    /// The engine that installs packages.
    pub engine: &'a dyn Bootstrap,
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
    let recipe = &request.recipe.recipe;
    check_architecture(recipe.image.architecture)?;
    check_followed(recipe)?;
    let steps = Steps { sink };
    let started = SystemTime::now();
    let tree_path = request.work.join("tree");
    fs::create_dir(&tree_path).map_err(|source| BuildError::Work { path: tree_path.clone(), source })?;
    // The folder becomes the image's root directory.
    set_mode(&tree_path, 0o755)?;

    let bootstrap = bootstrap_request(request)?;
    sink.info(&format!("packages come from {} ({})", bootstrap.mirrors.archive, bootstrap.mirrors.origin));
    if bootstrap.mirrors.security.is_none() {
        sink.warn(
            "no mirror of the security archive is known: the image lacks security fixes",
            Some("give one with `--security-mirror` or `security_mirror` under `[base]`"),
        );
    }
    let packages = steps.run("bootstrap", "Installing packages", || {
        request
            .engine
            .bootstrap(&bootstrap, &tree_path, "bootstrap", sink, cancel)
            .map_err(BuildError::Bootstrap)?;
        let packages = installed(&tree_path)?;
        let bytes = packages.iter().map(|package| package.installed_bytes).sum();
        let detail = format!("{} packages, {}", packages.len(), format_bytes(bytes));
        Ok((packages, detail))
    })?;
    let seed = seed(request.recipe);
    let root_uuid = seed.uuid("root-file-system");
    let tree = ImageTree::open(&tree_path)?;
    customise(request, &tree, &bootstrap, &root_uuid.to_string(), &steps, cancel)?;
    let boot = steps.run("boot-loader", "Making the boot files", || {
        let step = "boot-loader";
        let kernel = boot_loader::find_kernel(&tree)?;
        let epoch = bootstrap.source_epoch;
        boot_loader::make_initramfs(&tree, &kernel, epoch, step, sink, cancel)
            .map_err(BuildError::Configure)?;
        let line = ec2::kernel_command_line(recipe);
        let loader = Loader {
            architecture: recipe.image.architecture,
            kernel: &kernel,
            root_uuid: &root_uuid.to_string(),
            command_line: &line,
        };
        let boot = boot_loader::install(&tree, &loader, step, sink, cancel)?;
        Ok((boot, format!("Linux {}", kernel.version)))
    })?;
    // Packages that steps installed count as well.
    let packages = if recipe.run.is_empty() { packages } else { installed(&tree_path)? };
    normalise::clean(&tree, &apt_sources(&bootstrap), SOURCES)?;
    let scan = harden(request, &tree, sink)?;
    let source_epoch = request.source_epoch.unwrap_or_else(|| normalise::newest_before(&tree_path, started));
    let mut built = Built {
        tree: tree_path.clone(),
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
        let summary = assemble(&tree_path, &disk_path, &spec, sink, "assemble", cancel)?;
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

/// Everything that follows package installation and comes before the kernel's files.
fn customise(
    request: &BuildRequest<'_>,
    tree: &ImageTree,
    bootstrap: &BootstrapRequest,
    root_uuid: &str,
    steps: &Steps<'_>,
    cancel: &Cancel,
) -> Result<(), BuildError> {
    let recipe = &request.recipe.recipe;
    let folder = request.recipe.path.parent().unwrap_or(Path::new("."));
    let sink = steps.sink;
    steps.run("files", "Configuring for EC2", || {
        for file in ec2::files(recipe, root_uuid) {
            tree.write(&file)?;
        }
        tree.write(&FileToWrite::new(SOURCES, apt_sources(bootstrap).into_bytes()))?;
        let copied = copy_files(tree, recipe, folder, cancel)?;
        Ok(((), format!("{copied} files of the recipe")))
    })?;
    if !recipe.run.is_empty() {
        steps.run("run", "Running the recipe's steps", || {
            run_steps(tree, recipe, folder, bootstrap.source_epoch, "run", sink, cancel)?;
            Ok(((), format!("{} steps", recipe.run.len())))
        })?;
    }
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

/// Tells the rules what the recipe says.
fn scan_request(recipe: &Recipe, today: Date) -> ScanRequest {
    let profiles = recipe.harden.profiles.iter().map(|profile| scan_profile(*profile)).collect();
    let waivers = recipe.harden.waive.iter().map(|waiver| Waiver {
        rule: waiver.rule.clone(),
        reason: waiver.reason.clone(),
        until: waiver.until,
        path: waiver.path.clone(),
    });
    let ports = recipe.effective_ports().into_iter().map(|port| {
        let protocol = match port.protocol {
            amint_recipe::Protocol::Udp => Protocol::Udp,
            _ => Protocol::Tcp,
        };
        (port.port, protocol)
    });
    ScanRequest {
        profiles,
        waivers: waivers.collect(),
        today,
        user: recipe.user.name.clone(),
        ports: ports.collect(),
    }
}

/// Emits the beginning and end of each step around its work.
struct Steps<'a> {
    sink: &'a dyn EventSink,
}

impl Steps<'_> {
    fn run<T>(
        &self,
        step: &str,
        title: &str,
        work: impl FnOnce() -> Result<(T, String), BuildError>,
    ) -> Result<T, BuildError> {
        let started = Instant::now();
        self.sink.step_started(step, title, None, Unit::Items);
        match work() {
            Ok((value, detail)) => {
                let detail = (!detail.is_empty()).then_some(detail);
                self.sink.step_finished(step, StepOutcome::Done, started.elapsed(), detail);
                Ok(value)
            }
            Err(error) => {
                self.sink.step_finished(step, StepOutcome::Failed, started.elapsed(), None);
                Err(error)
            }
        }
    }
}

fn bootstrap_request(request: &BuildRequest<'_>) -> Result<BootstrapRequest, BuildError> {
    let recipe = &request.recipe.recipe;
    let keyring = match &recipe.base.keyring {
        Some(keyring) => request.recipe.path.parent().unwrap_or(Path::new(".")).join(keyring),
        None => PathBuf::from("/usr/share/keyrings/debian-archive-keyring.gpg"),
    };
    let keyring = keyring.canonicalize().map_err(|_| BuildError::NoKeyring { path: keyring })?;
    let architecture = recipe.image.architecture;
    let mut packages: Vec<String> = ec2::PACKAGES.iter().map(|name| (*name).to_owned()).collect();
    packages.push(boot_loader::kernel_package(architecture).to_owned());
    packages.extend(boot_loader::packages(architecture).iter().map(|name| (*name).to_owned()));
    packages.extend(recipe.packages.install.iter().cloned());
    packages.sort();
    packages.dedup();
    Ok(BootstrapRequest {
        suite: recipe.base.debian.as_str().to_owned(),
        architecture,
        components: recipe.base.components.clone(),
        mirrors: request.mirrors.clone(),
        keyring: Some(keyring),
        packages,
        with_recommends: recipe.packages.recommends,
        source_epoch: request.source_epoch.unwrap_or(release_epoch(recipe.base.debian)),
    })
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

/// Refuses what a recipe may say and the engine does not do: an image without it would be another image.
fn check_followed(recipe: &Recipe) -> Result<(), BuildError> {
    let asked = [
        ("`backports`", recipe.base.backports),
        ("`snapshot`", recipe.base.snapshot.is_some()),
        ("`pins`", !recipe.packages.pins.is_empty()),
        ("`hold`", !recipe.packages.hold.is_empty()),
        ("`[[repository]]`", !recipe.repositories.is_empty()),
    ];
    let keys: Vec<_> = asked.iter().filter(|(_, is_asked)| *is_asked).map(|(key, _)| *key).collect();
    if keys.is_empty() { Ok(()) } else { Err(BuildError::NotFollowed { keys }) }
}

/// Returns seconds since 1970, negative before.
pub(crate) fn seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_recipe_that_asks_for_more_than_the_engine_does() {
        let read = |text: &str| {
            let head = "[image]\nname = \"web\"\nversion = \"1\"\n";
            amint_recipe::parse(&format!("{head}{text}"), Path::new("amint.toml")).unwrap()
        };
        check_followed(&read("[base]\ndebian = \"trixie\"\n")).unwrap();
        let more = "[base]\ndebian = \"trixie\"\nbackports = true\n[packages]\nhold = [\"nginx\"]\n";
        let error = check_followed(&read(more)).unwrap_err();
        assert!(error.to_string().starts_with("the recipe has `backports`, `hold`, which"), "{error}");
    }

    #[test]
    fn the_rules_know_every_profile_that_a_recipe_may_name() {
        use amint_recipe::Profile;
        for profile in [Profile::Marketplace, Profile::SharedLinux, Profile::Hardened, Profile::Private] {
            assert_eq!(scan_profile(profile).as_str(), profile.as_str());
        }
        assert_eq!(amint_scan::Profile::ALL.len(), 4);
    }
}
