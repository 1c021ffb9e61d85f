//! What AWS asks of the texts of a version, and of the ports that it advises buyers to open.
//!
//! AWS's people read these texts. What they look for is written in the seller guide; each note names its page. A note is
//! found by words, so that it can be wrong: nothing here stands in the way, but for what the catalog itself refuses.

use super::check::Flaw;
use super::listing::{Listing, Opening};

/// "AMI and container product usage instructions".
pub(super) const USAGE: &str =
    "https://docs.aws.amazon.com/marketplace/latest/userguide/ami-container-product-usage-instructions.html";
/// "AMI-based product requirements for AWS Marketplace".
pub(super) const REQUIREMENTS: &str =
    "https://docs.aws.amazon.com/marketplace/latest/userguide/product-and-ami-policies.html";
/// "Best practices for building AMIs".
pub(super) const PRACTICES: &str =
    "https://docs.aws.amazon.com/marketplace/latest/userguide/best-practices-for-building-your-amis.html";
/// "AMI product checklist for AWS Marketplace".
const CHECKLIST: &str =
    "https://docs.aws.amazon.com/marketplace/latest/userguide/aws-marketplace-listing-checklist.html";
/// "Errors in the AMI products API", below "Work with AMI-based products".
pub(super) const API: &str =
    "https://docs.aws.amazon.com/marketplace/latest/APIReference/work-with-single-ami-products.html";

/// What usage instructions have to tell, by a word of each.
const TOPICS: [(&[&str], &str); 5] = [
    (&["sensitive", "credential", "password", "secret"], "where sensitive information is kept"),
    (&["encrypt"], "how data is encrypted, or that none is"),
    (
        &["rotat", "renew", "no key", "no credential"],
        "how keys and credentials are rotated, or that there are none",
    ),
    (&["health", "status", "monitor"], "how to see whether it works"),
    (
        &["http", "browser", "ssh", "log in", "login", "connect", "sign in"],
        "how one gets from the launch to the product",
    ),
];
/// What is told only together with something else: words, of which one asks for one of the others.
const FOLLOWS: [(&[&str], &[&str], &str, &str); 3] = [
    (
        &["is encrypted with", "are encrypted with", "is encrypted by", "are encrypted by", "encrypts"],
        &["decrypt"],
        "speak of encryption, and not of how one decrypts",
        USAGE,
    ),
    (
        &["database", "data store", "datastore"],
        &["backup", "back up", "recover", "restore", "snapshot"],
        "speak of a store of data, and not of backup and recovery, which proprietary ones need",
        USAGE,
    ),
    (
        &["apt-get install", "apt install", "pip install", "npm install", "docker pull", "git clone"],
        &["internet"],
        "download something, and do not say that an internet connection is needed",
        REQUIREMENTS,
    ),
];
/// Words for keys of AWS, which no product may ask for.
const KEYS: [&str; 4] = ["access key", "aws_access_key_id", "aws_secret_access_key", "aws configure"];
/// Other clouds, to which no text may send buyers.
const CLOUDS: [&str; 7] =
    ["azure", "google cloud", "gcp", "digitalocean", "oracle cloud", "alibaba cloud", "linode"];
/// Words for what is not released yet.
const UNRELEASED: [&str; 7] =
    ["alpha", "beta", "rc", "release candidate", "prerelease", "pre-release", "trial version"];
/// Ports by which one administers, and those of stores of data: nobody opens them for everybody.
const ADMIN_PORTS: [u16; 9] = [22, 23, 2375, 2376, 3389, 5900, 5985, 5986, 10250];
const DATA_PORTS: [u16; 13] =
    [21, 139, 445, 1433, 1521, 2049, 3306, 5432, 6379, 9200, 11_211, 27_017, 27_018];
/// Addresses of the machine itself, which nobody else can hear.
const OWN_HOSTS: [&str; 4] = ["localhost", "127.0.0.1", "169.254.169.254", "[::1]"];
/// The user that AWS recommends for Linux.
const USER: &str = "ec2-user";

/// Finds what AWS would refuse in the texts of a version, and what its people or buyers would object to.
pub(super) fn lint(listing: &Listing) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (code, what, text) in texts(listing) {
        refuse_form(code, what, text, &mut flaws);
    }
    let strange: String =
        listing.title.chars().filter(|letter| !letter.is_ascii() && !"™®".contains(*letter)).collect();
    if !strange.is_empty() {
        let message = format!(
            "AWS does not say whether a title may have `{strange}`, and refuses what it does not support"
        );
        flaws.push(Flaw::noted("INVALID_VERSION_TITLE", message, "use letters of ASCII").citing(API));
    }
    lint_usage(listing, &mut flaws);
    for (_, what, text) in texts(listing) {
        lint_text(what, text, &mut flaws);
    }
    for opening in &listing.openings {
        lint_opening(opening, &mut flaws);
    }
    if listing.access.as_ref().is_some_and(|access| access.protocol == "http") {
        let message = "buyers are sent to the product by http, which is not encrypted";
        flaws.push(Flaw::noted("PLAIN_ACCESS", message, "serve it by https").citing(PRACTICES));
    }
    if !listing.user_name.is_empty() && listing.user_name != USER {
        let message =
            format!("the user is `{}`, and AWS recommends {USER} for all products", listing.user_name);
        flaws.push(Flaw::noted("USER_NAME", message, "see `[user] name` in the recipe").citing(PRACTICES));
    }
    flaws
}

fn texts(listing: &Listing) -> [(&'static str, &'static str, &str); 3] {
    [
        ("INVALID_VERSION_TITLE", "title", &listing.title),
        ("INVALID_RELEASE_NOTES", "release notes", &listing.release_notes),
        ("INVALID_USAGE_INSTRUCTIONS", "usage instructions", &listing.usage_instructions),
    ]
}

/// Finds what the catalog refuses in any text.
fn refuse_form(code: &'static str, what: &str, text: &str, flaws: &mut Vec<Flaw>) {
    if text.starts_with(char::is_whitespace) {
        let message = format!("the {what} must not begin with a blank or a line break");
        flaws.push(Flaw::refused(code, message, "remove it").citing(API));
    }
    if [" ™", " ®"].iter().any(|marked| text.contains(marked)) {
        let message = format!("the {what} must have no blank before the sign of a trademark");
        flaws.push(Flaw::refused(code, message, "remove it").citing(API));
    }
}

fn lint_usage(listing: &Listing, flaws: &mut Vec<Flaw>) {
    const CODE: &str = "USAGE_TOPIC";
    const HINT: &str = "see `usage_instructions` in the recipe's `[marketplace]`";
    let usage = listing.usage_instructions.to_ascii_lowercase();
    if usage.is_empty() {
        return;
    }
    let has = |words: &[&str]| words.iter().any(|word| usage.contains(word));
    let mut note = |message: String, page| flaws.push(Flaw::noted(CODE, message, HINT).citing(page));
    for (words, topic) in TOPICS {
        if !has(words) {
            note(format!("the usage instructions do not tell {topic}"), USAGE);
        }
    }
    for (words, others, what, page) in FOLLOWS {
        if has(words) && !has(others) {
            note(format!("the usage instructions {what}"), page);
        }
    }
    // Who logs in has to know as whom.
    if !listing.user_name.is_empty()
        && has(&["ssh "])
        && !usage.contains(&listing.user_name.to_ascii_lowercase())
    {
        note(format!("the usage instructions do not name the user `{}`", listing.user_name), USAGE);
    }
}

fn lint_text(what: &str, text: &str, flaws: &mut Vec<Flaw>) {
    let lower = text.to_ascii_lowercase();
    let verb = if what == "title" { "s" } else { "" };
    if let Some(key) = KEYS.into_iter().find(|key| is_asked(&lower, key)) {
        let message = format!("the {what} speak{verb} of `{key}`: no product may ask buyers for keys of AWS");
        let hint = "let the instance have a role of the least rights, and tell which";
        flaws.push(Flaw::noted("ASKS_FOR_KEYS", message, hint).citing(REQUIREMENTS));
    }
    if tells_password(&lower) {
        let message = format!("the {what} tell{verb} a password: services must not be entered by one");
        let hint = "let buyers log in by their key pair";
        flaws.push(Flaw::noted("TELLS_PASSWORD", message, hint).citing(REQUIREMENTS));
    }
    if let Some(cloud) = CLOUDS.into_iter().find(|cloud| has_word(&lower, cloud)) {
        let message = format!("the {what} name{verb} `{cloud}`, and must not send buyers to other clouds");
        flaws.push(Flaw::noted("OTHER_CLOUD", message, "leave it out").citing(REQUIREMENTS));
    }
    let unreleased =
        UNRELEASED.into_iter().find(|word| what != "usage instructions" && has_word(&lower, word));
    if let Some(word) = unreleased {
        let message = format!("the {what} say{verb} `{word}`: what is not released yet cannot be sold");
        flaws.push(Flaw::noted("PRERELEASE", message, "sell what is released").citing(REQUIREMENTS));
    }
    if ["your email", "your e-mail"].iter().any(|asked| lower.contains(asked)) {
        let message = format!(
            "the {what} speak{verb} of the buyer's e-mail address, which none has to give to use a product"
        );
        let hint = "where it is a choice, tell what is collected, where it is kept and what for";
        flaws.push(Flaw::noted("PERSONAL_DATA", message, hint).citing(CHECKLIST));
    }
    if let Some(link) = plain_link(&lower) {
        let message = format!("the {what} link{verb} to `{link}`, which is not encrypted");
        flaws.push(Flaw::noted("PLAIN_LINK", message, "write https").citing(PRACTICES));
    }
}

fn lint_opening(opening: &Opening, flaws: &mut Vec<Flaw>) {
    if !opening.sources.iter().any(|source| source.ends_with("/0")) {
        return;
    }
    let place = format!("{} {}", opening.protocol, opening.port);
    if ADMIN_PORTS.contains(&opening.port) {
        let message = format!("{place}, by which one administers, is opened for everybody");
        let hint = "name the networks of those who administer";
        flaws.push(Flaw::noted("OPEN_ADMIN_PORT", message, hint).citing(PRACTICES));
    }
    if DATA_PORTS.contains(&opening.port) {
        let message = format!("{place}, at which data is kept, is opened for everybody");
        let hint = "name the networks that need it";
        flaws.push(Flaw::noted("OPEN_DATA_PORT", message, hint).citing(PRACTICES));
    }
}

/// Finds the release notes of an update that do not say how important it is.
pub(super) fn lint_update(release_notes: &str) -> Option<Flaw> {
    let lower = release_notes.to_ascii_lowercase();
    let is_labelled = ["critical", "important", "optional"].iter().any(|label| has_word(&lower, label));
    (!is_labelled && !lower.is_empty()).then(|| {
        let message = "the release notes do not say whether the update is critical, important or optional";
        Flaw::noted("RELEASE_LABEL", message, "begin with one of these words").citing(USAGE)
    })
}

/// Tells whether a text has a word, or several, as such: not within others.
fn has_word(text: &str, word: &str) -> bool {
    let is_edge = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_ascii_alphabetic());
    text.match_indices(word).any(|(at, found)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + found.len()..].chars().next());
        is_edge(before) && is_edge(after)
    })
}

/// Tells whether something is spoken of without a word before it that says no.
fn is_asked(text: &str, what: &str) -> bool {
    text.match_indices(what).any(|(at, _)| {
        let sentence = text[..at].rsplit(['.', ';', '\n']).next().unwrap_or_default();
        !["no", "not", "never", "without", "none"].iter().any(|word| has_word(sentence, word))
    })
}

/// Tells whether a text says what a password is: `password: x`, `password = x`.
fn tells_password(text: &str) -> bool {
    text.match_indices("password").any(|(at, found)| {
        let rest = text[at + found.len()..].trim_start_matches([' ', '"', '`', '\'']);
        let value = rest.strip_prefix([':', '=']).map(str::trim_start);
        value.is_some_and(|value| value.starts_with(|first: char| !first.is_whitespace() && first != '<'))
    })
}

fn plain_link(text: &str) -> Option<&str> {
    text.match_indices("http://").find_map(|(at, _)| {
        let link =
            text[at..].split(|letter: char| letter.is_whitespace() || "\"'`<>)".contains(letter)).next()?;
        let host = link["http://".len()..].split('/').next().unwrap_or_default();
        let is_own = OWN_HOSTS.iter().any(|own| host.starts_with(own));
        (!is_own && !host.is_empty()).then_some(link.trim_end_matches(['.', ',', ';']))
    })
}

#[cfg(test)]
mod tests {
    use super::super::listing::Access;
    use super::*;

    const GOOD: &str = "Log in by `ssh ec2-user@…` with your key. No password is kept, no access keys are needed, nothing \
                        is encrypted, there are no keys to rotate; https://…/health tells the status.";

    fn listing() -> Listing {
        Listing {
            title: "Web 1.0.0".to_owned(),
            release_notes: "Critical: security updates of the proxy's architecture.".to_owned(),
            usage_instructions: GOOD.to_owned(),
            user_name: USER.to_owned(),
            ..Listing::default()
        }
    }

    fn of_usage(usage: &str) -> Vec<(&'static str, bool)> {
        let listing = Listing { usage_instructions: format!("{GOOD} {usage}"), ..listing() };
        lint(&listing).iter().map(|flaw| (flaw.code, flaw.is_refused)).collect()
    }

    #[test]
    fn each_rule_of_the_guide_is_found_and_what_only_sounds_like_it_is_not() {
        assert_eq!(lint(&listing()), []);
        for (usage, code) in [
            ("Enter your AWS access key and secret.", "ASKS_FOR_KEYS"),
            ("Username: admin, password: changeme", "TELLS_PASSWORD"),
            ("The same runs on Google Cloud.", "OTHER_CLOUD"),
            ("Register with your e-mail address.", "PERSONAL_DATA"),
            ("See http://example.com/manual.", "PLAIN_LINK"),
            ("Disks are encrypted with LUKS.", "USAGE_TOPIC"),
            ("Rows go to a database.", "USAGE_TOPIC"),
            ("First run apt-get install nginx.", "USAGE_TOPIC"),
        ] {
            assert_eq!(of_usage(usage), [(code, false)], "{usage}");
        }
        for usage in [
            "It never asks for an access key.",
            "There is a password: <none>.",
            "The sky is azureous.",
            "curl http://169.254.169.254/latest and http://localhost:8080/ need no internet.",
            "Disks are encrypted with LUKS; `unlock` decrypts them.",
            "Rows go to a database; restore it from a snapshot.",
        ] {
            assert_eq!(of_usage(usage), [], "{usage}");
        }
        let silent = Listing { usage_instructions: "Enjoy.".to_owned(), ..listing() };
        assert_eq!(lint(&silent).len(), TOPICS.len());
        let nameless = Listing { usage_instructions: GOOD.replace(USER, "root"), ..listing() };
        assert!(lint(&nameless)[0].message.contains("do not name the user `ec2-user`"));
    }

    #[test]
    fn what_the_catalog_refuses_is_refused_and_every_note_names_its_page() {
        let bad = Listing {
            title: "Wéb ™ 1.0.0-rc1".to_owned(),
            release_notes: " Beta of the next one.".to_owned(),
            user_name: "admin".to_owned(),
            access: Some(Access { protocol: "http".to_owned(), port: 80, path: "/".to_owned() }),
            openings: [22, 5432, 443]
                .map(|port| Opening {
                    protocol: "tcp".to_owned(),
                    port,
                    sources: vec!["10.0.0.0/8".to_owned(), "0.0.0.0/0".to_owned()],
                })
                .to_vec(),
            ..listing()
        };
        let found = lint(&bad);
        let codes: Vec<_> = found.iter().map(|flaw| (flaw.code, flaw.is_refused)).collect();
        assert_eq!(
            codes,
            [
                ("INVALID_VERSION_TITLE", true),
                ("INVALID_RELEASE_NOTES", true),
                ("INVALID_VERSION_TITLE", false),
                ("USAGE_TOPIC", false),
                ("PRERELEASE", false),
                ("PRERELEASE", false),
                ("OPEN_ADMIN_PORT", false),
                ("OPEN_DATA_PORT", false),
                ("PLAIN_ACCESS", false),
                ("USER_NAME", false),
            ]
        );
        assert!(
            found
                .iter()
                .all(|flaw| flaw.page.is_some_and(|page| page.starts_with("https://docs.aws.amazon.com/")))
        );
        assert!(lint_update("Faster.").is_some() && lint_update("Important: faster.").is_none());
    }
}
