//! Image formats to read: raw, qcow2, VMDK, VHD, VHDX, OVA, and blocks from afar.
