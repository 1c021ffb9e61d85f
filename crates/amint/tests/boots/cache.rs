//! Results of steps that are reused give the same image as steps that run.

use std::fs;
use std::path::Path;

use crate::support::{Home, repository};

/// Numbers that look random and are the same in every run (a linear congruential generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A recipe that is edited in all ways that reach the image.
struct Edited {
    content: u64,
    mode: &'static str,
    command: u64,
    package: Option<&'static str>,
    has_hook: bool,
    group: u64,
}

impl Edited {
    fn edit(&mut self, numbers: &mut Numbers) -> &'static str {
        match numbers.below(6) {
            0 => {
                self.content += 1;
                "a file's content"
            }
            1 => {
                self.mode = if self.mode == "0644" { "0600" } else { "0644" };
                "a file's mode"
            }
            2 => {
                self.command += 1;
                "a command"
            }
            3 => {
                self.package = if self.package.is_none() { Some("\"jq\"") } else { None };
                "a package"
            }
            4 => {
                self.has_hook = !self.has_hook;
                "a hook of the initramfs"
            }
            _ => {
                self.group += 1;
                "an account"
            }
        }
    }

    fn write(&self, folder: &Path) {
        let hook = if self.has_hook {
            "[[files]]\nsource = \"hook\"\ntarget = \"/etc/initramfs-tools/hooks/ours\"\nmode = \"0755\"\n"
        } else {
            ""
        };
        let recipe = format!(
            "[image]\nname = \"edited\"\nversion = \"1\"\n[base]\ndebian = \"trixie\"\n\
             [packages]\ninstall = [{}]\n\
             [[files]]\nsource = \"note\"\ntarget = \"/srv/note\"\nmode = \"{}\"\n{hook}\
             [[run]]\ncommand = \"groupadd -g {} ours; date -u -r /srv/note >/srv/when; echo {} >>/srv/note\"\n\
             [[run]]\ncommand = \"ln /srv/note /srv/other; rm /usr/share/common-licenses/GPL\"\n",
            self.package.unwrap_or_default(),
            self.mode,
            5000 + self.group,
            self.command,
        );
        fs::write(folder.join("amint.toml"), recipe).unwrap();
        fs::write(folder.join("note"), format!("note {}\n", self.content)).unwrap();
        let script = "#!/bin/sh\n[ \"$1\" = prereqs ] && exit 0\n. /usr/share/initramfs-tools/hook-functions\n\
                      cp /srv/note \"$DESTDIR/note\"\n";
        fs::write(folder.join("hook"), script).unwrap();
    }
}

#[test]
fn edits_of_a_recipe_give_the_same_image_with_and_without_the_cache() {
    let Some(home) = Home::new() else { return };
    assert!(repository().is_dir());
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("amint.toml").display().to_string();
    let mut edited =
        Edited { content: 0, mode: "0644", command: 0, package: None, has_hook: false, group: 0 };
    let mut numbers = Numbers(20_261_125);
    edited.write(folder.path());
    let digest = |arguments: &[&str]| -> Option<String> {
        let output = home.build(&[arguments, &["--lock", "--no-test", &recipe]].concat())?;
        assert!(output.status.success());
        let record = home.json(&["show", "edited"]);
        Some(record["image"]["digest"].as_str().unwrap().to_owned())
    };
    let Some(mut last) = digest(&[]) else { return };
    for _ in 0..5 {
        let what = edited.edit(&mut numbers);
        edited.write(folder.path());
        let cached = digest(&[]).unwrap();
        assert_eq!(Some(&cached), digest(&["--no-cache"]).as_ref(), "after a change of {what}");
        assert_ne!(cached, last, "a change of {what} changes the image");
        last = cached;
    }
}
