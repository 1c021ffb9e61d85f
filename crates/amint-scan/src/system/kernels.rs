//! The kernels of an image, and the one that the boot loader starts by default.
//!
//! Only the kernel that boots runs; what else lies there can be chosen by hand at a console. Which one boots is read from the
//! boot loader's own files, never guessed from version numbers alone.

use std::collections::BTreeMap;

use amint_disk::tree::FileKind;
use amint_types::scan::Kernel;

use super::grub::{self, MenuEntry};
use super::loaders::{self, BootEntry};
use crate::{CheckError, Context};

const GRUB_FILES: [&str; 4] =
    ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/efi/EFI/BOOT/grub.cfg", "/grub/grub.cfg"];
/// Names of kernels before their release.
const KERNEL_NAMES: [&str; 6] = ["vmlinuz-", "vmlinux-", "Image-", "zImage-", "bzImage-", "kernel-"];
/// Where module folders lie.
const MODULE_FOLDERS: [&str; 2] = ["/usr/lib/modules", "/lib/modules"];

/// The kernels of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kernels {
    /// All of them, by release.
    pub kernels: Vec<Kernel>,
    /// Why none is told to be the default, where there are kernels and none is.
    pub note: Option<String>,
    /// The kernel that the boot loader starts, where it is not there.
    pub missing: Option<String>,
}

/// Lists the kernels of an image and tells which one the boot loader starts.
pub fn kernels(cx: &Context<'_>) -> Result<Kernels, CheckError> {
    let mut found = installed(cx)?;
    let chosen = chosen(cx)?;
    if let Some(chosen) = &chosen {
        let at = match place_of(cx, &found, &chosen.kernel)? {
            Some(at) => Some(at),
            None if chosen.is_unified => {
                found.push(Kernel {
                    release: chosen.version.clone(),
                    path: chosen.kernel.clone(),
                    package: None,
                    is_default: false,
                    has_modules: has_modules(cx, &chosen.version)?,
                    command_line: None,
                });
                found.len().checked_sub(1)
            }
            None => None,
        };
        if let Some(kernel) = at.and_then(|at| found.get_mut(at)) {
            kernel.is_default = true;
            kernel.command_line = Some(chosen.arguments.clone()).filter(|arguments| !arguments.is_empty());
        }
    }
    found.sort();
    let note = match &chosen {
        _ if found.is_empty() || found.iter().any(|kernel| kernel.is_default) => None,
        None => Some("no boot loader says which kernel starts".to_owned()),
        Some(chosen) => Some(format!("the boot loader starts `{}`, which is not there", chosen.kernel)),
    };
    let missing =
        chosen.map(|chosen| chosen.kernel).filter(|_| !found.iter().any(|kernel| kernel.is_default));
    Ok(Kernels { kernels: found, note, missing })
}

fn installed(cx: &Context<'_>) -> Result<Vec<Kernel>, CheckError> {
    let mut paths: BTreeMap<String, String> = BTreeMap::new();
    for folder in ["/boot", "/"] {
        for entry in cx.list(folder)? {
            let name = entry.name.to_string_lossy().into_owned();
            let release = KERNEL_NAMES.iter().find_map(|start| name.strip_prefix(start));
            if let (Some(release), FileKind::File) = (release, entry.kind) {
                paths.entry(release.to_owned()).or_insert(format!("{}/{name}", folder.trim_end_matches('/')));
            }
        }
    }
    for folder in MODULE_FOLDERS {
        for entry in cx.list(folder)? {
            let release = entry.name.to_string_lossy().into_owned();
            let path = format!("{folder}/{release}/vmlinuz");
            if cx.metadata(&path)?.is_some_and(|metadata| metadata.is_file()) {
                paths.entry(release).or_insert(path);
            }
        }
    }
    // Alpine names its kernel after the flavour, and the modules after the release.
    let mut kernels = Vec::new();
    for (release, path) in paths {
        let release = flavoured(cx, &release)?;
        let has_modules = has_modules(cx, &release)?;
        kernels.push(Kernel {
            release,
            path,
            package: None,
            is_default: false,
            has_modules,
            command_line: None,
        });
    }
    for image in loaders::unified(cx)? {
        let has_modules = has_modules(cx, &image.version)?;
        let release = if image.version.is_empty() { image.id } else { image.version };
        kernels.push(Kernel {
            release,
            path: image.kernel,
            package: None,
            is_default: false,
            has_modules,
            command_line: None,
        });
    }
    Ok(kernels)
}

/// Returns the release whose modules end in the flavour that a kernel is named after.
fn flavoured(cx: &Context<'_>, name: &str) -> Result<String, CheckError> {
    if name.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Ok(name.to_owned());
    }
    for folder in MODULE_FOLDERS {
        for entry in cx.list(folder)? {
            let release = entry.name.to_string_lossy().into_owned();
            if release.strip_suffix(name).is_some_and(|rest| rest.ends_with('-')) {
                return Ok(release);
            }
        }
    }
    Ok(name.to_owned())
}

fn has_modules(cx: &Context<'_>, release: &str) -> Result<bool, CheckError> {
    if release.is_empty() || release.contains('/') {
        return Ok(false);
    }
    for folder in MODULE_FOLDERS {
        if cx.exists(format!("{folder}/{release}/modules.dep"))?
            || cx.exists(format!("{folder}/{release}/kernel"))?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Finds the kernel that a boot loader names: its paths begin at its own file system, which may be `/boot`.
fn place_of(cx: &Context<'_>, kernels: &[Kernel], named: &str) -> Result<Option<usize>, CheckError> {
    let named = named.rsplit_once(')').map_or(named, |(_, path)| path);
    let named = if named.starts_with('/') { named.to_owned() } else { format!("/{named}") };
    for candidate in
        [named.clone(), format!("/boot{named}"), format!("/boot/efi{named}"), format!("/efi{named}")]
    {
        let Some(resolved) = resolve(cx, &candidate)? else { continue };
        for (at, kernel) in kernels.iter().enumerate() {
            if resolve(cx, &kernel.path)?.is_some_and(|path| path == resolved) {
                return Ok(Some(at));
            }
        }
    }
    // Copies of one kernel (in /boot and beside its modules) have one release.
    let file_name = named.rsplit('/').next().unwrap_or_default();
    let release = KERNEL_NAMES.iter().find_map(|start| file_name.strip_prefix(start));
    Ok(release.and_then(|release| kernels.iter().position(|kernel| kernel.release == release)))
}

fn resolve(cx: &Context<'_>, path: &str) -> Result<Option<std::path::PathBuf>, CheckError> {
    match cx.tree().resolve(path.as_ref()) {
        Ok(path) => Ok(cx.metadata(&path)?.map(|_| path)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns what the boot loader starts by default.
fn chosen(cx: &Context<'_>) -> Result<Option<BootEntry>, CheckError> {
    if let Some(entry) = by_grub(cx)? {
        return Ok(Some(entry));
    }
    if let Some(pattern) = loaders::systemd_boot_default(cx)? {
        let mut entries = loaders::specified(cx)?;
        entries.extend(loaders::unified(cx)?);
        let matches = |entry: &&BootEntry| {
            let names = [entry.id.clone(), format!("{}.conf", entry.id), format!("{}.efi", entry.id)];
            names.iter().any(|name| crate::glob::is_match(&pattern, name))
        };
        let by_pattern = Some(&pattern)
            .filter(|pattern| !pattern.is_empty())
            .and_then(|_| entries.iter().find(matches).cloned());
        return Ok(by_pattern.or_else(|| entries.into_iter().next()));
    }
    if let Some(entry) = loaders::extlinux(cx)? {
        return Ok(Some(entry));
    }
    Ok(loaders::unified(cx)?.into_iter().next())
}

fn by_grub(cx: &Context<'_>) -> Result<Option<BootEntry>, CheckError> {
    let mut files: Vec<String> = GRUB_FILES.map(str::to_owned).to_vec();
    for vendor in cx.list("/boot/efi/EFI")? {
        files.push(format!("/boot/efi/EFI/{}/grub.cfg", vendor.name.to_string_lossy()));
    }
    for path in files {
        let Some(text) = cx.text(&path)? else { continue };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let block = match cx.text(format!("{folder}/grubenv"))? {
            Some(block) => block,
            None => cx.text("/boot/grub2/grubenv")?.unwrap_or_default(),
        };
        let environment = grub::environment(&block);
        let menu = grub::run(&text, &environment);
        // A stub that only points to the real file has no entries.
        if menu.has_bls
            && let Some(entry) = by_specification(cx, &menu)?
        {
            return Ok(Some(entry));
        }
        if let Some(entry) = grub::default_entry(&menu).filter(|entry| entry.kernel.is_some()) {
            return Ok(Some(of_menu(entry)));
        }
    }
    Ok(None)
}

/// `blscfg` adds entries in the order of versions; `default` names one by id or number.
fn by_specification(cx: &Context<'_>, menu: &grub::Menu) -> Result<Option<BootEntry>, CheckError> {
    let entries = loaders::specified(cx)?;
    let wanted = menu
        .variables
        .get("default")
        .or_else(|| menu.variables.get("saved_entry"))
        .cloned()
        .unwrap_or_default();
    let named = entries.iter().find(|entry| entry.id == wanted || entry.title == wanted);
    let numbered = wanted.parse::<usize>().ok().and_then(|number| entries.get(number));
    let entry = named.or(numbered).or_else(|| entries.first()).cloned();
    Ok(entry.map(|mut entry| {
        for name in ["kernelopts", "tuned_params"] {
            let value = menu.variables.get(name).map_or("", String::as_str);
            let arguments = entry.arguments.replace(&format!("${name}"), value);
            arguments.trim().clone_into(&mut entry.arguments);
        }
        entry
    }))
}

fn of_menu(entry: &MenuEntry) -> BootEntry {
    BootEntry {
        id: entry.id.clone().unwrap_or_default(),
        title: entry.title.clone(),
        version: String::new(),
        kernel: entry.kernel.clone().unwrap_or_default(),
        arguments: entry.arguments.clone(),
        is_unified: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn default_of(fixture: &Fixture) -> Option<String> {
        let found = fixture.with(|cx| kernels(cx).unwrap());
        found.kernels.into_iter().find(|kernel| kernel.is_default).map(|kernel| kernel.release)
    }

    #[test]
    fn the_menu_of_grub_tells_which_of_two_kernels_boots() {
        let fixture = Fixture::new()
            .file("/boot/vmlinuz-6.1.0-1-amd64", "")
            .file("/boot/vmlinuz-6.1.0-9-amd64", "")
            .file("/usr/lib/modules/6.1.0-1-amd64/modules.dep", "")
            .file(
                "/boot/grub/grub.cfg",
                "set default=0\nmenuentry 'x' {\n linux /vmlinuz-6.1.0-1-amd64 root=/dev/vda1 ro\n}\n",
            );
        let found = fixture.with(|cx| kernels(cx).unwrap());
        assert_eq!(found.kernels.len(), 2);
        let default: Vec<_> = found.kernels.iter().filter(|kernel| kernel.is_default).collect();
        assert_eq!(default[0].release, "6.1.0-1-amd64");
        assert_eq!(default[0].command_line.as_deref(), Some("root=/dev/vda1 ro"));
        assert!(default[0].has_modules && !found.kernels[1].has_modules);
    }

    #[test]
    fn entries_of_the_specification_start_by_version_or_by_what_was_saved() {
        let entry = |version: &str| {
            format!(
                "title AL\nversion {version}\nlinux /boot/vmlinuz-{version}\noptions root=UUID=1 $tuned_params\n"
            )
        };
        let fixture = Fixture::new()
            .file("/boot/vmlinuz-6.1.9-9.amzn2023.x86_64", "")
            .file("/boot/vmlinuz-6.1.10-10.amzn2023.x86_64", "")
            .file("/boot/loader/entries/m-6.1.9-9.amzn2023.x86_64.conf", &entry("6.1.9-9.amzn2023.x86_64"))
            .file(
                "/boot/loader/entries/m-6.1.10-10.amzn2023.x86_64.conf",
                &entry("6.1.10-10.amzn2023.x86_64"),
            )
            .file("/boot/grub2/grub.cfg", "load_env\nset default=\"${saved_entry}\"\nblscfg\n");
        assert_eq!(default_of(&fixture).as_deref(), Some("6.1.10-10.amzn2023.x86_64"));
        let fixture = fixture.file("/boot/grub2/grubenv", "saved_entry=m-6.1.9-9.amzn2023.x86_64\n");
        assert_eq!(default_of(&fixture).as_deref(), Some("6.1.9-9.amzn2023.x86_64"));
    }

    #[test]
    fn extlinux_starts_its_default_label() {
        let fixture = Fixture::new()
            .file("/boot/vmlinuz-virt", "")
            .file("/lib/modules/6.12.9-0-virt/modules.dep", "")
            .file(
                "/boot/extlinux.conf",
                "DEFAULT menu.c32\nLABEL virt\n  LINUX vmlinuz-virt\n  APPEND root=UUID=1\n",
            );
        assert_eq!(default_of(&fixture).as_deref(), Some("6.12.9-0-virt"));
    }

    #[test]
    fn a_kernel_without_a_boot_loader_is_no_default_and_that_is_said() {
        let fixture = Fixture::new().file("/boot/vmlinuz-6.1", "");
        let found = fixture.with(|cx| kernels(cx).unwrap());
        assert!(!found.kernels[0].is_default);
        assert!(found.note.unwrap().contains("no boot loader"));
    }
}
