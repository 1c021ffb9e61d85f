//! The reader against modprobe itself, which tells what it would run.

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Modprobe;
use crate::testing::Fixture;

const MODULES: [&str; 3] = ["alpha", "be_ta", "gamma"];

fn line() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "install alpha /bin/false",
        "install alpha /bin/true",
        " install alpha /bin/false one",
        "install\talpha\t /bin/false two",
        "install be-ta /bin/false",
        "install be_ta /bin/true",
        "install be-ta \\\n  /bin/false three",
        "install al* /bin/false four",
        "install [ab]* /bin/false five",
        "install ?amma /bin/false",
        "install gamma",
        "#install gamma /bin/false",
        "# x \\\ninstall gamma /bin/true",
        "installs gamma /bin/false",
        "install  gamma /bin/true; echo x",
        "blacklist gamma",
        "blacklist alpha",
        "options other x=1",
        "softdep gamma pre: alpha",
        "softdep al* post: gamma",
        "softdep alpha pre:",
        "",
        "nonsense",
        "install gamma /bin/false \\",
    ])
    .prop_map(str::to_owned)
}

type File = (&'static str, Vec<String>);

fn files() -> impl Strategy<Value = Vec<File>> {
    let name = prop::sample::select(vec!["10-a.conf", "20-b.conf", "30-c", ".40-d.conf", "zz.conf"]);
    prop::collection::vec((name, prop::collection::vec(line(), 0..5)), 1..5)
}

fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
    command
}

/// Returns what modprobe would run for a module; none where it would load it.
fn theirs(tree: &Path, module: &str) -> Option<String> {
    let output = tool("modprobe")
        .arg("-d")
        .arg(tree)
        .arg("-C")
        .arg(tree.join("etc/modprobe.d"))
        .args(["-S", "1.0", "-n", "-v", module])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // What it softly depends on stands before it and after it.
    let file = format!("/{}.ko", module.replace('_', "-"));
    let is_loaded = text.lines().any(|line| line.starts_with("insmod ") && line.contains(&file));
    let line = text.lines().last().filter(|_| !is_loaded)?.to_owned();
    line.strip_prefix("install ").map(|command| command.trim().to_owned())
}

#[test]
fn modprobe_would_run_the_same_instead() {
    if !["/usr/sbin/modprobe", "/sbin/modprobe"].iter().any(|path| Path::new(path).exists()) {
        eprintln!("SKIPPED: modprobe is not here");
        return;
    }
    let mut runner = TestRunner::new(Config { cases: 150, ..Config::default() });
    let compared = runner.run(&files(), |files| {
        let mut fixture = Fixture::new().dir("/etc/modprobe.d");
        for (name, lines) in &files {
            fixture = fixture.file(&format!("/etc/modprobe.d/{name}"), &(lines.join("\n") + "\n"));
        }
        for module in MODULES {
            fixture = fixture.file(&format!("/lib/modules/1.0/kernel/{}.ko", module.replace('_', "-")), "");
        }
        // The modules are empty, which depmod says and then lists them all the same.
        let tree = fixture.as_ref().to_owned();
        tool("depmod").arg("-b").arg(&tree).arg("1.0").output().unwrap();
        prop_assert!(fixture.has("/lib/modules/1.0/modules.dep.bin"));
        let modprobe = fixture.with(|cx| Modprobe::load(cx).unwrap());
        for module in MODULES {
            let ours = modprobe.install(module).map(|install| install.command.trim().to_owned());
            prop_assert_eq!(ours, theirs(&tree, module), "{} {:?}", module, files);
        }
        Ok(())
    });
    if let Err(error) = compared {
        panic!("{error}");
    }
}
