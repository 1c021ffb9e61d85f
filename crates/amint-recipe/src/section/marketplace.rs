//! `[marketplace]`: how the image is sold on AWS Marketplace.

use amint_types::ImageVersion;
use schemars::JsonSchema;
use serde::Serialize;

use crate::defaults;
use crate::problems::{Flaw, Problem, Problems};
use crate::section::ports::PORT_NUMBERS;
use crate::section::{Port, Protocol};
use crate::table::{Located, Table, values};
use crate::text::{Choice, Cidr, choose, plain};

pub(crate) const KEYS: [&str; 10] = [
    "product",
    "access_role",
    "title",
    "release_notes",
    "usage_instructions",
    "instance_type",
    "system_name",
    "system_version",
    "ssh_from",
    "access",
];
pub(crate) const ACCESS_KEYS: [&str; 3] = ["protocol", "port", "path"];

/// What stands for the image's version in a title.
const VERSION: &str = "{version}";
/// The most characters of each text (`AddDeliveryOptions` of `AmiProduct@1.0`).
const TITLE_MAX: usize = 64;
const RELEASE_NOTES_MAX: usize = 30_000;
const USAGE_MAX: usize = 4000;
const SYSTEM_MAX: usize = 100;
const INSTANCE_TYPE_MAX: usize = 24;
const SOURCES_MAX: usize = 5;
/// The most characters of a path, without the `/` at its beginning (`AccessEndpointUrl`).
const PATH_MAX: usize = 2000;

/// Says how the image is sold on AWS Marketplace (A16).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Marketplace {
    /// The product that the image is a version of: `prod-…`.
    #[schemars(regex(pattern = "^prod-[a-z0-9]{1,60}$"))]
    pub product: Option<String>,
    /// The ARN of the role by which AWS Marketplace takes the image in. Without it the account's role `amint-marketplace`.
    #[schemars(regex(pattern = "^arn:aws:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$"))]
    pub access_role: Option<String>,
    /// What the version is called; each version of a product has a title of its own. `{version}` stands for the image's
    /// version, which is the title without this key.
    #[schemars(length(min = 1, max = 64))]
    pub title: Option<String>,
    /// What is new in this version.
    #[schemars(length(min = 1, max = 30000))]
    pub release_notes: Option<String>,
    /// How buyers use it: where sensitive information is kept, what is encrypted, how to see whether it works.
    #[schemars(length(min = 1, max = 4000))]
    pub usage_instructions: Option<String>,
    /// The type of instances that buyers are advised to choose.
    #[schemars(regex(pattern = "^[a-z0-9-]+\\.[a-z0-9-]+$"))]
    pub instance_type: Option<String>,
    /// What AWS Marketplace calls the operating system. Without it `DEBIAN`.
    #[schemars(length(min = 1, max = 100))]
    pub system_name: Option<String>,
    /// Which version of the operating system it is. Without it the number of Debian's release: `13`.
    #[schemars(length(min = 1, max = 100))]
    pub system_version: Option<String>,
    /// From where buyers are advised to let SSH in, where `[[ports]]` does not say: without it the networks from which AWS
    /// scans.
    #[schemars(default, length(max = 5))]
    pub ssh_from: Vec<Cidr>,
    /// Where buyers reach the product once an instance runs. Without it AWS Marketplace shows no address.
    #[schemars(with = "Access", default)]
    pub access: Option<Access>,
}

/// Says where buyers reach the product: AWS Marketplace puts the instance's name before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Access {
    /// By which protocol.
    pub protocol: AccessProtocol,
    /// At which port, one of `[[ports]]`. Without it 443 for `https` and 80 for `http`.
    #[schemars(with = "Option<u16>", range(min = 1, max = 65535))]
    pub port: u16,
    /// Which page comes first.
    #[schemars(default = "defaults::access_path", regex(pattern = "^/(?!/)[!-~]{0,2000}$"))]
    pub path: String,
}

/// A protocol by which a product is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
#[non_exhaustive]
pub enum AccessProtocol {
    /// Encrypted.
    Https,
    /// Not encrypted.
    Http,
}

impl AccessProtocol {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

impl Choice for AccessProtocol {
    const WHAT: &'static str = "a protocol by which buyers reach a product";
    const ALL: &'static [Self] = &[Self::Https, Self::Http];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Marketplace {
    /// Returns the title of an image's version.
    pub fn version_title(&self, version: &ImageVersion) -> String {
        match &self.title {
            Some(title) => title.replace(VERSION, &version.to_string()),
            None => version.to_string(),
        }
    }
}

pub(crate) fn parse(
    root: &Table<'_>,
    problems: &mut Problems<'_>,
    version: Option<&ImageVersion>,
    ports: &[Port],
) -> Marketplace {
    let Some(table) = root.table(problems, "marketplace", "[marketplace]", &KEYS) else {
        return Marketplace::default();
    };
    let mut text = |key, most| {
        let found = table.parsed(problems, key, |text| long(text, most));
        found.map(|text| text.value)
    };
    let (release_notes, usage_instructions, system_name, system_version) = (
        text("release_notes", RELEASE_NOTES_MAX),
        text("usage_instructions", USAGE_MAX),
        text("system_name", SYSTEM_MAX),
        text("system_version", SYSTEM_MAX),
    );
    let title = table.parsed(problems, "title", title);
    let found = Marketplace {
        product: table.parsed(problems, "product", product).map(|text| text.value),
        access_role: table.parsed(problems, "access_role", role).map(|text| text.value),
        title: title.as_ref().map(|title| title.value.clone()),
        release_notes,
        usage_instructions,
        instance_type: table.parsed(problems, "instance_type", instance_type).map(|text| text.value),
        system_name,
        system_version,
        ssh_from: table
            .parsed_list(problems, "ssh_from", SOURCES_MAX, Cidr::parse)
            .map(values)
            .unwrap_or_default(),
        access: parse_access(&table, problems, ports),
    };
    if let (Some(title), Some(version)) = (title, version) {
        check_title(title, &found.version_title(version), problems);
    }
    found
}

/// Refuses a title that is too long once it holds the version.
fn check_title(title: Located<String>, told: &str, problems: &mut Problems<'_>) {
    let count = told.chars().count();
    if count > TITLE_MAX {
        let message =
            format!("the title `{told}` has {count} characters, and AWS Marketplace takes {TITLE_MAX}");
        problems.push(Problem::relation(title.span, message).hint("shorten it, or the version of the image"));
    }
}

fn parse_access(table: &Table<'_>, problems: &mut Problems<'_>, ports: &[Port]) -> Option<Access> {
    let access = table.table(problems, "access", "access", &ACCESS_KEYS)?;
    access.require(problems, "protocol");
    let protocol = access.parsed(problems, "protocol", choose::<AccessProtocol>);
    let number = access.integer(problems, "port", PORT_NUMBERS);
    let path = access.parsed(problems, "path", access_path);
    let protocol = protocol?.value;
    let port = match number {
        Some(number) => u16::try_from(number.value).ok()?,
        None if access.has("port") => return None,
        None => protocol.default_port(),
    };
    if !ports.iter().any(|open| open.port == port && open.protocol == Protocol::Tcp) {
        let message =
            format!("buyers would reach the product at port {port}/tcp, which `[[ports]]` does not open");
        let hint = format!("add `[[ports]]` with `port = {port}`");
        problems.push(Problem::relation(access.span_of("port"), message).hint(hint));
    }
    let path = path.map_or_else(defaults::access_path, |path| path.value);
    Some(Access { protocol, port, path })
}

/// Reads a path, with the `/` that people write; `AccessEndpointUrl` itself takes none at its beginning.
fn access_path(text: &str) -> Result<String, Flaw> {
    let Some(rest) = text.strip_prefix('/') else {
        return Err(Flaw::new(format!("`{text}` does not begin with `/`")).hint(format!("write `/{text}`")));
    };
    if rest.starts_with('/') {
        return Err(Flaw::new(format!("`{text}` begins with two `/`")));
    }
    if let Some(refused) = rest.chars().find(|character| !character.is_ascii_graphic()) {
        let message = format!("a path has no `{}`", refused.escape_default());
        return Err(Flaw::new(message).hint("write it as browsers send it: a blank is `%20`"));
    }
    if rest.len() > PATH_MAX {
        let message = format!("the path has {} characters, and AWS Marketplace takes {PATH_MAX}", rest.len());
        return Err(Flaw::new(message));
    }
    Ok(text.to_owned())
}

fn title(text: &str) -> Result<String, Flaw> {
    // Its length is that of what it becomes.
    let text = plain("title", RELEASE_NOTES_MAX, false)(text)?;
    if text.trim() != text {
        return Err(Flaw::new("the title has blanks at its ends"));
    }
    if let Some(at) = text.replace(VERSION, "").find(['{', '}']) {
        let rest = text.replace(VERSION, "");
        let unknown = rest[at..].split_inclusive('}').next().unwrap_or_default();
        return Err(Flaw::new(format!("`{unknown}` stands for nothing in a title"))
            .hint("`{version}` stands for the image's version"));
    }
    check_marks(&text)?;
    Ok(text)
}

/// Refuses a blank before a sign of a trademark ("Errors in the AMI products API").
fn check_marks(text: &str) -> Result<(), Flaw> {
    match [" ™", " ®"].into_iter().find(|marked| text.contains(marked)) {
        Some(marked) => {
            Err(Flaw::new(format!("`{marked}`: AWS Marketplace takes no blank before a sign of a trademark")))
        }
        None => Ok(()),
    }
}

fn long(text: &str, most: usize) -> Result<String, Flaw> {
    let count = text.chars().count();
    if text.trim().is_empty() {
        return Err(Flaw::new("the text is empty"));
    }
    if text.starts_with(char::is_whitespace) {
        return Err(Flaw::new("the text begins with a blank or a line break, which AWS Marketplace refuses"));
    }
    check_marks(text)?;
    if count > most {
        return Err(Flaw::new(format!("the text has {count} characters, and AWS Marketplace takes {most}")));
    }
    Ok(text.to_owned())
}

/// Tells whether a text is the id of a product.
pub fn is_product(text: &str) -> bool {
    text.strip_prefix("prod-").is_some_and(|rest| {
        (1..=60).contains(&rest.len())
            && rest.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    })
}

fn product(text: &str) -> Result<String, Flaw> {
    if is_product(text) {
        return Ok(text.to_owned());
    }
    Err(Flaw::new(format!("`{text}` is not a product"))
        .hint("the management portal of AWS Marketplace shows its id, `prod-` and 13 letters"))
}

/// Reads the ARN of a role.
pub(super) fn role(text: &str) -> Result<String, Flaw> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "+=,.@_/-".contains(letter);
    let is_arn = text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/")).is_some_and(
        |(account, name)| {
            account.len() == 12
                && account.bytes().all(|letter| letter.is_ascii_digit())
                && (1..=512).contains(&name.len())
                && name.chars().all(is_allowed)
        },
    );
    if is_arn {
        return Ok(text.to_owned());
    }
    Err(Flaw::new(format!("`{text}` is not the ARN of a role"))
        .hint("write one such as `arn:aws:iam::111122223333:role/ingestion`"))
}

fn instance_type(text: &str) -> Result<String, Flaw> {
    let is_allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let is_type = text.split_once('.').is_some_and(|(family, size)| {
        !family.is_empty()
            && !size.is_empty()
            && family.chars().all(is_allowed)
            && size.chars().all(is_allowed)
    });
    if is_type && text.len() <= INSTANCE_TYPE_MAX {
        return Ok(text.to_owned());
    }
    Err(Flaw::new(format!("`{text}` is not a type of instances")).hint("write one such as `t3.small`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::testing::{errors, recipe};

    #[test]
    fn reads_what_a_version_says() {
        let text = "[marketplace]\nproduct = \"prod-abc123\"\naccess_role = \"arn:aws:iam::111122223333:role/in/take\"\n\
                    release_notes = \"First.\"\nusage_instructions = \"ssh\"\ninstance_type = \"t3.small\"\n\
                    ssh_from = [\"10.0.0.0/16\"]\n";
        let found = recipe(text).marketplace;
        assert_eq!((found.product.as_deref(), found.ssh_from.len()), (Some("prod-abc123"), 1));
    }

    #[test]
    fn reports_each_wrong_value() {
        let long = "x".repeat(4001);
        let found = errors(&format!(
            "[marketplace]\nproduct = \"web\"\naccess_role = \"ingestion\"\nrelease_notes = \" \"\n\
             usage_instructions = \"{long}\"\ninstance_type = \"small\"\nssh_from = [\"10.0.0.0/99\"]\n"
        ));
        assert_eq!(found.len(), 6, "{found:?}");
    }

    #[test]
    fn a_title_holds_the_version_and_nothing_else_that_stands_for_something() {
        let version = "1.4.0".parse().unwrap();
        let titled = |title: &str| recipe(&format!("[marketplace]\ntitle = \"{title}\"\n")).marketplace;
        assert_eq!(titled("Web {version} (arm64)").version_title(&version), "Web 1.4.0 (arm64)");
        assert_eq!(Marketplace::default().version_title(&version), "1.4.0");
        let wrong = |title: &str| errors(&format!("[marketplace]\ntitle = \"{title}\"\n")).remove(0);
        assert_eq!(wrong("Web {release}").1, "`{release}` stands for nothing in a title");
        assert_eq!(wrong(" Web").0, "\" Web\"");
        // With `1`, the version of the recipe, it has 65 characters.
        let long = format!("{}{{version}}", "x".repeat(64));
        assert!(wrong(&long).1.contains("has 65 characters"), "{:?}", wrong(&long));
        assert!(titled(&long[1..]).title.is_some());
    }

    #[test]
    fn texts_that_aws_refuses_are_told_here() {
        for (key, text) in [
            ("release_notes", " First."),
            ("usage_instructions", "Acme ™ is started by itself."),
            ("system_version", " 13"),
        ] {
            let found = errors(&format!("[marketplace]\n{key} = \"{text}\"\n"));
            assert_eq!((found.len(), found[0].0.as_str()), (1, format!("\"{text}\"").as_str()), "{found:?}");
        }
        assert_eq!(
            recipe("[marketplace]\nsystem_version = \"13.2\"\n").marketplace.system_version.as_deref(),
            Some("13.2")
        );
    }

    #[test]
    fn buyers_reach_a_port_that_is_open() {
        let of = |access: &str| format!("[[ports]]\nport = 443\n[marketplace]\naccess = {{ {access} }}\n");
        let found =
            recipe(&of("protocol = \"https\", path = \"/login?first=1\"")).marketplace.access.unwrap();
        assert_eq!(
            (found.protocol.as_str(), found.port, found.path.as_str()),
            ("https", 443, "/login?first=1")
        );
        assert_eq!(recipe(&of("protocol = \"https\"")).marketplace.access.unwrap().path, "/");
        for (access, text, message) in [
            ("protocol = \"http\"", "", "port 80/tcp, which `[[ports]]` does not open"),
            ("protocol = \"https\", port = 22", "22", "port 22/tcp, which `[[ports]]` does not open"),
            ("protocol = \"https\", port = 0", "0", "`port` must lie between 1 and 65535"),
            ("protocol = \"ftp\", port = 443", "\"ftp\"", "`ftp` is not a protocol by which"),
            ("port = 443", "", "missing key `protocol` in `access`"),
            ("protocol = \"https\", path = \"login\"", "\"login\"", "does not begin with `/`"),
            ("protocol = \"https\", path = \"//a\"", "\"//a\"", "begins with two `/`"),
            ("protocol = \"https\", path = \"/a b\"", "\"/a b\"", "a path has no ` `"),
            ("protocol = \"https\", host = \"a\"", "host", "unknown key `host` in `access`"),
        ] {
            let found = errors(&of(access));
            assert_eq!(found.len(), 1, "{access}: {found:?}");
            assert!(found[0].1.contains(message), "{access}: {found:?}");
            if !text.is_empty() {
                assert_eq!(found[0].0, text, "{access}");
            }
        }
    }
}
