//! `amint show`: what is known about an image.

use amint_types::{ImageRef, format_bytes};

use crate::args::ShowArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::images::{RECIPE, report_path, stored_report};
use crate::present;
use crate::ui::{Palette, Table};

/// Shows an image's record, its verdicts and boot tests, or its packages or recipe.
pub(crate) fn run(args: &ShowArgs, context: &Context) -> Result<ExitCode, Failure> {
    let reference: ImageRef = args.image.parse()?;
    let store = context.store()?;
    let record = store.resolve(&reference)?;
    if args.recipe {
        let text = store.document(&record, RECIPE)?.ok_or_else(|| {
            Failure::new(
                ExitCode::Evidence,
                format!("no recipe is stored with {}:{}", record.name, record.version),
            )
        })?;
        context.print(&String::from_utf8_lossy(&text));
        return Ok(ExitCode::Fine);
    }
    let report = stored_report(&store, &record)?;
    if context.global.json {
        context.print_json(&serde_json::json!({ "image": record, "report": report }))?;
        return Ok(ExitCode::Fine);
    }
    let Some(report) = report else {
        context.print(&format!("{}:{} {}\n", record.name, record.version, record.digest));
        context.say("no build report is stored with this image");
        return Ok(ExitCode::Fine);
    };
    if args.packages {
        let mut table = Table::new(["PACKAGE", "VERSION", "INSTALLED"]).right([2]);
        for package in &report.packages {
            table.row([&package.name, &package.version, &format_bytes(package.installed_bytes)]);
        }
        context.print(&table.render(Palette::for_stdout()));
        return Ok(ExitCode::Fine);
    }
    let page = report_path(&context.home()?, &report);
    context.print(&present::details(&report, page.exists().then_some(page.as_path()), Palette::for_stdout()));
    Ok(ExitCode::Fine)
}
