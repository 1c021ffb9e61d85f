//! apt's sources in both styles (`sources.list(5)`).

use amint_debian::control::{ControlError, Paragraph, Paragraphs};

use crate::bytes::{lines, text};

use super::repository::{Manager, Repository, RepositoryFile, parse_bool, words};

/// Reads a file of apt's sources by its name: `sources.list` and `*.list` hold lines, `*.sources` paragraphs. apt
/// uses no other files: none for those, such as `x.list.save`.
pub fn read_apt(file_name: &str, content: &[u8]) -> Option<RepositoryFile> {
    let is_proper = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    if !file_name.chars().all(is_proper) {
        return None;
    }
    match file_name.rsplit_once('.')?.1 {
        "list" => Some(read_lines(content)),
        "sources" => Some(read_paragraphs(content)),
        _ => None,
    }
}

fn read_lines(content: &[u8]) -> RepositoryFile {
    let mut file = RepositoryFile::default();
    for (number, line) in lines(content) {
        let line = text(line);
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        match read_line(line, number) {
            Some(repository) => file.add(repository),
            None => file.problems.add(number, "a line is no source of packages"),
        }
    }
    file
}

/// Reads `deb [options] uri suite component...`.
fn read_line(line: &str, number: u64) -> Option<Repository> {
    let (kind, rest) = line.split_once(char::is_whitespace)?;
    if kind != "deb" && kind != "deb-src" {
        return None;
    }
    let mut repository = Repository::new(Manager::Apt, number);
    repository.types.push(kind.to_owned());
    let mut rest = rest.trim_start();
    if let Some(inner) = rest.strip_prefix('[') {
        let (options, behind) = inner.split_once(']')?;
        for (name, value) in options.split_whitespace().filter_map(|option| option.split_once('=')) {
            set_option(&mut repository, name.trim_end_matches(['+', '-']), value);
        }
        rest = behind.trim_start();
    }
    let (uri, behind) = split_uri(rest);
    repository.uris.push(uri.to_owned());
    let mut words = behind.split_whitespace();
    repository.suites.push(words.next()?.to_owned());
    repository.components.extend(words.map(ToOwned::to_owned));
    Some(repository)
}

/// Splits the address off: a disk's may have spaces between brackets, `cdrom:[Debian 13]/`.
fn split_uri(text: &str) -> (&str, &str) {
    let mut depth = 0_u32;
    for (index, letter) in text.char_indices() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 && letter.is_whitespace() => return text.split_at(index),
            _ => {}
        }
    }
    (text, "")
}

fn set_option(repository: &mut Repository, name: &str, value: &str) {
    match name.to_ascii_lowercase().as_str() {
        "arch" | "architectures" => repository.architectures = words(value),
        "signed-by" if value.contains("-----BEGIN PGP") => repository.has_embedded_key = true,
        "signed-by" => repository.keys = words(value),
        "trusted" => repository.is_trusted = parse_bool(value),
        _ => {}
    }
}

fn read_paragraphs(content: &[u8]) -> RepositoryFile {
    let mut file = RepositoryFile::default();
    let (mut paragraphs, mut paragraph) = (Paragraphs::new(content), Paragraph::default());
    for number in 1.. {
        match paragraphs.next_into(&mut paragraph) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error @ ControlError::Malformed { .. }) => {
                file.problems.add(number, error.to_string());
                continue;
            }
            Err(error) => {
                file.problems.add(number, error.to_string());
                break;
            }
        }
        let mut repository = Repository::new(Manager::Apt, number);
        for (name, value) in paragraph.iter() {
            match name.to_ascii_lowercase().as_str() {
                "types" => repository.types = words(value),
                "uris" => repository.uris = words(value),
                "suites" => repository.suites = words(value),
                "components" => repository.components = words(value),
                "enabled" => repository.is_enabled = parse_bool(value).unwrap_or(true),
                "x-repolib-name" => repository.name = Some(value.to_owned()),
                other => set_option(&mut repository, other, value),
            }
        }
        if repository.uris.is_empty() || repository.suites.is_empty() || repository.types.is_empty() {
            file.problems.add(number, "a paragraph lacks `Types`, `URIs` or `Suites`");
        } else {
            file.add(repository);
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_with_options() {
        let text = "# note\n\
                    deb [arch=amd64,arm64 signed-by=/k.gpg trusted=yes] http://a.example/debian trixie main non-free # x\n\
                    deb-src http://a.example/debian trixie main\n\
                    deb cdrom:[Debian 13 _Trixie_]/ trixie main\n\
                    deb http://b.example/flat ./\n\
                    rpm http://c.example x\ndeb http://d.example\n";
        let found = read_apt("sources.list", text.as_bytes()).unwrap();
        let shown: Vec<_> = found
            .repositories
            .iter()
            .map(|one| (one.position, one.types[0].as_str(), one.uris[0].as_str(), one.suites[0].as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                (2, "deb", "http://a.example/debian", "trixie"),
                (3, "deb-src", "http://a.example/debian", "trixie"),
                (4, "deb", "cdrom:[Debian 13 _Trixie_]/", "trixie"),
                (5, "deb", "http://b.example/flat", "./")
            ]
        );
        let first = &found.repositories[0];
        assert_eq!((first.architectures.len(), first.keys[0].as_str()), (2, "/k.gpg"));
        assert_eq!(first.components, ["main", "non-free"]);
        assert!(first.is_unsigned() && !found.repositories[1].is_unsigned());
        assert_eq!(found.problems.count(), 2);
    }

    #[test]
    fn reads_paragraphs() {
        let text = "Types: deb deb-src\n# note\nURIs: http://a.example/debian\nSuites: trixie\n trixie-updates\n\
                    Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n\
                    Types: deb\nURIs: http://b.example\nSuites: /\nEnabled: no\nTrusted: yes\nArchitectures: amd64\n\
                    Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDME\n\nTypes: deb\nURIs: x\n";
        let found = read_apt("debian.sources", text.as_bytes()).unwrap();
        assert_eq!(found.repositories.len(), 2);
        let [first, second] = &found.repositories[..] else { panic!() };
        assert_eq!(first.suites, ["trixie", "trixie-updates"]);
        assert_eq!(first.types, ["deb", "deb-src"]);
        assert!(first.is_enabled && !first.has_embedded_key);
        assert!(!second.is_enabled && second.has_embedded_key && second.is_unsigned());
        assert_eq!(found.problems.count(), 1);
    }

    #[test]
    fn files_that_apt_passes_over_are_no_sources() {
        for name in ["x.list.save", "x.sources~", "README", "x.list.dpkg-old", "a b.list"] {
            assert!(read_apt(name, b"").is_none(), "{name}");
        }
    }
}
