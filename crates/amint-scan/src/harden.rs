//! Applying fixes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use amint_disk::tree::DirTree;
use amint_types::report::AppliedFix;
use amint_types::{EventSink, StepOutcome, Unit};

use crate::fix::SshdLines;
use crate::scan::{asked_rules, require_system};
use crate::sshd::SshdConfig;
use crate::waive::is_rule_waived;
use crate::{CheckError, FixContext, ScanError, ScanRequest};

/// The name of the step in events.
const STEP: &str = "harden";
/// The drop-in that the fixes of ssh rules share. `00` because the first value of a keyword wins.
const SSHD_DROP_IN: &str = "/etc/ssh/sshd_config.d/00-amint.conf";
const SSHD_MAIN: &str = "/etc/ssh/sshd_config";
/// The version of OpenSSH that `Include` came with.
const INCLUDE_SINCE: (u32, u32) = (8, 2);
/// What ends the lines that stand in the main file itself.
pub(crate) const SSHD_BLOCK_END: &str = "# End of amint's lines.\n";

/// Applies the fixes of all rules of the request's profiles, in the order of the rules' ids.
///
/// Hardening twice changes nothing the second time. A rule that is waived as a whole is not mended. Returns
/// what was really changed, by rule.
pub fn harden(
    tree: &DirTree,
    request: &ScanRequest,
    sink: &dyn EventSink,
) -> Result<Vec<AppliedFix>, ScanError> {
    require_system(tree, request)?;
    let asked = asked_rules(&request.profiles);
    let started = Instant::now();
    sink.step_started(STEP, "Hardening", Some(asked.len() as u64), Unit::Items);
    let edit = tree.edit();
    let sshd_lines = RefCell::new(SshdLines::new());
    let mut changes: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (done, rule) in asked.iter().enumerate() {
        let id = rule.meta().id;
        sink.step_progress(STEP, done as u64, Some(asked.len() as u64), Some(id));
        let Some(fix) = rule.fix().filter(|_| !is_rule_waived(request, id)) else { continue };
        let cx = FixContext { rule: id, edit: &edit, request, sshd_lines: &sshd_lines };
        fix(&cx).map_err(|source| ScanError::Fix { rule: id, source })?;
        changes.entry(id).or_default().extend(edit.take_changes());
    }
    let lines = sshd_lines.take();
    if let Some((_, first_rule)) = lines.values().next().copied() {
        let cx = FixContext { rule: first_rule, edit: &edit, request, sshd_lines: &sshd_lines };
        let composed =
            compose_sshd(&cx, &lines).map_err(|source| ScanError::Fix { rule: first_rule, source })?;
        for (rule, change) in composed {
            changes.entry(rule).or_default().push(change);
        }
    }
    changes.retain(|_, made| !made.is_empty());
    let count: usize = changes.values().map(Vec::len).sum();
    let detail = format!("{count} changes by {} rules", changes.len());
    sink.step_finished(STEP, StepOutcome::Done, started.elapsed(), Some(detail));
    Ok(changes.into_iter().map(|(rule, changes)| AppliedFix { rule: rule.to_owned(), changes }).collect())
}

/// Writes the drop-in and makes sure that it is read first; returns each rule's part in the change.
fn compose_sshd(cx: &FixContext<'_>, lines: &SshdLines) -> Result<Vec<(&'static str, String)>, CheckError> {
    if cx.look().sshd()?.is_none() {
        return Ok(Vec::new());
    }
    let before = cx.look().text(SSHD_DROP_IN)?.unwrap_or_default();
    let mut content =
        String::from("# Written by amint: sshd takes the first value of a keyword, so these win.\n");
    let mut changes = Vec::new();
    for (keyword, (value, rule)) in lines {
        let line = format!("{keyword} {value}");
        if !before.lines().any(|old| old == line) {
            changes.push((*rule, format!("set {line} in {SSHD_DROP_IN}")));
        }
        let _ = writeln!(content, "{line}");
    }
    // Servers before 8.2 know no `Include` and refuse to start with one: their lines stand in the main file.
    if cx.look().sshd()?.and_then(SshdConfig::version).is_some_and(|version| version < INCLUDE_SINCE) {
        let is_changed = put_first(cx, &content)?;
        cx.edit.take_changes();
        return Ok(if is_changed { changes } else { Vec::new() });
    }
    let is_written = cx.write_always(Path::new(SSHD_DROP_IN), &content, 0o644)?;
    if is_written && changes.is_empty() {
        changes.push((cx.rule, format!("rewrote {SSHD_DROP_IN}")));
    }
    let is_effective = {
        let look = cx.look();
        let config = look.sshd()?;
        lines
            .iter()
            .all(|(keyword, (value, _))| config.is_some_and(|config| config.global(keyword).text() == *value))
    };
    if !is_effective && include_first(cx)? {
        changes.push((cx.rule, format!("put an Include of {SSHD_DROP_IN} first in {SSHD_MAIN}")));
    }
    // What is told instead is each rule's own line.
    cx.edit.take_changes();
    Ok(changes)
}

/// Puts the lines before everything else in the main file, in the place of those of an earlier hardening.
fn put_first(cx: &FixContext<'_>, lines: &str) -> Result<bool, CheckError> {
    let main = Path::new(SSHD_MAIN);
    let block = format!("{lines}{SSHD_BLOCK_END}");
    let current = cx.look().read(main)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&current);
    let rest = text.split_once(SSHD_BLOCK_END).map_or(text.as_ref(), |(_, rest)| rest);
    Ok(cx.edit.replace_content(main, format!("{block}{rest}").as_bytes())?)
}

/// Puts an Include of the drop-in before everything else in the main file, unless it is there already.
fn include_first(cx: &FixContext<'_>) -> Result<bool, CheckError> {
    let include = format!("Include {SSHD_DROP_IN}\n");
    let main = Path::new(SSHD_MAIN);
    let Some(current) = cx.look().read(main)? else {
        return cx.write_always(main, &include, 0o644);
    };
    if current.starts_with(include.as_bytes()) {
        return Ok(false);
    }
    let mut content = include.into_bytes();
    content.extend(current);
    Ok(cx.edit.replace_content(main, &content)?)
}
