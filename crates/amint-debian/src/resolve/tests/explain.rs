use amint_types::Hint;

use super::*;

#[test]
fn tells_names_that_may_have_been_meant() {
    let lines = "nginx 1\n nginx-light 1\n exim4 1\n vim 1";
    let error = refusal(lines, "nginxx");
    assert_eq!(error.to_string(), "no package is called `nginxx`");
    assert_eq!(error.hint().unwrap(), "did you mean `nginx`?");
    assert_eq!(refusal(lines, "ngnix-lihgt").hint().unwrap(), "did you mean `nginx-light`?");
    assert!(refusal(lines, "something-else").hint().unwrap().contains("component"));
}

#[test]
fn tells_all_unknown_names_at_once() {
    let error = refusal("a 1", "x1 a=2 x2 a");
    assert_eq!(error.to_string(), "`a=2` is not there; known: 1 (stable); 2 more names cannot be resolved");
    assert_eq!(
        error.details(),
        ["`a=2` is not there; known: 1 (stable)", "no package is called `x1`", "no package is called `x2`"]
    );
}

#[test]
fn tells_the_versions_there_are() {
    let error = refusal("nginx 1.26.3-3", "nginx=9");
    assert_eq!(error.to_string(), "`nginx=9` is not there; known: 1.26.3-3 (stable)");
    assert_eq!(error.hint().unwrap(), "ask for `nginx=1.26.3-3`, or for `nginx` without a version");
    assert_eq!(refusal("a 1", "a/sid").to_string(), "`a/sid` is not there; known: 1 (stable)");
}

#[test]
fn tells_who_provides_a_virtual_package() {
    let error = refusal("postfix 1 Provides: mta\n exim 1 Provides: mta", "mta");
    assert_eq!(error.to_string(), "`mta` is a virtual package, provided by exim, postfix");
    assert_eq!(error.hint().unwrap(), "name one of them, such as `exim`");
}

#[test]
fn tells_the_chain_to_a_dependency_that_nothing_fulfils() {
    let error = refusal(
        "web 1 Depends: mid, fine\n mid 1 Depends: libfoo (>= 2)\n fine 1\n libfoo 1.5-1",
        "web fine",
    );
    assert_eq!(error.to_string(), "`web` cannot be installed");
    assert_eq!(
        error.details(),
        [
            "`web 1` (requested) depends on mid",
            "`mid 1` (needed by `web`) depends on libfoo (>= 2); the only `libfoo` is 1.5-1 (stable)"
        ]
    );
    let error = refusal("web 1 Depends: gone | v (>= 3)\n p 1 Provides: v (= 2)", "web");
    assert_eq!(
        error.details(),
        [
            "`web 1` (requested) depends on gone | v (>= 3); there is no package `gone`; `v` is only provided in no \
          fitting version"
        ]
    );
}

#[test]
fn tells_who_excludes_whom() {
    let error = refusal("a 1 Conflicts: b\n b 1\n c 1", "c a b");
    assert_eq!(error.to_string(), "`a` and `b` cannot be installed together");
    assert_eq!(error.details(), ["`a 1` (requested) conflicts with b; `b 1` is requested"]);
    assert_eq!(error.hint().unwrap(), "leave out one of `a` and `b`");
}

#[test]
fn tells_the_chain_to_an_exclusion() {
    let lines = "web 1 Depends: exim\n mail 1 Depends: postfix | sendmail\n exim 1 Conflicts: mta; Provides: mta\n \
        postfix 1 Provides: mta\n sendmail 1 Provides: mta";
    let error = refusal(lines, "web mail");
    assert_eq!(
        error.details(),
        [
            "`web 1` (requested) depends on exim",
            "`mail 1` (requested) depends on postfix | sendmail",
            "`exim 1` (needed by `web`) conflicts with mta; `sendmail 1`, which provides it, is needed by `mail`; \
             `postfix 1`, which provides it, is needed by `mail`"
        ]
    );
}

#[test]
fn blames_the_base_system_alone() {
    let universe = universe(&[("stable", "base 1 Essential: yes; Depends: gone\n a 1")]);
    let install = wanted("a");
    let request = Request { install: &install, with_essential: true, ..Request::new(&universe, "amd64") };
    let error = resolve(&request).unwrap_err();
    assert_eq!(error.to_string(), "the base system cannot be installed");
    assert_eq!(error.details(), ["`base 1` (essential) depends on gone; there is no package `gone`"]);
}
