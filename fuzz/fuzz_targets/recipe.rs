//! Recipes: no text makes the parser panic, and every span lies inside the text.
#![no_main]

use std::path::Path;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(diagnostics) = amint_recipe::parse(text, Path::new("amint.toml")) {
        for item in &diagnostics.items {
            assert!(text.get(item.span.clone()).is_some());
        }
    }
});
