//! Installing GRUB for BIOS, as `grub-bios-setup` does.
//!
//! The boot image goes to the boot sector, the core image to the BIOS boot partition. Each is told where the
//! next lies (GRUB 2.06 and 2.12, `util/setup.c`, `include/grub/i386/pc/boot.h`).

use super::ImageError;
use super::layout::{BIOS_BOOT_BYTES, SECTOR_BYTES};
use super::spec::BiosBoot;

/// Bytes of GRUB's boot image.
pub const BOOT_IMAGE_BYTES: usize = 512;
/// Most bytes of GRUB's core image: what the BIOS boot partition holds.
pub const CORE_IMAGE_BYTES_MAX: u64 = BIOS_BOOT_BYTES;

/// Bytes of boot code; behind them lie the disk signature and the partition table.
/// (`GRUB_BOOT_MACHINE_WINDOWS_NT_MAGIC`)
pub(super) const BOOT_CODE_BYTES: usize = 440;
/// Where the boot code may have parameters of a FAT; there is none here. (`GRUB_BOOT_MACHINE_BPB_START`)
const BPB: std::ops::Range<usize> = 0x03..0x5a;
/// Where the number of the first sector of the core image goes. (`GRUB_BOOT_MACHINE_KERNEL_SECTOR`)
const KERNEL_SECTOR: usize = 0x5c;
/// Where the BIOS drive goes; 0xff stands for "the drive started from". (`GRUB_BOOT_MACHINE_BOOT_DRIVE`)
const BOOT_DRIVE: usize = 0x64;
/// Where a jump skips the check of the drive that the BIOS passes; on hard disks the check is wanted.
/// (`GRUB_BOOT_MACHINE_DRIVE_CHECK`)
const DRIVE_CHECK: usize = 0x66;
/// Two x86 instructions that do nothing.
const NOP_NOP: [u8; 2] = [0x90, 0x90];
/// Where the only block list of the first sector of the core image is: start (8 bytes), number of sectors (2),
/// segment to load to (2).
const BLOCK_LIST: usize = 500;
/// Segment that the second sector of the core image is loaded to: `GRUB_BOOT_I386_PC_KERNEL_SEG` and the 512
/// bytes of the first.
const KERNEL_SEGMENT: u16 = 0x820;

/// GRUB made ready for a disk.
#[derive(Debug)]
pub(super) struct Installed {
    /// The first bytes of the boot sector.
    pub(super) boot_code: [u8; BOOT_CODE_BYTES],
    /// The content of the BIOS boot partition, whole sectors.
    pub(super) core: Vec<u8>,
}

/// Patches both images for a BIOS boot partition that begins at `partition_start` bytes.
pub(super) fn install(bios: &BiosBoot, partition_start: u64) -> Result<Installed, ImageError> {
    check_boot(&bios.boot_img)?;
    check_core(&bios.core_img)?;
    let first_sector = partition_start / SECTOR_BYTES;

    let mut boot_code = [0; BOOT_CODE_BYTES];
    boot_code.copy_from_slice(&bios.boot_img[..BOOT_CODE_BYTES]);
    boot_code[BPB].fill(0);
    boot_code[KERNEL_SECTOR..KERNEL_SECTOR + 8].copy_from_slice(&first_sector.to_le_bytes());
    boot_code[BOOT_DRIVE] = 0xff;
    boot_code[DRIVE_CHECK..DRIVE_CHECK + 2].copy_from_slice(&NOP_NOP);

    let mut core = bios.core_img.clone();
    core.resize(core.len().next_multiple_of(BOOT_IMAGE_BYTES), 0);
    core[BLOCK_LIST..BLOCK_LIST + 8].copy_from_slice(&(first_sector + 1).to_le_bytes());
    Ok(Installed { boot_code, core })
}

/// Makes sure that the boot image is one.
fn check_boot(boot: &[u8]) -> Result<(), ImageError> {
    if boot.len() != BOOT_IMAGE_BYTES {
        return refuse(format!("the boot image has {} bytes instead of {BOOT_IMAGE_BYTES}", boot.len()));
    }
    if boot[510..] != [0x55, 0xaa] {
        return refuse("the boot image does not end like a boot sector".to_owned());
    }
    // Patching code that is not the expected jump would make a disk that hangs in silence.
    let check = &boot[DRIVE_CHECK..DRIVE_CHECK + 2];
    if check[0] != 0xeb && check != NOP_NOP {
        return refuse("the boot image is not GRUB's: there is no jump at byte 0x66".to_owned());
    }
    Ok(())
}

/// Makes sure that the core image is one and fits.
fn check_core(core: &[u8]) -> Result<(), ImageError> {
    if core.len() < 2 * BOOT_IMAGE_BYTES {
        return refuse(format!("the core image has only {} bytes", core.len()));
    }
    if core.len() as u64 > CORE_IMAGE_BYTES_MAX {
        let length = core.len();
        return refuse(format!("the core image has {length} bytes, the partition {CORE_IMAGE_BYTES_MAX}"));
    }
    let sectors = core.len().div_ceil(BOOT_IMAGE_BYTES) - 1;
    let number = |at: usize| u16::from_le_bytes([core[at], core[at + 1]]);
    if usize::from(number(BLOCK_LIST + 8)) != sectors || number(BLOCK_LIST + 10) != KERNEL_SEGMENT {
        return refuse("the core image does not tell its length: it is not one for i386-pc".to_owned());
    }
    // A second block list, below the first, would make the boot code load more than is there.
    if number(BLOCK_LIST - 12 + 8) != 0 {
        return refuse("the core image has more than one block list".to_owned());
    }
    Ok(())
}

fn refuse(reason: String) -> Result<(), ImageError> {
    Err(ImageError::Grub { reason })
}
