//! Sources of advisories of any form, and databases of any bytes, never make a crash.
#![no_main]

use amint_vuln::{Builder, Database, Ecosystem, Family, ImporterKind, Input, Trust};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    if first % 10 == 9 {
        if let Ok(database) = Database::from_source(Box::new(rest.to_vec()), Trust::Anyone) {
            let _ = database.verify();
        }
        return;
    }
    let ecosystem = Ecosystem::new(Family::Debian, "13");
    let kind = match first % 10 {
        0 => ImporterKind::DebianSources { ecosystem, suite: "trixie".to_owned() },
        1 => ImporterKind::DebianChangelog { ecosystem },
        2 => ImporterKind::DebianTracker,
        3 => ImporterKind::UpdateInfo { ecosystem, repository: None },
        4 => ImporterKind::Osv,
        5 => ImporterKind::AlpineSecdb,
        6 => ImporterKind::CsafVex,
        7 => ImporterKind::Epss,
        _ => ImporterKind::Ssvc,
    };
    let mut builder = Builder::new();
    if builder.add("source", jiff::Timestamp::UNIX_EPOCH, &kind, Input::bytes(rest)).is_ok() {
        let mut bytes = Vec::new();
        if builder.write(&mut bytes, None).is_ok() {
            let database = Database::from_source(Box::new(bytes), Trust::Anyone).expect("it was just written");
            database.verify().expect("it was just written");
        }
    }
});
