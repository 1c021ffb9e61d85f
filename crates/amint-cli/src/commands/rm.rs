//! `amint rm`: removes images from the store.

use amint_types::ImageRef;

use crate::args::RmArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Removes images; all names are looked up before the first is removed.
pub(crate) fn run(args: &RmArgs, context: &Context) -> Result<ExitCode, Failure> {
    let references = args.images.iter().map(|text| text.parse()).collect::<Result<Vec<ImageRef>, _>>()?;
    let store = context.store()?;
    for reference in &references {
        store.resolve(reference)?;
    }
    let mut removed = Vec::new();
    for reference in &references {
        let record = store.remove(reference)?;
        context.say(&format!("removed {}:{} ({})", record.name, record.version, record.digest.short()));
        removed.push(record);
    }
    if context.global.json {
        context.print_json(&removed)?;
    } else {
        context.say("`amint gc` frees the space");
    }
    Ok(ExitCode::Fine)
}
