//! The test vectors of those who made the orders, their own tools, and what must hold for any text.

use std::cmp::Ordering::{self, Equal, Greater, Less};
use std::process::Command;

use proptest::prelude::*;

use super::{Scheme, compare};

/// Checks `left < right`, `left = right` and `left > right`, one a line, both ways round.
#[track_caller]
fn check(scheme: Scheme, table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [left, operator, right] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("`{line}`") };
        let wanted = match operator {
            "<" => Less,
            "=" => Equal,
            _ => Greater,
        };
        assert_eq!(compare(scheme, left, right), wanted, "{line}");
        assert_eq!(compare(scheme, right, left), wanted.reverse(), "{line}, the other way round");
    }
}

/// Checks that each version is before all that follow.
#[track_caller]
fn check_sorted(scheme: Scheme, versions: &[&str]) {
    for (index, left) in versions.iter().enumerate() {
        for right in &versions[index + 1..] {
            assert_eq!(compare(scheme, left, right), Less, "{left} {right}");
            assert_eq!(compare(scheme, right, left), Greater, "{right} {left}");
        }
    }
}

/// `tests/rpmvercmp.at` of rpm.
#[test]
fn orders_as_rpm_does() {
    check(
        Scheme::Rpm,
        "1.0 = 1.0\n1.0 < 2.0\n2.0.1 > 2.0\n2.0.1a > 2.0.1\n5.5p1 < 5.5p2\n5.5p10 > 5.5p1\n10xyz < 10.1xyz
         xyz10 < xyz10.1\nxyz.4 < 8\n8 > xyz.4\nxyz.4 < 2\n5.5p2 < 5.6p1\n6.0.rc1 > 6.0\n10b2 > 10a1\n7.4 < 7.4.1
         1.0aa > 1.0a\n10.0001 = 10.1\n10.0001 = 10.0001\n10.0001 < 10.0039\n4.999.9 < 5.0\n20101121 < 20101122
         2_0 = 2.0\na+ = a_\n+a = _a\n+_ = _+\n+ = _\n1.0~rc1 < 1.0\n1.0~rc1 < 1.0~rc2
         1.0~rc1~git123 < 1.0~rc1\n1.0^ > 1.0\n1.0^git1 > 1.0\n1.0^git1 < 1.0^git2\n1.0^git1 < 1.01
         1.0^20160101 < 1.0.1\n1.0^20160102 > 1.0^20160101^git1\n1.0~rc1^git1 > 1.0~rc1\n1.0^git1~pre < 1.0^git1
         1:1.0-1 > 2.0-1\n0:1.0-1 = 1.0-1\n1.0-1.el9 < 1.0-2.el9\n8.7p1-8.amzn2023.0.11 > 8.7p1-8.amzn2023.0.9",
    );
}

/// `test/version.data` of apk-tools.
#[test]
fn orders_as_apk_does() {
    check(
        Scheme::Apk,
        "2.34 > 0.1.0_alpha\n23_foo > 4_beta\n1.0 < 1.0bc\n0.1.0_alpha = 0.1.0_alpha\n0.1.0_alpha < 0.1.3_alpha
         0.1.0_alpha2 > 0.1.0_alpha\n0.1.0_alpha < 2.2.39-r1\n1.0.4-r3 < 1.0.4-r4\n1.1 > 1.1_alpha1\n1.2 < 1.3_alpha
         1.3_alpha < 1.3_alpha2\n2.3.0b-r1 < 2.3.0b-r2\n0.12.3 > 0.12\n0.13_beta5 > 0.9.12\n3.1_p16 < 3.1_p17
         3.1_p17 > 1.06-r6\n1.06-r6 < 006\n006 > 1.0.0\n1.2.2-r1 > 1.2.2\n2.01.01_alpha10 > 0.94\n1.39 > 1.00_beta2
         1.02.07 < 1.02.10-r1\n10-r1 > 4\n2.5.1-r8 < 2.5.1a-r1\n1.3.5-r10 > 1.3.5-r8\n021109-r3 < 20060512
         1.1.7 < 6b-r7\n1.1a < 1.3a\n0.59s-r11 < 0.65\n4.5_p1-r1 > 4.5_p1\n0.9.8c-r1 < 0.9.8d\n013 < 014-r1
         2.2.10 < 2.3.6\n1.7 < 1.7b\n1.8.5 < 1.8.5_p2\n0.98 < 1.00\n2.9.11_pre20051101 < 2.9.11_pre20061021-r1
         1.6.8_p12-r1 > 1.6.8_p9-r2\n0.9.28-r2 < 0.9.28.1\n087-r1 < 103\n2.12r-r4 < 2.12r-r5\n7.0.17 < 7.0.174
         1.3_pre1-r1 < 1.3.2\n1.0_p10-r0 > 1.0_p9-r0\n0.1.0_alpha_pre2 < 0.1.0_alpha
         1.0.0_pre20191002222144-r0 < 1.0.0_pre20210530193627-r0\n9.7_p1-r3 < 9.7_p1-r4",
    );
}

/// Section 11 of the specification, and Go's own versions as its vulnerability database writes them.
#[test]
fn orders_as_semver_and_go_do() {
    let versions = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "2.0.0",
        "2.1.0",
        "2.1.1",
    ];
    check_sorted(Scheme::Semver, &versions);
    check(Scheme::Semver, "1.0.0+build = 1.0.0\nv1.2 = 1.2.0\n99999999999999999999.0.0 > 9.0.0");
    check(
        Scheme::Go,
        "v1.2.3 > 1.2.3-0.20200101000000-abcdefabcdef\nv2.0.0+incompatible = 2.0.0\ngo1.21.3 < 1.21.4
         go1.22rc1 = 1.22.0-rc.1\ngo1.22rc1 < 1.22.0\ngo1.21 = 1.21.0\n0.0.0-2020 < 0.1.0",
    );
}

/// `tests/test_version.py` of pypa/packaging.
#[test]
fn orders_as_python_does() {
    let versions = [
        "1.0.dev456",
        "1.0a1",
        "1.0a2.dev456",
        "1.0a12.dev456",
        "1.0a12",
        "1.0b1.dev456",
        "1.0b2",
        "1.0b2.post345.dev456",
        "1.0b2.post345",
        "1.0b2-346",
        "1.0c1.dev456",
        "1.0c1",
        "1.0rc2",
        "1.0c3",
        "1.0",
        "1.0.post456.dev34",
        "1.0.post456",
        "1.1.dev1",
        "1.2",
        "1.2+abc",
        "1.2+abc123",
        "1.2+abc123def",
        "1.2+1234.abc",
        "1.2+123456",
        "1.2.r32+123456",
        "1.2.rev33+123456",
        "1!1.0.dev456",
        "1!1.0",
        "1!1.2+abc",
    ];
    check_sorted(Scheme::Pep440, &versions);
    check(
        Scheme::Pep440,
        "1.0 = 1.0.0\nv1.0 = 1.0\n1.0alpha1 = 1.0a1\n1.0-rc.1 = 1.0rc1\n1.0pre = 1.0rc0\n1.0.post = 1.0-0
         french-toast < 0.0.dev0\n1.0_beta_2 = 1.0b2\n1.0PREVIEW2 = 1.0c2",
    );
}

/// `ComparableVersionTest` of Maven.
#[test]
fn orders_as_maven_does() {
    let qualifiers = [
        "1-alpha2snapshot",
        "1-alpha2",
        "1-alpha-123",
        "1-beta-2",
        "1-beta123",
        "1-m2",
        "1-m11",
        "1-rc",
        "1-cr2",
        "1-rc123",
        "1-SNAPSHOT",
        "1",
        "1-sp",
        "1-sp2",
        "1-sp123",
        "1-abc",
        "1-def",
        "1-pom-1",
        "1-1-snapshot",
        "1-1",
        "1-2",
        "1-123",
    ];
    check_sorted(Scheme::Maven, &qualifiers);
    let numbers = [
        "2.0", "2.0.a", "2-1", "2.0.2", "2.0.123", "2.1.0", "2.1-a", "2.1b", "2.1-c", "2.1-1", "2.1.0.1",
        "2.2", "2.123", "11.a2", "11.a11", "11.b2", "11.b11", "11.m2", "11.m11", "11", "11.a", "11b", "11c",
        "11m",
    ];
    check_sorted(Scheme::Maven, &numbers);
    check(
        Scheme::Maven,
        "1 = 1.0.0\n1 = 1-0\n1 = 1.0-0\n1 = 1.ga\n1.0 = 1-final\n1.0.0-release = 1\n1x = 1-x\n1.0x = 1-x
         1a1 = 1-alpha-1\n1b2 = 1-beta-2\n1m3 = 1-milestone-3\n1X = 1x\n1RC = 1cr\n1.0.0-rc1 < 1.0.0
         20190126.230843 > 1.0\n1.0.0.RC1 < 1.0.0-RC2\n4.0.0.Beta3 < 4.0.0.CR1\n2.15.0 > 2.9.9\n1.7.0_2 > 1.7",
    );
}

/// `test_gem_version.rb` of `RubyGems`.
#[test]
fn orders_as_rubygems_does() {
    check(
        Scheme::Gem,
        "1.0 = 1.0.0\n1.0 > 1.0.a\n1.8.2 > 0.0.0\n1.8.2 > 1.8.2.a\n1.8.2.b > 1.8.2.a\n1.8.2.a < 1.8.2
         1.8.2.a10 > 1.8.2.a9\n0.beta.1 = 0.0.beta.1\n0.0.beta < 0.0.beta.1\n0.0.beta < 0.beta.1\n5.a < 5.0.0.rc2
         5.x > 5.0.0.rc2\n1.9.3 > 1.9.2.99\n1.9.3.1 > 1.9.3\n1.0.0-1 < 1\n1.0.0.pre1 < 1.0.0",
    );
}

/// `version_compare` of PHP's documentation, `VersionParser` of Composer, and `NuGet`'s page on versions.
#[test]
fn orders_as_composer_and_nuget_do() {
    check_sorted(
        Scheme::Composer,
        &["1.0-dev", "1.0.0-alpha1", "1.0.0-beta2", "1.0.0-RC1", "1.0.0-RC2", "1.0.0", "1.0.0-pl1", "1.0.1"],
    );
    check(Scheme::Composer, "v1.0 = 1.0.0.0\n1.0.0-stable = 1.0\n5.2 > 5.1.9\n1.0b1 < 1.0RC1\n1.10 > 1.9");
    check_sorted(
        Scheme::Nuget,
        &[
            "1.0.1-aaa",
            "1.0.1-alpha",
            "1.0.1-Alpha.2",
            "1.0.1-beta",
            "1.0.1-rc.2",
            "1.0.1-RC.10",
            "1.0.1",
            "1.0.1.1",
        ],
    );
    check(Scheme::Nuget, "1.0 = 1.0.0.0\n1.0.1-RC = 1.0.1-rc\n1.00.0.1 = 1.0.0.1+x");
}

/// Pairs of versions that are alike, made of a seed so that each run compares the same.
fn pairs(pieces: &[&str], count: usize) -> Vec<(String, String)> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 1_000_003).unwrap() % limit
    };
    let mut pairs = Vec::new();
    for _ in 0..count {
        let start: String = (0..=next(3)).map(|_| pieces[next(pieces.len())]).collect();
        let mut version = || -> String {
            let end: String = (0..next(4)).map(|_| pieces[next(pieces.len())]).collect();
            format!("1{start}{end}")
        };
        pairs.push((version(), version()));
    }
    pairs
}

#[test]
fn agrees_with_dpkg() {
    if Command::new("dpkg").arg("--version").output().is_err() {
        eprintln!("SKIPPED: needs dpkg");
        return;
    }
    let pieces = ["0", "1", "10", "a", "rc", "~", "+", ".", "-", "00", "deb12u", "-1", "~~"];
    let script = r#"while read -r a b; do
        if dpkg --compare-versions "$a" lt "$b"; then echo lt
        elif dpkg --compare-versions "$a" eq "$b"; then echo eq
        else echo gt; fi; done"#;
    let pairs: Vec<_> = pairs(&pieces, 150)
        .into_iter()
        .filter(|(left, right)| {
            [left, right].iter().all(|text| text.parse::<amint_debian::version::Version>().is_ok())
        })
        .collect();
    let input = tempfile::NamedTempFile::new().unwrap();
    let lines: Vec<String> = pairs.iter().map(|(left, right)| format!("{left} {right}\n")).collect();
    std::fs::write(input.path(), lines.concat()).unwrap();
    let output = Command::new("sh")
        .args(["-c", script])
        .stdin(std::fs::File::open(input.path()).unwrap())
        .output()
        .unwrap();
    compare_with(Scheme::Dpkg, &pairs, &output.stdout);
}

#[test]
fn agrees_with_rpm() {
    let pieces = ["0", "1", "10", "a", "rc", "~", "^", ".", "_", "00", "el9", "+", "~git", "^20"];
    let pairs = pairs(&pieces, 2000);
    let table: Vec<String> =
        pairs.iter().map(|(left, right)| format!("{{\"{left}\",\"{right}\"}},")).collect();
    let table = table.concat();
    let script = format!(
        "%{{lua: for _, p in ipairs({{{table}}}) do local r = rpm.vercmp(p[1], p[2]) print(r < 0 and \"lt\\n\" or r > 0 and \"gt\\n\" or \"eq\\n\") end}}"
    );
    let Ok(output) = Command::new("rpm").args(["--eval", &script]).output() else {
        eprintln!("SKIPPED: needs rpm");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    compare_with(Scheme::Rpm, &pairs, &output.stdout);
}

fn compare_with(scheme: Scheme, pairs: &[(String, String)], answers: &[u8]) {
    let answers = String::from_utf8_lossy(answers);
    let answers: Vec<&str> = answers.split_whitespace().collect();
    assert_eq!(answers.len(), pairs.len());
    assert!(pairs.len() > 50);
    for ((left, right), answer) in pairs.iter().zip(answers) {
        let wanted = match answer {
            "lt" => Less,
            "eq" => Equal,
            _ => Greater,
        };
        assert_eq!(compare(scheme, left, right), wanted, "{left} {right}");
    }
}

fn version() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[0-9]{1,2}([-.~^+_:!]?([0-9]{1,3}|a|b|rc|alpha|post|dev|sp|pre|p|r|final|SNAPSHOT|git|x)){0,5}",
        1 => "\\PC{0,8}",
        1 => "[0.~^a_-]{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn every_order_is_total(a in version(), b in version(), c in version()) {
        for scheme in Scheme::ALL {
            let order = |left: &str, right: &str| -> Ordering { compare(scheme, left, right) };
            prop_assert_eq!(order(&a, &a), Equal);
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse(), "{:?}: {} {}", scheme, a, b);
            let mut sorted = [&a, &b, &c];
            sorted.sort_by(|left, right| order(left, right));
            prop_assert!(order(sorted[0], sorted[1]).is_le(), "{:?}: {:?}", scheme, sorted);
            prop_assert!(order(sorted[1], sorted[2]).is_le(), "{:?}: {:?}", scheme, sorted);
            prop_assert!(order(sorted[0], sorted[2]).is_le(), "{:?}: {:?}", scheme, sorted);
            if order(&a, &b).is_eq() {
                prop_assert_eq!(order(&a, &c), order(&b, &c), "{:?}: {} = {}, {}", scheme, a, b, c);
            }
        }
    }
}
