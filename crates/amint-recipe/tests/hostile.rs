//! Recipes from anywhere: the reader never panics, and always tells places that exist.

use std::fs;
use std::path::Path;

use amint_recipe::{DiagnosticSeverity, Diagnostics, parse, parse_waivers, template};
use proptest::prelude::*;

/// Pieces that recipes are made of, right and wrong, so that random texts get past the first checks.
const PIECES: [&str; 63] = [
    "[image]\n",
    "[base]\n",
    "[packages]\n",
    "[[repository]]\n",
    "[[files]]\n",
    "[[run]]\n",
    "[user]\n",
    "[services]\n",
    "[[ports]]\n",
    "[disk]\n",
    "[kernel]\n",
    "[harden]\n",
    "[[harden.waive]]\n",
    "[[rights]]\n",
    "[[test]]\n",
    "[publish]\n",
    "[lifecycle]\n",
    "[run]\n",
    "[[image]]\n",
    "name = ",
    "version = ",
    "debian = ",
    "install = ",
    "pins = [{ ",
    "hold = ",
    "suite = ",
    "keyring = ",
    "priority = ",
    "source = ",
    "target = ",
    "mode = ",
    "script = ",
    "command = ",
    "env = ",
    "deadline = ",
    "port = ",
    "from = ",
    "size = ",
    "cmdline = ",
    "profiles = ",
    "rule = ",
    "until = ",
    "owner = ",
    "package = ",
    "http = ",
    "tcp = ",
    "expect = ",
    "regions = ",
    "keep = ",
    "\"web\"\n",
    "1.4\n",
    "[\"a\", ",
    "]\n",
    "{ status = 200, ",
    "}\n",
    "2027-03-31\n",
    "\"é\u{301}\u{1f600}\"\n",
    "'''\n",
    "\"\"\"",
    "\\",
    ".",
    "\r",
    "\u{feff}",
];

/// Checks that every place lies within the text, and agrees with what is told about it.
fn check_places(text: &str, diagnostics: &Diagnostics) {
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect();
    for item in &diagnostics.items {
        assert!(text.is_char_boundary(item.span.start) && text.is_char_boundary(item.span.end));
        assert!(item.span.start <= item.span.end && item.span.end <= text.len());
        assert!(starts[item.line - 1] <= item.span.start);
        assert!(starts.get(item.line).is_none_or(|next| item.span.start < *next));
        assert!(item.column >= 1 && item.end_column >= item.column);
        assert!(item.source_column <= item.column);
        assert!(!item.message.is_empty() && !item.message.contains('\n'));
        assert!(item.source_line.chars().count() <= 160);
    }
    diagnostics.render_plain();
}

fn check(text: &str) {
    match parse(text, Path::new("amint.toml")) {
        Ok(recipe) => {
            check_places(text, &recipe.warnings);
            assert!(recipe.warnings.items.iter().all(|item| item.severity == DiagnosticSeverity::Warning));
            serde_json::to_string(&recipe).expect("a recipe has a serialised form");
        }
        Err(error) => {
            assert!(error.errors().count() > 0);
            check_places(text, &error);
        }
    }
    if let Err(error) = parse_waivers(text, Path::new("waivers.toml")) {
        assert!(error.errors().count() > 0);
        check_places(text, &error);
    }
}

fn examples() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = [
        "examples/web/amint.toml",
        "examples/minimal/amint.toml",
        "tests/recipes/valid-full.toml",
        "tests/recipes/valid-inline.toml",
        "tests/recipes/broken.toml",
        "tests/recipes/broken-syntax.toml",
    ];
    let mut texts: Vec<_> = files
        .iter()
        .map(|file| fs::read_to_string(root.join(file)).expect("the repository has this recipe"))
        .collect();
    texts.push(template(&"web".parse().expect("a valid name")));
    texts
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_row_of_pieces_is_read_or_refused(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60),
    ) {
        check(&pieces.concat());
    }

    #[test]
    fn any_change_of_a_recipe_is_read_or_refused(
        which in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        length in 0_usize..30,
        piece in prop_oneof![
            prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
            any::<String>(),
            "[\\[\\]{}\"'=.,#\n\\\\]{0,4}",
        ],
    ) {
        let texts = examples();
        let mut characters: Vec<char> = which.get(&texts).chars().collect();
        let start = cut.index(characters.len());
        let end = (start + length).min(characters.len());
        characters.splice(start..end, piece.chars());
        check(&characters.into_iter().collect::<String>());
    }
}

#[test]
fn every_beginning_of_a_recipe_is_read_or_refused() {
    for text in examples() {
        // A step that shares no factor with common line lengths meets all kinds of places.
        for (end, _) in text.char_indices().step_by(7) {
            check(&text[..end]);
        }
    }
}

#[test]
fn texts_made_to_exhaust_the_reader_are_refused() {
    for text in [
        "[".repeat(200_000),
        "[[a]]\n".repeat(100_000),
        format!("a = {}", "[".repeat(200_000)),
        format!("a = {}", "{ a = ".repeat(100_000)),
        format!("{}x = 1", "a.".repeat(200_000)),
        "a = 1\n".repeat(150_000),
        (0..100_000).fold(String::new(), |text, number| text + &format!("k{number} = 1\n")),
        "\"".repeat(500_000),
        format!("[packages]\ninstall = [{}]", "\"A\",".repeat(200_000)),
        format!("image = \"{}\"", "x".repeat(1_000_000)),
        "\n".repeat(1_000_000),
    ] {
        let error = parse(&text, Path::new("amint.toml")).unwrap_err();
        assert!(error.items.len() <= 200);
        check_places(&text, &error);
        assert!(error.render_plain().len() < 500_000);
    }
}
