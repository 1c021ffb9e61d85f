//! `[kernel]`: how the kernel is started.

use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Flaw, Problems};
use crate::table::Table;

pub(crate) const KEYS: [&str; 1] = ["cmdline"];

/// Most characters of the arguments: x86 kernels take 2048 in all (`COMMAND_LINE_SIZE`).
const CMDLINE_CHARS_MAX: usize = 1024;

/// Says how the kernel is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Kernel {
    /// Arguments that are added to the kernel's command line, with single blanks between them.
    #[schemars(length(min = 1, max = 1024), extend("pattern" = "^[!#%-&(-Z^-~\\[\\]]+( [!#%-&(-Z^-~\\[\\]]+)*$"))]
    pub cmdline: Option<String>,
}

pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Kernel {
    let Some(table) = root.table(problems, "kernel", "[kernel]", &KEYS) else { return Kernel::default() };
    Kernel { cmdline: table.parsed(problems, "cmdline", cmdline).map(|cmdline| cmdline.value) }
}

fn cmdline(text: &str) -> Result<String, Flaw> {
    let trimmed = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    if trimmed.is_empty() {
        return Err(Flaw::new("the command line is empty").hint("leave out the key"));
    }
    if text.len() > CMDLINE_CHARS_MAX {
        return Err(Flaw::new(format!("the command line has more than {CMDLINE_CHARS_MAX} characters")));
    }
    // GRUB's configuration holds the text within quotes, and is read by a shell.
    let is_refused =
        |character: char| !character.is_ascii_graphic() && character != ' ' || "\"'\\$`".contains(character);
    if let Some(refused) = trimmed.chars().find(|character| is_refused(*character)) {
        return Err(Flaw::new(format!("the kernel's command line must not have `{refused}` in it")));
    }
    if trimmed != text {
        return Err(Flaw::new("the command line has needless blanks or line breaks")
            .hint(format!("write `{trimmed}`")));
    }
    let is_own = |argument: &str| argument.starts_with("root=") || argument.starts_with("BOOT_IMAGE=");
    if let Some(own) = text.split(' ').find(|argument| is_own(argument)) {
        return Err(
            Flaw::new(format!("`{own}` cannot be set")).hint("the root file system is found by its UUID")
        );
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::section::testing::{errors, messages, recipe};

    #[test]
    fn takes_arguments_as_they_are() {
        let kernel = recipe("[kernel]\ncmdline = \"mitigations=auto,nosmt systemd.unit=[x]\"\n").kernel;
        assert_eq!(kernel.cmdline.as_deref(), Some("mitigations=auto,nosmt systemd.unit=[x]"));
    }

    #[test]
    fn refuses_what_would_break_out_of_the_boot_loader_configuration() {
        for cmdline in
            ["a\\nb", " a", "a  b", "", " ", "a\\u0000", "$(reboot)", "a`b`", "a'b", "ü", "root=/dev/sda1"]
        {
            let found = messages(&format!("[kernel]\ncmdline = \"{cmdline}\"\n"));
            assert_eq!(found.len(), 1, "{cmdline:?}: {found:?}");
        }
        assert_eq!(errors("[kernel]\ncmdline = \"quiet  splash \"\n")[0].2, "write `quiet splash`");
    }
}
