//! What an operating system in an image is: release, support, kernels, users, services, certificates.
