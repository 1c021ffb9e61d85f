//! From the store to AMIs of an endpoint of ours, by the commands that people type.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use amint_store::{PutRequest, Store};
use amint_types::{Architecture, BLOCK_BYTES, BlockSource, Cancel};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, amint};

/// A disk whose blocks all differ; some are not there.
pub(crate) struct Disk {
    pub(crate) blocks: u64,
    pub(crate) changed: Option<u64>,
}

impl BlockSource for Disk {
    fn disk_bytes(&self) -> u64 {
        self.blocks * BLOCK_BYTES
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if index % 5 == 4 {
            return Ok(None);
        }
        let length = usize::try_from(BLOCK_BYTES).unwrap();
        let mark = index + 1 + if self.changed == Some(index) { 1 << 20 } else { 0 };
        for (place, chunk) in (0_u64..).zip(buffer[..length].chunks_exact_mut(8)) {
            chunk.copy_from_slice(&(mark << 32 | place).to_le_bytes());
        }
        Ok(Some(length))
    }
}

/// A home with images, and an endpoint over another home.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) env: BTreeMap<String, String>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        amint(&self.folder.path().join("there"), &["cloud", "down"]);
    }
}

impl Bench {
    fn new() -> Self {
        Self::scaled("600")
    }

    /// Makes one whose time runs so many times as fast as AWS's.
    pub(crate) fn scaled(scale: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let there = folder.path().join("there");
        std::fs::create_dir(&there).unwrap();
        let up = amint(&there, &["cloud", "up", "--port", "0", "--time-scale", scale, "--page-size", "3"]);
        assert_eq!(up.code, Some(0), "{}", up.stderr);
        let env = amint(&there, &["cloud", "env"]).stdout;
        let pairs = env.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let env = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { folder, env }
    }

    pub(crate) fn put(&self, version: &str, disk: &dyn BlockSource, recipe: Option<&str>) {
        let store = Store::open(&self.folder.path().join("home")).unwrap();
        let request = PutRequest {
            name: "web".parse().unwrap(),
            version: version.parse().unwrap(),
            architecture: Architecture::X86_64,
            created_at: "2026-11-02T03:04:05Z".parse().unwrap(),
            documents: recipe
                .map(|text| ("recipe".to_owned(), text.as_bytes().to_vec()))
                .into_iter()
                .collect(),
        };
        store.put(&request, disk, &|_, _| {}, &Cancel::new()).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("amint"));
        command.args(arguments).current_dir(self.folder.path());
        command.env("AMINT_HOME", self.folder.path().join("home")).envs(&self.env);
        command.env("HOME", self.folder.path()).env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
        command
    }

    pub(crate) fn amint(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that has to work, and returns its last event.
    pub(crate) fn result(&self, arguments: &[&str]) -> Value {
        let ran = self.amint(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.stderr);
        serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap()
    }

    /// Runs a command that tells events before its document, and returns that.
    pub(crate) fn last(&self, arguments: &[&str], code: i32) -> Value {
        let ran = self.amint(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.stderr);
        let start = ran.stdout.rfind("\n{\n").map_or(0, |at| at + 1);
        serde_json::from_str(&ran.stdout[start..]).unwrap()
    }

    /// Runs a command that has to work, and returns its document.
    fn result_document(&self, arguments: &[&str]) -> Value {
        let ran = self.amint(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }
}

const RECIPE: &str = "\
[image]\nname = \"web\"\nversion = \"1.0.0\"\n[base]\ndebian = \"trixie\"\n\
[publish]\nregions = [\"us-east-1\", \"eu-west-1\"]\nshare_with = [\"111122223333\"]\n\
deprecate_after_days = 3000\ntags = { team = \"web\" }\n\
deregistration_protection = \"without-cooldown\"\nwatermarks = [\"golden\"]\n";

fn changing(result: &Value) -> Vec<&str> {
    const CHANGING: [&str; 4] = ["Start", "Put", "Register", "Modify"];
    let sent = result["requests"].as_object().unwrap().keys();
    sent.map(String::as_str).filter(|action| CHANGING.iter().any(|verb| action.contains(verb))).collect()
}

#[test]
fn a_plan_is_written_done_proven_and_done_only_once() {
    let bench = Bench::new();
    bench.put("1.0.0", &Disk { blocks: 60, changed: None }, Some(RECIPE));
    let plan = bench.amint(&["publish", "web", "--plan", "--out", "plan.json"]);
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    for told in [
        "send 48 blocks (24 MiB)",
        "let 111122223333 launch",
        "deprecate it on 2035-01-19",
        "give it the watermark 123456789012:golden",
        "protect it from being deregistered\n",
        "48 MiB to send, at least 116 requests, $0.01 once and up to $0.01 a month",
    ] {
        assert!(plan.stdout.contains(told), "{told}: {}", plan.stdout);
    }
    let wrong = bench.amint(&["publish", "web", "--apply", "plan.json", "--region", "us-west-2"]);
    assert_eq!(wrong.code, Some(2), "a written plan has its regions");
    let done = bench.result(&["--json", "publish", "web", "--apply", "plan.json"]);
    let images = done["images"].as_array().unwrap();
    assert_eq!(images.len(), 2, "{done}");
    assert_eq!(images[0]["blocks_sent"], 48);

    let stale = bench.amint(&["publish", "web", "--apply", "plan.json"]);
    assert_eq!(stale.code, Some(1), "{}", stale.stderr);
    assert!(stale.stderr.contains("have changed since"), "{}", stale.stderr);

    for image in images {
        let (id, region) = (image["image_id"].as_str().unwrap(), image["region"].as_str().unwrap());
        let verified = bench.amint(&["verify", id, "--region", region]);
        assert_eq!(verified.code, Some(0), "{}", verified.stderr);
        assert!(verified.stdout.contains("48 blocks of snap-"), "{}", verified.stdout);
    }
    let again = bench.result(&["--json", "publish", "web"]);
    assert_eq!(changing(&again), Vec::<&str>::new());
    assert_eq!(again["images"][0]["image_id"], images[0]["image_id"]);

    bench.put("1.1.0", &Disk { blocks: 60, changed: Some(7) }, Some(&RECIPE.replace("1.0.0", "1.1.0")));
    let next = bench.result(&["--json", "publish", "web:1.1.0"]);
    assert_eq!(next["images"][1]["blocks_sent"], 1, "of the next version only what differs: {next}");
    let left = bench.amint(&["--json", "gc", "--cloud", "--older-than", "0", "--dry-run"]);
    let left: Value = serde_json::from_str(&left.stdout).unwrap();
    assert_eq!(
        (left["regions"].as_array().unwrap().len(), left["snapshots"].as_array().unwrap().len()),
        (2, 0)
    );
}

#[test]
fn interrupted_it_says_how_to_go_on_and_sends_nothing_twice() {
    let bench = Bench::new();
    bench.put("1.0.0", &Disk { blocks: 400, changed: None }, None);
    let arguments = ["--json", "publish", "web", "--region", "eu-west-1"];
    let mut child = bench.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut sent = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "step_progress" && sent == 0 {
            sent = event["done"].as_u64().unwrap() / BLOCK_BYTES;
            if sent > 0 {
                let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
                assert!(kill.unwrap().success());
            }
        }
    }
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    assert!(text.contains("the same command goes on from there"), "{text}");
    let done = bench.result(&arguments);
    let rest = done["images"][0]["blocks_sent"].as_u64().unwrap();
    assert!(sent > 0 && rest < 320, "{sent} were sent before, {rest} after");
}

#[test]
fn what_stands_in_the_way_is_told_at_once_with_its_own_exit_code() {
    let bench = Bench::new();
    bench.put("1.0.0", &Disk { blocks: 3, changed: None }, None);
    let publish = |bench: &Bench, more: &[&str]| bench.amint(&[&["publish", "web"], more].concat());
    assert_eq!(publish(&bench, &["--region", "Frankfurt"]).code, Some(2));
    assert_eq!(publish(&bench, &["--share-with", "1234"]).code, Some(2));
    assert_eq!(publish(&bench, &["--name", "a*b"]).code, Some(2));
    assert_eq!(publish(&bench, &["--region", "eu-west-1", "--name", "taken"]).code, Some(0));
    bench.put("2.0.0", &Disk { blocks: 3, changed: Some(0) }, None);
    let taken = publish(&bench, &["--region", "eu-west-1", "--name", "taken"]);
    assert_eq!(taken.code, Some(1), "{}", taken.stderr);
    assert!(taken.stderr.contains("the name taken is taken by ami-"), "{}", taken.stderr);
    let unknown = bench.amint(&["verify", "ami-0123456789abcdef0", "--region", "eu-west-1"]);
    assert_eq!(unknown.code, Some(3), "{}", unknown.stderr);

    let mut wrong = bench.command(&["publish", "web"]);
    let output = wrong.env("AWS_SECRET_ACCESS_KEY", "wrong").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("SignatureDoesNotMatch") && text.contains("hint:"), "{text}");
    let mut none = bench.command(&["publish", "web"]);
    none.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let output = none.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("give credentials"), "{text}");
    let mut nobody = bench.command(&["publish", "web"]);
    let output = nobody.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(7), "{text}");
    assert!(text.contains("amint cloud up"), "{text}");
}

#[test]
fn what_no_image_uses_is_listed_and_removed() {
    let bench = Bench::new();
    bench.put("1.0.0", &Disk { blocks: 3, changed: None }, None);
    let done = bench.result(&["--json", "publish", "web", "--region", "eu-west-1"]);
    let snapshot = done["images"][0]["snapshot_id"].as_str().unwrap();
    let gc = |more: &[&str]| bench.amint(&[&["gc", "--cloud", "--older-than", "0"], more].concat());
    assert!(gc(&[]).stderr.contains("removed 0 snapshots"), "an image uses it");
    let python = "import boto3, os, sys; boto3.client('ec2', endpoint_url=os.environ['AWS_ENDPOINT_URL'], \
                  region_name='eu-west-1').deregister_image(ImageId=sys.argv[1])";
    let id = done["images"][0]["image_id"].as_str().unwrap();
    let gone = Command::new("/usr/bin/python3").args(["-c", python, id]).envs(&bench.env).output();
    if !gone.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: python3-boto3 is not installed");
        return;
    }
    let listed = gc(&["--dry-run"]);
    assert!(
        listed.stdout.contains(snapshot) && listed.stderr.contains("would remove 1"),
        "{}",
        listed.stderr
    );
    assert!(gc(&[]).stderr.contains("removed 1 snapshots"));
    assert!(!gc(&["--dry-run"]).stdout.contains(snapshot));
}

#[test]
fn channels_follow_the_image_in_all_regions_and_back() {
    let bench = Bench::new();
    let recipe = RECIPE.replace("tags =", "parameter = \"/golden/web\"\nchannels = [\"latest\"]\ntags =");
    bench.put("1.0.0", &Disk { blocks: 20, changed: None }, Some(&recipe));
    let early = bench.amint(&["promote", "web", "stable"]);
    assert_eq!(early.code, Some(1), "{}", early.stderr);
    assert!(early.stderr.contains("web:1.0.0 is not published in us-east-1"), "{}", early.stderr);
    let plan = bench.amint(&["publish", "web", "--plan"]);
    assert!(plan.stdout.contains("/golden/web/latest new: the new image"), "{}", plan.stdout);
    let first = bench.result(&["--json", "publish", "web"]);
    assert_eq!(first["channels"].as_array().unwrap().len(), 2, "{first}");
    let again = bench.result(&["--json", "publish", "web"]);
    assert_eq!(changing(&again), Vec::<&str>::new());

    let one = bench.result_document(&["--json", "promote", "web", "stable"]);
    assert_eq!((&one["changes"], &one["channels"][0]["step"]["step"]), (&2.into(), &"create".into()));
    let nothing = bench.result_document(&["--json", "promote", "web", "stable"]);
    assert_eq!(nothing["changes"], 0);
    bench.put(
        "1.1.0",
        &Disk { blocks: 20, changed: Some(7) },
        Some(&recipe.replace("version = \"1.0.0\"", "version = \"1.1.0\"")),
    );
    bench.result(&["--json", "publish", "web:1.1.0"]);
    let region = ["--region", "eu-west-1"];
    let moved = bench.amint(&["promote", "web:1.1.0", "stable"]);
    assert_eq!(moved.code, Some(0), "{}", moved.stderr);
    let old = first["images"][0]["image_id"].as_str().unwrap();
    assert!(moved.stdout.contains(&format!("/golden/web/stable {old} → ami-")), "{}", moved.stdout);
    let back = bench.amint(&["promote", "web", "stable", "--undo", "--plan"]);
    assert!(back.stdout.contains(&format!("→ {old}")), "{}", back.stdout);
    assert_eq!(bench.amint(&["promote", "web", "stable", "--undo"]).code, Some(0));
    let undone =
        bench.result_document(&[&["--json", "promote", "web:1.0.0", "stable"], &region[..]].concat());
    assert_eq!(undone["changes"], 0, "{undone}");

    for (arguments, code, words) in [
        (&["promote", "web", "a/b"][..], 2, "is no channel"),
        (&["promote", "web", "stable", "--parameter", "/aws/web"], 2, "is kept for AWS"),
        (&["promote", "web", "beta", "--undo"], 1, "there is no parameter /golden/web/beta"),
        (&["promote", "other", "stable"], 3, "other"),
    ] {
        let ran = bench.amint(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn another_account_gets_copies_of_its_own() {
    let bench = Bench::new();
    bench.put("1.0.0", &Disk { blocks: 20, changed: None }, None);
    let role = "arn:aws:iam::111122223333:role/OrganizationAccountAccessRole";
    let publish = ["publish", "web", "--region", "us-east-1", "--region", "eu-west-1", "--copy-to", role];
    let plan = bench.amint(&[&publish[..], &["--plan"]].concat());
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    for told in
        ["in account 111122223333", "copy the image from eu-west-1", "let 111122223333 copy the snapshot"]
    {
        assert!(plan.stdout.contains(told), "{told}: {}", plan.stdout);
    }
    let done = bench.result(&[&["--json"], &publish[..]].concat());
    let accounts: Vec<&str> =
        done["images"].as_array().unwrap().iter().map(|image| image["account"].as_str().unwrap()).collect();
    assert_eq!(accounts, ["123456789012", "123456789012", "111122223333", "111122223333"], "{done}");
    let ids: std::collections::BTreeSet<String> =
        done["images"].as_array().unwrap().iter().map(|image| image["snapshot_id"].to_string()).collect();
    assert_eq!(ids.len(), 4, "each has a snapshot of its own");
    let again = bench.result(&[&["--json"], &publish[..]].concat());
    assert_eq!(changing(&again), Vec::<&str>::new());
    assert_eq!(again["images"].as_array().unwrap().len(), 4);
    let nobody =
        bench.amint(&["publish", "web", "--region", "us-east-1", "--copy-to", &role.replace("Organ", "X")]);
    assert_eq!(nobody.code, Some(5), "{}", nobody.stderr);
    let wrong = bench.amint(&["publish", "web", "--region", "us-east-1", "--copy-to", "publisher"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
}

/// Makes a key with an alias, whose policy lets an account in when it is asked again.
const KEY: &str = r#"
import boto3, json, os, sys
kms = boto3.client("kms", region_name="eu-west-1", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
if sys.argv[1] == "make":
    id = kms.create_key(Description="images")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/golden", TargetKeyId=id)
else:
    key = kms.describe_key(KeyId="alias/golden")["KeyMetadata"]["KeyId"]
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"].append({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                                "Action": ["kms:DescribeKey", "kms:Decrypt", "kms:CreateGrant"], "Resource": "*"})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
"#;

#[test]
fn an_image_is_encrypted_with_a_key_that_those_it_is_shared_with_may_use() {
    let probe = Command::new("/usr/bin/python3").args(["-c", "import boto3"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return eprintln!("SKIPPED: the system's Python has no boto3");
    }
    let bench = Bench::new();
    bench.put("1.0.0", &Disk { blocks: 20, changed: None }, None);
    let key = |what: &str| {
        let made =
            Command::new("/usr/bin/python3").args(["-c", KEY, what]).envs(&bench.env).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    let organization = "arn:aws:organizations::123456789012:organization/o-abcdefghij";
    let publish = [
        "publish",
        "web",
        "--region",
        "eu-west-1",
        "--kms-key",
        "eu-west-1=alias/golden",
        "--share-with",
        "111122223333",
        "--share-with",
        organization,
    ];
    let missing = bench.amint(&publish);
    assert_eq!(missing.code, Some(1), "{}", missing.stderr);
    assert!(missing.stderr.contains("there is no key alias/golden in eu-west-1"), "{}", missing.stderr);
    key("make");
    let strange = bench.amint(&publish);
    assert_eq!(strange.code, Some(1));
    assert!(strange.stderr.contains("does not let 111122223333 use it"), "{}", strange.stderr);
    key("share");
    let plan = bench.amint(&[&publish[..], &["--plan"]].concat());
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    for told in ["send 2048 blocks", "encrypted with arn:aws:kms:eu-west-1:", "not copy its snapshot"] {
        assert!(plan.stdout.contains(told), "{told}: {}", plan.stdout);
    }
    let done = bench.result(&[&["--json"], &publish[..]].concat());
    assert_eq!(done["images"][0]["blocks_sent"], 2048);
    let again = bench.result(&[&["--json"], &publish[..]].concat());
    assert_eq!(changing(&again), Vec::<&str>::new());
    bench.put("1.1.0", &Disk { blocks: 20, changed: Some(3) }, None);
    let next = bench.result(&[&["--json", "publish", "web:1.1.0"], &publish[2..]].concat());
    assert_eq!(next["images"][0]["blocks_sent"], 1, "it is built upon the encrypted one: {next}");
}

#[test]
fn a_policy_is_printed_without_any_account_and_follows_the_recipe() {
    let folder = TempDir::new().unwrap();
    let policy = |arguments: &[&str]| -> Value {
        let ran = amint(folder.path(), arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let plain = policy(&["iam", "publish", "--region", "eu-west-1"]).to_string();
    assert!(plain.contains("ebs:PutSnapshotBlock") && !plain.contains("ec2:ModifyImageAttribute"), "{plain}");
    std::fs::write(folder.path().join("amint.toml"), RECIPE).unwrap();
    let full = policy(&["iam", "publish", "--recipe", "amint.toml"]).to_string();
    for told in ["ec2:ModifyImageAttribute", "ec2:CopyImage", "ec2:EnableImageDeprecation", "111122223333"] {
        assert!(full.contains(told), "{told}: {full}");
    }
    let promote = policy(&["iam", "promote", "--recipe", "amint.toml"]).to_string();
    assert!(
        promote.contains("ssm:eu-west-1:*:parameter/amint/web/*") && !promote.contains("ebs:"),
        "{promote}"
    );
    let gc = policy(&["iam", "gc", "--region", "cn-north-1"]).to_string();
    assert!(gc.contains("arn:aws-cn:ec2:cn-north-1::snapshot/*") && !gc.contains("RegisterImage"), "{gc}");
    let mixed = amint(folder.path(), &["iam", "gc", "--region", "cn-north-1", "--region", "us-east-1"]);
    assert_eq!(mixed.code, Some(2));
}
