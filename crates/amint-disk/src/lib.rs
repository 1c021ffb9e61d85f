//! Disks: GPT, ext4, FAT, boot loaders, image formats, and file trees to read.
