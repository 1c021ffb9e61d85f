//! Versions of a product on AWS Marketplace, by the commands that people type, against an endpoint of ours.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use amint_types::{BLOCK_BYTES, BlockSource};
use serde_json::Value;

use crate::publish::{Bench, Disk};

/// Makes a product, which only the management portal and its API can, and prints its id.
const PRODUCT: &str = r#"
import boto3, json, os, time
market = boto3.client("marketplace-catalog", region_name="us-east-1", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
def change(kind, product, details):
    entity = {"Type": "AmiProduct@1.0"} | ({"Identifier": product} if product else {})
    return {"ChangeType": kind, "Entity": entity, "Details": json.dumps(details)}
made = "$New.Entity.Identifier"
id = market.start_change_set(Catalog="AWSMarketplace", ChangeSet=[
    change("CreateProduct", None, {}) | {"ChangeName": "New"},
    change("UpdateInformation", made, {"ProductTitle": "Web"}),
    change("AddRegions", made, {"Regions": ["us-east-1"]}),
    change("AddInstanceTypes", made, {"InstanceTypes": ["t3.micro"]}),
])["ChangeSetId"]
end = time.time() + 60
while (state := market.describe_change_set(Catalog="AWSMarketplace", ChangeSetId=id))["Status"] != "SUCCEEDED":
    assert time.time() < end, state
    time.sleep(0.05)
print(state["ChangeSet"][0]["Entity"]["Identifier"])
"#;

const RECIPE: &str = "\
[image]\nname = \"web\"\nversion = \"VERSION\"\n[base]\ndebian = \"trixie\"\n[[ports]]\nport = 443\n\
[publish]\nregions = [\"us-east-1\"]\n\
[marketplace]\nproduct = \"PRODUCT\"\nrelease_notes = \"New.\"\ninstance_type = \"TYPE\"\n\
title = \"Web {version}\"\naccess = { protocol = \"https\", path = \"/login\" }\n\
usage_instructions = \"No password is kept, no key to rotate, nothing is encrypted; https://HOST/health tells the status.\"\n";

/// Starts a change set that AWS refuses: its AMI is in another region. Prints its id.
const REFUSED: &str = r#"
import boto3, json, os, sys
market = boto3.client("marketplace-catalog", region_name="us-east-1", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
product, image, role = sys.argv[1:]
details = {
    "Version": {"VersionTitle": "9.0", "ReleaseNotes": "New."},
    "DeliveryOptions": [{"Details": {"AmiDeliveryOptionDetails": {
        "AmiSource": {"AmiId": image, "AccessRoleArn": role, "UserName": "ec2-user",
                      "OperatingSystemName": "DEBIAN", "OperatingSystemVersion": "13"},
        "UsageInstructions": "ssh", "RecommendedInstanceType": "t3.micro",
        "SecurityGroups": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ["10.0.0.0/16"]}],
    }}}],
}
print(market.start_change_set(Catalog="AWSMarketplace", ChangeSet=[{
    "ChangeType": "AddDeliveryOptions", "Entity": {"Type": "AmiProduct@1.0", "Identifier": product},
    "Details": json.dumps(details),
}])["ChangeSetId"])
"#;

/// Makes the access role, and leaves off before its policy.
const BARE_ROLE: &str = r#"
import boto3, json, os
iam = boto3.client("iam", region_name="us-east-1", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
statement = {"Effect": "Allow", "Principal": {"Service": "assets.marketplace.amazonaws.com"}, "Action": "sts:AssumeRole"}
trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
print(iam.create_role(RoleName="amint-marketplace", AssumeRolePolicyDocument=trust)["Role"]["Arn"])
"#;

/// Prints what a product tells of its versions.
const VERSIONS: &str = r#"
import boto3, json, os, sys
market = boto3.client("marketplace-catalog", region_name="us-east-1", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
entity = market.describe_entity(Catalog="AWSMarketplace", EntityId=sys.argv[1])
print(json.dumps(json.loads(entity["Details"])["Versions"]))
"#;

fn python() -> Option<&'static str> {
    ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        let probe = Command::new(python).args(["-c", "import boto3"]).output();
        probe.is_ok_and(|output| output.status.success())
    })
}

/// Runs a script of boto3, and returns what it prints.
fn said(python: &str, bench: &Bench, script: &str, arguments: &[&str]) -> String {
    let ran = Command::new(python).args(["-c", script]).args(arguments).envs(&bench.env).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

fn part(document: &Value, name: &str) -> Value {
    let parts = document["parts"].as_array().unwrap().clone();
    parts.into_iter().find(|part| part["part"] == name).unwrap()
}

#[test]
fn a_version_is_checked_submitted_once_followed_and_hidden() {
    let Some(python) = python() else { return eprintln!("SKIPPED: no Python has boto3") };
    let bench = Bench::scaled("36000");
    let product = said(python, &bench, PRODUCT, &[]);
    let recipe = RECIPE.replace("PRODUCT", &product);
    let put = |version: &str, kind: &str| {
        let recipe = recipe.replace("VERSION", version).replace("TYPE", kind);
        bench.put(version, &Disk { blocks: 20, changed: None }, Some(&recipe));
    };
    let document = |arguments: &[&str], code: i32| -> Value {
        let ran = bench.amint(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    };

    put("1.0.0", "m7i.large");
    let check = ["--json", "marketplace", "check", "web:1.0.0", "--no-advisories"];
    let early = document(&check, 1);
    assert_eq!(part(&early, "ami")["flaws"][0]["code"], "INVALID_AMI");
    assert_eq!(part(&early, "product")["flaws"][0]["code"], "RECOMMENDED_INSTANCE_TYPE_NOT_AVAILABLE");
    assert!(
        part(&early, "image")["unchecked"].is_string(),
        "a disk that cannot be read is not clean: {early}"
    );
    let offline = document(&[&check[..], &["--offline"]].concat(), 4);
    assert!(part(&offline, "role")["unchecked"].is_string(), "{offline}");

    put("1.1.0", "t3.micro");
    bench.result(&["--json", "publish", "web:1.1.0"]);
    let refused = bench.amint(&["marketplace", "submit", "web:1.1.0"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stdout.contains("there is no role"), "{}", refused.stdout);
    let plan = bench.amint(&["marketplace", "submit", "web:1.1.0", "--plan", "--create-role"]);
    for told in [
        "make the role arn:aws:iam::123456789012:role/amint-marketplace",
        "opens tcp 443 for 0.0.0.0/0",
        "is reached at https://INSTANCE:443/login",
    ] {
        assert!(plan.stdout.contains(told), "{told}: {}", plan.stdout);
    }
    let validate = ["--json", "marketplace", "submit", "web:1.1.0", "--validate", "--create-role"];
    assert_eq!(bench.last(&validate, 0)["change_set"]["status"], "succeeded");
    assert_eq!(
        bench.last(&["--json", "marketplace", "submit", "web:1.1.0"], 0)["change_set"]["status"],
        "succeeded"
    );
    let again = bench.amint(&["marketplace", "submit", "web:1.1.0"]);
    assert_eq!((again.code, again.stderr.contains("has the version Web 1.1.0 already")), (Some(0), true));

    let versions: Value = serde_json::from_str(&said(python, &bench, VERSIONS, &[&product])).unwrap();
    let access = &versions[0]["DeliveryOptions"][0]["Instructions"]["Access"];
    assert_eq!((&access["RelativePath"], &access["Port"]), (&"login".into(), &443.into()), "{versions}");
    assert_eq!(versions[0]["VersionTitle"], "Web 1.1.0");

    let only = bench.amint(&["marketplace", "restrict", "web:1.1.0", "--yes"]);
    assert_eq!(only.code, Some(1), "{}", only.stderr);
    put("1.2.0", "t3.micro");
    // The same bytes: the AMI is that of 1.1.0, and may be sold under another title.
    assert_eq!(
        bench.last(&["--json", "marketplace", "submit", "web:1.2.0"], 0)["change_set"]["status"],
        "succeeded"
    );
    let unsure = bench.amint(&["marketplace", "restrict", "web:1.1.0"]);
    assert_eq!((unsure.code, unsure.stderr.contains("--yes")), (Some(2), true), "{}", unsure.stderr);
    let hidden = bench.last(&["--json", "marketplace", "restrict", "web:1.1.0", "--yes"], 0);
    assert_eq!(hidden["change_set"]["status"], "succeeded");
    let status = document(&["--json", "marketplace", "status", "web"], 0);
    let open: Vec<usize> = status["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["public_options"].as_array().unwrap().len())
        .collect();
    assert_eq!(open, [0, 1], "{status}");
    let changes = status["change_sets"].as_array().unwrap().len();
    assert_eq!(changes, 5, "made, looked at, two versions, one hidden: {status}");
}

#[test]
fn what_aws_found_is_explained_kept_and_held_against_a_scan() {
    let Some(python) = python() else { return eprintln!("SKIPPED: no Python has boto3") };
    let bench = Bench::scaled("36000");
    let product = said(python, &bench, PRODUCT, &[]);
    let recipe = RECIPE.replace("PRODUCT", &product).replace("TYPE", "t3.micro").replace("VERSION", "1.0.0");
    // Longer than a change may be whose details are a text.
    let recipe = recipe.replace("New.", &"New. ".repeat(5000));
    bench.put("1.0.0", &Disk { blocks: 20, changed: None }, Some(&recipe));
    let published =
        bench.result(&["--json", "publish", "web", "--region", "us-east-1", "--region", "eu-west-1"]);
    let mut images = published["images"].as_array().unwrap().iter();
    let elsewhere =
        images.find(|image| image["region"] == "eu-west-1").unwrap()["image_id"].as_str().unwrap();
    let role = said(python, &bench, BARE_ROLE, &[]);

    let without = bench.amint(&["marketplace", "status", "web", "--assessment", "found.json"]);
    assert_eq!(without.code, Some(4), "nobody has looked yet: {}", without.stderr);
    let plan = bench.amint(&["marketplace", "submit", "web", "--plan", "--create-role"]);
    assert!(plan.stdout.contains("it lacks the policy AWSMarketplaceAmiIngestion"), "{}", plan.stdout);
    let validate = ["--json", "marketplace", "submit", "web", "--validate", "--create-role"];
    assert_eq!(bench.last(&validate, 0)["change_set"]["status"], "succeeded", "the role is made whole");

    let set = said(python, &bench, REFUSED, &[&product, elsewhere, &role]);
    let follow = ["marketplace", "status", &product, "--change-set", &set];
    let failed = bench.amint(&follow);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    for told in ["FAILED", "INVALID_AMI", "hint:", &format!("MP-A1 INVALID_AMI {elsewhere}")] {
        assert!(failed.stdout.contains(told), "{told}: {}", failed.stdout);
    }
    let status = bench.amint(&["marketplace", "status", "web"]);
    assert!(status.stdout.contains("MP-A1 INVALID_AMI"), "the newest one is told: {}", status.stdout);
    let keep = ["--json", "marketplace", "status", "web", "--assessment", "found.json"];
    assert_eq!(bench.last(&keep, 0)["assessment"]["AssessmentResult"], "FAIL");

    fs::create_dir_all(bench.folder.path().join("tree/etc")).unwrap();
    let compared = bench.amint(&["scan", "./tree", "--no-advisories", "--assessment", "found.json"]);
    assert!(compared.stderr.contains("AWS alone: MP-A1 INVALID_AMI"), "{}", compared.stderr);
}

#[test]
fn what_cannot_be_asked_is_not_checked_and_other_bytes_are_not_sold() {
    let bench = Bench::scaled("600");
    let recipe = RECIPE.replace("PRODUCT", "prod-abc").replace("TYPE", "t3.micro");
    let put = |version: &str, changed: Option<u64>| {
        bench.put(version, &Disk { blocks: 20, changed }, Some(&recipe.replace("VERSION", version)));
    };
    put("1.0.0", None);
    put("1.1.0", Some(3));
    let published = bench.result(&["--json", "publish", "web:1.0.0"]);
    let old = published["images"][0]["image_id"].as_str().unwrap();
    let check = ["--json", "marketplace", "check", "web:1.1.0", "--no-advisories"];
    let other = bench.last(&[&check[..], &["--ami", old]].concat(), 1);
    assert_eq!(part(&other, "ami")["flaws"][0]["code"], "OTHER_IMAGE", "{other}");
    let submit = bench.amint(&["marketplace", "submit", "web:1.1.0", "--ami", old]);
    assert_eq!(submit.code, Some(1), "{}", submit.stderr);

    let mut nobody = bench.command(&check);
    nobody.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let output = nobody.env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(4), "{text}");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(part(&document, "listing")["flaws"], Value::Array(Vec::new()));
    for name in ["ami", "product", "role"] {
        assert!(part(&document, name)["unchecked"].is_string(), "{name}: {document}");
    }
}

/// A file system in memory.
struct Whole(Vec<u8>);

impl BlockSource for Whole {
    fn disk_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let start = usize::try_from(index * BLOCK_BYTES).unwrap();
        let end = self.0.len().min(start + usize::try_from(BLOCK_BYTES).unwrap());
        buffer[..end - start].copy_from_slice(&self.0[start..end]);
        Ok(Some(end - start))
    }
}

/// Makes a file system of a folder; none where its tool is not there.
fn ext4(folder: &Path, tree: &str) -> Option<Whole> {
    let disk = folder.join("disk.raw");
    let size = disk.to_str()?;
    let mut make = Command::new("mke2fs");
    make.args(["-q", "-F", "-t", "ext4", "-d", tree, size, "16M"]).current_dir(folder);
    make.output().ok()?.status.success().then(|| Whole(fs::read(&disk).unwrap()))
}

#[test]
fn a_kept_report_is_used_for_the_very_same_question_only_and_hides_nothing() {
    let bench = Bench::scaled("600");
    let folder = bench.folder.path();
    crate::scan::tree(folder, "tree", &[("curl", "8.14.1-1")]);
    fs::write(folder.join("tree/etc/shadow"), "root::20000:0:99999:7:::\n").unwrap();
    let recipe = RECIPE.replace("PRODUCT", "prod-abc").replace("TYPE", "t3.micro");
    let Some(disk) = ext4(folder, "tree") else { return eprintln!("SKIPPED: no mke2fs") };
    bench.put("1.0.0", &disk, Some(&recipe.replace("VERSION", "1.0.0")));
    let check = |more: &[&str]| {
        let ran =
            bench.amint(&[&["marketplace", "check", "web", "--offline", "--no-advisories"], more].concat());
        assert_eq!(ran.code, Some(1), "{more:?}: {} {}", ran.stdout, ran.stderr);
        let is_kept = ran.stderr.contains("`--fresh` does it anew");
        (is_kept, ran.stdout)
    };
    let (is_kept, first) = check(&[]);
    assert!(!is_kept && first.contains("refused: ") && first.contains("SCAN_ERROR"), "{first}");
    assert_eq!(check(&[]), (true, first.clone()), "the same is told of the report");
    assert_eq!(check(&["--fresh"]), (false, first));
    let told: Value = serde_json::from_str(
        &bench.amint(&["--json", "marketplace", "check", "web", "--offline", "--no-advisories"]).stdout,
    )
    .unwrap();
    assert!(told["scanned_at"].is_string(), "programs see how old it is: {told}");
    assert!(!check(&["--gate", "low"]).0 && check(&["--gate", "low"]).0, "each gate has a report of its own");
    let waivers = folder.join("waivers.toml");
    for reason in ["by the vendor", "by the vendor, too"] {
        let text = format!(
            "[[harden.waive]]\nrule = \"ACC-001\"\nreason = \"{reason}\"\nowner = \"team\"\nuntil = 2027-03-01\n"
        );
        fs::write(&waivers, text).unwrap();
        assert!(!check(&["--waivers", "waivers.toml"]).0, "other waivers, other report");
        assert!(check(&["--waivers", "waivers.toml"]).0);
    }
    // Under the same name other bytes, of which a part cannot be read: what was found is told nevertheless.
    fs::write(folder.join("tree/var/lib/dpkg/status"), "Package: curl\nStatus: install ok inst").unwrap();
    bench.put("1.0.0", &ext4(folder, "tree").unwrap(), Some(&recipe.replace("VERSION", "1.0.0")));
    for _ in 0..2 {
        let (is_kept, text) = check(&[]);
        assert!(!is_kept, "what could not be read is looked at again: {text}");
        assert!(text.contains("not all checked: ") && text.contains("refused: "), "{text}");
    }
    let kept = fs::read_dir(folder.join("home/cache/scans")).unwrap().count();
    assert_eq!(kept, 4, "two gates, two files of waivers");
}

#[test]
fn a_kept_report_is_not_used_once_its_advisories_are_too_old_or_others() {
    let bench = Bench::scaled("600");
    let folder = bench.folder.path();
    crate::scan::tree(folder, "tree", &[("bash", "5.2-1")]);
    let recipe = RECIPE.replace("PRODUCT", "prod-abc").replace("TYPE", "t3.micro");
    let Some(disk) = ext4(folder, "tree") else { return eprintln!("SKIPPED: no mke2fs") };
    bench.put("1.0.0", &disk, Some(&recipe.replace("VERSION", "1.0.0")));
    let advisories = folder.join("osv.json");
    fs::write(&advisories, crate::scan::ADVISORY).unwrap();
    // Noon of 20 November: they are too old from noon of the 27th on.
    let noon = SystemTime::UNIX_EPOCH + Duration::from_hours(498_660);
    fs::File::options().write(true).open(&advisories).unwrap().set_modified(noon).unwrap();
    let build = || {
        let ran = bench.amint(&["db", "build", "--no-archives", "--source", "osv=osv.json"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    };
    build();
    let check = |moment: &str| {
        let mut check = bench.command(&["marketplace", "check", "web", "--offline"]);
        let output = check.env("SOURCE_DATE_EPOCH", moment).output().unwrap();
        let (told, aside) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        (aside.contains("`--fresh` does it anew"), told.contains("are 7 days old"), told + &aside)
    };
    let (before, soon, after, later) = ("1795780740", "1795780770", "1795780860", "1795780920");
    for (moment, is_kept, is_stale) in [
        (before, false, false),
        (soon, true, false),
        (after, false, true),
        (later, true, true),
        (soon, false, false),
    ] {
        let (kept, stale, told) = check(moment);
        assert_eq!((kept, stale), (is_kept, is_stale), "{moment}: {told}");
    }
    build();
    assert!(!check(soon).0, "other advisories, other report");
}
