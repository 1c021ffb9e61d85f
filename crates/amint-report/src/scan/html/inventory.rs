//! What the image holds and what was looked at, as tables.

use amint_types::format_bytes;
use amint_types::scan::{
    AnalyzerStatus, CoverageStatus, Kernel, OperatingSystem, ScanDocument, ScannedPackage, User,
};
use jiff::Timestamp;

use super::super::text::line;
use super::table::{Cell, Section, Table};
use crate::html::frame::Mark;
use crate::html::{count, grouped};

/// Returns all sections below the findings, in the order of the page.
pub(super) fn sections(document: &ScanDocument) -> Vec<Section> {
    vec![
        coverage(document),
        data(document),
        system(document),
        packages(document),
        services(document),
        users(document),
        privileged(document),
        certificates(document),
        modified_files(document),
    ]
}

/// Returns how many whole days old data were when the scan was made.
pub(super) fn age_days(document: &ScanDocument, date: Timestamp) -> u64 {
    let seconds = document.scanned_at.as_second().saturating_sub(date.as_second());
    u64::try_from(seconds / 86_400).unwrap_or_default()
}

fn coverage(document: &ScanDocument) -> Section {
    let rows = document
        .coverage
        .iter()
        .map(|part| {
            let mark = match part.status {
                CoverageStatus::Read => Mark { word: "read", ..Mark::PASSED },
                CoverageStatus::Partial => Mark { symbol: "?", word: "in part", class: "open" },
                CoverageStatus::Empty => Mark { word: "empty", ..Mark::SKIPPED },
                _ => Mark { word: "not read", ..Mark::FAILED },
            };
            vec![
                Cell::text(&part.partition).note(part.notes.join("\n")),
                Cell::mark(mark),
                Cell::text(&part.filesystem),
                Cell::code(part.mounted_at.as_deref().unwrap_or_default()),
                Cell::number(grouped(part.files)),
                Cell::number(format_bytes(part.bytes)),
            ]
        })
        .collect::<Vec<_>>();
    let analyzers = document
        .analyzers
        .iter()
        .map(|analyzer| {
            let mark = match analyzer.status {
                AnalyzerStatus::Ran => Mark { word: "ran", ..Mark::PASSED },
                AnalyzerStatus::Partial => Mark { symbol: "?", word: "in part", class: "open" },
                _ => Mark::SKIPPED,
            };
            vec![
                Cell::text(&analyzer.id).note(analyzer.notes.join("\n")),
                Cell::mark(mark),
                Cell::number(analyzer.version.to_string()),
                Cell::number(grouped(analyzer.files)),
            ]
        })
        .collect::<Vec<_>>();
    let heads = ["Partition", "State", "Content", "At", "#Files", "#Read"];
    Section {
        id: "coverage",
        title: "Coverage",
        note: count(rows.len(), "part") + " of the disk",
        tables: [
            Table::new("Parts of the disk", &heads, rows),
            Table::new("Analyzers", &["Analyzer", "State", "#Version", "#Files"], analyzers),
        ]
        .into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect(),
        empty: "No part of the image was read.",
        has_filter: false,
    }
}

fn data(document: &ScanDocument) -> Section {
    let rows = document
        .data
        .iter()
        .map(|source| {
            vec![
                Cell::text(&source.source),
                Cell::text(source.date.strftime("%Y-%m-%d %H:%M UTC").to_string()),
                Cell::number(count(age_days(document, source.date), "day")),
            ]
        })
        .collect();
    let words = ("source", "No advisories were used: vulnerabilities of packages were not looked up.");
    Section::of("data", "Advisories", words, &["Source", "Made", "#Age"], rows)
}

fn system(document: &ScanDocument) -> Section {
    let facts = document.system.as_ref().map(system_rows).unwrap_or_default();
    let kernels = document.kernels.iter().map(kernel_row).collect::<Vec<_>>();
    Section {
        id: "system",
        title: "System",
        note: count(kernels.len(), "kernel"),
        tables: [
            Table::new("Operating system", &["Fact", "Value"], facts),
            Table::new("Kernels", &["Release", "Starts", "Modules", "Package"], kernels),
        ]
        .into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect(),
        empty: "Neither an operating system nor a kernel was recognised.",
        has_filter: false,
    }
}

fn system_rows(system: &OperatingSystem) -> Vec<Vec<Cell>> {
    let date = |date: Option<jiff::civil::Date>| date.map(|date| date.to_string()).unwrap_or_default();
    let id = match &system.version_id {
        Some(version) => format!("{} {version}", system.id),
        None => system.id.clone(),
    };
    [
        ("Name", system.name.clone()),
        ("Id", id),
        ("Codename", system.codename.clone().unwrap_or_default()),
        ("Like", system.like.join(", ")),
        ("Architecture", system.architecture.clone().unwrap_or_default()),
        ("Support ends", date(system.support_ends)),
        ("Long-term support ends", date(system.long_term_support_ends)),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| vec![Cell::text(name), Cell::text(value)])
    .collect()
}

fn kernel_row(kernel: &Kernel) -> Vec<Cell> {
    let yes_or_no = |is_so: bool| Cell::text(if is_so { "yes" } else { "no" });
    vec![
        Cell::code(&kernel.release).note(kernel.command_line.as_deref().unwrap_or_default()),
        if kernel.is_default { Cell::text("by default") } else { Cell::text("no") },
        yes_or_no(kernel.has_modules),
        Cell::text(kernel.package.as_deref().unwrap_or_default()).note(&kernel.path),
    ]
}

fn packages(document: &ScanDocument) -> Section {
    let rows = document.packages.iter().map(package_row).collect();
    let words = ("package", "No package was found.");
    Section::of("packages", "Packages", words, &["Name", "Version", "Kind", "Licence", "Found"], rows)
}

fn package_row(package: &ScannedPackage) -> Vec<Cell> {
    let source = package.source.as_deref().filter(|source| *source != package.name);
    // Hundreds of packages lie in the one database of the system; its path would say nothing.
    let place = if package.kind.is_of_system() { "" } else { &package.path };
    let owner = package.owner.as_deref().map(|owner| format!("of {owner}")).unwrap_or_default();
    vec![
        Cell::text(&package.name).note(source.map(|source| format!("from {source}")).unwrap_or_default()),
        Cell::code(&package.version).note(package.architecture.as_deref().unwrap_or_default()),
        Cell::text(package.kind.as_str()),
        Cell::text(line(&package.licenses.join(", "))),
        Cell::code(place).note(owner),
    ]
}

fn services(document: &ScanDocument) -> Section {
    let rows = document
        .services
        .iter()
        .map(|service| {
            vec![
                Cell::text(&service.name).note(&service.enabled_by),
                Cell::code(service.program.as_deref().unwrap_or_default()),
                Cell::text(service.ports.join(", ")),
                Cell::text(service.package.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    let words = ("service", "Nothing starts by itself.");
    Section::of("services", "Services", words, &["Service", "Program", "Ports", "Package"], rows)
}

fn users(document: &ScanDocument) -> Section {
    let rows = document.users.iter().map(user_row).collect();
    let heads = ["User", "#Uid", "Password", "Keys", "Shell", "Groups"];
    Section::of("users", "Users", ("user", "No user is defined."), &heads, rows)
}

fn user_row(user: &User) -> Vec<Cell> {
    let keys = if user.authorized_keys.is_empty() {
        Cell::text("none")
    } else {
        Cell::text(count(user.authorized_keys.len(), "key")).note(user.authorized_keys.join("\n"))
    };
    vec![
        Cell::text(&user.name).note(&user.home),
        Cell::number(user.uid.to_string()),
        Cell::text(&user.password),
        keys,
        Cell::code(&user.shell),
        Cell::text(user.groups.join(", ")),
    ]
}

fn privileged(document: &ScanDocument) -> Section {
    let rows = document
        .privileged
        .iter()
        .map(|file| {
            vec![
                Cell::code(&file.path),
                Cell::code(&file.mode).note(&file.owner),
                Cell::text(file.capabilities.as_deref().unwrap_or_default()),
                Cell::text(file.package.as_deref().unwrap_or("no package")),
            ]
        })
        .collect();
    let words = ("file", "No file gives its caller more rights.");
    let heads = ["File", "Mode", "Capabilities", "Package"];
    Section::of("privileged", "Files that give rights", words, &heads, rows)
}

fn certificates(document: &ScanDocument) -> Section {
    let rows = document
        .certificates
        .iter()
        .map(|certificate| {
            let is_over = certificate.not_after < document.scanned_at;
            let end = certificate.not_after.strftime("%Y-%m-%d").to_string();
            let kind = if certificate.is_authority { "authority" } else { "" };
            vec![
                Cell::code(&certificate.path).note(kind),
                Cell::text(&certificate.subject).note(format!("by {}", certificate.issuer)),
                Cell::text(end).note(if is_over { "expired" } else { "" }),
                Cell::code(certificate.fingerprint.short()),
            ]
        })
        .collect();
    let words = ("certificate", "No certificate lies outside the distribution's own trust store.");
    let heads = ["File", "Subject", "Valid until", "SHA-256"];
    Section::of("certificates", "Certificates", words, &heads, rows)
}

fn modified_files(document: &ScanDocument) -> Section {
    let rows = document
        .modified_files
        .iter()
        .map(|file| {
            let kind = if file.is_configuration { "configuration" } else { "" };
            vec![Cell::code(&file.path), Cell::text(&file.change).note(kind), Cell::text(&file.package)]
        })
        .collect();
    let words = ("file", "Every file of a package is as the package brought it.");
    Section::of("modified", "Changed files of packages", words, &["File", "Change", "Package"], rows)
}
