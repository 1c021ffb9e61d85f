//! Ruby: the specifications of installed gems, which `RubyGems` writes as Ruby code in one shape.

use amint_types::ReadAt;
use amint_types::scan::{PackageKind, ScannedPackage};

use crate::LanguageError;
use crate::make::{licenses, package, read_all};

const FILE_BYTES_MAX: u64 = 4 << 20;

pub(crate) fn wants(path: &[u8]) -> bool {
    path.ends_with(b".gemspec") && path.windows(16).any(|part| part == b"/specifications/")
}

pub(crate) fn read(path: &str, content: &dyn ReadAt) -> Result<Vec<ScannedPackage>, LanguageError> {
    let bytes = read_all(content, FILE_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let (mut name, mut version, mut platform) = (String::new(), String::new(), String::new());
    let mut found: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim) {
        let Some((left, right)) = line.split_once('=') else { continue };
        let Some((_, key)) = left.trim().rsplit_once('.') else { continue };
        match key {
            "name" if name.is_empty() => quoted(right).next().unwrap_or_default().clone_into(&mut name),
            "version" if version.is_empty() => {
                quoted(right).next().unwrap_or_default().clone_into(&mut version);
            }
            "platform" => quoted(right).next().unwrap_or_default().clone_into(&mut platform),
            "licenses" | "license" => found.extend(quoted(right).map(str::to_owned)),
            _ => {}
        }
    }
    let made = package(PackageKind::Gem, "", &name, &name, &version, path);
    let mut made =
        made.ok_or_else(|| LanguageError::malformed("gem specification", &"name or version is missing"))?;
    made.licenses = licenses(found.iter().map(String::as_str));
    made.architecture = Some(platform).filter(|platform| !platform.is_empty() && platform != "ruby");
    Ok(vec![made])
}

/// The texts between quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(['"', '\''])?;
        let quote = rest.get(start..=start)?;
        let (inside, after) = rest.get(start + 1..)?.split_once(quote)?;
        rest = after;
        Some(inside)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_rubygems_writes() {
        let text = b"# -*- encoding: utf-8 -*-\n# stub: rake 13.0.6 ruby lib\n\nGem::Specification.new do |s|\n  s.name = \"rake\".freeze\n  s.version = \"13.0.6\"\n  s.licenses = [\"MIT\".freeze, \"Ruby\".freeze]\n  s.required_rubygems_version = Gem::Requirement.new(\">= 1.3\".freeze)\nend\n".to_vec();
        let found = read("/x.gemspec", &text).unwrap();
        assert_eq!((found[0].name.as_str(), found[0].version.as_str()), ("rake", "13.0.6"));
        assert_eq!(found[0].licenses, ["MIT", "Ruby"]);
        assert!(wants(b"/var/lib/gems/3.1.0/specifications/rake-13.gemspec") && !wants(b"/src/rake.gemspec"));
    }
}
