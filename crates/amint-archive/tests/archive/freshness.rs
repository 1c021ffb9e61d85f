//! Which Release may be used: of the right suite, of now, and not older than one seen before.

use amint_archive::ArchiveError;
use amint_types::Hint;
use jiff::SignedDuration;

use super::repository::Release;
use super::support::{Bench, days_ago, now, text_of};

#[test]
fn refuses_another_suite_than_asked_for() {
    let bench = Bench::new();
    bench.publish(&Release { codename: "trixie", suite: "stable", ..Release::new(days_ago(1)) });
    assert!(bench.index().is_ok(), "the codename is right");
    // A mirror that gives out the Release of one suite as that of another.
    let mut other = Release::new(days_ago(1));
    (other.suite, other.codename) = ("oldstable", "bookworm");
    bench.server.put("/dists/trixie/InRelease", &other.signed(&[&bench.key]));
    let error = bench.index().unwrap_err();
    assert!(
        matches!(&error, ArchiveError::WrongSuite { found: Some(found), .. } if found == "bookworm"),
        "{error:?}"
    );
    assert!(error.hint().is_some());
}

#[test]
fn refuses_a_release_past_its_time() {
    let bench = Bench::new();
    let mut release = Release::new(days_ago(9));
    release.valid_until = Some(days_ago(2));
    bench.publish(&release);
    let error = bench.index().unwrap_err();
    assert!(
        matches!(error, ArchiveError::Expired { valid_until, .. } if valid_until == days_ago(2)),
        "{error:?}"
    );
    assert!(error.hint().unwrap().contains("another"));
    release.valid_until = Some(days_ago(-2));
    bench.publish(&release);
    assert!(bench.index().is_ok());
}

#[test]
fn refuses_a_release_of_the_future() {
    let bench = Bench::new();
    let ahead = |hours| Release::new(now() + SignedDuration::from_hours(hours));
    // Signed in the present, so that only the date is wrong.
    let sign = |release: Release| {
        let mut present = Release::new(now());
        present.date = release.date;
        let at = super::support::seconds(now());
        super::keys::clearsign(&present.text(), |text| {
            let hash = pgp::crypto::hash::HashAlgorithm::Sha512;
            vec![bench.key.sign(text, pgp::packet::SignatureType::Text, hash, at)]
        })
    };
    bench.publish(&Release::new(now()));
    bench.server.put("/dists/trixie/InRelease", &sign(ahead(25)));
    let error = bench.index().unwrap_err();
    assert!(matches!(error, ArchiveError::FromFuture { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("clock"));
    bench.server.put("/dists/trixie/InRelease", &sign(ahead(23)));
    assert!(bench.index().is_ok());
}

#[test]
fn refuses_an_older_release_than_seen() {
    let mut bench = Bench::new();
    let mut new = Release::new(days_ago(1));
    new.index("main/binary-amd64/Packages", "Package: a\nVersion: 2\n");
    bench.publish(&new);
    bench.index().unwrap();
    bench.publish(&Release::new(days_ago(5)));
    let error = bench.index().unwrap_err();
    let ArchiveError::OlderThanSeen { date, seen, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*date, *seen), (days_ago(5), days_ago(1)));
    assert!(error.hint().unwrap().contains("allow"));
    assert!(!bench.clock.slept().is_zero(), "a mirror that lags behind gets some time");
    bench.settings.allow_older = true;
    assert_eq!(text_of(&bench.index().unwrap()), "Package: a\n");
    // Allowing it once does not make it forgotten.
    bench.settings.allow_older = false;
    assert!(matches!(bench.index(), Err(ArchiveError::OlderThanSeen { .. })));
    bench.publish(&new);
    assert!(bench.index().is_ok());
}

#[test]
fn remembers_for_each_repository_apart() {
    let bench = Bench::new();
    bench.publish(&Release::new(days_ago(1)));
    bench.index().unwrap();
    let other = Bench { settings: bench.settings.clone(), ..Bench::new() };
    other.publish(&Release::new(days_ago(5)));
    assert!(other.index().is_ok());
}
