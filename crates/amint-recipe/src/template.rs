//! The recipe that `amint init` writes.

use amint_types::ImageName;

/// The template, with `{name}` for the image's name.
const TEMPLATE: &str = include_str!("template.toml");

/// Returns a recipe to start from: valid as it is, with the common sections in comments.
pub fn template(name: &ImageName) -> String {
    TEMPLATE.replace("{name}", name.as_str())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::recipe::parse;

    #[test]
    fn is_a_valid_recipe_without_warnings() {
        let text = template(&"web".parse().unwrap());
        let recipe = parse(&text, Path::new("amint.toml")).unwrap();
        assert_eq!(recipe.image.name.as_str(), "web");
        assert_eq!(recipe.warnings.items, []);
    }

    #[test]
    fn stays_valid_when_its_comments_become_keys() {
        let text = template(&"web".parse().unwrap());
        let is_key = |line: &str| line.starts_with("#[") || line.starts_with('#') && line.contains(" = ");
        let lines = text.lines().map(|line| if is_key(line) { &line[1..] } else { line });
        let text = lines.collect::<Vec<_>>().join("\n");
        let recipe =
            parse(&text, Path::new("amint.toml")).unwrap_or_else(|error| panic!("{}", error.render_plain()));
        assert!(!recipe.files.is_empty() && !recipe.run.is_empty() && recipe.ports.len() == 1);
        assert_eq!((recipe.tests.len(), recipe.harden.waive.len()), (2, 1));
        assert_eq!((recipe.packages.pins.len(), recipe.repositories.len()), (1, 1));
    }
}
