use super::*;
use crate::package::Priority;

#[test]
fn takes_the_first_alternative_that_can_be_installed() {
    assert_eq!(install("a 1 Depends: x | y\n x 1\n y 1", "a"), "a x");
    assert_eq!(install("a 1 Depends: x | y\n x 1 Depends: gone\n y 1", "a"), "a y");
    assert_eq!(install("a 1 Depends: x (>= 2) | y\n x 1\n y 1", "a"), "a y");
}

#[test]
fn takes_an_alternative_that_is_chosen_anyway() {
    let lines = "a 1 Depends: x | y\n x 1\n y 1\n b 1 Depends: y, a";
    assert_eq!(install(lines, "a y"), "a y");
    assert_eq!(install(lines, "b"), "a b y", "what was chosen before counts");
}

#[test]
fn goes_back_on_an_alternative_that_leads_nowhere() {
    let lines = "a 1 Depends: x | y\n x 1 Depends: z\n z 1 Conflicts: c\n y 1\n c 1";
    assert_eq!(install(lines, "c a"), "a c y");
}

#[test]
fn repairs_a_choice_that_another_one_excludes_later() {
    // `a` takes `x` first; that `b` cannot live with it shows only afterwards.
    let lines =
        "a 1 Depends: x | y\n b 1 Depends: deep\n deep 1 Depends: deeper\n deeper 1 Conflicts: x\n x 1\n y 1";
    assert_eq!(install(lines, "a b"), "a b deep deeper y");
}

#[test]
fn takes_a_package_before_others_that_provide_its_name() {
    assert_eq!(install("a 1 Depends: x\n y 1 Provides: x\n x 1", "a"), "a x");
    assert_eq!(install("a 1 Depends: x\n y 1 Provides: x\n x 1 Depends: gone", "a"), "a y");
}

#[test]
fn takes_the_provider_that_matters_most_and_of_equals_the_last_one() {
    let lines = "a 1 Depends: v\n p 1 Provides: v\n q 1 Provides: v; Priority: important\n r 1 Provides: v";
    assert_eq!(install(lines, "a"), "a q");
    assert_eq!(install("a 1 Depends: v\n p 1 Provides: v\n q 1 Provides: v", "a"), "a q");
}

#[test]
fn minds_the_versions_of_what_is_provided() {
    let lines = "a 1 Depends: v (>= 2)\n p 3 Provides: v\n q 3 Provides: v (= 1)\n r 1 Provides: v (= 2)";
    assert_eq!(install(lines, "a"), "a r");
    assert_eq!(install("a 1 Depends: v\n p 1 Provides: v (= 1)", "a"), "a p");
    assert!(
        refusal("a 1 Depends: v (>= 2)\n p 3 Provides: v", "a").to_string().contains("cannot be installed")
    );
}

#[test]
fn keeps_packages_apart_that_exclude_each_other() {
    for field in ["Conflicts", "Breaks"] {
        let lines = format!("a 1 {field}: x\n x 1\n b 1 Depends: x | y\n y 1");
        assert_eq!(install(&lines, "a b"), "a b y");
        refusal(&lines, "a x");
    }
}

#[test]
fn keeps_packages_apart_that_exclude_what_the_other_provides() {
    let lines = "a 1 Provides: mta; Conflicts: mta\n b 1 Provides: mta; Conflicts: mta";
    assert_eq!(install(lines, "a"), "a", "a package does not exclude itself");
    refusal(lines, "a b");
    // A relation with a version means only what is provided with a version.
    assert_eq!(install("a 1 Conflicts: v (<< 2)\n b 1 Provides: v", "a b"), "a b");
    refusal("a 1 Conflicts: v (<< 2)\n b 1 Provides: v (= 1)", "a b");
}

#[test]
fn minds_the_versions_of_exclusions() {
    assert_eq!(install("a 1 Breaks: b (<< 2)\n b 2", "a b"), "a b");
    refusal("a 1 Breaks: b (<< 2)\n b 1", "a b");
}

#[test]
fn pre_depends_are_needed_too() {
    assert_eq!(install("a 1 Pre-Depends: x\n x 1", "a"), "a x");
}

#[test]
fn installs_what_every_system_has_when_asked() {
    let universe = universe(&[(
        "stable",
        "base 1 Essential: yes; Depends: lib\n lib 1\n login 1 Priority: required\n ed 1 Priority: important\n a 1",
    )]);
    let install = wanted("a");
    let mut request = Request { install: &install, with_essential: true, ..Request::new(&universe, "amd64") };
    let solution = resolve(&request).unwrap();
    let reasons: Vec<_> = solution
        .packages
        .iter()
        .map(|chosen| format!("{}: {}, {}", chosen.record.name, chosen.reason, chosen.is_requested))
        .collect();
    assert_eq!(reasons, ["a: requested, true", "base: essential, false", "lib: needed by base, false"]);
    request.with_priorities = &[Priority::Required];
    assert_eq!(shown(&resolve(&request)), ["a 1", "base 1", "lib 1", "login 1"]);
    assert_eq!(resolve(&request).unwrap().get("login").unwrap().reason, "priority required");
}

#[test]
fn follows_recommendations_when_asked() {
    let universe = universe(&[(
        "stable",
        "a 1 Recommends: x, gone, y | z; Depends: b\n b 1 Recommends: w\n w 1\n x 1\n y 1 Conflicts: b\n z 1",
    )]);
    let install = wanted("a");
    let mut request = Request { install: &install, ..Request::new(&universe, "amd64") };
    assert_eq!(shown(&resolve(&request)), ["a 1", "b 1"]);
    request.recommends = true;
    let solution = resolve(&request);
    assert_eq!(shown(&solution), ["a 1", "b 1", "w 1", "x 1", "z 1"]);
    assert_eq!(solution.unwrap().get("x").unwrap().reason, "recommended by a");
}

#[test]
fn follows_recommendations_of_what_only_the_solver_brought_in() {
    let universe = universe(&[(
        "stable",
        "a 1 Depends: x | y\n b 1 Depends: deep\n deep 1 Depends: deeper\n deeper 1 Conflicts: x\n x 1\n \
         y 1 Recommends: more\n more 1",
    )]);
    let install = wanted("a b");
    let request = Request { install: &install, recommends: true, ..Request::new(&universe, "amd64") };
    assert!(resolve(&request).unwrap().get("more").is_some());
}

#[test]
fn leaves_the_garbage_of_tries_behind() {
    let lines = "a 1 Depends: x | y\n x 1 Depends: lib, gone2\n lib 1\n gone2 1 Depends: gone3\n y 1";
    assert_eq!(install(lines, "a"), "a y");
}

#[test]
fn any_means_packages_that_serve_every_architecture() {
    let lines = "a 1 Depends: python3:any\n python3 3 Multi-Arch: allowed";
    assert_eq!(install(lines, "a"), "a python3");
    refusal("a 1 Depends: python3:any\n python3 3 Multi-Arch: same", "a");
    assert_eq!(install("a 1 Depends: v:any\n p 1 Multi-Arch: allowed; Provides: v", "a"), "a p");
    assert_eq!(install("a 1 Depends: v:any\n p 1 Provides: v:any", "a"), "a p");
    refusal("a 1 Depends: v:any\n p 1 Provides: v", "a");
}

#[test]
fn other_architectures_are_not_there() {
    assert_eq!(install("a 1 Depends: x:amd64, y:native\n x 1\n y 1 Architecture: all", "a"), "a x y");
    refusal("a 1 Depends: x:i386\n x 1", "a");
    refusal("a 1 Depends: x\n x 1 Architecture: arm64", "a");
}

#[test]
fn circles_are_no_obstacle() {
    assert_eq!(install("a 1 Depends: b\n b 1 Depends: c\n c 1 Depends: a", "b"), "a b c");
}

#[test]
fn chains_of_any_length_are_followed() {
    let mut lines = String::new();
    for number in 0..2000 {
        use std::fmt::Write;
        writeln!(lines, "p{number} 1 Depends: p{}", number + 1).unwrap();
    }
    lines.push_str("p2000 1");
    assert_eq!(install(&lines, "p0").split(' ').count(), 2001);
}
