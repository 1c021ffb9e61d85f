//! Small roots of operating systems.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use amint_packages::content::{ContentHasher, DigestAlgorithm};

/// How many packages the Debian root has besides its kernel.
pub(crate) const PACKAGES: usize = 40;

/// A folder with a root in it, and what is made of it.
pub(crate) struct Root {
    pub(crate) folder: tempfile::TempDir,
}

impl Root {
    fn empty() -> Self {
        let root = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(root.path()).unwrap();
        root
    }

    /// Where the root begins.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// A file beside the root.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A root like Debian's, with merged `/usr`.
    pub(crate) fn debian() -> Self {
        let root = Self::empty();
        root.system("debian", "13");
        for folder in ["usr/bin", "usr/sbin", "usr/lib", "boot/efi", "home", "mnt", "var/log"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for name in ["bin", "sbin", "lib"] {
            symlink(format!("usr/{name}"), root.path().join(name)).unwrap();
        }
        root.kernel();
        root.service();
        let mut status = String::new();
        for number in 0..PACKAGES {
            root.package(&mut status, &format!("package-{number}"));
        }
        root.write("var/lib/dpkg/status", &status);
        root.write(
            "usr/lib/python3/dist-packages/requests-2.31.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: requests\nVersion: 2.31.0\n\nHTTP\n",
        );
        let setuid = root.path().join("usr/bin/tool-1");
        fs::set_permissions(setuid, fs::Permissions::from_mode(0o4755)).unwrap();
        root
    }

    /// A root like Alpine's.
    pub(crate) fn alpine() -> Self {
        let root = Self::empty();
        root.system("alpine", "3.21.0");
        let mut installed = String::new();
        for number in 0..PACKAGES {
            let _ = write!(
                installed,
                "P:package-{number}\nV:1.{number}-r0\nA:x86_64\nL:MIT\no:package-{number}\nF:usr/bin\nR:tool-{number}\n\n"
            );
            root.write(&format!("usr/bin/tool-{number}"), format!("#!/bin/sh\necho {number}\n"));
        }
        root.write("lib/apk/db/installed", installed);
        root
    }

    fn system(&self, id: &str, version: &str) {
        self.write(
            "etc/os-release",
            format!("ID={id}\nVERSION_ID=\"{version}\"\nPRETTY_NAME=\"{id} {version}\"\nNAME=\"{id}\"\n"),
        );
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\n");
        self.write("etc/group", "root:x:0:\nadmin:x:1000:\nsudo:x:27:admin\n");
        self.write("etc/shadow", "root:*:19000:0:99999:7:::\nadmin:!:19000:0:99999:7:::\n");
        self.write("etc/fstab", "LABEL=root / ext4 defaults 0 1\n");
    }

    fn kernel(&self) {
        let release = "6.12.1-amd64";
        self.write(&format!("boot/vmlinuz-{release}"), "a kernel");
        self.write(&format!("boot/initrd.img-{release}"), "an initrd");
        self.write(&format!("usr/lib/modules/{release}/modules.builtin"), "");
        self.write(&format!("usr/lib/modules/{release}/kernel/a.ko"), "a module");
        self.write(
            "boot/grub/grub.cfg",
            format!(
                "set default=\"0\"\nmenuentry 'Debian' {{\n\tlinux /boot/vmlinuz-{release} root=LABEL=root ro quiet\n\tinitrd /boot/initrd.img-{release}\n}}\n"
            ),
        );
    }

    fn service(&self) {
        self.write(
            "usr/lib/systemd/system/ssh.service",
            "[Unit]\nDescription=ssh\n[Service]\nExecStart=/usr/sbin/sshd -D\n[Install]\nWantedBy=multi-user.target\n",
        );
        self.write("usr/lib/systemd/systemd", "the manager");
        for target in ["multi-user", "basic", "sysinit"] {
            self.write(
                &format!("usr/lib/systemd/system/{target}.target"),
                format!("[Unit]\nDescription={target}\n"),
            );
        }
        symlink("multi-user.target", self.path().join("usr/lib/systemd/system/default.target")).unwrap();
        let wants = self.path().join("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants).unwrap();
        symlink("/usr/lib/systemd/system/ssh.service", wants.join("ssh.service")).unwrap();
        self.write("etc/ssh/sshd_config", "PermitRootLogin no\n");
    }

    /// Adds a package with a program, a library and a page of documentation to a status.
    pub(crate) fn package(&self, status: &mut String, name: &str) {
        let number = name.rsplit('-').next().unwrap_or("0");
        let _ = write!(
            status,
            "Package: {name}\nStatus: install ok installed\nPriority: optional\nMaintainer: a <a@a.example>\n\
             Architecture: amd64\nVersion: 1.{number}-1\nDescription: {name}\n\n"
        );
        let files = [
            (format!("usr/bin/tool-{number}"), format!("#!/bin/sh\necho {name}\n")),
            (format!("usr/lib/{name}/lib.so"), format!("library of {name}\n").repeat(300)),
            (format!("usr/share/doc/{name}/copyright"), "License: MIT\n".to_owned()),
        ];
        let (mut list, mut sums) = ("/.\n/usr\n/usr/bin\n".to_owned(), String::new());
        for (path, content) in files {
            self.write(&path, &content);
            let digest = ContentHasher::digest(DigestAlgorithm::Md5, content.as_bytes()).unwrap();
            let hex: String = digest.as_bytes().iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
            // As packages from before the merge name it.
            let listed = path.replacen("usr/bin", "bin", 1);
            let _ = writeln!(list, "/{listed}");
            let _ = writeln!(sums, "{hex}  {listed}");
        }
        let program = self.path().join(format!("usr/bin/tool-{number}"));
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        self.write(&format!("var/lib/dpkg/info/{name}.list"), list);
        self.write(&format!("var/lib/dpkg/info/{name}.md5sums"), sums);
    }

    /// Adds a package to the status that brought files of this content, whatever they hold now.
    pub(crate) fn bring(&self, name: &str, files: &[(&str, &str)]) {
        let mut status = fs::read_to_string(self.path().join("var/lib/dpkg/status")).unwrap();
        let _ = write!(
            status,
            "Package: {name}\nStatus: install ok installed\nMaintainer: a <a@a.example>\nArchitecture: amd64\n\
             Version: 1-1\nDescription: {name}\n\n"
        );
        self.write("var/lib/dpkg/status", status);
        let (mut list, mut sums) = ("/.\n".to_owned(), String::new());
        for (path, content) in files {
            let digest = ContentHasher::digest(DigestAlgorithm::Md5, content.as_bytes()).unwrap();
            let _ = writeln!(list, "/{path}");
            let _ = writeln!(sums, "{}  {path}", digest.to_string().trim_start_matches("md5:"));
        }
        self.write(&format!("var/lib/dpkg/info/{name}.list"), list);
        self.write(&format!("var/lib/dpkg/info/{name}.md5sums"), sums);
    }

    /// Takes a name out of the root.
    pub(crate) fn remove(&self, path: &str) {
        let path: &Path = &self.path().join(path);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
}
