//! Any text is judged without a crash, and a choice is never stricter than one of its parts.

use amint_rights::{class_of_name, classify, recognise};
use proptest::prelude::*;

fn expression() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "MIT",
        "GPL-2+",
        "LGPLv2+",
        "AGPL-3.0-only",
        "SSPL-1.0",
        "CC-BY-NC-4.0",
        "Commercial",
        "Wubble",
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "GPL-3+ with OpenSSL exception",
        "BSD (3 clause)",
        "ASL 2.0",
    ]);
    names.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        (inner.clone(), prop::sample::select(vec![" AND ", " OR ", ", and ", " or ", ", or "]), inner)
            .prop_map(|(left, operator, right)| format!("({left}{operator}{right})"))
    })
}

/// Text in the shape of tags that people write.
fn hostile() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "(",
        ")",
        "and",
        "OR",
        "with",
        ",",
        "/",
        "|",
        "MIT",
        "GPL-2+",
        "-with-",
        "+",
        " ",
        "exception",
        "Ä",
        "İ",
        "*",
        ";",
        "\n",
        "AND/OR",
        "((",
        "))",
        "License ::",
        "the ",
        "_",
        "~",
    ]);
    prop::collection::vec(parts, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged(text in any::<String>(), bytes in any::<Vec<u8>>(), tag in hostile()) {
        for text in [&text, &tag] {
            let judged = classify(text);
            prop_assert_eq!(judged.unknown.is_empty() && judged.names.is_empty(), false);
            class_of_name(text);
        }
        recognise(&bytes);
    }

    #[test]
    fn a_choice_is_never_stricter_than_its_parts(left in expression(), right in expression()) {
        let choice = classify(&format!("{left} OR {right}")).class;
        let (left, right) = (classify(&left).class, classify(&right).class);
        prop_assert_eq!(choice, left.min(right));
    }

    #[test]
    fn a_sum_is_as_strict_as_its_strictest_part(left in expression(), right in expression()) {
        let sum = classify(&format!("{left} AND {right}")).class;
        prop_assert_eq!(sum, classify(&left).class.max(classify(&right).class));
    }

    #[test]
    fn a_choice_of_a_tag_and_a_free_licence_is_free(tag in "[A-Za-z0-9 .+_~-]{0,60}") {
        let choice = classify(&(tag.clone() + " OR MIT")).class;
        prop_assert!(choice <= classify(&tag).class);
    }

    #[test]
    fn a_choice_of_a_hand_written_tag_and_a_free_licence_is_free(tag in hostile()) {
        let tag = tag.replace(['(', ')', ',', ';'], " ");
        let choice = classify(&("(".to_owned() + &tag + ") OR MIT")).class;
        prop_assert!(choice <= classify(&tag).class);
    }
}
