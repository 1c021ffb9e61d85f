//! Guests: QEMU machines, the metadata service, SSH, boot tests.
