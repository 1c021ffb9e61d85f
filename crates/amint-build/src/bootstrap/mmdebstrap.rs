//! The engine that drives mmdebstrap (`mmdebstrap(1)`).

use std::path::Path;

use amint_types::{Cancel, EventSink};

use super::{Bootstrap, BootstrapRequest, apt_sources};
use crate::command::{CommandError, Program, find_program};

/// Diverts `update-initramfs` while packages are configured: the kernel's script and a trigger would each
/// make the initramfs, and the build makes it once, at the end.
const DIVERT: &str = r#"chroot "$1" dpkg-divert --quiet --local --rename --add /usr/sbin/update-initramfs && ln -s /bin/true "$1/usr/sbin/update-initramfs""#;
/// Takes the diversion away again.
const RESTORE: &str = r#"rm "$1/usr/sbin/update-initramfs" && chroot "$1" dpkg-divert --quiet --local --rename --remove /usr/sbin/update-initramfs"#;

/// Installs packages with mmdebstrap, inside the build's namespaces.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mmdebstrap;

impl Bootstrap for Mmdebstrap {
    fn name(&self) -> String {
        "mmdebstrap".to_owned()
    }

    fn bootstrap(
        &self,
        request: &BootstrapRequest,
        tree: &Path,
        step: &str,
        sink: &dyn EventSink,
        cancel: &Cancel,
    ) -> Result<(), CommandError> {
        let mmdebstrap = find_program("mmdebstrap")?;
        // The engine and all it starts live in a process namespace that ends when amint ends, however it ends.
        let mut program = Program::new("setpriv")
            .arguments(["--pdeathsig", "KILL", "--", "unshare", "--pid", "--fork", "--kill-child=KILL"])
            .arguments(["--mount-proc", "--"])
            .argument(mmdebstrap)
            .arguments(["--mode=root", "--format=directory", "--variant=minbase"])
            .argument(format!("--architectures={}", request.architecture.debian()))
            .argument(format!("--components={}", request.components.join(",")))
            .argument(format!("--include={}", request.packages.join(",")))
            .argument(format!("--aptopt=APT::Install-Recommends \"{}\"", request.with_recommends))
            .argument("--aptopt=Acquire::PDiffs \"false\"")
            .argument("--aptopt=Acquire::Retries \"3\"")
            .argument("--aptopt=Acquire::Languages \"none\"")
            // The tree is thrown away when the build is broken off: syncing every file buys nothing.
            .argument("--dpkgopt=force-unsafe-io")
            .argument(format!("--essential-hook={DIVERT}"))
            .argument(format!("--customize-hook={RESTORE}"));
        if let Some(keyring) = &request.keyring {
            program = program.argument(format!("--keyring={}", keyring.display()));
        }
        program = program
            .argument(&request.suite)
            .argument(tree)
            .argument("-")
            .variable("SOURCE_DATE_EPOCH", request.source_epoch.to_string())
            .variable("LC_ALL", "C.UTF-8")
            .variable("TZ", "UTC")
            .variable("DEBIAN_FRONTEND", "noninteractive");
        program.input = apt_sources(request).into_bytes();
        "installing packages with mmdebstrap".clone_into(&mut program.what);
        program.run(step, sink, cancel)
    }
}
