//! Sits in every client: holds what the endpoint answered against what the SDK read, and remembers what succeeded.
//!
//! The SDK passes over an element that it does not know, and reads one that is missing as nothing: a misspelt name fails
//! no test that does not ask for that very field. So every value of an answer has to be found in what the SDK made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use serde_json::Value;

/// The services as the SDK calls them, and as the endpoint does.
const SERVICES: [(&str, &str); 12] = [
    ("Auto Scaling", "autoscaling"),
    ("CloudTrail", "cloudtrail"),
    ("EBS", "ebs"),
    ("EC2", "ec2"),
    ("IAM", "iam"),
    ("KMS", "kms"),
    ("Marketplace Catalog", "aws-marketplace"),
    ("Organizations", "organizations"),
    ("SSM", "ssm"),
    ("STS", "sts"),
    ("Service Quotas", "servicequotas"),
    ("rbin", "rbin"),
];

/// What the SDK prints for a value that is a secret.
const REDACTED: &str = "*** Sensitive Data Redacted ***";
/// What it keeps secret: the tests look at these themselves.
const SECRETS: [&str; 11] = [
    "AccessKeyId",
    "BlockIndex",
    "BlockToken",
    "Expiration",
    "FirstBlockToken",
    "SecondBlockToken",
    "SecretAccessKey",
    "SessionToken",
    "Value",
    "keyMaterial",
    "userData",
];
/// What is said of a value that is none of those that the SDK lists.
const NO_NAME: &str = "a value that the SDK has no name for";
/// The operations that answer what AWS's reference says and the SDK has no name for: an internet gateway that is attached
/// is `available`.
const UNNAMED: [&str; 1] = ["ec2 DescribeInternetGateways"];

#[derive(Clone, Debug, Default)]
pub(crate) struct Witness {
    succeeded: Arc<Mutex<BTreeSet<String>>>,
    attempts: Arc<AtomicU32>,
}

impl Witness {
    /// Returns how many requests were sent since this was asked for last.
    pub(crate) fn take_attempts(&self) -> u32 {
        self.attempts.swap(0, Ordering::Relaxed)
    }

    /// Fails when one of the operations did not succeed.
    pub(crate) fn assert_succeeded(&self, operations: &[&str]) {
        let succeeded = self.succeeded.lock().unwrap_or_else(PoisonError::into_inner);
        let missing: Vec<&&str> = operations.iter().filter(|name| !succeeded.contains(**name)).collect();
        assert!(missing.is_empty(), "listed, and never answered with success: {missing:?}");
    }
}

impl Intercept for Witness {
    fn name(&self) -> &'static str {
        "what was answered is what was read"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let metadata = cfg.load::<Metadata>().unwrap();
        let service = SERVICES.iter().find(|(id, _)| *id == metadata.service());
        let (_, service) = service.unwrap_or_else(|| panic!("no name for {}", metadata.service()));
        let operation = format!("{service} {}", metadata.name());
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        // A body that is passed on as it comes is looked at by whoever asked for it.
        if let Some(body) = context.response().body().bytes() {
            let body = std::str::from_utf8(body).unwrap();
            let mut differences = differences(body, &format!("{output:?}"));
            differences.retain(|one| one != NO_NAME || !UNNAMED.contains(&operation.as_str()));
            assert!(differences.is_empty(), "{operation}: {differences:#?}\nin\n{body}\nread as\n{output:?}");
        }
        self.succeeded.lock().unwrap_or_else(PoisonError::into_inner).insert(operation);
        Ok(())
    }
}

/// Returns what is in an answer and not in what was read of it.
fn differences(body: &str, read: &str) -> Vec<String> {
    let leaves = match body.trim_start().chars().next() {
        Some('<') => leaves_of_xml(body),
        Some('{') => leaves_of_json(&serde_json::from_str(body).unwrap()),
        _ => Vec::new(),
    };
    let mut differences = Vec::new();
    if read.contains("UnknownVariantValue(") {
        differences.push(NO_NAME.to_owned());
    }
    let mut values = BTreeMap::new();
    for value in values_of(read) {
        *values.entry(value).or_insert(0_usize) += 1;
    }
    let mut take = |value: &str| match values.get_mut(value) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    let is_known = |name: &str| {
        // EC2 answers that much to whatever it has done, and the SDK has often no field for it.
        (name == "return" && !read.contains("return")) || (SECRETS.contains(&name) && read.contains(REDACTED))
    };
    for (name, text) in &leaves {
        if !forms(text).iter().any(|form| take(form)) && !is_known(name) {
            differences.push(format!("{name}: {text}"));
        }
    }
    differences
}

/// Returns the texts of an answer, each with the name of its element.
fn leaves_of_xml(body: &str) -> Vec<(String, String)> {
    let mut leaves = Vec::new();
    for part in body.split('<').skip(1) {
        let Some((tag, text)) = part.split_once('>') else { continue };
        if !text.trim().is_empty() && !tag.starts_with(['/', '?']) {
            let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
            leaves.push((tag.to_owned(), text.replace("&apos;", "'").replace("&amp;", "&")));
        }
    }
    leaves
}

/// Returns the values of an answer, each with its name.
fn leaves_of_json(document: &Value) -> Vec<(String, String)> {
    let mut leaves = Vec::new();
    let mut rest = vec![(String::new(), document)];
    while let Some((name, value)) = rest.pop() {
        match value {
            Value::Object(fields) => rest.extend(fields.iter().map(|(name, value)| (name.clone(), value))),
            Value::Array(entries) => rest.extend(entries.iter().map(|entry| (name.clone(), entry))),
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => leaves.push((name, text.clone())),
            Value::Null => {}
            other => leaves.push((name, other.to_string())),
        }
    }
    leaves
}

/// Returns how a value of an answer may look once it is read.
fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![plain(text)];
    if let Ok(time) = DateTime::from_str(text, Format::DateTime) {
        forms.push(format!("@{}", time.secs()));
    }
    if let Ok(number) = text.parse::<f64>() {
        // A time in JSON, or a number that is one with a fraction in the SDK.
        let seconds = text.split('.').next().unwrap_or(text);
        forms.extend([format!("@{seconds}"), plain(&format!("{number:?}"))]);
    }
    forms
}

/// Leaves the letters and digits of a text: the SDK's names of values have nothing else.
fn plain(text: &str) -> String {
    let plain: String = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
    if plain.is_empty() { text.to_owned() } else { plain.to_lowercase() }
}

/// Returns the values in what `Debug` wrote: neither the names of fields nor those of types.
fn values_of(read: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = read;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let end = end_of_string(rest);
            let text = unescape(&rest[1..end - 1]);
            rest = &rest[end..];
            if !rest.starts_with(':') {
                values.push(plain(&text));
            }
            continue;
        }
        let end = rest.find(|letter: char| !is_word(letter)).unwrap_or(rest.len());
        // Times have colons and no quotes.
        let whole = rest.find(|letter: char| !is_word(letter) && letter != ':').unwrap_or(rest.len());
        let time = DateTime::from_str(&rest[..whole], Format::DateTime).ok();
        if let Some(time) = time {
            values.push(format!("@{}", time.secs()));
            rest = &rest[whole..];
        } else if end == 0 {
            rest = &rest[first.len_utf8()..];
        } else {
            let (word, after) = rest.split_at(end);
            rest = after;
            if ![":", " {", "(", "["].iter().any(|mark| after.starts_with(mark)) {
                values.push(plain(word));
            }
        }
    }
    values
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_#.-+".contains(letter)
}

/// Returns where a string in quotes ends.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (place, letter) in text.char_indices().skip(1) {
        match letter {
            '"' if !is_escaped => return place + 1,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

/// Undoes what `Debug` did to a string; only letters and digits matter, so the rest may stay.
fn unescape(text: &str) -> String {
    let text = text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").replace("\\'", "'");
    text.replace("\\\"", "\"").replace("\\\\", "\\")
}

#[test]
fn what_was_not_read_is_found() {
    let body = "<R><a>x-y</a><is>true</is><at>2026-01-02T03:04:05.000Z</at><n>8</n></R>";
    let read = "R { a: Some(XY), is: Some(true), at: Some(2026-01-02T03:04:05Z), n: Some(8) }";
    assert_eq!(differences(body, read), Vec::<String>::new());
    let read = "R { a: None, is: Some(false), at: None, n: Some(9), x_y: Some(\"a\\\"8\") }";
    let expected = ["a: x-y", "is: true", "at: 2026-01-02T03:04:05.000Z", "n: 8"];
    assert_eq!(differences(body, read), expected);
    assert_eq!(
        differences(r#"{"A":{"B":1700000000.5,"C":[1.0]}}"#, "R { b: 2023-11-14T22:13:20.5Z, c: [1.0] }"),
        [""; 0]
    );
}
