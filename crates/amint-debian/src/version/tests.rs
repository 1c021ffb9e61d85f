use std::cmp::Ordering;
use std::process::Command;

use proptest::prelude::*;

use super::Version;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

#[test]
fn splits_epoch_upstream_and_revision() {
    let found = version("1:2.3:4-5-6ubuntu7");
    assert_eq!((found.epoch(), found.upstream(), found.revision()), (1, "2.3:4-5", "6ubuntu7"));
    let found = version(" 2.0~rc1 ");
    assert_eq!(
        (found.epoch(), found.upstream(), found.revision(), found.as_str()),
        (0, "2.0~rc1", "", "2.0~rc1")
    );
}

#[test]
fn refuses_what_dpkg_refuses() {
    for text in ["", ":1", "a:1", "-1:1", "2147483648:1", "1:", "1-", "-1", "1:-1", "1 2", "1/2", "ü"] {
        assert!(text.parse::<Version>().is_err(), "{text:?}");
    }
    assert!("1".repeat(5000).parse::<Version>().unwrap_err().to_string().len() < 200);
}

#[test]
fn sorts_as_the_manual_says() {
    let sorted = [
        "~~",
        "~~a",
        "~",
        "1.0~beta1~svn1245",
        "1.0~beta1",
        "1.0",
        "1.0-1~bpo12+1",
        "1.0-1",
        "1.0-1+b1",
        "1.0a-1",
        "1.0+dfsg-1",
        "1.0.1",
        "1.9",
        "1.10",
        "1:0.1",
        "2:0",
    ];
    for (index, left) in sorted.iter().enumerate() {
        for (other, right) in sorted.iter().enumerate() {
            assert_eq!(version(left).cmp(&version(right)), index.cmp(&other), "{left} {right}");
        }
    }
}

#[test]
fn takes_other_texts_for_the_same_version() {
    for other in ["0:1.0", "1.00", "1.0-0", "01.0", "0:01.0-00"] {
        assert_eq!(version("1.0"), version(other));
    }
}

fn dpkg_compare(left: &str, right: &str) -> Option<Ordering> {
    let holds = |relation: &str| {
        let mut dpkg = Command::new("dpkg");
        dpkg.args(["--compare-versions", left, relation, right]).stderr(std::process::Stdio::null());
        dpkg.status().ok().map(|status| status.success())
    };
    Some(if holds("lt")? {
        Ordering::Less
    } else if holds("eq")? {
        Ordering::Equal
    } else {
        Ordering::Greater
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn sorts_as_dpkg_does(
        left in "([0-2]:)?[0-9][0-9a-b.+~:]{0,5}(-[0-2a~+.]{1,3})?",
        right in "([0-2]:)?[0-9][0-9a-b.+~:]{0,5}(-[0-2a~+.]{1,3})?",
    ) {
        let Some(expected) = dpkg_compare(&left, &right) else {
            eprintln!("skipped: dpkg is not installed");
            return Ok(());
        };
        // A colon in the upstream version makes the text before it an epoch.
        let (Ok(left), Ok(right)) = (left.parse::<Version>(), right.parse::<Version>()) else { return Ok(()) };
        prop_assert_eq!(left.cmp(&right), expected);
    }

    #[test]
    fn is_a_total_order(texts in prop::array::uniform3("[0-9][0-9a~+.]{0,3}(-[0-1~a]{1,2})?")) {
        let [a, b, c] = texts.map(|text| version(&text));
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }
}
