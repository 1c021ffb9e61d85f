//! apk's repositories (`apk-repositories(5)`).

use crate::bytes::{lines, text};

use super::repository::{Manager, Repository, RepositoryFile};

/// Reads `/etc/apk/repositories`: `[@tag] address`, or since apk 3 `[@tag] address component...`.
pub fn read_apk(content: &[u8]) -> RepositoryFile {
    let mut file = RepositoryFile::default();
    for (number, line) in lines(content) {
        let line = text(line);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut repository = Repository::new(Manager::Apk, number);
        let mut words = line.split_whitespace().peekable();
        repository.tag =
            words.next_if(|word| word.starts_with('@')).map(|tag| tag.trim_start_matches('@').to_owned());
        let Some(uri) = words.next().filter(|uri| uri.contains('/')) else {
            file.problems.add(number, "a line has no address");
            continue;
        };
        repository.uris.push(uri.to_owned());
        repository.components.extend(words.map(ToOwned::to_owned));
        let mut parts = uri.trim_end_matches('/').rsplit('/');
        if repository.components.is_empty() {
            repository.components.extend(parts.next().filter(|part| !part.is_empty()).map(ToOwned::to_owned));
        }
        repository.suites.extend(parts.next().filter(|part| is_branch(part)).map(ToOwned::to_owned));
        file.add(repository);
    }
    file
}

/// Tells whether a part of an address is a branch of Alpine: `v3.20`, `edge`, `latest-stable`.
fn is_branch(part: &str) -> bool {
    matches!(part, "edge" | "latest-stable")
        || part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_branches_and_tags() {
        let text = "# x\nhttps://a.example/alpine/v3.20/main\n\n@edge https://a.example/alpine/edge/community/\n\
                    /srv/packages\nhttps://b.example/alpine/v3.22 main community\nnonsense\n";
        let found = read_apk(text.as_bytes());
        let shown: Vec<_> = found
            .repositories
            .iter()
            .map(|one| (one.suites.join(" "), one.components.join(" "), one.tag.as_deref()))
            .collect();
        let wanted = [
            ("v3.20", "main", None),
            ("edge", "community", Some("edge")),
            ("", "packages", None),
            ("v3.22", "main community", None),
        ];
        assert_eq!(
            shown,
            wanted.map(|(suite, components, tag)| (suite.to_owned(), components.to_owned(), tag))
        );
        assert_eq!(found.problems.count(), 1);
    }
}
