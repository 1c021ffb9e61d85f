//! Measures how fast a file is stored: `put_bench FILE [STORE]`, with a store of its own when none is named.

use std::error::Error;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Instant;

use amint_store::{PutRequest, Store, manifest_of};
use amint_types::{Architecture, BLOCK_BYTES, BlockSource, Cancel, format_bytes};
use jiff::Timestamp;

struct FileSource {
    file: File,
    bytes: u64,
}

impl BlockSource for FileSource {
    fn disk_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let offset = index * BLOCK_BYTES;
        let bytes = usize::try_from((self.bytes - offset).min(BLOCK_BYTES)).map_err(io::Error::other)?;
        self.file.read_exact_at(&mut buffer[..bytes], offset)?;
        Ok(Some(bytes))
    }
}

#[expect(clippy::print_stdout, reason = "a program to be run by hand")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let path = arguments.next().ok_or("usage: put_bench FILE [STORE]")?;
    let file = File::open(&path)?;
    let bytes = file.metadata()?.len();
    let source = FileSource { file, bytes };
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    let root = arguments.next().map_or_else(|| folder.path().to_owned(), PathBuf::from);
    let store = Store::open(&root)?;
    let request = PutRequest {
        name: "bench".parse()?,
        version: "1".parse()?,
        architecture: Architecture::X86_64,
        created_at: Timestamp::UNIX_EPOCH,
        documents: Vec::new(),
    };
    let cancel = Cancel::new();
    let started = Instant::now();
    manifest_of(&source, &cancel)?;
    println!("hash alone   {:.2} s", started.elapsed().as_secs_f64());
    for what in ["first put", "second put"] {
        let started = Instant::now();
        let stored = store.put(&request, &source, &|_, _| {}, &cancel)?;
        let written = format_bytes(stored.bytes_written);
        println!("{what:12} {:.2} s, {written} written", started.elapsed().as_secs_f64());
    }
    let started = Instant::now();
    store.check(&|_, _| {}, &cancel)?;
    println!("check        {:.2} s", started.elapsed().as_secs_f64());
    Ok(())
}
