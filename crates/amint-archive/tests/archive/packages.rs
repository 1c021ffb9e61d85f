//! Getting packages over connections that break, from mirrors that are wrong.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use amint_archive::{ArchiveError, PackageFile};
use amint_types::{Cancel, Digest, Event, Hint, NullSink};

use super::server::Fault;
use super::support::{Bench, Manual, Recorder, chain, noise, wanted};

fn cause(error: &ArchiveError) -> &ArchiveError {
    match error {
        ArchiveError::Package { source, .. } => source,
        other => panic!("{other:?}"),
    }
}

/// Checks that a path has just these bytes, and that nothing is left half done.
fn assert_has(bench: &Bench, path: &Path, bytes: &[u8]) {
    assert_eq!(Digest::of(&std::fs::read(path).unwrap()), Digest::of(bytes));
    assert_eq!(std::fs::read_dir(bench.settings.cache.join("partial")).unwrap().count(), 0);
}

fn partial(bench: &Bench, bytes: &[u8]) -> std::path::PathBuf {
    bench.settings.cache.join("partial").join(format!("{}.partial", Digest::of(bytes)))
}

#[test]
fn gets_many_in_the_order_asked_for_and_none_twice() {
    let bench = Bench::new();
    let bytes: Vec<Vec<u8>> =
        (0..40).map(|seed| noise(seed, 1_000 + usize::try_from(seed).unwrap() * 999)).collect();
    let mut files: Vec<PackageFile> =
        bytes.iter().enumerate().map(|(number, bytes)| bench.package(&format!("p{number}"), bytes)).collect();
    files.push(files[3].clone());
    let recorder = Recorder::default();
    let paths = bench.client().packages(&files, "packages", &recorder, &Cancel::new()).unwrap();
    for (path, bytes) in paths.iter().zip(&bytes) {
        assert_has(&bench, path, bytes);
    }
    assert_eq!(paths[40], paths[3]);
    assert_eq!(bench.server.requests().len(), 40);
    let total: u64 = bytes.iter().map(|bytes| bytes.len() as u64).sum();
    let events = recorder.0.lock().unwrap();
    let Some(Event::StepProgress { done, total: told, .. }) = events.last() else { panic!("{events:?}") };
    assert_eq!((*done, *told), (total, Some(total)));
    drop(events);
    // What is there is not asked for again.
    assert_eq!(bench.get(&files).unwrap(), paths);
    assert!(bench.server.requests().is_empty());
    let client = bench.client();
    assert_eq!(client.cached(&files[3].sha256).as_ref(), Some(&paths[3]));
    client.remove(&files[3].sha256).unwrap();
    assert_eq!(client.cached(&files[3].sha256), None);
}

#[test]
fn takes_up_a_download_where_it_broke_off() {
    let bench = Bench::new();
    let bytes = noise(1, 300_000);
    let file = bench.package("a", &bytes);
    bench.server.fail("/pool/a.deb", [Fault::Truncate(100_000), Fault::Truncate(100_000)]);
    let paths = bench.get(&[file]).unwrap();
    assert_has(&bench, &paths[0], &bytes);
    let requests = bench.server.requests();
    let ranges: Vec<_> = requests.iter().map(|request| request.header("range")).collect();
    assert_eq!(ranges, [None, Some("bytes=100000-"), Some("bytes=200000-")]);
    assert_eq!(bench.clock.slept(), Duration::from_millis(1_500));
}

#[test]
fn starts_over_when_a_server_gives_no_parts() {
    let bench = Bench::new();
    let bytes = noise(1, 300_000);
    let file = bench.package("a", &bytes);
    bench.server.fail("/pool/a.deb", [Fault::Truncate(100_000), Fault::Whole]);
    let paths = bench.get(&[file]).unwrap();
    assert_has(&bench, &paths[0], &bytes);
}

#[test]
fn takes_up_what_another_process_left_unless_it_is_rubbish() {
    let bench = Bench::new();
    let bytes = noise(1, 300_000);
    let file = bench.package("a", &bytes);
    let client = bench.client();
    for (left, requests) in [
        (bytes[..200_000].to_vec(), 1),
        // Of the right size: nothing to ask for, but the digest is wrong, so all of it is.
        (noise(2, 300_000), 1),
        (noise(2, 200_000), 2),
        // Longer than the file can be.
        (noise(2, 400_000), 1),
        (bytes.clone(), 0),
    ] {
        client.remove(&file.sha256).unwrap();
        std::fs::write(partial(&bench, &bytes), left).unwrap();
        let paths = bench.get(std::slice::from_ref(&file)).unwrap();
        assert_has(&bench, &paths[0], &bytes);
        assert_eq!(bench.server.requests().len(), requests);
    }
}

#[test]
fn tries_again_as_the_server_asks() {
    let bench = Bench::new();
    let bytes = noise(1, 1_000);
    let file = bench.package("a", &bytes);
    bench.server.fail(
        "/pool/a.deb",
        [
            Fault::Status(503, "Retry-After: 0\r\n"),
            Fault::Status(429, "Retry-After: 7\r\n"),
            Fault::Status(
                503,
                "Date: Thu, 15 Jan 2026 12:00:00 GMT\r\nRetry-After: Thu, 15 Jan 2026 12:00:11 GMT\r\n",
            ),
            Fault::Status(503, "Retry-After: 100000\r\n"),
        ],
    );
    let paths = bench.get(&[file]).unwrap();
    assert_has(&bench, &paths[0], &bytes);
    assert_eq!(bench.clock.slept(), Duration::from_secs(7 + 11 + 120));
}

#[test]
fn gives_up_in_the_end() {
    let mut bench = Bench::new();
    let file = bench.package("a", b"x");
    bench.server.fail("/pool/a.deb", (0..9).map(|_| Fault::Status(500, "")));
    let error = bench.get(std::slice::from_ref(&file)).unwrap_err();
    assert!(matches!(cause(&error), ArchiveError::Status { status: 500, .. }), "{error:?}");
    assert_eq!(bench.server.requests().len(), 5);
    assert_eq!(bench.clock.slept(), Duration::from_millis(500 + 1_000 + 2_000 + 4_000));
    bench.settings.retries = 1;
    // A port that nobody listens at.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = bench.get(&[wanted("a", b"x", &[&format!("http://{free}/a.deb")])]).unwrap_err();
    assert!(matches!(cause(&error), ArchiveError::Unreachable { attempts: 2, .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("proxy"), "{:?}", error.hint());
}

#[test]
fn takes_another_location_when_one_is_wrong() {
    let bench = Bench::new();
    let good = noise(1, 100_000);
    bench.server.put("/good.deb", &good);
    bench.server.put("/wrong.deb", &noise(2, 100_000));
    bench.server.put("/short.deb", &good[..99_999]);
    bench.server.put("/long.deb", &[good.as_slice(), b"x"].concat());
    let at = |names: &[&str]| {
        let uris: Vec<String> =
            names.iter().map(|name| format!("{}/{name}.deb", bench.server.uri())).collect();
        wanted("a", &good, &uris.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let paths = bench.get(&[at(&["missing", "wrong", "short", "long", "good"])]).unwrap();
    assert_has(&bench, &paths[0], &good);
    bench.client().remove(&Digest::of(&good)).unwrap();
    let error = |names: &[&str]| bench.get(&[at(names)]).unwrap_err();
    assert!(matches!(cause(&error(&["wrong", "missing"])), ArchiveError::Hash { .. }));
    assert!(matches!(cause(&error(&["missing"])), ArchiveError::Status { status: 404, .. }));
    assert!(matches!(cause(&error(&["short"])), ArchiveError::Size { found: 99_999, .. }));
    assert!(matches!(cause(&error(&["long"])), ArchiveError::Size { found: 100_001, .. }));
    assert!(matches!(cause(&error(&[])), ArchiveError::NoLocation));
    assert!(bench.clock.slept().is_zero(), "nothing of this passes by waiting");
}

#[test]
fn never_writes_more_than_a_file_should_have() {
    let bench = Bench::new();
    let bytes = noise(1, 100_000);
    let file = bench.package("a", &bytes);
    bench.server.fail("/pool/a.deb", [Fault::Endless]);
    let error = bench.get(&[file]).unwrap_err();
    assert!(matches!(cause(&error), ArchiveError::Size { .. }), "{error:?}");
    assert_eq!(std::fs::metadata(partial(&bench, &bytes)).unwrap().len(), 0);
}

#[test]
fn the_first_error_stops_the_other_downloads() {
    let bench = Bench::new();
    let stalls = bench.package("stalls", &noise(1, 200_000));
    bench.server.fail("/pool/stalls.deb", [Fault::Stall(1_000)]);
    let missing = wanted("missing", b"x", &[&format!("{}/missing.deb", bench.server.uri())]);
    let error = bench.get(&[stalls, missing]).unwrap_err();
    assert!(matches!(&error, ArchiveError::Package { name, .. } if name == "missing"), "{error:?}");
}

#[test]
fn stops_at_once_when_the_user_says_so() {
    let bench = Bench::new();
    let bytes = noise(1, 200_000);
    let file = bench.package("a", &bytes);
    bench.server.fail("/pool/a.deb", [Fault::Stall(150_000)]);
    let cancel = Cancel::new();
    let client = bench.client();
    let error = thread::scope(|scope| {
        let worker =
            scope.spawn(|| client.packages(std::slice::from_ref(&file), "packages", &NullSink, &cancel));
        bench.server.wait_for_stall();
        cancel.cancel();
        worker.join().unwrap().unwrap_err()
    });
    assert!(error.is_cancelled(), "{error:?}");
    assert_eq!(client.cached(&file.sha256), None);
    // The client can be used again, and takes up what it has.
    let paths = client.packages(&[file], "packages", &NullSink, &Cancel::new()).unwrap();
    assert_has(&bench, &paths[0], &bytes);
}

#[test]
fn two_clients_of_one_cache_download_once() {
    let bench = Bench::new();
    let bytes = noise(1, 200_000);
    let file = bench.package("a", &bytes);
    bench.server.fail("/pool/a.deb", [Fault::Stall(100_000)]);
    let get = || bench.client().packages(std::slice::from_ref(&file), "packages", &NullSink, &Cancel::new());
    thread::scope(|scope| {
        let first = scope.spawn(get);
        bench.server.wait_for_stall();
        // The second one waits for the first, which holds the lock of the file.
        let second = scope.spawn(get);
        bench.server.release();
        assert_eq!(first.join().unwrap().unwrap(), second.join().unwrap().unwrap());
    });
    assert_eq!(bench.server.requests().len(), 1);
    assert_has(&bench, &bench.client().cached(&file.sha256).unwrap(), &bytes);
}

#[test]
fn uses_files_of_this_host_in_place() {
    let bench = Bench::new();
    let bytes = noise(1, 1_000);
    let path = bench.folder.path().join("a b.deb");
    std::fs::write(&path, &bytes).unwrap();
    let plain = path.display().to_string();
    let uri = format!("file://{}", plain.replace(' ', "%20"));
    for location in [plain.as_str(), uri.as_str()] {
        assert_eq!(bench.get(&[wanted("a", &bytes, &[location])]).unwrap(), std::slice::from_ref(&path));
    }
    assert_eq!(bench.client().cached(&Digest::of(&bytes)), None);
    std::fs::write(&path, noise(2, 1_000)).unwrap();
    let error = bench.get(&[wanted("a", &bytes, &[&plain])]).unwrap_err();
    assert!(matches!(cause(&error), ArchiveError::Hash { .. }), "{error:?}");
    // A mirror behind it helps.
    let file = bench.package("a", &bytes);
    let both = PackageFile { locations: vec![plain, file.locations[0].clone()], ..file };
    assert_has(&bench, &bench.get(&[both]).unwrap()[0], &bytes);
}

#[test]
fn works_offline_with_what_it_has() {
    let mut bench = Bench::new();
    let here = bench.package("here", b"here");
    let elsewhere = bench.package("elsewhere", b"elsewhere");
    bench.get(std::slice::from_ref(&here)).unwrap();
    bench.settings.offline = true;
    bench.server.requests();
    assert_eq!(bench.get(&[here]).unwrap().len(), 1);
    let error = bench.get(&[elsewhere]).unwrap_err();
    assert!(matches!(cause(&error), ArchiveError::Offline { .. }), "{error:?}");
    assert!(bench.server.requests().is_empty());
}

#[test]
fn follows_redirects_and_never_tells_a_password() {
    let bench = Bench::new();
    let bytes = noise(1, 1_000);
    let file = bench.package("a", &bytes);
    let uri = format!("http://user:hunter2@{}/old/a.deb", bench.server.address());
    bench.server.fail("/old/a.deb", [Fault::Status(302, "Location: /pool/a.deb\r\n")]);
    let paths = bench.get(&[PackageFile { locations: vec![uri.clone()], ..file.clone() }]).unwrap();
    assert_has(&bench, &paths[0], &bytes);
    let requests = bench.server.requests();
    assert_eq!(requests.len(), 2);
    for request in &requests {
        assert_eq!(request.header("authorization"), Some("Basic dXNlcjpodW50ZXIy"), "{request:?}");
    }
    let other = PackageFile { locations: vec![uri], sha256: Digest::of(b""), ..file };
    let recorder = Recorder::default();
    let mut errors = Vec::new();
    for headers in ["Location: file:///etc/passwd\r\n", "Location: old/../a.deb?token=hunter3\r\n", ""] {
        bench.server.fail("/old/a.deb", [Fault::Status(302, headers)]);
        let found =
            bench.client().packages(std::slice::from_ref(&other), "packages", &recorder, &Cancel::new());
        errors.push(chain(&found.unwrap_err()));
    }
    let loops = (0..6).map(|_| Fault::Status(307, "Location: a.deb\r\n"));
    bench.server.fail("/old/a.deb", loops);
    errors.push(chain(&bench.get(std::slice::from_ref(&other)).unwrap_err()));
    errors.push(format!("{other:?} {:?}", recorder.0.lock().unwrap()));
    for text in errors {
        assert!(!text.contains("hunter"), "{text}");
    }
}

#[test]
fn holds_the_limit_of_the_rate() {
    let mut bench = Bench::new();
    bench.settings.rate_bytes_per_second = Some(10_000);
    let files: Vec<PackageFile> =
        (0..4).map(|seed| bench.package(&format!("p{seed}"), &noise(seed, 25_000))).collect();
    let clock: Arc<Manual> = Arc::clone(&bench.clock);
    bench.get(&files).unwrap();
    // A hundred thousand bytes take ten seconds; the threads share the waiting.
    assert!(clock.slept() >= Duration::from_millis(9_700), "{:?}", clock.slept());
}

#[test]
fn refuses_locations_that_are_none() {
    let bench = Bench::new();
    for location in ["ftp://mirror.example/a.deb", "pool/a.deb", "http://"] {
        let error = bench.get(&[wanted("a", b"x", &[location])]).unwrap_err();
        assert!(matches!(cause(&error), ArchiveError::BadUri { .. }), "{error:?}");
    }
}
