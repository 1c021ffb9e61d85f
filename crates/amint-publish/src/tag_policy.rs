//! The tag policy of an organization, held against the tags that images and snapshots get.
//!
//! Source: AWS Organizations user guide, "Tag policy syntax" and "Viewing effective tag policies".

use crate::cloud::Tags;
use serde_json::Value;

use crate::plan::Problem;

/// The kinds of resources that publishing makes, as tag policies name them.
const KINDS: [&str; 2] = ["ec2:image", "ec2:snapshot"];
/// The kinds that stand for all of a service.
const ALL_KINDS: [&str; 2] = ["ec2:*", "ec2:ALL_SUPPORTED"];

/// Tells in what tags differ from a policy, whether AWS would refuse them for it or only report them: who publishes does not
/// want images that somebody has to tag again.
///
/// # Errors
/// Fails when the text is not a tag policy.
pub(crate) fn tag_problems(policy: &str, tags: &Tags) -> Result<Vec<Problem>, serde_json::Error> {
    let document: Value = serde_json::from_str(policy)?;
    let mut problems = Vec::new();
    for rule in document["tags"].as_object().into_iter().flat_map(serde_json::Map::values) {
        let Some(key) = assigned(&rule["tag_key"]).as_str() else { continue };
        check(rule, key, tags, &mut problems);
    }
    Ok(problems)
}

fn check(rule: &Value, key: &str, tags: &Tags, problems: &mut Vec<Problem>) {
    let problem = |message: String, hint: String| Problem { message, hint };
    let lower = key.to_lowercase();
    for wrong in tags.keys().filter(|tag| *tag != key && tag.to_lowercase() == lower) {
        let message = format!("the tag policy writes the tag `{wrong}` as `{key}`");
        problems.push(problem(message, "see `[publish.tags]`, or `--tag`".to_owned()));
    }
    let allowed = texts(&rule["tag_value"]);
    let Some(value) = tags.get(key) else {
        let is_wanted = texts(&rule["report_required_tag_for"])
            .iter()
            .any(|kind| KINDS.contains(kind) || ALL_KINDS.contains(kind));
        if is_wanted {
            let hint = format!("write `{key} = …` below `[publish.tags]`, or `--tag {key}=…`");
            problems.push(problem(format!("the tag policy wants the tag `{key}`"), hint));
        }
        return;
    };
    if !allowed.is_empty() && !allowed.iter().any(|pattern| is_match(pattern, value)) {
        let message = format!("the tag policy does not allow `{value}` for the tag `{key}`");
        problems.push(problem(message, format!("it allows {}", allowed.join(", "))));
    }
}

/// Returns what a policy says, in the form of attached policies (`{"@@assign": …}`) as in that of effective ones.
fn assigned(value: &Value) -> &Value {
    value.get("@@assign").unwrap_or(value)
}

fn texts(value: &Value) -> Vec<&str> {
    assigned(value).as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Compares a value with a pattern, in which `*` stands for anything; AWS allows one in each.
fn is_match(pattern: &str, value: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == value,
        Some((start, end)) => {
            value.len() >= start.len() + end.len() && value.starts_with(start) && value.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{"tags": {
        "costcenter": {
            "tag_key": {"@@assign": "CostCenter"}, "tag_value": {"@@assign": ["100", "2*"]},
            "enforced_for": {"@@assign": ["ec2:image"]}, "report_required_tag_for": {"@@assign": ["ec2:snapshot"]}
        },
        "team": {"tag_key": "team", "tag_value": ["web", "data"]},
        "backup": {"tag_key": "backup", "report_required_tag_for": ["rds:db"]}
    }}"#;

    fn messages(pairs: &[(&str, &str)]) -> Vec<String> {
        let tags = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        tag_problems(POLICY, &tags).unwrap().into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn tags_are_held_against_keys_values_and_what_is_wanted() {
        assert!(messages(&[("CostCenter", "100"), ("team", "web"), ("else", "x")]).is_empty());
        assert!(messages(&[("CostCenter", "234")]).is_empty(), "a pattern, and a tag that nobody wants");
        assert_eq!(messages(&[]), ["the tag policy wants the tag `CostCenter`"]);
        assert_eq!(
            messages(&[("costcenter", "100"), ("team", "ops")]),
            [
                "the tag policy writes the tag `costcenter` as `CostCenter`",
                "the tag policy wants the tag `CostCenter`",
                "the tag policy does not allow `ops` for the tag `team`"
            ]
        );
        assert_eq!(
            messages(&[("CostCenter", "300")]),
            ["the tag policy does not allow `300` for the tag `CostCenter`"]
        );
        assert!(tag_problems("no policy", &Tags::new()).is_err());
    }
}
