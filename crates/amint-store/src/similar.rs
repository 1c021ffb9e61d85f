//! Finds names that a mistyped one may have meant.

/// Most names that are offered.
const NAMES_MAX: usize = 3;

/// Returns those of `known` that look like `wanted`, the most alike first.
pub(crate) fn similar(wanted: &str, known: impl Iterator<Item = String>) -> Vec<String> {
    let mut scored: Vec<(usize, String)> = known
        .filter_map(|name| {
            let is_part = name.contains(wanted) || wanted.contains(name.as_str());
            let distance = distance(wanted, &name);
            (is_part || distance <= wanted.len().max(3) / 3).then_some((distance, name))
        })
        .collect();
    scored.sort();
    scored.dedup();
    scored.truncate(NAMES_MAX);
    scored.into_iter().map(|(_, name)| name).collect()
}

/// Counts the letters to insert, delete or change (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(wanted: &str, known: &[&str]) -> Vec<String> {
        similar(wanted, known.iter().map(ToString::to_string))
    }

    #[test]
    fn offers_what_a_slip_of_the_finger_meant() {
        assert_eq!(find("wbe", &["web", "database"]), Vec::<String>::new(), "two letters of three differ");
        assert_eq!(find("wen", &["database", "web"]), ["web"]);
        assert_eq!(find("data", &["web", "database"]), ["database"]);
        assert_eq!(find("nginx-proxi", &["nginx-proxy", "apache"]), ["nginx-proxy"]);
    }

    #[test]
    fn offers_three_at_most_and_the_most_alike_first() {
        assert_eq!(find("web", &["web-4", "webs", "web-22", "web-333"]), ["webs", "web-4", "web-22"]);
    }
}
