//! `amint build --plan`: what a build would do.

use std::fmt::Write;
use std::time::Duration;

use amint_build::plan::{Action, BuildPlan, plan};
use amint_types::{format_bytes, format_duration};

use crate::args::BuildArgs;
use crate::commands::build::{Input, request_of};
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::times::Times;

/// Shows the plan of a build; changes nothing. `writes_lock` tells that there is no lock yet.
pub(super) fn run(
    args: &BuildArgs,
    context: &Context,
    input: &Input<'_>,
    writes_lock: bool,
) -> Result<ExitCode, Failure> {
    let home = context.home()?;
    let planned = plan(&request_of(args, input, &home))?;
    let image = &input.file.recipe.image;
    let times = Times::read(&home);
    let name = image.name.to_string();
    let mut expected: Vec<(String, String, Option<u64>)> = Vec::new();
    for step in &planned.steps {
        let time = match step.action {
            Action::Reuse => Some(0),
            Action::Run | Action::Depends => times.of(&name, &step.step),
        };
        expected.push((step.step.clone(), step.title.clone(), time));
    }
    let mut after: Vec<(&str, String)> = Vec::new();
    if !args.no_test {
        let step = format!("boot-{}", amint_types::report::Firmware::from(args.boot).as_str());
        after.push(("boot", step));
    }
    after.push(("store", "store".to_owned()));
    for (title, step) in &after {
        expected.push((step.clone(), (*title).to_owned(), times.of(&name, step)));
    }
    let total: u64 = expected.iter().filter_map(|(_, _, time)| *time).sum();
    let unknown = expected.iter().filter(|(_, _, time)| time.is_none()).count();
    context.finish();
    if context.global.json {
        context.print_json(&serde_json::json!({
            "image": format!("{}:{}", image.name, image.version), "plan": planned, "writes_lock": writes_lock,
            "boots": !args.no_test, "estimated_ms": total, "steps_without_estimate": unknown,
        }))?;
        return Ok(ExitCode::Fine);
    }
    let head = format!("{}:{}", image.name, image.version);
    context.print(&render(&head, &planned, &expected, writes_lock, total, unknown));
    Ok(ExitCode::Fine)
}

fn render(
    image: &str,
    plan: &BuildPlan,
    expected: &[(String, String, Option<u64>)],
    writes_lock: bool,
    total: u64,
    unknown: usize,
) -> String {
    let mut text = format!("plan of {image}: nothing is done yet\n");
    let _ = writeln!(
        text,
        "fetch   {} of {} packages, {}",
        plan.fetch.len(),
        plan.packages,
        format_bytes(plan.fetch_bytes)
    );
    for (index, (step, title, time)) in expected.iter().enumerate() {
        let word = match plan.steps.get(index).map(|step| step.action) {
            Some(Action::Reuse) => "reuse",
            Some(Action::Depends) => "maybe",
            _ => "run",
        };
        let title = match title.as_str() {
            "boot" => format!("Booting ({})", step.trim_start_matches("boot-")),
            "store" => "Storing the blocks".to_owned(),
            other => other.to_owned(),
        };
        let time = match (word, time) {
            ("reuse", _) => String::new(),
            (_, Some(time)) => format!("about {}", format_duration(Duration::from_millis(*time))),
            (_, None) => "never run before".to_owned(),
        };
        let _ = writeln!(text, "{}", format!("{word:<7} {title:<45} {time}").trim_end());
    }
    let lock = if writes_lock { "amint.lock, " } else { "" };
    let disk = plan
        .disk_bytes
        .map_or_else(|| "a disk".to_owned(), |bytes| format!("a disk of {}", format_bytes(bytes)));
    let _ = writeln!(
        text,
        "write   {lock}{disk} with {} installed, and the image {image} in the store",
        format_bytes(plan.installed_bytes)
    );
    let more = match unknown {
        0 => String::new(),
        1 => ", and one step that never ran before".to_owned(),
        count => format!(", and {count} steps that never ran before"),
    };
    let _ = writeln!(text, "time    about {}{more}", format_duration(Duration::from_millis(total)));
    text
}
