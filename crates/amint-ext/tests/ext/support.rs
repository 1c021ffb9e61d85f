//! Running tools, and images to read.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use amint_ext::Ext;
use amint_fs::FsError;
use amint_types::ReadAt;
use tempfile::TempDir;

/// Tells whether all tools are there; if not, says so.
pub(crate) fn has_tools(tools: &[&str]) -> bool {
    let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    let missing =
        tools.iter().find(|tool| !folders.iter().any(|folder| Path::new(folder).join(tool).exists()));
    match missing {
        Some(tool) => eprintln!("SKIPPED: needs {tool}"),
        None => return true,
    }
    false
}

/// Tells whether the test runs as root; if not, says so.
pub(crate) fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("SKIPPED: needs root");
    }
    is_root
}

/// A command with the folders of system tools in its path.
pub(crate) fn command(tool: &str) -> Command {
    let mut command = Command::new(tool);
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("LC_ALL", "C").env("TZ", "UTC").stdin(Stdio::null());
    command
}

/// Runs a tool and returns what it says; it has to succeed.
pub(crate) fn run(tool: &str, arguments: &[&str]) -> String {
    let output = command(tool).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool} {arguments:?}: {text}{errors}");
    text
}

/// Runs requests of `debugfs` on an image that may be written, and returns what it says.
pub(crate) fn debugfs(image: &Path, requests: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("requests");
    fs::write(&script, requests).unwrap();
    let output = command("debugfs").arg("-w").arg("-f").arg(&script).arg(image).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A file, read as a source.
struct OnDisk(File);

impl ReadAt for OnDisk {
    fn size_bytes(&self) -> u64 {
        self.0.metadata().unwrap().len()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

/// A folder for an image, and the image.
pub(crate) struct Image {
    folder: TempDir,
}

impl Image {
    /// Makes a file system of `size`, with the files of `source`.
    pub(crate) fn make(arguments: &[&str], source: Option<&Path>, size: &str) -> Self {
        let image = Self { folder: tempfile::tempdir().unwrap() };
        let path = image.path();
        let mut command = command("mke2fs");
        command.args(["-q", "-F"]).args(arguments);
        if let Some(source) = source {
            command.arg("-d").arg(source);
        }
        let output = command.arg(&path).arg(size).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "mke2fs {arguments:?}: {errors}");
        image
    }

    /// Copies an image, also while it is mounted.
    pub(crate) fn copy_of(other: &Self) -> Self {
        let image = Self { folder: tempfile::tempdir().unwrap() };
        fs::copy(other.path(), image.path()).unwrap();
        image
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    /// Opens the image as it is now.
    pub(crate) fn open(&self) -> Result<Ext, FsError> {
        Ext::open(Arc::new(OnDisk(File::open(self.path()).unwrap())))
    }
}
