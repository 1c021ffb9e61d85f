//! All stores of rpm hold the same packages.

use std::fmt::Write as _;
use std::process::Command;

use amint_packages::Problems;
use amint_packages::rpm::{RpmDatabase, Store, StoreError, read_database, visit_headers};
use proptest::prelude::*;

use crate::rpm::{made, run};

/// The headers of the database that rpm made.
fn headers() -> Option<Vec<(u64, Vec<u8>)>> {
    let made = made()?;
    let (mut headers, mut problems) = (Vec::new(), Problems::default());
    visit_headers(&made.content, made.log.as_deref(), &mut problems, &mut |number, header, _| {
        headers.push((number, header.to_vec()));
    })
    .unwrap();
    assert!(problems.is_empty());
    Some(headers)
}

fn assert_same(found: &RpmDatabase, store: Store) {
    let made = made().unwrap();
    let wanted = read_database(&made.content, made.log.as_deref()).unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(found.store, store);
    assert_eq!(found.packages, wanted.packages);
    assert_eq!(found.keys, wanted.keys);
}

/// Makes a hash of Berkeley DB with its own tool.
fn berkeley(headers: &[(u64, Vec<u8>)], page_bytes: usize, is_big_endian: bool) -> Option<Vec<u8>> {
    let number = |number: u64| {
        let number = u32::try_from(number).unwrap();
        if is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    };
    let order = if is_big_endian { 4321 } else { 1234 };
    let mut dump = format!(
        "VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize={page_bytes}\ndb_lorder={order}\nHEADER=END\n"
    );
    let counter = (0, number(u64::try_from(headers.len()).unwrap()).to_vec());
    for (key, value) in headers.iter().chain([&counter]) {
        let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        writeln!(dump, " {}\n {}", hex(&number(*key)), hex(value)).unwrap();
    }
    dump.push_str("DATA=END\n");
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("dump"), folder.path().join("Packages"));
    std::fs::write(&source, dump).unwrap();
    let program =
        ["db5.3_load", "db_load"].into_iter().find(|name| Command::new(name).arg("-V").output().is_ok());
    let Some(program) = program else {
        eprintln!("SKIPPED: needs db5.3_load");
        return None;
    };
    run(Command::new(program).arg("-f").arg(source).arg(&target));
    Some(std::fs::read(target).unwrap())
}

/// Makes a file of the store ndb: Debian's rpm cannot.
fn ndb(headers: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut file = vec![0; 4096];
    let mut slots = vec![(0_u64, 0_usize, 0_usize); 254];
    // Backwards, so that the order of numbers is not that of the file.
    for (slot, (number, header)) in slots.iter_mut().skip(3).zip(headers.iter().rev()) {
        let start = file.len();
        file.extend(b"BlbS");
        file.extend(u32::try_from(*number).unwrap().to_le_bytes());
        file.extend(7_u32.to_le_bytes());
        file.extend(u32::try_from(header.len()).unwrap().to_le_bytes());
        file.extend(header);
        file.resize((file.len() + 12).next_multiple_of(16) - 12, 0);
        let (low, high) = file[start..].iter().fold((1_u32, 0_u32), |(low, high), byte| {
            let low = (low + u32::from(*byte)) % 65_521;
            (low, (high + low) % 65_521)
        });
        file.extend(((high << 16) | low).to_le_bytes());
        file.extend(u32::try_from(header.len()).unwrap().to_le_bytes());
        file.extend(b"BlbE");
        *slot = (*number, start / 16, (file.len() - start) / 16);
    }
    let mut head = b"RpmP\0\0\0\0\x07\0\0\0\x01\0\0\0\x09\0\0\0".to_vec();
    head.resize(32, 0);
    for (number, start, length) in slots {
        head.extend(b"Slot");
        for number in [number, u64::try_from(start).unwrap(), u64::try_from(length).unwrap()] {
            head.extend(u32::try_from(number).unwrap().to_le_bytes());
        }
    }
    file[..head.len()].copy_from_slice(&head);
    file
}

#[test]
fn reads_berkeley_hashes_of_both_byte_orders() {
    let Some(headers) = headers() else { return };
    for (page_bytes, is_big_endian) in [(4096, false), (4096, true), (512, false), (65_536, false)] {
        let Some(database) = berkeley(&headers, page_bytes, is_big_endian) else { return };
        assert_same(&read_database(&database, None).unwrap(), Store::BerkeleyHash);
    }
}

#[test]
fn reads_ndb() {
    let Some(headers) = headers() else { return };
    let mut database = ndb(&headers);
    assert_same(&read_database(&database, None).unwrap(), Store::Ndb);
    // A checksum that is wrong is told, and the package kept, as rpm keeps it.
    let place = database.windows(9).position(|window| window == b"Example L").unwrap();
    database[place] = b'e';
    let found = read_database(&database, None).unwrap();
    assert_eq!(found.packages.len(), 3);
    assert!(found.problems.iter().any(|problem| problem.reason.contains("checksum")), "{:?}", found.problems);
}

#[test]
fn reads_sqlite_of_all_page_sizes() {
    let Some(made) = made() else { return };
    if Command::new("sqlite3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: needs sqlite3");
        return;
    }
    for page_bytes in [512, 1024, 4096, 65_536] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rpmdb.sqlite");
        std::fs::copy(made.path(), &path).unwrap();
        run(Command::new("sqlite3")
            .arg(&path)
            .arg(format!("PRAGMA journal_mode=DELETE; PRAGMA page_size={page_bytes}; VACUUM;")));
        assert_same(&read_database(&std::fs::read(path).unwrap(), None).unwrap(), Store::Sqlite);
    }
}

#[test]
fn changes_that_are_only_in_the_log_are_seen() {
    let Some(made) = made() else { return };
    if Command::new("sqlite3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: needs sqlite3");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, left) = (folder.path().join("rpmdb.sqlite"), folder.path().join("left"));
    std::fs::copy(made.path(), &path).unwrap();
    // The copies are made while the database is open: closing it would empty the log.
    let script = format!(
        "PRAGMA journal_mode=WAL;\nPRAGMA wal_autocheckpoint=0;\n\
         INSERT INTO Packages SELECT hnum + 1000, blob FROM Packages;\nDELETE FROM Packages WHERE hnum < 1000;\n\
         .shell cp {0} {1}; cp {0}-wal {1}-wal\n",
        path.display(),
        left.display()
    );
    std::fs::write(folder.path().join("script"), script).unwrap();
    let script = std::fs::File::open(folder.path().join("script")).unwrap();
    run(Command::new("sqlite3").arg(&path).stdin(script));
    let content = std::fs::read(&left).unwrap();
    let log = std::fs::read(left.with_extension("").with_file_name("left-wal")).unwrap();
    let found = read_database(&content, Some(&log)).unwrap();
    assert!(found.log_page_count > 0);
    assert_same(&found, Store::Sqlite);
    let mut numbers = Vec::new();
    let mut visit = |log: Option<&[u8]>| {
        numbers.clear();
        visit_headers(&content, log, &mut Problems::default(), &mut |number, _, _| numbers.push(number))
            .unwrap();
        numbers[0]
    };
    assert_eq!((visit(Some(&log)), visit(None)), (1001, 1));
    // A log that was cut off within a transaction counts up to the transaction before.
    assert_eq!(visit(Some(&log[..log.len() - 10])), 1);
    let noisy = read_database(&content, Some(b"nonsense")).unwrap();
    assert!(noisy.problems.iter().any(|problem| problem.reason.contains("log")));
}

#[test]
fn other_content_is_no_database() {
    assert_eq!(read_database(b"", None).unwrap_err(), StoreError::Unknown);
    assert_eq!(read_database(&[0; 8192], None).unwrap_err(), StoreError::Unknown);
    let empty = [b"SQLite format 3\0".as_slice(), &[0; 600]].concat();
    assert!(matches!(read_database(&empty, None).unwrap_err(), StoreError::Damaged { .. }));
}

#[test]
fn a_small_file_cannot_hold_any_amount_of_headers() {
    // A leaf whose cells are all the same record, again and again.
    let mut database = vec![0; 2 * 65_536];
    database[..16].copy_from_slice(b"SQLite format 3\0");
    database[17] = 1;
    let schema = [&[6, 23, 29, 0, 1, 0][..], b"tablePackages", &[2]].concat();
    let cell = [&[u8::try_from(schema.len()).unwrap(), 1][..], &schema].concat();
    let at = 65_536 - cell.len();
    database[at..65_536].copy_from_slice(&cell);
    database[100..108].copy_from_slice(&[0x0d, 0, 0, 0, 1, 0, 0, 0]);
    database[108..110].copy_from_slice(&u16::try_from(at).unwrap().to_be_bytes());
    let page = &mut database[65_536..];
    page[..8].copy_from_slice(&[0x0d, 0, 0, 0x40, 0, 0, 0, 0]);
    for cell in page[8..8 + 0x4000 * 2].chunks_exact_mut(2) {
        cell.copy_from_slice(&0x9000_u16.to_be_bytes());
    }
    // 20,000 bytes of payload: rowid 1, columns NULL and a blob of 19,995 bytes.
    page[0x9000..0x9000 + 9].copy_from_slice(&[0x81, 0x9c, 0x20, 1, 5, 0, 0x82, 0xb8, 0x42]);
    let mut visited = 0;
    let mut problems = Problems::default();
    visit_headers(&database, None, &mut problems, &mut |_, header, _| visited += header.len()).unwrap();
    assert!(visited > 0 && visited <= database.len(), "{visited}");
    assert!(problems.count() > 10_000);
}

/// Reads a damaged copy; nothing but an answer is asked for.
fn survives(database: &[u8], changes: &[(prop::sample::Index, u8)], cut: Option<prop::sample::Index>) {
    let mut damaged = database.to_vec();
    for (place, byte) in changes {
        *place.get_mut(&mut damaged) = *byte;
    }
    if let Some(cut) = cut {
        damaged.truncate(cut.index(damaged.len()));
    }
    if let Ok(found) = read_database(&damaged, None) {
        assert!(found.packages.len() <= 8);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_makes_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        near_start in prop::collection::vec((0..4096_usize, any::<u8>()), 0..8),
        cut in prop::option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        static STORES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
        let stores = STORES.get_or_init(|| {
            let Some(headers) = headers() else { return Vec::new() };
            let made = made().unwrap();
            [Some(made.content.clone()), Some(ndb(&headers)), berkeley(&headers, 4096, false)]
                .into_iter()
                .flatten()
                .collect()
        });
        for store in stores {
            let mut store = store.clone();
            for (place, byte) in &near_start {
                store[*place] = *byte;
            }
            survives(&store, &changes, cut);
        }
    }
}
