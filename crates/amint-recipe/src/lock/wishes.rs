//! The digest of all that decides which packages are chosen.

use amint_types::Digest;

use super::frames::Frames;
use crate::recipe::Recipe;
use crate::section::PinTarget;

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
    list("backports", recipe.base.backports_suite().as_slice());
    list("hold", &recipe.packages.hold);
    let mut repositories: Vec<_> = recipe.repositories.iter().collect();
    repositories.sort_by(|left, right| left.name.cmp(&right.name));
    for repository in repositories {
        let priority = repository.priority.to_string();
        let words = [&repository.name, &repository.url, &repository.suite, &priority];
        frames.add_list("repository", words.into_iter().map(String::as_str));
        let mut components: Vec<&str> = repository.components.iter().map(String::as_str).collect();
        components.sort_unstable();
        frames.add_list("components", components.into_iter());
    }
    // The first of several pins that fit counts: their order does make a difference.
    for pin in &recipe.packages.pins {
        let (kind, versions) = match &pin.target {
            PinTarget::Suite(suite) => ("suite", suite),
            PinTarget::Version(version) => ("version", version),
        };
        let priority = pin.priority.to_string();
        frames.add_list("pin", [&pin.package, kind, versions, &priority].into_iter());
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

    fn pins(pins: &[(&str, &str)]) -> String {
        let pin = |(package, priority): &(&str, &str)| {
            format!("{{ package = \"{package}\", version = \"1.*\", priority = {priority} }}")
        };
        format!("[packages]\npins = [{}]\n", pins.iter().map(pin).collect::<Vec<_>>().join(", "))
    }

    fn vendor(component: &str, priority: &str) -> String {
        format!(
            "[[repository]]\nname = \"vendor\"\nurl = \"https://packages.vendor.example/\"\nsuite = \"stable\"\n\
             components = [\"{component}\"]\nkeyring = \"a.asc\"\npriority = {priority}\n"
        )
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
            digest("[packages]\nhold = [\"cloud-init\"]\n", &[]),
            digest("backports = true\n", &[]),
            digest(&pins(&[("a*", "700"), ("ab", "1")]), &[]),
            digest(&pins(&[("ab", "1"), ("a*", "700")]), &[]),
            digest(&pins(&[("a*", "701"), ("ab", "1")]), &[]),
            digest(&vendor("main", "500"), &[]),
            digest(&vendor("main", "501"), &[]),
            digest(&vendor("extra", "500"), &[]),
        ];
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "{index}");
        }
    }

    #[test]
    fn does_not_change_with_anything_else() {
        let plain = digest("[packages]\ninstall = [\"curl\", \"nginx\"]\n", &["aa", "bb"]);
        let other = "mirror = \"https://mirror.example/debian\"\n\
            snapshot = \"https://mirror.example/archive\"\n[packages]\ninstall = [\"nginx\", \"curl\"]\n\
            recommends = false\npins = []\nhold = []\n[[ports]]\nport = 80\n[user]\nname = \"admin\"\n";
        assert_eq!(digest(other, &["bb", "aa", "bb"]), plain);
    }
}
