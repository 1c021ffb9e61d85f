use super::*;

const SUITES: [(&str, &str); 3] = [
    ("stable", "a 1 Depends: lib (>= 1)\n lib 1"),
    ("stable-security", "lib 1.1"),
    ("stable-backports", "a 2 Depends: lib (>= 2)\n lib 2\n new 1"),
];

fn chosen(names: &str, pins: &[Pin]) -> Vec<String> {
    let universe = universe(&SUITES);
    let install = wanted(names);
    shown(&resolve(&Request { install: &install, pins, ..Request::new(&universe, "amd64") }))
}

fn pin(package: &str, target: PinTarget, priority: i32) -> Pin {
    Pin { package: package.to_owned(), target, priority }
}

#[test]
fn takes_the_newest_version_but_none_of_backports() {
    assert_eq!(chosen("a", &[]), ["a 1", "lib 1.1"]);
    assert_eq!(chosen("new", &[]), ["new 1"], "what is nowhere else is taken from backports");
}

#[test]
fn takes_the_version_that_is_asked_for() {
    assert_eq!(chosen("a lib=1", &[]), ["a 1", "lib 1"]);
    let universe = universe(&SUITES);
    let install = wanted("a=2");
    let error = resolve(&Request { install: &install, ..Request::new(&universe, "amd64") }).unwrap_err();
    assert_eq!(
        error.details(),
        [
            "`a 2` (requested) depends on lib (>= 2); the candidate of `lib` is 1.1 (stable-security), though 2 \
          (stable-backports) is known"
        ]
    );
}

#[test]
fn takes_from_a_suite_what_is_asked_for_and_what_it_needs() {
    assert_eq!(chosen("a/stable-backports", &[]), ["a 2", "lib 2"]);
    assert_eq!(chosen("lib/stable a", &[]), ["a 1", "lib 1"]);
}

#[test]
fn pins_go_before_newer_versions() {
    let backports = || PinTarget::Suite("stable-backports".to_owned());
    assert_eq!(chosen("a", &[pin("*", backports(), 500)]), ["a 2", "lib 2"]);
    assert_eq!(chosen("lib", &[pin("lib", PinTarget::Version("1".to_owned()), 990)]), ["lib 1"]);
    assert_eq!(chosen("lib", &[pin("l?b", PinTarget::Version("1*".to_owned()), 990)]), ["lib 1.1"]);
    // The first one that fits counts, and one for the package goes before one for all.
    let several = [pin("*", backports(), 900), pin("lib", backports(), 50), pin("lib", backports(), 990)];
    assert_eq!(chosen("lib", &several), ["lib 1.1"]);
}

#[test]
fn versions_with_a_priority_below_one_are_never_taken() {
    let universe = universe(&SUITES);
    let install = wanted("lib");
    let pins = [pin("lib", PinTarget::Version("*".to_owned()), -1)];
    let error = resolve(&Request { install: &install, pins: &pins, ..Request::new(&universe, "amd64") });
    assert_eq!(
        error.unwrap_err().to_string(),
        "pins rule out all versions of `lib`: 2 (stable-backports), 1.1 (stable-security), 1 (stable)"
    );
}

#[test]
fn held_versions_are_taken_or_none() {
    let universe = universe(&SUITES);
    let install = wanted("a");
    let hold = |version: &str| [("lib".to_owned(), version.parse().unwrap())];
    let holds = hold("1");
    let mut request = Request { install: &install, holds: &holds, ..Request::new(&universe, "amd64") };
    assert_eq!(shown(&resolve(&request)), ["a 1", "lib 1"]);

    let both = wanted("a lib=1.1");
    request.install = &both;
    assert_eq!(resolve(&request).unwrap_err().to_string(), "`lib` is held at 1");

    let (holds, install) = (hold("7"), wanted("lib"));
    let request = Request { install: &install, holds: &holds, ..Request::new(&universe, "amd64") };
    assert_eq!(
        resolve(&request).unwrap_err().to_string(),
        "`lib` is held at 7, which is not there; known: 2 (stable-backports), 1.1 (stable-security), 1 (stable)"
    );
}

#[test]
fn preferred_versions_are_taken_as_long_as_they_fit() {
    let universe = universe(&SUITES);
    let preferred = [("lib".to_owned(), "1".parse().unwrap()), ("a".to_owned(), "9".parse().unwrap())];
    let install = wanted("a");
    let request = Request { install: &install, preferred: &preferred, ..Request::new(&universe, "amd64") };
    assert_eq!(shown(&resolve(&request)), ["a 1", "lib 1"]);

    let universe = super::universe(&[("stable", "a 1 Depends: lib (>= 1.1)\n lib 1"), ("new", "lib 1.1")]);
    let request = Request { universe: &universe, ..request };
    assert_eq!(shown(&resolve(&request)), ["a 1", "lib 1.1"]);
}

#[test]
fn a_name_that_one_package_provides_stands_for_it() {
    assert_eq!(install("p 1 Provides: v", "v"), "p");
}
