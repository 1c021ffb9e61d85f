//! `amint shell`: boots an image and logs in.

use crate::args::ShellArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::images::{boot_spec, lay_down, shell_spec};

/// Boots an overlay of the image, so that nothing done inside is kept, and opens a shell by SSH.
pub(crate) fn run(args: &ShellArgs, context: &Context) -> Result<ExitCode, Failure> {
    let store = context.store()?;
    let work = store.temporary()?;
    let on_disk = lay_down(&args.image, args.guest.recipe.as_deref(), &store, work.path(), context)?;
    let firmware = args.guest.boot.into();
    let mut boot =
        boot_spec(on_disk.recipe.as_ref(), on_disk.path, on_disk.bytes, firmware, work.path(), context)?;
    boot.memory_mib = args.guest.memory;
    let result = amint_guest::open_shell(&shell_spec(boot), context.sink(), &context.cancel);
    work.remove()?;
    let code = result?;
    if code != 0 {
        context.say(&format!("the shell ended with exit code {code}"));
    }
    Ok(ExitCode::Fine)
}
