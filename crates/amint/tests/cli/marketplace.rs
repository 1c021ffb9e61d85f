//! Versions of a product on AWS Marketplace, by the commands that people type, against an endpoint of ours.

use std::process::Command;

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
usage_instructions = \"No password is kept, nothing is encrypted; /health tells the status.\"\n";

#[test]
fn a_version_is_checked_submitted_once_followed_and_hidden() {
    let pythons = ["/usr/bin/python3", "python3"];
    let has = |python: &&str| {
        let probe = Command::new(python).args(["-c", "import boto3"]).output();
        probe.is_ok_and(|output| output.status.success())
    };
    let Some(python) = pythons.into_iter().find(has) else {
        return eprintln!("SKIPPED: no Python has boto3");
    };
    let bench = Bench::scaled("36000");
    let made = Command::new(python).args(["-c", PRODUCT]).envs(&bench.env).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let product = String::from_utf8(made.stdout).unwrap();
    let recipe = RECIPE.replace("PRODUCT", product.trim());
    let put = |version: &str, kind: &str| {
        let recipe = recipe.replace("VERSION", version).replace("TYPE", kind);
        bench.put(version, &Disk { blocks: 20, changed: None }, Some(&recipe));
    };
    let part = |document: &Value, name: &str| {
        let parts = document["parts"].as_array().unwrap().clone();
        parts.into_iter().find(|part| part["part"] == name).unwrap()
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
    for told in
        ["make the role arn:aws:iam::123456789012:role/amint-marketplace", "opens tcp 443 for 0.0.0.0/0"]
    {
        assert!(plan.stdout.contains(told), "{told}: {}", plan.stdout);
    }
    let validate = ["--json", "marketplace", "submit", "web:1.1.0", "--validate", "--create-role"];
    assert_eq!(bench.last(&validate, 0)["change_set"]["status"], "succeeded");
    assert_eq!(
        bench.last(&["--json", "marketplace", "submit", "web:1.1.0"], 0)["change_set"]["status"],
        "succeeded"
    );
    let again = bench.amint(&["marketplace", "submit", "web:1.1.0"]);
    assert_eq!((again.code, again.stderr.contains("has the version 1.1.0 already")), (Some(0), true));

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
