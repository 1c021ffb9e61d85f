//! The example web server, from its recipe to a second firmware.

use crate::support::{Home, assert_boot_passed};

#[test]
fn builds_boots_stores_exports_and_boots_again_under_bios() {
    let Some(home) = Home::new() else { return };
    let Some(output) = home.build(&["examples/web/amint.toml"]) else { return };
    assert!(output.status.success());

    let shown = home.json(&["show", "web"]);
    let report = &shown["report"];
    assert!(report["packages"].as_array().unwrap().iter().any(|package| package["name"] == "nginx-light"));
    let stopping: Vec<String> = report["scan"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| rule["severity"] == "critical" || rule["severity"] == "high")
        .filter(|rule| ["fail", "not_evaluated"].iter().any(|state| rule["outcome"]["state"] == *state))
        .map(ToString::to_string)
        .collect();
    assert_eq!(stopping, Vec::<String>::new());
    assert_boot_passed(
        &report["boots"][0],
        &["boot-login", "sudo", "ssh-root-refused", "ssh-password-refused", "ports", "failed-units", "grow"],
    );
    assert!(home.path().join("reports").read_dir().unwrap().count() == 1);
    assert_eq!(home.leftovers(), Vec::<std::path::PathBuf>::new());

    let bios = home.run(&["test", "web", "--boot", "bios", "--once", "--probe"]);
    assert_eq!(bios.status.code(), Some(0), "the boot by BIOS (see above)");
    let boots = home.json(&["show", "web"])["report"]["boots"].clone();
    let firmwares: Vec<_> = boots.as_array().unwrap().iter().map(|boot| boot["firmware"].clone()).collect();
    assert_eq!(firmwares, ["uefi", "bios"]);
    assert_boot_passed(
        &boots[1],
        &["boot-login", "live-sshd", "live-accounts", "probe-ports", "probe-banners", "files-agree"],
    );

    let raw = home.path().join("web.raw");
    let exported = home.run(&["export", "web", raw.to_str().unwrap()]);
    assert!(exported.status.success());
    assert_eq!(raw.metadata().unwrap().len(), shown["image"]["disk_bytes"].as_u64().unwrap());
}
