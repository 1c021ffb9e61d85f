//! The digest of all that decides which packages are chosen.

use amint_types::Digest;

use super::frames::Frames;
use crate::recipe::Recipe;

/// Computes the digest of everything of the recipe that decides which packages are chosen, and of the packages that
/// the tool itself adds.
///
/// Order and repetition do not count where they make no difference. The mirrors do not count: which of them is asked
/// is the host's affair. A key that the recipe leaves out adds nothing, so that new keys leave old digests as they are.
pub fn wishes_digest(recipe: &Recipe, tool_packages: &[String]) -> Digest {
    let mut frames = Frames::new("amint wishes 1");
    let mut list = |name: &str, items: &[String]| {
        let mut items: Vec<&str> = items.iter().map(String::as_str).collect();
        items.sort_unstable();
        items.dedup();
        if !items.is_empty() {
            frames.add_list(name, items.into_iter());
        }
    };
    list("debian", &[recipe.base.debian.to_string()]);
    list("architecture", &[recipe.image.architecture.debian().to_owned()]);
    list("components", &recipe.base.components);
    list("tool", tool_packages);
    list("install", &recipe.packages.install);
    if recipe.packages.recommends {
        list("recommends", &["true".to_owned()]);
    }
    frames.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::testing::recipe;

    fn digest(section: &str, tool_packages: &[&str]) -> Digest {
        let tool_packages: Vec<String> = tool_packages.iter().map(|name| (*name).to_owned()).collect();
        wishes_digest(&recipe(section), &tool_packages)
    }

    #[test]
    fn changes_with_all_that_decides_about_packages() {
        let digests = [
            digest("", &[]),
            digest("", &["cloud-init"]),
            digest("components = [\"main\", \"contrib\"]\n", &[]),
            digest("[packages]\ninstall = [\"cloud-init\"]\n", &[]),
            digest("[packages]\ninstall = [\"cloud-init=1\"]\n", &[]),
            digest("[packages]\ninstall = [\"cloud-init\"]\nrecommends = true\n", &[]),
        ];
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "{index}");
        }
    }

    #[test]
    fn does_not_change_with_anything_else() {
        let plain = digest("[packages]\ninstall = [\"curl\", \"nginx\"]\n", &["aa", "bb"]);
        let other = "mirror = \"https://mirror.example/debian\"\n[packages]\ninstall = [\"nginx\", \"curl\"]\n\
            recommends = false\n[[ports]]\nport = 80\n[user]\nname = \"admin\"\n";
        assert_eq!(digest(other, &["bb", "aa", "bb"]), plain);
    }
}
