//! What starts by itself: units that the default target reaches, scripts of System V and OpenRC.
//!
//! Rules: `systemd.unit(5)`, `systemd.special(7)`. Units that generators would make at boot are not guessed, but for those
//! that stand for scripts of System V.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use amint_types::scan::Service;

use super::ports;
use crate::facts::units::{self, Entry};
use crate::{CheckError, Context};

/// How many units are followed.
const UNITS_MAX: usize = 10_000;
/// Kinds of units that start something by themselves.
const KINDS: [&str; 4] = ["service", "socket", "timer", "path"];
/// Keys that pull another unit in (`systemd.unit(5)`).
const PULLS: [&str; 5] = ["Wants", "Requires", "BindsTo", "Upholds", "Requisite"];

/// Lists the services that start by themselves, sorted.
pub fn services(cx: &Context<'_>) -> Result<Vec<Service>, CheckError> {
    let mut services = Vec::new();
    let mut native = BTreeSet::new();
    if cx.exists("/usr/lib/systemd/systemd")? || cx.exists("/lib/systemd/systemd")? {
        for (name, enabled_by) in reached(cx)? {
            native.insert(name.rsplit_once('.').map_or(name.clone(), |(stem, _)| stem.to_owned()));
            let Some(unit) = units::load(cx, &name)? else { continue };
            let program = program(&unit);
            let mut ports = socket_ports(&unit);
            ports.extend(ports::of_program(cx, program.as_deref())?);
            ports.sort();
            ports.dedup();
            services.push(Service { name, enabled_by, program, package: None, ports });
        }
    }
    services.extend(scripts(cx, &native)?);
    services.sort();
    Ok(services)
}

/// Walks from the default target along everything that pulls units in.
fn reached(cx: &Context<'_>) -> Result<BTreeMap<String, String>, CheckError> {
    let links = cx.fact(units::links)?;
    let mut reached: BTreeMap<String, String> = BTreeMap::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    // What every boot passes through, whatever the target (`bootup(7)`).
    let mut pending: VecDeque<(String, String)> =
        ["sysinit.target", "basic.target", "sockets.target", "timers.target"]
            .map(|name| (name.to_owned(), "/usr/lib/systemd/system".to_owned()))
            .into();
    pending.push_back((default_target(cx)?, "/etc/systemd/system/default.target".to_owned()));
    while let Some((name, by)) = pending.pop_front() {
        if seen.len() >= UNITS_MAX || !seen.insert(name.clone()) {
            continue;
        }
        let unit = match units::load(cx, &name)? {
            Some(unit) => unit,
            // A target is what is linked to it, even where its own file is missing.
            None if name.ends_with(".target") && !units::is_masked(cx, &name)? => Vec::new(),
            None => continue,
        };
        let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
        if KINDS.contains(&kind) {
            reached.insert(name.clone(), by);
        }
        for entry in
            unit.iter().filter(|entry| entry.section == "Unit" && PULLS.contains(&entry.key.as_str()))
        {
            for pulled in entry.value.split_whitespace() {
                pending.push_back((pulled.to_owned(), entry.path.to_string_lossy().into_owned()));
            }
        }
        for (pulled, path) in links.get(&name).into_iter().flatten() {
            pending.push_back((pulled.clone(), path.to_string_lossy().into_owned()));
        }
    }
    Ok(reached)
}

fn default_target(cx: &Context<'_>) -> Result<String, CheckError> {
    if let Some(path) = units::path_of(cx, "default.target")?
        && cx.metadata(&path)?.is_some_and(|metadata| metadata.is_link())
        && let Some(name) = cx.tree().read_link(&path)?.file_name()
    {
        return Ok(name.to_string_lossy().into_owned());
    }
    Ok("graphical.target".to_owned())
}

/// The first program that a service starts, without the marks that change how (`systemd.service(5)`).
fn program(unit: &[Entry]) -> Option<String> {
    let command = units::values(unit, "Service", "ExecStart").first()?.value.clone();
    let word = command.split_whitespace().next()?;
    Some(word.trim_start_matches(['@', '-', ':', '+', '!', '|']).to_owned())
}

fn socket_ports(unit: &[Entry]) -> Vec<String> {
    let mut found = Vec::new();
    for (key, protocol) in [("ListenStream", "tcp"), ("ListenDatagram", "udp")] {
        for entry in units::values(unit, "Socket", key) {
            let value = entry.value.rsplit_once(':').map_or(entry.value.as_str(), |(_, port)| port);
            if let Ok(port) = value.parse::<u16>() {
                found.push(format!("{protocol}/{port}"));
            }
        }
    }
    found
}

/// Scripts of System V that have no unit of their own, and services of OpenRC.
fn scripts(cx: &Context<'_>, native: &BTreeSet<String>) -> Result<Vec<Service>, CheckError> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for level in 2..=5 {
        for folder in [format!("/etc/rc{level}.d"), format!("/etc/rc.d/rc{level}.d")] {
            for entry in cx.list(&folder)? {
                let name = entry.name.to_string_lossy().into_owned();
                let script = name
                    .strip_prefix('S')
                    .map(|rest| rest.trim_start_matches(|letter: char| letter.is_ascii_digit()));
                if let Some(script) = script.filter(|script| !script.is_empty() && !native.contains(*script))
                {
                    found.entry(script.to_owned()).or_insert(format!("{folder}/{name}"));
                }
            }
        }
    }
    for level in ["sysinit", "boot", "default"] {
        let folder = format!("/etc/runlevels/{level}");
        for entry in cx.list(&folder)? {
            let name = entry.name.to_string_lossy().into_owned();
            found.entry(name.clone()).or_insert(format!("{folder}/{name}"));
        }
    }
    let mut services = Vec::new();
    for (name, enabled_by) in found {
        // A unit of the same name takes the place of a script, enabled or not.
        if !native.is_empty() && units::path_of(cx, &format!("{name}.service"))?.is_some() {
            continue;
        }
        let mut program = ports::usual_program(&name).map(str::to_owned);
        let namesake = format!("/usr/sbin/{name}");
        if program.is_none() && cx.exists(&namesake)? {
            program = Some(namesake);
        }
        let ports = ports::of_program(cx, program.as_deref())?;
        services.push(Service { name, enabled_by, program, package: None, ports });
    }
    Ok(services)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn names(fixture: &Fixture) -> Vec<String> {
        fixture.with(|cx| services(cx).unwrap()).into_iter().map(|service| service.name).collect()
    }

    fn system() -> Fixture {
        Fixture::new()
            .file("/usr/lib/systemd/systemd", "")
            .file("/usr/lib/systemd/system/multi-user.target", "[Unit]\nRequires=basic.target\n")
            .file("/usr/lib/systemd/system/basic.target", "[Unit]\nWants=sockets.target\n")
            .file("/usr/lib/systemd/system/sockets.target", "[Unit]\n")
            .file("/usr/lib/systemd/system/rescue.target", "[Unit]\n")
            .link("/usr/lib/systemd/system/multi-user.target", "/etc/systemd/system/default.target")
    }

    #[test]
    fn only_what_the_default_target_reaches_starts() {
        let fixture = system()
            .file("/usr/lib/systemd/system/web.service", "[Service]\nExecStart=-/usr/sbin/web -D\n")
            .file("/usr/lib/systemd/system/rescue.service", "[Service]\nExecStart=/bin/sh\n")
            .file("/usr/lib/systemd/system/getty@.service", "[Service]\nExecStart=/sbin/agetty\n")
            .link(
                "/usr/lib/systemd/system/web.service",
                "/etc/systemd/system/multi-user.target.wants/web.service",
            )
            .link("../getty@.service", "/etc/systemd/system/multi-user.target.wants/getty@tty1.service")
            .link("../rescue.service", "/usr/lib/systemd/system/rescue.target.wants/rescue.service");
        assert_eq!(names(&fixture), ["getty@tty1.service", "web.service"]);
        let found = fixture.with(|cx| services(cx).unwrap());
        assert_eq!(found[1].program.as_deref(), Some("/usr/sbin/web"));
        assert_eq!(found[1].enabled_by, "/etc/systemd/system/multi-user.target.wants/web.service");
    }

    #[test]
    fn masked_units_do_not_start() {
        let fixture = system()
            .file("/usr/lib/systemd/system/web.service", "[Service]\nExecStart=/usr/sbin/web\n")
            .link("/dev/null", "/etc/systemd/system/web.service")
            .link(
                "/usr/lib/systemd/system/web.service",
                "/etc/systemd/system/multi-user.target.wants/web.service",
            );
        assert_eq!(names(&fixture), Vec::<String>::new());
    }

    #[test]
    fn sockets_tell_their_ports() {
        let fixture = system()
            .file(
                "/usr/lib/systemd/system/echo.socket",
                "[Socket]\nListenStream=127.0.0.1:7\nListenStream=/run/x\nListenDatagram=[::]:9\n",
            )
            .link("../echo.socket", "/usr/lib/systemd/system/sockets.target.wants/echo.socket");
        let found = fixture.with(|cx| services(cx).unwrap());
        assert_eq!(found[0].ports, ["tcp/7", "udp/9"]);
    }

    #[test]
    fn scripts_start_where_no_unit_stands_for_them() {
        let fixture = system()
            .file("/usr/lib/systemd/system/new.service", "[Service]\nExecStart=/bin/new\n")
            .file("/etc/rc3.d/S01old", "")
            .file("/etc/rc3.d/S02new", "")
            .link("../new.service", "/etc/systemd/system/multi-user.target.wants/new.service");
        assert_eq!(names(&fixture), ["new.service", "old"]);
    }
}
