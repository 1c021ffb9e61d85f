//! GRUB, for BIOS and UEFI both.
//!
//! For UEFI the distribution's signed shim and GRUB go to the removable-media path of the EFI system partition
//! (UEFI specification, section 3.5.1.1), so Secure Boot can be switched on. For BIOS a core image is made with the image's
//! own GRUB; [`amint_disk::image`] puts it in place. Nothing here touches a disk.

use amint_disk::image::{BiosBoot, BootFiles, EspFile};
use amint_types::{Architecture, Cancel, EventSink};

use crate::command::CommandError;
use crate::error::BuildError;
use crate::sandbox::Sandboxed;
use crate::tree::{FileToWrite, ImageTree};

/// Largest boot file that is read from the tree.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Modules of GRUB's BIOS core image: what it takes to find the root file system and start Linux from it, and
/// what the `grub.cfg` of `update-grub` uses before it loads anything itself.
const BIOS_MODULES: &str = "biosdisk part_gpt part_msdos ext2 fat search search_label search_fs_uuid \
    search_fs_file normal configfile linux gzio xzio minicmd echo test true sleep reboot halt loadenv \
    terminal serial all_video video ls cat help regexp";

/// Packages that bring GRUB to the image.
pub(crate) fn packages(architecture: Architecture) -> &'static [&'static str] {
    match architecture {
        Architecture::Arm64 => {
            &["grub-efi-arm64-bin", "grub-efi-arm64-signed", "grub2-common", "shim-signed"]
        }
        _ => &["grub-cloud-amd64", "grub-efi-amd64-signed", "grub-pc-bin", "grub2-common", "shim-signed"],
    }
}

/// Returns the package of the kernel for EC2.
pub(crate) fn kernel_package(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "linux-image-cloud-arm64",
        _ => "linux-image-cloud-amd64",
    }
}

/// The kernel that the image starts.
pub(crate) struct Kernel {
    /// Its version, the part after `vmlinuz-`.
    pub(crate) version: String,
}

/// What the boot loader has to start.
pub(crate) struct Loader<'a> {
    pub(crate) architecture: Architecture,
    pub(crate) kernel: &'a Kernel,
    pub(crate) root_uuid: &'a str,
    pub(crate) command_line: &'a str,
}

/// Finds the newest kernel in `/boot`.
pub(crate) fn find_kernel(tree: &ImageTree) -> Result<Kernel, BuildError> {
    let mut versions: Vec<String> = tree
        .list("/boot")?
        .into_iter()
        .filter_map(|name| name.strip_prefix("vmlinuz-").map(ToOwned::to_owned))
        .collect();
    versions.sort_by(|left, right| compare_versions(left, right));
    versions.pop().map(|version| Kernel { version }).ok_or(BuildError::NoKernel)
}

/// Compares kernel versions with their numbers as numbers.
fn compare_versions(left: &str, right: &str) -> std::cmp::Ordering {
    let key = |text: &str| -> Vec<(u64, String)> {
        text.split(['.', '-', '+'])
            .map(|part| {
                let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
                (part[..digits].parse().unwrap_or(0), part[digits..].to_owned())
            })
            .collect()
    };
    key(left).cmp(&key(right))
}

/// Makes the initramfs, once, and checks that it brings the drivers that EC2 boots from.
pub(crate) fn make_initramfs(
    tree: &ImageTree,
    kernel: &Kernel,
    source_epoch: i64,
    step: &str,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<(), CommandError> {
    let script = format!(
        "set -eu\n\
         update-initramfs -c -k {version}\n\
         for driver in nvme ena; do\n\
           lsinitramfs /boot/initrd.img-{version} | grep -q \"/$driver\\.ko\" ||\n\
             grep -q \"/$driver\\.ko\" /lib/modules/{version}/modules.builtin ||\n\
             {{ echo \"the initramfs lacks the driver $driver, which EC2 needs\" >&2; exit 1; }}\n\
         done\n",
        version = kernel.version
    );
    Sandboxed::new(tree.root(), "making the initramfs", ["sh", "-c", &script])
        .without_sync()
        .variable("SOURCE_DATE_EPOCH", &source_epoch.to_string())
        .run(step, sink, cancel)
}

/// Installs GRUB's files in the tree and returns what belongs outside of it.
pub(crate) fn install(
    tree: &ImageTree,
    loader: &Loader<'_>,
    step: &str,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<BootFiles, BuildError> {
    let Loader { architecture, kernel, root_uuid, command_line } = *loader;
    let config = grub_config(kernel, root_uuid, command_line);
    // Only root may read it: a later superuser password hash must not leak (CIS: permissions of grub.cfg).
    tree.write(&FileToWrite::new("/boot/grub/grub.cfg", config.into_bytes()).mode(0o600))?;
    let bios = match architecture {
        Architecture::X86_64 => Some(install_bios(tree, root_uuid, step, sink, cancel)?),
        _ => None,
    };
    Ok(BootFiles { bios, esp: esp_files(tree, architecture, root_uuid)? })
}

fn install_bios(
    tree: &ImageTree,
    root_uuid: &str,
    step: &str,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<BiosBoot, BuildError> {
    // The same files that grub-install leaves, so that a later update finds what it expects.
    let script = format!(
        "set -eu\n\
         here=/boot/grub/i386-pc\n\
         mkdir -p $here /boot/efi\n\
         cp /usr/lib/grub/i386-pc/*.mod /usr/lib/grub/i386-pc/*.lst /usr/lib/grub/i386-pc/boot.img $here/\n\
         {{ echo 'search.fs_uuid {root_uuid} root'; echo 'set prefix=($root)/boot/grub'; }} > $here/load.cfg\n\
         grub-mkimage --format=i386-pc --directory=/usr/lib/grub/i386-pc --prefix='(,gpt3)/boot/grub' \
           --config=$here/load.cfg --output=$here/core.img {BIOS_MODULES}\n"
    );
    Sandboxed::new(tree.root(), "making GRUB's core image", ["sh", "-c", &script])
        .run(step, sink, cancel)
        .map_err(BuildError::Configure)?;
    Ok(BiosBoot {
        boot_img: tree.read("/boot/grub/i386-pc/boot.img", FILE_BYTES_MAX)?,
        core_img: tree.read("/boot/grub/i386-pc/core.img", FILE_BYTES_MAX)?,
    })
}

fn esp_files(
    tree: &ImageTree,
    architecture: Architecture,
    root_uuid: &str,
) -> Result<Vec<EspFile>, BuildError> {
    let (shim, grub, boot_name, grub_name) = match architecture {
        Architecture::Arm64 => (
            "/usr/lib/shim/shimaa64.efi.signed",
            "/usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed",
            "EFI/BOOT/BOOTAA64.EFI",
            "EFI/BOOT/grubaa64.efi",
        ),
        _ => (
            "/usr/lib/shim/shimx64.efi.signed",
            "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
            "EFI/BOOT/BOOTX64.EFI",
            "EFI/BOOT/grubx64.efi",
        ),
    };
    // The signed GRUB of Debian looks for its configuration in EFI/debian of the partition it came from.
    let config = format!(
        "search.fs_uuid {root_uuid} root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n"
    );
    Ok(vec![
        EspFile { path: boot_name.to_owned(), content: tree.read(shim, FILE_BYTES_MAX)? },
        EspFile { path: grub_name.to_owned(), content: tree.read(grub, FILE_BYTES_MAX)? },
        EspFile { path: "EFI/debian/grub.cfg".to_owned(), content: config.into_bytes() },
    ])
}

fn grub_config(kernel: &Kernel, root_uuid: &str, command_line: &str) -> String {
    let version = &kernel.version;
    format!(
        "\
# Made by amint; update-grub makes it anew on the instance, from /etc/default/grub.d.
set default=0
set timeout=0
search --no-floppy --fs-uuid --set=root {root_uuid}
menuentry 'Linux {version}' {{
  linux /boot/vmlinuz-{version} root=UUID={root_uuid} ro {command_line}
  initrd /boot/initrd.img-{version}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_newest_kernel_by_number() {
        let mut versions = ["6.1.0-9-cloud-amd64", "6.1.0-48-cloud-amd64", "6.1.0-10-cloud-amd64"];
        versions.sort_by(|left, right| compare_versions(left, right));
        assert_eq!(versions[2], "6.1.0-48-cloud-amd64");
        assert!(compare_versions("6.12.48+deb13-cloud-amd64", "6.12.6+deb13-cloud-amd64").is_gt());
    }

    #[test]
    fn starts_linux_by_uuid_with_a_serial_console() {
        let kernel = Kernel { version: "6.1.0-48-cloud-amd64".to_owned() };
        let config = grub_config(&kernel, "abcd", crate::ec2::KERNEL_COMMAND_LINE);
        assert!(config.contains("root=UUID=abcd ro console=tty0 console=ttyS0,115200n8"));
        assert!(!config.contains("/dev/"));
    }
}
