//! The endpoint from its start to its end, and a foreign client.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::amint;

/// Stops the endpoint whatever becomes of the test.
struct Down<'a>(&'a Path);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        amint(self.0, &["cloud", "down"]);
    }
}

#[test]
fn the_endpoint_starts_once_serves_and_stops() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let idle = amint(folder, &["cloud", "env"]);
    assert_eq!(idle.code, Some(7));
    assert!(idle.stderr.contains("amint cloud up"), "{}", idle.stderr);
    assert_eq!(amint(folder, &["cloud", "status"]).code, Some(1));

    let _down = Down(folder);
    let up = amint(folder, &["cloud", "up", "--port", "0", "--time-scale", "60"]);
    assert_eq!(up.code, Some(0), "{}", up.stderr);
    let again = amint(folder, &["cloud", "up", "--port", "0"]);
    assert_eq!(again.code, Some(0));
    assert!(again.stderr.contains("runs already"), "{}", again.stderr);
    let status = amint(folder, &["--json", "cloud", "status"]);
    assert!(status.stdout.contains("ec2 DescribeImages"), "{}", status.stdout);
    let env = amint(folder, &["cloud", "env"]).stdout;
    assert!(env.contains("export AWS_ENDPOINT_URL=http://127.0.0.1:"), "no endpoint is named");
    let profile = amint(folder, &["cloud", "env", "--profile"]).stdout;
    assert!(profile.starts_with("[profile amint]\n"));

    let is_asked = ask_by_boto3(&env);
    let images = |folder| amint(folder, &["--json", "cloud", "status"]).stdout;
    assert!(images(folder).contains("\"images\": 0"), "the store has none: {}", images(folder));

    assert_eq!(amint(folder, &["cloud", "reset"]).code, Some(7), "it runs");
    assert_eq!(amint(folder, &["cloud", "down"]).code, Some(0));
    assert_eq!(amint(folder, &["cloud", "reset"]).code, Some(0));
    let freed: serde_json::Value = serde_json::from_str(&amint(folder, &["--json", "gc"]).stdout).unwrap();
    assert!(!is_asked || freed["blocks_removed"].as_u64() == Some(3), "{freed}");
    assert_eq!(amint(folder, &["cloud", "status"]).code, Some(1));
    assert_eq!(amint(folder, &["cloud", "down"]).code, Some(0));
}

/// Asks with AWS's own library, which signs its requests; false when it is not installed.
fn ask_by_boto3(env: &str) -> bool {
    by_boto3(env, ANY, ASKING) && by_boto3(env, ANY, include_str!("cloud_upload.py"))
}

#[test]
fn aws_own_library_governs_an_image() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let _down = Down(folder);
    // A day lasts a second.
    let up = amint(folder, &["cloud", "up", "--port", "0", "--time-scale", "86400"]);
    assert_eq!(up.code, Some(0), "{}", up.stderr);
    let env = amint(folder, &["cloud", "env"]).stdout;
    by_boto3(&env, RECENT, include_str!("cloud_governance.py"));
}

#[test]
fn the_aws_cli_leads_an_image_through_its_life() {
    // An older one does not know what is asked of it.
    let probe = [
        "ec2",
        "deregister-image",
        "--image-id",
        "ami-1",
        "--delete-associated-snapshots",
        "--generate-cli-skeleton",
    ];
    let is_recent = |output: std::process::Output| output.status.success();
    if !Command::new("aws").args(probe).output().is_ok_and(is_recent) {
        eprintln!("SKIPPED: no AWS CLI of 2025 or later is installed");
        return;
    }
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let _down = Down(folder);
    let up = amint(folder, &["cloud", "up", "--port", "0", "--time-scale", "600"]);
    assert_eq!(up.code, Some(0), "{}", up.stderr);
    let env = amint(folder, &["cloud", "env"]).stdout;
    let variables = env.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/foreign/aws-cli.sh");
    let output = Command::new(script).envs(variables).env("HOME", folder).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}{words}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn coldsnap_sends_a_disk_and_reads_the_same_back() {
    if !Command::new("coldsnap").arg("--help").output().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: coldsnap is not installed");
        return;
    }
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let _down = Down(folder);
    let up = amint(folder, &["cloud", "up", "--port", "0", "--time-scale", "60"]);
    assert_eq!(up.code, Some(0), "{}", up.stderr);
    let env = amint(folder, &["cloud", "env"]).stdout;
    let variables: Vec<(&str, &str)> =
        env.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect();
    let url = variables.iter().find(|(name, _)| *name == "AWS_ENDPOINT_URL").unwrap().1;
    // Twenty blocks of 512 KiB, of which every third is a hole.
    let bytes: Vec<u8> = (0..20_usize << 19)
        .map(|at| if (at >> 19) % 3 == 0 { 0 } else { u8::try_from((at * 7 + (at >> 19)) % 251).unwrap() })
        .collect();
    std::fs::write(folder.join("disk"), &bytes).unwrap();
    let coldsnap = |arguments: &[&str]| {
        let output = Command::new("coldsnap")
            .args(["--endpoint", url, "--region", "us-east-1"])
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let snapshot = coldsnap(&["upload", "--omit-zero-blocks", "--no-progress", "--wait", "disk"]);
    coldsnap(&["download", "--no-progress", &snapshot, "back"]);
    let back = std::fs::read(folder.join("back")).unwrap();
    // A snapshot is as large as its volume, which has whole GiB.
    assert!(back[..bytes.len()] == bytes && back[bytes.len()..].iter().all(|byte| *byte == 0));
}

#[test]
fn aws_own_library_uses_the_other_services() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let _down = Down(folder);
    let up = amint(folder, &["cloud", "up", "--port", "0", "--time-scale", "600"]);
    assert_eq!(up.code, Some(0), "{}", up.stderr);
    let env = amint(folder, &["cloud", "env"]).stdout;
    by_boto3(&env, RECENT, include_str!("cloud_services.py"));
}

#[test]
fn aws_own_library_works_in_several_accounts() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let _down = Down(folder);
    let up = amint(folder, &["cloud", "up", "--port", "0", "--time-scale", "60"]);
    assert_eq!(up.code, Some(0), "{}", up.stderr);
    let mut env = amint(folder, &["cloud", "env"]).stdout;
    let other = amint(folder, &["cloud", "env", "--account", "111122223333"]).stdout;
    for (name, theirs) in [("OTHER_ID", "AWS_ACCESS_KEY_ID"), ("OTHER_SECRET", "AWS_SECRET_ACCESS_KEY")] {
        let value = other.lines().find_map(|line| line.strip_prefix(&format!("export {theirs}="))).unwrap();
        env = format!("{env}export {name}={value}\n");
    }
    assert_eq!(amint(folder, &["cloud", "env", "--account", "12"]).code, Some(2));
    by_boto3(&env, ANY, include_str!("cloud_accounts.py"));
}

/// What tells a library that will do, and one that knows the operations of 2026.
const ANY: &str = "import boto3";
const RECENT: &str =
    "import boto3; boto3.client('ec2', region_name='us-east-1').attach_image_watermark.__name__";

const ASKING: &str = "\
import boto3, os, botocore\n\
url = os.environ['AWS_ENDPOINT_URL']\n\
client = lambda service, **more: boto3.client(service, endpoint_url=url, **more)\n\
assert client('sts').get_caller_identity()['Account'] == '123456789012'\n\
assert client('ec2').describe_images(Owners=['self'], Filters=[{'Name': 'name', 'Values': ['a b&c*']}])['Images'] == []\n\
assert len(client('ec2').describe_regions()['Regions']) > 10\n\
def fails(code, call):\n    try: call()\n    except botocore.exceptions.ClientError as error: assert error.response['Error']['Code'] == code, error\n    else: raise AssertionError(code)\n\
fails('SignatureDoesNotMatch', client('sts', aws_access_key_id=os.environ['AWS_ACCESS_KEY_ID'], aws_secret_access_key='wrong').get_caller_identity)\n\
fails('AuthFailure', client('ec2', aws_access_key_id='AKIAWRONG', aws_secret_access_key='wrong').describe_images)\n\
fails('ResourceNotFoundException', lambda: client('ebs').list_snapshot_blocks(SnapshotId='snap-0123456789abcdef0'))\n";

/// Runs a script by the first Python that can do what `needed` does; false when there is none.
fn by_boto3(env: &str, needed: &str, script: &str) -> bool {
    let has_library = |python: &&str| {
        let output = Command::new(python).args(["-c", needed]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let Some(python) = ["/usr/bin/python3", "python3"].into_iter().find(has_library) else {
        eprintln!("SKIPPED: no Python succeeds with `{needed}`");
        return false;
    };
    let variables = env.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    let output = Command::new(python).args(["-c", script]).envs(variables).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}
