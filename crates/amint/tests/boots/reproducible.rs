//! Same inputs, same bytes.

use crate::support::Home;

#[test]
fn two_builds_of_one_recipe_give_the_same_digest() {
    let Some(home) = Home::new() else { return };
    let Some(output) = home.build(&["--check", "examples/web/amint.toml"]) else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.ends_with("identical\n"), "{text}");
    assert!(home.leftovers().is_empty());
}
