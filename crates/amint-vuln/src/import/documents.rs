//! JSON documents: in a folder, a zip or tar archive, or one after the other in a stream.

use std::fs::File;
use std::io::{BufRead, Read, Seek};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::input::unpack;
use super::{ImportError, Input, Sink};

/// Longest document.
const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most files of a folder or an archive.
const FILES_MAX: usize = 5_000_000;
/// Deepest folder.
const DEPTH_MAX: usize = 32;

/// Reads all documents and hands each to `visit`.
pub(super) fn each<T: DeserializeOwned>(
    input: Input<'_>,
    sink: &mut Sink<'_>,
    visit: fn(T, &mut Sink<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    match input {
        Input::Folder(path) => {
            let mut files = Vec::new();
            collect(&path, 0, &mut files)?;
            files.sort();
            files.iter().try_for_each(|file| file_documents(file, sink, visit))
        }
        Input::File(path) => file_documents(&path, sink, visit),
        Input::Reader(reader) => stream(unpack(reader)?, sink, visit),
    }
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), ImportError> {
    if depth > DEPTH_MAX {
        return Err(ImportError::TooLarge("its folders are too deep"));
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() {
            collect(&path, depth + 1, files)?;
        } else if kind.is_file() && is_document(&path.to_string_lossy()) {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            return Err(ImportError::TooLarge("it has too many files"));
        }
    }
    Ok(())
}

/// Feeds hold indexes and signatures beside their documents.
fn is_document(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = [".gz", ".zst", ".xz"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("json" | "jsonl" | "zip"))
}

fn file_documents<T: DeserializeOwned>(
    path: &Path,
    sink: &mut Sink<'_>,
    visit: fn(T, &mut Sink<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut file = File::open(path)?;
    let mut start = [0; 4];
    let count = file.read(&mut start)?;
    file.rewind()?;
    if start.get(..count) == Some(b"PK\x03\x04") {
        return zip_documents(file, sink, visit);
    }
    stream(unpack(Box::new(file))?, sink, visit)
}

fn zip_documents<T: DeserializeOwned>(
    file: File,
    sink: &mut Sink<'_>,
    visit: fn(T, &mut Sink<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file))?;
    if archive.len() > FILES_MAX {
        return Err(ImportError::TooLarge("it has too many files"));
    }
    let mut bytes = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index(index)?;
        if member.is_file() && is_document(member.name()) {
            read_document(member, &mut bytes)?;
            documents(&bytes, sink, visit)?;
        }
    }
    Ok(())
}

/// Reads a tar archive or documents, by what the first bytes are.
fn stream<T: DeserializeOwned>(
    mut reader: Box<dyn BufRead + '_>,
    sink: &mut Sink<'_>,
    visit: fn(T, &mut Sink<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    const TAR_MAGIC: std::ops::Range<usize> = 257..262;
    if reader.fill_buf()?.get(TAR_MAGIC) == Some(b"ustar") {
        let mut archive = tar::Archive::new(reader);
        let mut bytes = Vec::new();
        for member in archive.entries()? {
            let member = member?;
            let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
            if member.header().entry_type().is_file() && is_document(&name) {
                read_document(member, &mut bytes)?;
                documents(&bytes, sink, visit)?;
            }
        }
        return Ok(());
    }
    for document in serde_json::Deserializer::from_reader(reader).into_iter() {
        visit(document?, sink)?;
    }
    Ok(())
}

fn read_document(member: impl Read, bytes: &mut Vec<u8>) -> Result<(), ImportError> {
    bytes.clear();
    let count = member.take(DOCUMENT_BYTES_MAX + 1).read_to_end(bytes)?;
    if u64::try_from(count).unwrap_or(u64::MAX) > DOCUMENT_BYTES_MAX {
        return Err(ImportError::TooLarge("a document is longer than 64 MiB"));
    }
    Ok(())
}

fn documents<T: DeserializeOwned>(
    bytes: &[u8],
    sink: &mut Sink<'_>,
    visit: fn(T, &mut Sink<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    for document in serde_json::Deserializer::from_slice(bytes).into_iter() {
        visit(document?, sink)?;
    }
    Ok(())
}
