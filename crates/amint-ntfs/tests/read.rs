//! NTFS made by `mkntfs` and filled by ntfs-3g, and damage done to it.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::{ControlFlow, Range};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use amint_fs::{FileSystem, FsError, Kind, Node, NodeId, find, read_all, read_file};
use amint_ntfs::Ntfs;
use amint_types::ReadAt;
use proptest::prelude::*;

const MIB: u64 = 1 << 20;

struct Disk(File);

impl ReadAt for Disk {
    fn size_bytes(&self) -> u64 {
        self.0.metadata().unwrap().len()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

fn has_tools(tools: &[&str]) -> bool {
    for tool in tools {
        if !["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|dir| Path::new(dir).join(tool).exists()) {
            eprintln!("SKIPPED: needs {tool}");
            return false;
        }
    }
    true
}

fn command(tool: &str) -> Command {
    let mut command = Command::new(tool);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn make(folder: &Path, bytes: u64, arguments: &[&str]) -> PathBuf {
    let path = folder.join("image");
    let _ = fs::remove_file(&path);
    File::create(&path).unwrap().set_len(bytes).unwrap();
    run(command("mkntfs").args(["-q", "-F", "-f"]).args(arguments).arg(&path));
    path
}

/// An image mounted by ntfs-3g, unmounted when dropped.
struct Mount {
    at: PathBuf,
    server: Child,
}

impl Mount {
    fn new(image: &Path, options: &str) -> Option<Self> {
        let at = image.with_extension("mounted");
        fs::create_dir_all(&at).unwrap();
        let device = fs::metadata(&at).unwrap().dev();
        let options = format!("umask=022,compression,no_detach,{options}");
        let mut call = command("ntfs-3g");
        let mut server =
            call.args(["-o", &options]).args([image, &at]).stderr(Stdio::null()).spawn().unwrap();
        while fs::metadata(&at).unwrap().dev() == device {
            if server.try_wait().unwrap().is_some() {
                eprintln!("SKIPPED: needs to mount with FUSE");
                return None;
            }
            std::thread::yield_now();
        }
        Some(Self { at, server })
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let is_unmounted = command("umount").arg(&self.at).status().is_ok_and(|status| status.success());
        if !is_unmounted {
            let _ = self.server.kill();
        }
        // Only when the server has ended is everything in the image.
        let _ = self.server.wait();
    }
}

fn open(path: &Path) -> Ntfs {
    let source: Arc<dyn ReadAt> = Arc::new(Disk(File::open(path).unwrap()));
    assert!(Ntfs::probe(source.as_ref()));
    Ntfs::open(source).unwrap()
}

/// Text that compresses well, and depends on a number.
fn text(number: usize, bytes: usize) -> Vec<u8> {
    (0..).flat_map(|line| format!("line {line} of text {number}\n").into_bytes()).take(bytes).collect()
}

/// Bytes that do not compress.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed * 2 + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..bytes).map(|_| next()).collect()
}

/// Sets an attribute that ntfs-3g understands; `value` as `setfattr` takes it.
fn set_attribute(path: &Path, name: &str, value: &str) {
    run(command("setfattr").args(["-h", "-n", name, "-v", value]).arg(path));
}

/// Fills a mounted file system with what matters.
fn fill(at: &Path, can_compress: bool) {
    for (number, name) in
        ["small", "größe 日本語 😀", "UPPER.TXT", ".hidden", "with space"].iter().enumerate()
    {
        fs::write(at.join(name), text(number, number * 150)).unwrap();
    }
    fs::write(at.join("n".repeat(255)), b"long").unwrap();
    fs::write(at.join("empty"), b"").unwrap();
    fs::write(at.join("noise"), noise(1, 777_777)).unwrap();
    let sparse = OpenOptions::new().write(true).create_new(true).open(at.join("sparse")).unwrap();
    for step in 0..700_u64 {
        sparse.write_all_at(format!("piece {step}").as_bytes(), step * 3 * 4096 + 17).unwrap();
    }
    sparse.set_len(9_000_000).unwrap();
    let deep = at.join("a/b/c/d/e/f/g/h");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("bottom"), b"here").unwrap();
    let many = at.join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..600 {
        fs::write(many.join(format!("a name in a large folder {number}")), text(number, number % 7)).unwrap();
    }
    for number in (0..600).step_by(3) {
        fs::remove_file(many.join(format!("a name in a large folder {number}"))).unwrap();
    }
    for number in 0..40 {
        let name = format!("a hard link with a name that takes room {number}");
        fs::hard_link(at.join("noise"), at.join(name)).unwrap();
    }
    std::os::unix::fs::symlink("../some/where", at.join("link")).unwrap();
    std::os::unix::fs::symlink("/größe", at.join("a/link")).unwrap();
    run(command("mknod").arg(at.join("null")).args(["c", "1", "3"]));
    run(command("mknod").arg(at.join("disk")).args(["b", "259", "70000"]));
    set_attribute(&at.join("small"), "user.note", "hello");
    set_attribute(&at.join("small"), "user.Zone.Identifier", &"z".repeat(3000));
    if can_compress {
        let packed = at.join("packed");
        fs::create_dir(&packed).unwrap();
        set_attribute(&packed, "system.ntfs_attrib_be", "0x00000800");
        fs::write(packed.join("text"), text(1, 300_001)).unwrap();
        fs::write(packed.join("zeros"), vec![0; 200_000]).unwrap();
        fs::write(packed.join("noise"), noise(3, 150_000)).unwrap();
        let mixed = [text(2, 100_000), vec![0; 100_000], noise(4, 70_000), vec![b'a'; 100_000]].concat();
        fs::write(packed.join("mixed"), mixed).unwrap();
    }
    for (number, name) in ["small", "empty", "noise", "many"].iter().enumerate() {
        let time =
            std::time::UNIX_EPOCH + std::time::Duration::new(1_234_567_890 + number as u64, 123_456_700);
        File::open(at.join(name)).unwrap().set_modified(time).unwrap();
    }
}

/// Everything in a file system, by path.
fn walk(fs: &dyn FileSystem) -> BTreeMap<String, (NodeId, Node)> {
    let mut all = BTreeMap::new();
    let mut pending = vec![(String::new(), fs.root())];
    while let Some((path, id)) = pending.pop() {
        let mut entries = Vec::new();
        fs.read_dir(id, &mut |entry| {
            entries.push((entry.name.to_vec(), entry.node, entry.kind));
            ControlFlow::Continue(())
        })
        .unwrap();
        for (name, child, kind) in entries {
            let path = format!("{path}/{}", String::from_utf8(name).unwrap());
            let node = fs.node(child).unwrap();
            assert!(kind.is_none_or(|kind| kind == node.kind), "{path}");
            if node.kind == Kind::Folder {
                pending.push((path.clone(), child));
            }
            all.insert(path, (child, node));
        }
    }
    all
}

/// Compares everything with a mounted image.
fn assert_same(fs: &dyn FileSystem, mounted: &Path) {
    let found = walk(fs);
    let mut expected = 0;
    let mut pending = vec![(String::new(), mounted.to_owned())];
    while let Some((path, folder)) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{path}/{}", entry.file_name().into_string().unwrap());
            let metadata = entry.metadata().unwrap();
            let (id, node) = found.get(&path).unwrap_or_else(|| panic!("{path} is missing"));
            expected += 1;
            assert_eq!(id.number, metadata.ino(), "{path}");
            assert_eq!((node.mode, node.uid, node.gid), (0o755, 0, 0), "{path}");
            let time = |seconds, nanoseconds: i64| (seconds, u32::try_from(nanoseconds).unwrap());
            assert_eq!(node.modified, time(metadata.mtime(), metadata.mtime_nsec()), "{path}");
            assert_eq!(node.changed, time(metadata.ctime(), metadata.ctime_nsec()), "{path}");
            let kind = metadata.file_type();
            if kind.is_dir() {
                assert_eq!(node.kind, Kind::Folder, "{path}");
                pending.push((path, entry.path()));
                continue;
            }
            assert_eq!(node.nlink, metadata.nlink(), "{path}");
            if kind.is_symlink() {
                assert_eq!((node.kind, node.bytes), (Kind::Link, metadata.len()), "{path}");
                let target = fs::read_link(entry.path()).unwrap().into_os_string().into_string().unwrap();
                assert_eq!(fs.read_link(*id).unwrap(), target.into_bytes(), "{path}");
            } else if kind.is_char_device() || kind.is_block_device() {
                let kind = if kind.is_char_device() { Kind::CharDevice } else { Kind::BlockDevice };
                let (major, minor) = (libc_major(metadata.rdev()), libc_minor(metadata.rdev()));
                assert_eq!((node.kind, node.device), (kind, Some((major, minor))), "{path}");
            } else {
                assert_eq!((node.kind, node.bytes), (Kind::File, metadata.len()), "{path}");
                let bytes = fs::read(entry.path()).unwrap();
                assert!(
                    read_all(fs.open(*id).unwrap().as_mut(), 1 << 24, "ntfs").unwrap() == bytes,
                    "{path}"
                );
                let mut buffer = vec![0; 5000];
                let at = bytes.len() / 3;
                let count = fs.open(*id).unwrap().read_at(at as u64, &mut buffer).unwrap();
                assert!(buffer[..count] == bytes[at..][..5000.min(bytes.len() - at)], "{path}");
            }
        }
    }
    assert_eq!(found.len(), expected);
}

/// The parts of a device's number, as Linux packs them.
fn libc_major(device: u64) -> u32 {
    u32::try_from(device >> 8 & 0xfff | device >> 32 & !0xfff).unwrap()
}

fn libc_minor(device: u64) -> u32 {
    u32::try_from(device & 0xff | device >> 12 & 0xff_ff00).unwrap()
}

fn free(fs: &dyn FileSystem) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    fs.free_ranges(&mut |range| {
        ranges.push(range);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(ranges.is_sorted_by(|a, b| a.end < b.start));
    ranges
}

#[test]
fn everything_reads_as_ntfs_3g_shows_it() {
    if !has_tools(&["mkntfs", "ntfs-3g", "ntfsinfo", "setfattr", "blkid"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (mib, arguments, can_compress) in [
        (40, &["-c", "4096", "-L", "Größe"][..], true),
        (40, &["-c", "512"], true),
        (40, &["-c", "1024", "-I"], true),
        (90, &["-c", "65536", "-L", "BIG"], false),
        (60, &["-s", "4096", "-c", "4096"], true),
    ] {
        let path = make(folder.path(), mib * MIB, arguments);
        let Some(mount) = Mount::new(&path, "special_files=interix") else { return };
        fill(&mount.at, can_compress);
        drop(mount);
        let Some(mount) = Mount::new(&path, "ro") else { return };
        let fs = open(&path);
        assert_same(&fs, &mount.at);
        assert_eq!(fs.info().notes, Vec::<String>::new());
        drop(mount);
        let blkid = |field: &str| {
            let output =
                command("blkid").args(["-p", "-o", "value", "-s", field]).arg(&path).output().unwrap();
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|text| !text.is_empty())
        };
        assert_eq!((fs.info().uuid.clone(), fs.info().label.clone()), (blkid("UUID"), blkid("LABEL")));
        let ranges = free(&fs);
        let info = run(command("ntfsinfo").arg("-m").arg(&path));
        let line = info.lines().find(|line| line.contains("Free Clusters")).unwrap();
        let clusters: u64 =
            line.split(':').nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        assert_eq!(total / fs.info().block_bytes, clusters, "{arguments:?}");
        for (id, _) in walk(&fs).values() {
            let position = fs.position(*id).unwrap();
            assert!(position.is_none_or(|at| !ranges.iter().any(|range| range.contains(&at))));
        }
        let small = find(&fs, b"/SMALL").unwrap();
        let xattrs = fs.xattrs(small).unwrap();
        let names: Vec<_> =
            xattrs.iter().map(|xattr| String::from_utf8_lossy(&xattr.name).into_owned()).collect();
        assert_eq!(names, ["user.Zone.Identifier", "user.note"]);
        assert_eq!(xattrs[0].value, vec![b'z'; 3000]);
        assert_eq!(xattrs[1].value, b"hello");
    }
}

/// A reparse point as text for `setfattr`.
fn reparse(tag: u32, data: &[u8]) -> String {
    let mut bytes = tag.to_le_bytes().to_vec();
    bytes.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(data);
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{}", digits.concat())
}

/// The data of a link of Windows whose two names are the same.
fn names(path: &str, flags: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = path.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    [&[0, 0], &length[..], &[0, 0], &length[..], flags, &text].concat()
}

#[test]
fn links_of_windows_and_content_that_is_elsewhere_are_told() {
    if !has_tools(&["mkntfs", "ntfs-3g", "setfattr"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path(), 8 * MIB, &[]);
    let Some(mount) = Mount::new(&path, "windows_names") else { return };
    let at = &mount.at;
    fs::create_dir_all(at.join("Users/Default")).unwrap();
    fs::write(at.join("Users/Default/file"), b"found").unwrap();
    for name in ["absolute", "junction"] {
        fs::create_dir(at.join(name)).unwrap();
    }
    for name in ["relative", "wsl", "wof", "app"] {
        fs::write(at.join(name), b"").unwrap();
    }
    let set = |name: &str, value: &str| set_attribute(&at.join(name), "system.ntfs_reparse_data", value);
    set("absolute", &reparse(0xa000_000c, &names(r"\??\C:\Users\Default", &[0, 0, 0, 0])));
    set("junction", &reparse(0xa000_0003, &names(r"\??\C:\Users", &[])));
    set("relative", &reparse(0xa000_000c, &names(r"Users\Default\file", &[1, 0, 0, 0])));
    set("wsl", &reparse(0xa000_001d, b"\x02\0\0\0/Users/Default"));
    set("wof", &reparse(0x8000_0017, &[1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]));
    set("app", &reparse(0x8000_001b, b"\x03\0\0\0"));
    set_attribute(&at.join("Users/Default/file"), "system.ntfs_attrib_be", "0x00000001");
    drop(mount);
    let fs = open(&path);
    let link = |name: &str| {
        let id = fs.lookup(fs.root(), name.as_bytes()).unwrap();
        assert_eq!(fs.node(id).unwrap().kind, Kind::Link);
        assert!(matches!(fs.read_dir(id, &mut |_| ControlFlow::Continue(())), Err(FsError::WrongKind(_))));
        assert!(matches!(fs.open(id).map(drop), Err(FsError::WrongKind(_))));
        String::from_utf8(fs.read_link(id).unwrap()).unwrap()
    };
    assert_eq!(link("absolute"), "/Users/Default");
    assert_eq!(link("junction"), "/Users");
    assert_eq!(link("relative"), "Users/Default/file");
    assert_eq!(link("wsl"), "/Users/Default");
    for path in ["/junction/Default/FILE", "/relative", "/absolute/file", "/wsl/file"] {
        assert_eq!(read_file(&fs, path.as_bytes(), 10).unwrap(), b"found", "{path}");
    }
    assert_eq!(fs.node(find(&fs, b"/Users/Default/file").unwrap()).unwrap().mode, 0o555);
    assert!(matches!(read_file(&fs, b"/wof", 10), Err(FsError::Unsupported { .. })));
    assert_eq!(read_file(&fs, b"/app", 10).unwrap(), b"");
    assert!(matches!(fs.read_link(fs.root()), Err(FsError::WrongKind(_))));
    assert!(find(&fs, b"/nothing").unwrap_err().is_missing());
    assert!(find(&fs, b"/$MFT").unwrap_err().is_missing());
}

#[test]
fn files_copied_in_without_a_mount_read_back() {
    if !has_tools(&["mkntfs", "ntfscp", "ntfscat", "ntfsls"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path(), 8 * MIB, &[]);
    let source = folder.path().join("source");
    for (number, bytes) in [0, 10, 700, 5000, 300_000].into_iter().enumerate() {
        fs::write(&source, noise(number as u64, bytes)).unwrap();
        run(command("ntfscp").args(["-q", "-f"]).args([&path, &source]).arg(format!("/file{number}")));
    }
    let fs = open(&path);
    let listed = run(command("ntfsls").arg("-f").arg(&path));
    let names: Vec<_> = walk(&fs).into_keys().map(|name| name[1..].to_owned()).collect();
    assert_eq!(names, listed.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>());
    for name in names {
        let shown = command("ntfscat").arg("-f").arg(&path).arg(format!("/{name}")).output().unwrap().stdout;
        assert!(read_file(&fs, name.as_bytes(), MIB).unwrap() == shown, "{name}");
    }
}

/// A small file system with everything, made once (see `fixtures/README.md`).
fn fixture() -> Vec<u8> {
    zstd::decode_all(&include_bytes!("fixtures/all.zst")[..]).unwrap()
}

/// Finds the only place of some bytes.
fn place_of(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).position(|window| window == wanted).unwrap()
}

#[test]
fn a_stored_image_reads_as_its_notes_say() {
    let fs = Ntfs::open(Arc::new(fixture())).unwrap();
    assert_eq!(
        (fs.info().kind, fs.info().label.as_deref(), fs.info().block_bytes),
        ("ntfs", Some("stored"), 4096)
    );
    let read = |path: &str| read_file(&fs, path.as_bytes(), MIB).unwrap();
    assert_eq!(read("/small"), b"a small file\n");
    assert!(read("/packed/text") == text(1, 100_000));
    let mut sparse = vec![0; 1_000_000];
    sparse[500_000..500_006].copy_from_slice(b"middle");
    assert!(read("/sparse") == sparse);
    assert_eq!(read("/link"), b"a small file\n");
    let mut names = 0;
    fs.read_dir(find(&fs, b"/many").unwrap(), &mut |_| {
        names += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(names, 120);
    let small = find(&fs, b"/small").unwrap();
    assert_eq!(fs.node(small).unwrap().nlink, 16);
    assert_eq!(fs.xattrs(small).unwrap()[0].value, b"stream");
}

#[test]
fn encrypted_content_and_torn_records_are_errors() {
    let good = fixture();
    let content = place_of(&good, b"a small file\n");
    // The attribute's header stands before its content, its flags at 12.
    let mut encrypted = good.clone();
    encrypted[content - 24 + 13] |= 0x40;
    let fs = Ntfs::open(Arc::new(encrypted)).unwrap();
    assert!(matches!(read_file(&fs, b"/small", 100), Err(FsError::Encrypted)));
    let record = content & !1023;
    assert_eq!(&good[record..record + 4], b"FILE");
    let mut torn = good.clone();
    torn[record + 511] ^= 1;
    let fs = Ntfs::open(Arc::new(torn)).unwrap();
    assert!(matches!(read_file(&fs, b"/small", 100), Err(FsError::Damaged { .. })));
    let mut dirty = good.clone();
    let volume = place_of(&dirty, &"stored".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    let state = volume + place_of(&dirty[volume..], &[0x70, 0, 0, 0]);
    dirty[state + 24 + 10] |= 1;
    assert!(Ntfs::open(Arc::new(dirty)).unwrap().info().notes[0].starts_with("not cleanly unmounted"));
    let mut index = good;
    let block = place_of(&index, b"INDX");
    index[block + 1023] ^= 1;
    let fs = Ntfs::open(Arc::new(index)).unwrap();
    assert!(
        ["/", "/many"].iter().any(|path| {
            let id = find(&fs, path.as_bytes()).unwrap_or(fs.root());
            matches!(fs.read_dir(id, &mut |_| ControlFlow::Continue(())), Err(FsError::Damaged { .. }))
        }),
        "a torn index block should be found"
    );
}

#[test]
fn other_file_systems_are_not_taken_for_ntfs() {
    assert!(!Ntfs::probe(&vec![0; 1 << 16]));
    assert!(!Ntfs::probe(&vec![0; 10]));
    assert!(matches!(Ntfs::open(Arc::new(vec![0_u8; 4096])), Err(FsError::NotThis("ntfs"))));
}

/// Reads all that can be read, whatever it is.
fn read_everything(fs: &dyn FileSystem) {
    let mut pending = vec![fs.root()];
    for _ in 0..300 {
        let Some(id) = pending.pop() else { break };
        let _ = fs.read_dir(id, &mut |entry| {
            assert!(!entry.name.is_empty() && !entry.name.contains(&b'/'));
            pending.push(entry.node);
            ControlFlow::Continue(())
        });
        let _ = (fs.node(id), fs.position(id), fs.xattrs(id), fs.read_link(id));
        if let Ok(mut file) = fs.open(id) {
            let _ = file.read_at(0, &mut [0; 100]);
            let _ = file.read_at(file.size_bytes() / 2, &mut vec![0; 70_000]);
            let _ = file.read_at(file.size_bytes().saturating_sub(10), &mut [0; 100]);
        }
    }
    let _ = fs.free_ranges(&mut |_| ControlFlow::Continue(()));
    for number in [0, 1, 2, 11, 15, 24, 1 << 40, u64::MAX] {
        let _ = (fs.node(NodeId::new(number)), fs.open(NodeId::new(number)).is_ok());
    }
}

#[test]
fn mutated_images_make_errors_but_no_panic() {
    let good = fixture();
    let table = u64::from_le_bytes(good[48..56].try_into().unwrap()) * 4096;
    let table = usize::try_from(table).unwrap();
    let used: Vec<usize> = (0..good.len() / 1024)
        .map(|index| index * 1024)
        .filter(|at| [&b"FILE"[..], b"INDX"].contains(&&good[*at..at + 4]))
        .collect();
    let changes =
        proptest::collection::vec((any::<proptest::sample::Index>(), 0..700_usize, any::<u8>()), 1..10);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 250,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&(changes, 0..20_u8, any::<proptest::sample::Index>()), |(changes, rare, end)| {
            let mut bytes = good.clone();
            for (which, at, byte) in changes {
                // Past the header and its marks, where damage is not found at once.
                let base = if rare == 1 { 0 } else { used[which.index(used.len())] };
                bytes[base + at % if rare == 1 { 90 } else { 508 }] = byte;
            }
            if rare == 2 {
                // The table describes itself.
                bytes[table + 48 + end.index(400)] ^= 0x11;
            }
            if rare == 0 {
                bytes.truncate(end.index(bytes.len()));
            }
            if let Ok(fs) = Ntfs::open(Arc::new(bytes)) {
                read_everything(&fs);
            }
            Ok(())
        })
        .unwrap();
}
