//! Whatever bytes come, all readers of text answer.

use amint_packages::Problems;
use amint_packages::apk::{read_installed, read_world};
use amint_packages::dpkg::{
    Copyright, Diversions, DpkgPackage, md5_sums, owned_files, owned_paths, read_overrides, read_status,
    read_status_part,
};
use amint_packages::purl::Distribution;
use amint_packages::repositories::{
    MainSettings, Variables, read_apk, read_apt, read_dnf, read_main, read_zypper,
};
use proptest::prelude::*;

const TEXTS: [&str; 8] = [
    "Package: a\nStatus: install ok installed\nVersion: 1:2-3\nSource: b (4)\nBuilt-Using: c (= 5)\n\
     Conffiles:\n /etc/a 900150983cd24fb0d6963f7d28e17f72 obsolete\n\nPackage: b\nStatus: x\n",
    "C:Q1qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\nP:x\nV:1-r0\no:y\nF:usr/bin\nR:x\na:0:0:4755\nZ:Q1qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\n\n",
    "[a]\nname=x $releasever ${basearch:-${none:+z}}\nbaseurl=http://x.example\n http://y.example\nenabled=0\n",
    "deb [signed-by=/k trusted=yes] http://x.example/debian trixie main\ndeb cdrom:[x y]/ z\n",
    "Types: deb\nURIs: http://x.example\nSuites: trixie\nSigned-By:\n -----BEGIN PGP\nEnabled: no\n",
    "@edge https://x.example/alpine/v3.20/main\nname@t>=1 !other~2\n",
    "d41d8cd98f00b204e9800998ecf8427e  usr/bin/a\n/usr/bin/a\n/usr/bin/b\n:\nroot root 4755 /x\n",
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nLicense: GPL-2+ or (MIT, and X)\n\
     /usr/share/common-licenses/GPL-3.\n",
];

fn read_all(content: &[u8]) {
    let system = Distribution::new("x", "1");
    let mut problems = Problems::default();
    let diversions = Diversions::read(content, &mut problems);
    let mut packages: Vec<DpkgPackage> = Vec::new();
    for database in [read_status(content), read_status_part(content)].into_iter().flatten() {
        packages.extend(database.packages);
    }
    for package in &packages {
        package.scanned(&system, "/x");
        owned_files(package, content, content, &diversions, &mut problems);
    }
    owned_paths(content).count();
    md5_sums(content, &mut problems).count();
    read_overrides(content, &mut problems);
    Copyright::read(content).names();
    for package in read_installed(content).packages {
        package.scanned(&system, "/x");
        package.files.owned().count();
    }
    read_world(content);
    let variables = Variables::of_system("1.2", "x86_64");
    read_dnf(content, &variables, &MainSettings::default());
    read_zypper(content, &variables);
    read_main(content, &mut problems);
    read_apt("x.list", content);
    read_apt("x.sources", content);
    read_apk(content);
    variables.expand(&String::from_utf8_lossy(content));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_text_never_makes_it_panic(
        which in 0..TEXTS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        cut in any::<prop::sample::Index>(),
        repeat in 1..4_usize,
    ) {
        let mut content = TEXTS[which].repeat(repeat).into_bytes();
        for (place, byte) in changes {
            *place.get_mut(&mut content) = byte;
        }
        content.truncate(cut.index(content.len()) + 1);
        read_all(&content);
    }

    #[test]
    fn any_text_never_makes_it_panic(content in "[ -~\n\u{e9}]{0,200}") {
        read_all(content.as_bytes());
    }
}
