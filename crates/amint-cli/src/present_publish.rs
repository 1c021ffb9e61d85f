//! Plans of publishing, for people.

use std::fmt::Write;

use amint_publish::{Action, ChannelPlan, ChannelStep, Plan, Protection, Setting, Wanted, cost};
use amint_types::format_bytes;

use crate::ui::Palette;

/// Writes what has to happen in each region, and what it takes altogether.
pub(crate) fn plan(wanted: &Wanted, plans: &[Plan], seconds: Option<f64>, palette: Palette) -> String {
    let account = plans.first().map(|plan| plan.account.as_str()).unwrap_or_default();
    let mut text = format!("{} as {} in account {account}\n", wanted.subject, palette.bold(&wanted.name));
    let width = plans.iter().map(|plan| plan.region.len()).max().unwrap_or(0);
    for plan in plans {
        let mut place = format!("{:<width$}", plan.region);
        for line in lines(plan, palette) {
            let _ = writeln!(text, "  {place}  {line}");
            place = " ".repeat(width);
        }
    }
    let bytes: u64 = plans.iter().map(Plan::bytes).sum();
    let requests: u64 = plans.iter().map(Plan::requests).sum();
    if requests > 0 {
        let cost = cost(plans);
        let time = seconds.map(|seconds| format!(" in about {:.0} s", seconds.ceil())).unwrap_or_default();
        let (bytes, once, monthly) = (format_bytes(bytes), dollars(cost.once_usd), dollars(cost.monthly_usd));
        let _ = writeln!(
            text,
            "altogether {bytes} to send{time}, at least {requests} requests, {once} once and up to {monthly} a month"
        );
    }
    text
}

/// Writes an amount of US dollars, in whole cents.
fn dollars(amount: f64) -> String {
    format!("${:.2}", (amount * 100.0).ceil() / 100.0)
}

/// Writes what has to happen to channels.
pub(crate) fn channels(plans: &[ChannelPlan], palette: Palette) -> String {
    let width = plans.iter().map(|plan| plan.region.len()).max().unwrap_or(0);
    let mut text = String::new();
    for plan in plans {
        let (place, name) = (format!("{:<width$}", plan.region), &plan.parameter);
        let line = match &plan.step {
            ChannelStep::Nothing { image_id } => format!("{name} is {image_id}"),
            ChannelStep::Create { image_id } => format!("{name} {} {image_id}", palette.green("new:")),
            ChannelStep::Move { from, image_id } => {
                format!("{name} {from} {} {image_id}", palette.green("→"))
            }
            _ => format!("{name} cannot be moved"),
        };
        let _ = writeln!(text, "  {place}  {line}");
        for problem in plan.problems() {
            let _ = writeln!(text, "  {:<width$}  {} {}", "", palette.red("refused:"), problem.message);
            let _ = writeln!(text, "  {:<width$}    {} {}", "", palette.cyan("hint:"), problem.hint);
        }
    }
    text
}

fn lines(plan: &Plan, palette: Palette) -> Vec<String> {
    let mut lines = Vec::new();
    match &plan.action {
        Action::Nothing { image_id, .. } => lines.push(format!("{image_id} is there, and as it should be")),
        Action::Await { image_id } => lines.push(format!("wait for {image_id}, which was made already")),
        Action::Register { snapshot_id } => {
            lines.push(format!("make an image of {snapshot_id}, which has the very blocks"));
        }
        Action::Copy(copy) => {
            let source = copy.source_image_id.as_deref().unwrap_or("the image");
            let saved = format_bytes(copy.bytes);
            lines.push(format!("copy {source} from {}, instead of sending {saved}", copy.source_region));
        }
        Action::Upload(upload) => {
            let (blocks, bytes) = (upload.blocks, format_bytes(upload.bytes));
            lines.push(format!("send {blocks} blocks ({bytes}) as a snapshot of {} GiB", upload.volume_gib));
            match &upload.parent {
                Some(parent) => {
                    lines.push(format!("  built upon {}, of which only these differ", parent.snapshot_id));
                }
                None if upload.key.is_some() => {
                    lines.push("  every block, because it is encrypted".to_owned());
                }
                None if upload.is_encrypted => {
                    lines.push("  every block, because the region encrypts snapshots by default".to_owned());
                }
                None => {}
            }
            if let Some(key) = &upload.key {
                lines.push(format!("  encrypted with {key}"));
            }
            lines.push("make an image of it".to_owned());
        }
        Action::Refuse { problems } => {
            for problem in problems {
                lines.push(format!("{} {}", palette.red("refused:"), problem.message));
                lines.push(format!("  {} {}", palette.cyan("hint:"), problem.hint));
            }
        }
        _ => {}
    }
    for note in &plan.notes {
        lines.push(format!("{} {note}", palette.yellow("note:")));
    }
    let is_shared = plan.settings.iter().any(|setting| {
        matches!(
            setting,
            Setting::ShareImage { .. }
                | Setting::ShareWithOrganizations { .. }
                | Setting::ShareSnapshot { .. }
        )
    });
    let has_key = matches!(&plan.action, Action::Upload(upload) if upload.key.is_some());
    if plan.is_encrypted_by_default && is_shared && !has_key {
        let note =
            "what is encrypted with the account's default key cannot be shared: set a key of your own first";
        lines.push(format!("{} {note}", palette.yellow("note:")));
    }
    for setting in &plan.settings {
        let names = |accounts: &std::collections::BTreeSet<String>| {
            accounts.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        lines.push(match setting {
            Setting::ShareImage { accounts } => format!("let {} launch the image", names(accounts)),
            Setting::ShareWithOrganizations { arns } => {
                format!("let the accounts of {} launch the image, not copy its snapshot", names(arns))
            }
            Setting::ShareSnapshot { accounts } => format!("let {} copy the snapshot", names(accounts)),
            Setting::Watermark { name } => format!("give it the watermark {}:{name}", plan.account),
            Setting::Protect { protection: Protection::WithCooldown } => {
                "protect it from being deregistered, until a day after that is ended".to_owned()
            }
            Setting::Protect { .. } => "protect it from being deregistered".to_owned(),
            Setting::Deprecate { at } => format!("deprecate it on {}", at.strftime("%Y-%m-%d")),
            _ => continue,
        });
    }
    lines
}
