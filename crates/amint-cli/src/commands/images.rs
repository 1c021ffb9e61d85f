//! `amint images`: lists the store.

use amint_types::format_bytes;

use crate::args::ImagesArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::ui::{Palette, Table};

/// Lists images, newest first.
pub(crate) fn run(args: &ImagesArgs, context: &Context) -> Result<ExitCode, Failure> {
    let images = context.store()?.images(args.all)?;
    if context.global.json {
        context.print_json(&images)?;
        return Ok(ExitCode::Fine);
    }
    if images.is_empty() {
        context.say("the store is empty; `amint build` makes an image");
        return Ok(ExitCode::Fine);
    }
    let mut table =
        Table::new(["NAME", "VERSION", "DIGEST", "ARCH", "DISK", "USED", "CREATED (UTC)", "STATE"])
            .right([4, 5]);
    for image in &images {
        table.row([
            image.name.as_str(),
            image.version.as_str(),
            &image.digest.short(),
            image.architecture.as_str(),
            &format_bytes(image.disk_bytes),
            &format_bytes(image.used_bytes),
            &image.created_at.strftime("%Y-%m-%d %H:%M").to_string(),
            if image.replaced { "replaced" } else { "current" },
        ]);
    }
    context.print(&table.render(Palette::for_stdout()));
    Ok(ExitCode::Fine)
}
