//! An image with every kind of flaw, the plan that the scan gives for it, and what becomes of the plan.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Home, repository};

const RECIPE: &str = "[image]\nname = \"flawed\"\nversion = \"1.0.0\"\n\n[base]\ndebian = \"trixie\"\n\n\
                      [user]\nname = \"ec2-user\"\n\n";
const STEP: &str = "[[run]]\nname = \"plant flaws\"\nscript = \"plant.sh\"\n\n";
const PROFILES: [&str; 4] = ["--profile", "marketplace", "--profile", "hardened"];

/// Unpacks the root file system of an exported image.
fn unpack(disk: &Path, tree: &Path) {
    let table = Command::new("sfdisk").arg("--json").arg(disk).output().unwrap();
    let table: Value = serde_json::from_slice(&table.stdout).unwrap();
    let partitions = table["partitiontable"]["partitions"].as_array().unwrap();
    let root = partitions.iter().max_by_key(|partition| partition["size"].as_u64()).unwrap();
    let offset = root["start"].as_u64().unwrap() * 512;
    fs::create_dir(tree).unwrap();
    let status = Command::new("debugfs")
        .args(["-R", &format!("rdump / {}", tree.display())])
        .arg(format!("{}?offset={offset}", disk.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

/// Returns what a scan found that asks for a change: rule and place.
fn findings(home: &Home, target: &str) -> BTreeSet<(String, String)> {
    let arguments = [&["--json", "scan", target, "--no-advisories"][..], &PROFILES].concat();
    let document: Value = serde_json::from_slice(&home.run(&arguments).stdout).unwrap();
    let all = document["findings"].as_array().unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    all.iter()
        .filter(|finding| finding["severity"] != "info")
        .map(|finding| (text(finding, "rule"), text(finding, "path")))
        .collect()
}

/// Every change that the plan proposes is made by a build; what is left afterwards is what the plan leaves to a person.
#[test]
fn the_plan_for_a_flawed_image_makes_a_recipe_that_passes() {
    let Some(home) = Home::new() else { return };
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !is_root || !Path::new("/usr/sbin/debugfs").exists() {
        eprintln!("SKIPPED: planting flaws needs root, and debugfs");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let recipe = path("amint.toml");
    fs::write(&recipe, RECIPE).unwrap();
    let Some(built) = home.build(&["--no-test", recipe.to_str().unwrap()]) else { return };
    assert!(built.status.success());
    assert!(home.run(&["export", "flawed", path("disk.raw").to_str().unwrap()]).status.success());

    let tree = path("tree");
    unpack(&path("disk.raw"), &tree);
    fs::remove_file(path("disk.raw")).unwrap();
    let plant = repository().join("tests/flawed/plant.sh");
    assert!(Command::new("bash").arg(&plant).arg(&tree).status().unwrap().success());
    let target = tree.to_str().unwrap();
    let before = findings(&home, target);
    let arguments = [&["scan", target, "--no-advisories", "--fix-plan"][..], &PROFILES].concat();
    let plan = String::from_utf8(home.run(&arguments).stdout).unwrap();
    fs::remove_dir_all(&tree).unwrap();
    let by_hand: BTreeSet<&str> =
        plan.lines().filter_map(|line| line.strip_prefix("# - ")?.split(' ').next()).collect();

    // The flaws are planted in a build of their own, and then the plan has its turn.
    let script = fs::read_to_string(&plant).unwrap().replacen('\n', "\nset -- /\n", 1);
    fs::write(path("plant.sh"), script).unwrap();
    fs::set_permissions(path("plant.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(&recipe, format!("{RECIPE}{STEP}{plan}")).unwrap();
    let Some(built) = home.build(&["--lock", "--no-test", recipe.to_str().unwrap()]) else { return };
    assert!(built.status.success(), "{plan}");

    let after = findings(&home, "flawed");
    let left: Vec<_> = after
        .iter()
        .filter(|found| before.contains(found) && !by_hand.contains(found.0.as_str()))
        .filter(|(rule, _)| !plan.contains("Declare the right") || rule != "RES-002")
        // Newer certificates are in the archive, or not.
        .filter(|(rule, _)| rule != "CRY-004")
        .collect();
    assert!(left.is_empty(), "the plan claims to clear {left:?}\n{plan}");
    assert!(before.len() > 60 && after.len() < before.len() / 4, "{} became {}", before.len(), after.len());
}
