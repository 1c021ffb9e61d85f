//! Getting indexes: which, from where, and never twice.

use amint_archive::{ArchiveError, Compression, Suite};
use amint_types::{Cancel, Digest, Event, Hint, NullSink};

use super::repository::{Release, xz};
use super::server::Fault;
use super::support::{Bench, Recorder, days_ago, text_of};

const PACKAGES: &str = "main/binary-amd64/Packages";

fn paths(bench: &Bench) -> Vec<String> {
    bench.server.requests().into_iter().map(|request| request.target).collect()
}

#[test]
fn asks_for_indexes_by_their_digest() {
    let bench = Bench::new();
    let release = Release::new(days_ago(1));
    bench.publish(&release);
    let found = bench.index().unwrap();
    assert_eq!(found.indexes[0].compression, Compression::Xz);
    let digest = Digest::of(&release.files["main/binary-amd64/Packages.xz"]);
    let expected = format!("/dists/trixie/main/binary-amd64/by-hash/SHA256/{digest}");
    assert_eq!(paths(&bench), ["/dists/trixie/InRelease".to_owned(), expected]);
}

#[test]
fn asks_for_indexes_by_their_names_where_they_have_no_others() {
    let bench = Bench::new();
    let mut release = Release::new(days_ago(1));
    release.fields = "Architectures: amd64\n";
    bench.publish(&release);
    bench.index().unwrap();
    assert_eq!(paths(&bench), ["/dists/trixie/InRelease", "/dists/trixie/main/binary-amd64/Packages.xz"]);
}

#[test]
fn takes_the_next_compression_when_a_mirror_lacks_the_best() {
    let bench = Bench::new();
    let mut release = Release::new(days_ago(1));
    release.files.insert(format!("{PACKAGES}.zst"), zstd::encode_all(&b"Package: a\n"[..], 1).unwrap());
    bench.publish(&release);
    let digest = Digest::of(&release.files["main/binary-amd64/Packages.xz"]);
    bench.server.remove(&format!("/dists/trixie/main/binary-amd64/by-hash/SHA256/{digest}"));
    bench.server.remove("/dists/trixie/main/binary-amd64/Packages.xz");
    let found = bench.index().unwrap();
    assert_eq!(found.indexes[0].compression, Compression::Zstd);
    assert_eq!(text_of(&found), "Package: a\n");
}

#[test]
fn asks_for_nothing_twice() {
    let bench = Bench::new();
    bench.publish(&Release::new(days_ago(1)));
    let first = bench.index().unwrap();
    bench.server.requests();
    let second = bench.index().unwrap();
    assert_eq!(first.indexes, second.indexes);
    assert_eq!(first.release_sha256, second.release_sha256);
    let requests = bench.server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(requests[0].header("if-none-match").is_some(), "{requests:?}");
    // A newer Release with the same index: only the Release comes.
    bench.publish(&Release::new(days_ago(0)));
    assert!(bench.index().unwrap().date > first.date);
    assert_eq!(paths(&bench), ["/dists/trixie/InRelease"]);
}

#[test]
fn replaces_what_was_damaged_in_the_cache() {
    let bench = Bench::new();
    bench.publish(&Release::new(days_ago(1)));
    let path = bench.index().unwrap().indexes[0].path.clone();
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[10] ^= 1;
    std::fs::write(&path, bad).unwrap();
    bench.index().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), good);
    let releases = bench.settings.cache.join("releases");
    let folder = std::fs::read_dir(releases).unwrap().next().unwrap().unwrap().path();
    std::fs::write(folder.join("InRelease"), "damaged").unwrap();
    assert!(bench.index().is_ok());
}

#[test]
fn looks_again_while_a_mirror_is_updated() {
    let bench = Bench::new();
    let mut release = Release::new(days_ago(1));
    release.fields = "Architectures: amd64\n";
    bench.publish(&release);
    let path = "/dists/trixie/main/binary-amd64/Packages.xz";
    let mut other = release.files["main/binary-amd64/Packages.xz"].clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    bench.server.fail(path, [Fault::Instead(other.clone())]);
    assert_eq!(text_of(&bench.index().unwrap()), "Package: a\n");
    let requests = bench.server.requests();
    assert_eq!(requests.len(), 4, "{requests:?}");
    assert_eq!(requests[2].header("cache-control"), Some("no-cache"), "{requests:?}");
    assert!(requests[2].header("if-none-match").is_none(), "{requests:?}");
    // When it stays wrong, that is told.
    let bench = Bench::new();
    bench.publish(&release);
    bench.server.put(path, &other);
    let error = bench.index().unwrap_err();
    assert!(matches!(error, ArchiveError::Hash { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("try again"));
    assert_eq!(bench.clock.slept(), std::time::Duration::from_secs(6));
}

#[test]
fn gets_what_is_for_all_architectures_only_where_it_is_apart() {
    let bench = Bench::new();
    let mut release = Release::new(days_ago(1));
    release.index("main/binary-all/Packages", "Package: all\n");
    bench.publish(&release);
    let architectures = || -> Vec<String> {
        bench.index().unwrap().indexes.into_iter().map(|index| index.architecture).collect()
    };
    assert_eq!(architectures(), ["amd64"]);
    release.fields = "Architectures: all amd64\n";
    release.date = days_ago(0);
    bench.publish(&release);
    assert_eq!(architectures(), ["amd64", "all"]);
}

#[test]
fn tells_what_a_suite_does_not_have() {
    let bench = Bench::new();
    bench.publish(&Release::new(days_ago(1)));
    let mut suite = bench.suite();
    suite.components = vec!["main".to_owned(), "games".to_owned()];
    let error = bench.index_of(suite).unwrap_err();
    assert!(
        matches!(&error, ArchiveError::UnknownComponent { component, .. } if component == "games"),
        "{error:?}"
    );
    assert_eq!(error.hint().unwrap(), "it has main, contrib");
    let found = bench.client().indexes(&[bench.suite()], "sparc", "indexes", &NullSink, &Cancel::new());
    let error = found.unwrap_err();
    assert!(matches!(error, ArchiveError::UnknownArchitecture { .. }), "{error:?}");
    assert_eq!(error.hint().unwrap(), "it has packages for all, amd64");
}

#[test]
fn refuses_names_that_cannot_be() {
    let bench = Bench::new();
    let of = |change: &dyn Fn(&mut Suite)| {
        let mut suite = bench.suite();
        change(&mut suite);
        bench.index_of(suite).unwrap_err()
    };
    let flat = of(&|suite| suite.suite = "./".to_owned());
    assert!(matches!(flat, ArchiveError::BadSuite { .. }), "{flat:?}");
    assert!(flat.hint().unwrap().contains("flat"));
    assert!(matches!(of(&|suite| suite.suite = "../trixie".to_owned()), ArchiveError::BadSuite { .. }));
    assert!(matches!(of(&|suite| suite.components.clear()), ArchiveError::BadSuite { .. }));
    assert!(matches!(of(&|suite| suite.components[0] = "../main".to_owned()), ArchiveError::BadPath { .. }));
    assert!(matches!(
        of(&|suite| suite.uri = "ftp://mirror.example".to_owned()),
        ArchiveError::BadUri { .. }
    ));
    assert!(paths(&bench).is_empty());
}

#[test]
fn refuses_files_of_absurd_size() {
    let bench = Bench::new();
    bench.publish(&Release::new(days_ago(1)));
    bench.server.fail("/dists/trixie/InRelease", [Fault::Endless]);
    let error = bench.index().unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge { .. }), "{error:?}");
    let mut release = Release::new(days_ago(0));
    release.files.clear();
    release.fields = "Architectures: amd64\n";
    let entry = format!(" {} {} {PACKAGES}.xz\n", Digest::of(b""), 600_u64 << 20);
    let text = release.text() + &entry;
    let at = super::support::seconds(release.date);
    let hash = pgp::crypto::hash::HashAlgorithm::Sha512;
    let signed = super::keys::clearsign(&text, |text| {
        vec![bench.key.sign(text, pgp::packet::SignatureType::Text, hash, at)]
    });
    bench.server.put("/dists/trixie/InRelease", &signed);
    let error = bench.index().unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge { .. }), "{error:?}");
}

#[test]
fn reads_repositories_on_this_host() {
    let bench = Bench::new();
    let folder = bench.folder.path().join("my mirror");
    Release::new(days_ago(1)).write(&folder, &[&bench.key]);
    let uri = format!("file://{}", folder.display()).replace(' ', "%20");
    for uri in [folder.display().to_string(), uri] {
        let suite = Suite { uri, ..bench.suite() };
        let found = bench.index_of(suite.clone()).unwrap();
        assert_eq!(text_of(&found), "Package: a\n");
        assert!(found.indexes[0].path.starts_with(&bench.settings.cache), "{found:?}");
    }
    assert!(paths(&bench).is_empty());
    let index = folder.join("dists/trixie/main/binary-amd64/Packages.xz");
    std::fs::write(&index, xz(b"Package: b\n")).unwrap();
    std::fs::remove_dir_all(bench.settings.cache.join("indexes")).unwrap();
    let error = bench.index_of(Suite { uri: folder.display().to_string(), ..bench.suite() }).unwrap_err();
    assert!(matches!(error, ArchiveError::Hash { .. } | ArchiveError::Size { .. }), "{error:?}");
    assert!(bench.clock.slept().is_zero(), "a file of this host is not looked at again");
}

#[test]
fn works_offline_with_what_it_has() {
    let mut bench = Bench::new();
    bench.publish(&Release::new(days_ago(1)));
    bench.settings.offline = true;
    let error = bench.index().unwrap_err();
    assert!(matches!(error, ArchiveError::Offline { .. }), "{error:?}");
    bench.settings.offline = false;
    let online = bench.index().unwrap();
    bench.server.requests();
    bench.settings.offline = true;
    assert_eq!(bench.index().unwrap().indexes, online.indexes);
    std::fs::remove_file(&online.indexes[0].path).unwrap();
    assert!(matches!(bench.index(), Err(ArchiveError::Offline { .. })));
    assert!(paths(&bench).is_empty());
}

#[test]
fn removes_indexes_that_were_not_used_for_long() {
    let bench = Bench::new();
    bench.publish(&Release::new(days_ago(1)));
    let folder = bench.settings.cache.join("indexes");
    bench.client();
    for (name, days) in [("old.xz", 31), ("recent.xz", 29)] {
        let file = std::fs::File::create(folder.join(name)).unwrap();
        let used = std::time::Duration::from_secs(u64::from(super::support::seconds(days_ago(days))));
        file.set_modified(std::time::UNIX_EPOCH + used).unwrap();
    }
    bench.index().unwrap();
    assert!(!folder.join("old.xz").exists() && folder.join("recent.xz").exists());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
}

#[test]
fn tells_how_far_it_got() {
    let bench = Bench::new();
    bench.publish(&Release::new(days_ago(1)));
    let recorder = Recorder::default();
    bench.client().indexes(&[bench.suite()], "amd64", "indexes", &recorder, &Cancel::new()).unwrap();
    let events = recorder.0.lock().unwrap();
    let Some(Event::StepProgress { step, done, total, .. }) = events.last() else { panic!("{events:?}") };
    assert_eq!((step.as_str(), Some(*done)), ("indexes", *total));
    assert!(*done > 0);
}

#[test]
fn a_cancel_is_told_as_such() {
    let bench = Bench::new();
    let cancel = Cancel::new();
    cancel.cancel();
    let error = bench.client().indexes(&[bench.suite()], "amd64", "indexes", &NullSink, &cancel).unwrap_err();
    assert!(error.is_cancelled(), "{error:?}");
}
