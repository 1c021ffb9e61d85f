//! One pass over the content: complete, the same with any number of threads, and stopped at once.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use amint_inspect::image::Image;
use amint_inspect::pass::{self, AnalyzeError, Analyzer, Content, File, Output, Stream, Want};
use amint_types::Cancel;
use amint_types::ReadAt as _;
use amint_types::scan::AnalyzerStatus;

use crate::root::Root;
use crate::support::{look_at, open};

fn image(root: &Root) -> Image {
    open(&root.path()).unwrap()
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let root = Root::debian();
    root.write("usr/bin/tool-3", "changed");
    root.write("etc/ssl/private/a.pem", "-----BEGIN CERTIFICATE-----\nwhat\n-----END CERTIFICATE-----\n");
    root.write("srv/a-1.0.dist-info/METADATA", "nonsense");
    let alone = look_at(&image(&root), 1).document;
    assert!(alone.analyzers.iter().any(|run| run.status == AnalyzerStatus::Partial));
    for threads in [2, 8, 64] {
        assert_eq!(look_at(&image(&root), threads).document, alone);
    }
}

#[derive(Default)]
struct Counter {
    files: AtomicUsize,
    bytes: AtomicU64,
}

/// Wants every file below a folder: at places, or as a stream.
struct Reader<'a> {
    id: &'static str,
    below: &'static str,
    want: Want,
    counter: &'a Counter,
    /// Fails at a file whose name ends so.
    fails_at: &'static str,
    cancels: Option<Cancel>,
}

impl Analyzer for Reader<'_> {
    fn id(&self) -> &'static str {
        self.id
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &File<'_>) -> Option<Want> {
        file.path.starts_with(self.below.as_bytes()).then_some(self.want)
    }

    fn analyze(&self, file: &File<'_>, content: &Content<'_>, _: &mut Output) -> Result<(), AnalyzeError> {
        self.counter.files.fetch_add(1, Ordering::SeqCst);
        self.counter.bytes.fetch_add(content.size_bytes(), Ordering::SeqCst);
        if let Some(cancel) = &self.cancels {
            cancel.cancel();
        }
        if !self.fails_at.is_empty() && file.path.ends_with(self.fails_at.as_bytes()) {
            return Err(AnalyzeError("it does not like it".to_owned()));
        }
        Ok(())
    }

    fn stream<'a>(&'a self, _: &File<'_>) -> Option<Box<dyn Stream + 'a>> {
        Some(Box::new(Sum { reader: self, bytes: 0 }))
    }
}

struct Sum<'a> {
    reader: &'a Reader<'a>,
    bytes: u64,
}

impl Stream for Sum<'_> {
    fn feed(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
    }

    fn finish(self: Box<Self>, _: &File<'_>, _: &mut Output) -> Result<(), AnalyzeError> {
        self.reader.counter.files.fetch_add(1, Ordering::SeqCst);
        self.reader.counter.bytes.fetch_add(self.bytes, Ordering::SeqCst);
        Ok(())
    }
}

fn reader<'a>(id: &'static str, want: Want, counter: &'a Counter) -> Reader<'a> {
    Reader { id, below: "/srv/", want, counter, fails_at: "", cancels: None }
}

#[test]
fn every_name_of_every_file_is_offered_to_all_whatever_its_size() {
    let root = Root::debian();
    let sizes = [0_usize, 1, 4096, 256 * 1024, 256 * 1024 + 1, 1 << 20, (1 << 20) + 1, 3_000_000];
    for size in sizes {
        root.write(&format!("srv/{size}"), vec![b'a'; size]);
    }
    std::fs::hard_link(root.path().join("srv/4096"), root.path().join("srv/another-name")).unwrap();
    let inspection = look_at(&image(&root), 1);
    let (places, stream) = (Counter::default(), Counter::default());
    let (at, all) = (reader("places", Want::Places, &places), reader("stream", Want::Stream, &stream));
    let analyzers: [&dyn Analyzer; 2] = [&at, &all];
    let result = pass::run(&inspection.index, &analyzers, 4, &|_, _| {}, &Cancel::new()).unwrap();
    let bytes: u64 = sizes.iter().map(|size| *size as u64).sum::<u64>() + 4096;
    for counter in [&places, &stream] {
        assert_eq!(counter.files.load(Ordering::SeqCst), sizes.len() + 1);
        assert_eq!(counter.bytes.load(Ordering::SeqCst), bytes);
    }
    assert_eq!(result.bytes_by_mount, [bytes]);
    assert!(result.runs.iter().all(|run| run.status == AnalyzerStatus::Ran && run.files == 9));
}

#[test]
fn an_analyzer_that_fails_takes_nothing_from_others() {
    let root = Root::debian();
    for name in ["a", "b", "c"] {
        root.write(&format!("srv/{name}"), name);
    }
    let inspection = look_at(&image(&root), 1);
    let (bad, good) = (Counter::default(), Counter::default());
    let failing = Reader { fails_at: "b", ..reader("bad", Want::Places, &bad) };
    let working = reader("good", Want::Stream, &good);
    let analyzers: [&dyn Analyzer; 2] = [&failing, &working];
    let result = pass::run(&inspection.index, &analyzers, 1, &|_, _| {}, &Cancel::new()).unwrap();
    assert_eq!((bad.files.load(Ordering::SeqCst), good.files.load(Ordering::SeqCst)), (3, 3));
    assert_eq!(result.runs[0].status, AnalyzerStatus::Partial);
    assert_eq!(result.runs[0].notes, ["/srv/b: it does not like it"]);
    assert_eq!(result.runs[1].status, AnalyzerStatus::Ran);
}

#[test]
fn a_stop_is_obeyed_after_the_file_at_hand() {
    let root = Root::debian();
    for number in 0..500 {
        root.write(&format!("srv/{number}"), "x");
    }
    let inspection = look_at(&image(&root), 1);
    let (counter, cancel) = (Counter::default(), Cancel::new());
    let stopping = Reader { cancels: Some(cancel.clone()), ..reader("stop", Want::Places, &counter) };
    let analyzers: [&dyn Analyzer; 1] = [&stopping];
    assert!(pass::run(&inspection.index, &analyzers, 2, &|_, _| {}, &cancel).is_err());
    assert!(counter.files.load(Ordering::SeqCst) <= 2);
}

#[test]
fn a_file_of_holes_does_not_keep_a_scan_busy() {
    if !crate::support::has_tools(&["mke2fs"]) {
        return;
    }
    let root = Root::debian();
    let path = root.path().join("usr/lib/package-0/lib.so");
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(8 << 40).unwrap();
    let image = crate::disk::ext4(&root, "root", "rootfs", 16, "-L root");
    let document = look_at(&open(&image).unwrap(), 2).document;
    let reason = "analyzer checksums could not read all: /usr/lib/package-0/lib.so: 8796093022208 bytes are more than its file system can hold";
    assert_eq!(document.reasons, [reason]);
}

#[test]
fn every_analyzer_tells_how_it_fared_and_can_be_left_out() {
    let root = Root::debian();
    let document = look_at(&image(&root), 1).document;
    let ids: Vec<&str> = document.analyzers.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(ids, amint_inspect::analyzer_ids());
    let part = &document.coverage[0];
    let status = std::fs::metadata(root.path().join("var/lib/dpkg/status")).unwrap().len();
    assert!(part.bytes > status, "what databases read is counted: {part:?}");
}
