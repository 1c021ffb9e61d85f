//! Disks for tests: sparse files, and the tools that fill them.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use amint_types::ReadAt;

pub(crate) struct Disk(pub(crate) File);

impl ReadAt for Disk {
    fn size_bytes(&self) -> u64 {
        self.0.metadata().unwrap().len()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

/// Opens a file as a disk.
pub(crate) fn disk(path: &Path) -> Arc<dyn ReadAt> {
    Arc::new(Disk(File::open(path).unwrap()))
}

/// Makes a sparse file.
pub(crate) fn sparse(path: &Path, bytes: u64) {
    File::create(path).unwrap().set_len(bytes).unwrap();
}

/// Tells whether a tool is there, and says so loudly if not.
pub(crate) fn has_tool(name: &str) -> bool {
    let is_there =
        ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|dir| Path::new(dir).join(name).exists());
    if !is_there {
        eprintln!("SKIPPED: needs {name}");
    }
    is_there
}

/// A command that is found in the folders of the system too.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C").env("TZ", "UTC");
    command.stdin(Stdio::null());
    command
}

/// Runs a command that must succeed and returns what it prints.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A loop device over (a part of) a file, given back when dropped.
pub(crate) struct Loop(pub(crate) String);

impl Loop {
    /// Sets one up, or says why not.
    pub(crate) fn new(path: &Path, arguments: &[String]) -> Option<Self> {
        let output = command("losetup").args(["-f", "--show"]).args(arguments).arg(path).output().ok()?;
        if !output.status.success() {
            eprintln!("SKIPPED: needs loop devices (root, /dev/loop-control)");
            return None;
        }
        Some(Self(String::from_utf8(output.stdout).unwrap().trim().to_owned()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = command("losetup").args(["-d", &self.0]).status();
    }
}
