//! What GRUB would start: as much of its scripts as `grub.cfg` of distributions uses.
//!
//! Rules: GNU GRUB manual 2.12, "Shell-like scripting" and "default". Commands that touch hardware do nothing here;
//! conditions that nobody can know without the machine are false.

use std::collections::BTreeMap;

/// How deep conditions and menus may be nested.
const DEPTH_MAX: usize = 32;
/// How many words one condition may have.
const CONDITION_WORDS_MAX: usize = 64;
/// How many entries a menu may have.
const ENTRIES_MAX: usize = 1000;

/// One entry of a menu.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MenuEntry {
    pub(super) title: String,
    pub(super) id: Option<String>,
    /// The kernel as `linux` names it: a path on the file system of the boot loader.
    pub(super) kernel: Option<String>,
    pub(super) arguments: String,
    /// Entries of a submenu.
    pub(super) below: Vec<MenuEntry>,
}

/// What a configuration comes to.
#[derive(Clone, Debug, Default)]
pub(super) struct Menu {
    pub(super) entries: Vec<MenuEntry>,
    pub(super) variables: BTreeMap<String, String>,
    /// Whether entries of the Boot Loader Specification are added (`blscfg`).
    pub(super) has_bls: bool,
}

/// Reads the environment block (`grubenv`).
pub(super) fn environment(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Runs a configuration with the variables of an environment block at hand.
pub(super) fn run(text: &str, environment: &BTreeMap<String, String>) -> Menu {
    let mut machine =
        Machine { menu: Menu::default(), environment, open: Vec::new(), conditions: Vec::new(), skipped: 0 };
    for command in commands(text) {
        machine.step(&command);
    }
    machine.menu
}

/// Chooses the entry that starts by default: `default` is a number, a title or an id, `>` enters submenus.
pub(super) fn default_entry(menu: &Menu) -> Option<&MenuEntry> {
    let wanted =
        menu.variables.get("default").map(String::as_str).filter(|wanted| !wanted.is_empty()).unwrap_or("0");
    let mut entries = &menu.entries;
    let mut found: Option<&MenuEntry> = None;
    for part in wanted.split('>') {
        let part = part.trim();
        let named = entries.iter().find(|entry| entry.id.as_deref() == Some(part) || entry.title == part);
        let next = named.or_else(|| part.parse::<usize>().ok().and_then(|number| entries.get(number)));
        match next {
            Some(entry) => {
                found = Some(entry);
                entries = &entry.below;
            }
            // GRUB starts the first entry when there is no such entry.
            None if found.is_none() => return menu.entries.first().map(first_of),
            None => break,
        }
    }
    found.map(first_of)
}

/// A submenu that is chosen itself starts its first entry.
fn first_of(entry: &MenuEntry) -> &MenuEntry {
    let mut entry = entry;
    while entry.kernel.is_none() {
        match entry.below.first() {
            Some(first) => entry = first,
            None => break,
        }
    }
    entry
}

struct Machine<'a> {
    menu: Menu,
    environment: &'a BTreeMap<String, String>,
    /// Menus and entries that are open.
    open: Vec<MenuEntry>,
    /// For each `if` that is open: whether this branch runs, whether one has run already.
    conditions: Vec<(bool, bool)>,
    /// Braces of a function that is being skipped.
    skipped: usize,
}

impl Machine<'_> {
    fn step(&mut self, words: &[String]) {
        let start = words.iter().position(|word| word != "then").unwrap_or(words.len());
        let words = &words[start..];
        let Some(first) = words.first().map(String::as_str) else { return };
        if self.skipped > 0 {
            self.skip(words);
            return;
        }
        match first {
            "if" if self.conditions.len() < DEPTH_MAX => {
                let holds = self.holds(&words[1..]);
                self.conditions.push((holds, holds));
            }
            "elif" => {
                let holds = self.holds(&words[1..]);
                if let Some((runs, has_run)) = self.conditions.last_mut() {
                    *runs = !*has_run && holds;
                    *has_run |= *runs;
                }
            }
            "else" => {
                if let Some((runs, has_run)) = self.conditions.last_mut() {
                    *runs = !*has_run;
                }
            }
            "fi" => drop(self.conditions.pop()),
            _ if self.conditions.iter().any(|(runs, _)| !runs) => {}
            "function" => {
                self.skipped = 1;
                self.skip(&words[2.min(words.len())..]);
            }
            "}" => self.close(),
            _ => self.act(first, words),
        }
    }

    fn skip(&mut self, words: &[String]) {
        // The opening brace of the function itself is what `skipped` began with.
        let opened = words.iter().filter(|word| *word == "{").count();
        let closed = words.iter().filter(|word| *word == "}").count();
        let has_begun = usize::from(self.skipped == 1 && opened > 0);
        self.skipped = (self.skipped + opened - has_begun).saturating_sub(closed);
    }

    fn act(&mut self, command: &str, words: &[String]) {
        match command {
            "set" => {
                for word in &words[1..] {
                    if let Some((key, value)) = word.split_once('=') {
                        let value = self.expand(value);
                        self.menu.variables.insert(key.to_owned(), value);
                    }
                }
            }
            "unset" => {
                for word in &words[1..] {
                    self.menu.variables.remove(word);
                }
            }
            "load_env" => {
                for (key, value) in self.environment {
                    self.menu.variables.insert(key.clone(), value.clone());
                }
            }
            "blscfg" => self.menu.has_bls = true,
            "menuentry" | "submenu" if self.open.len() < DEPTH_MAX => self.enter(words),
            "linux" | "linux16" | "linuxefi" => {
                let kernel = words.get(1).map(|word| self.expand(word));
                let arguments: Vec<String> = words.iter().skip(2).map(|word| self.expand(word)).collect();
                if let Some(entry) = self.open.last_mut() {
                    entry.kernel = kernel;
                    entry.arguments = arguments.join(" ");
                }
            }
            _ => {
                if let Some((key, value)) = command.split_once('=') {
                    let value = self.expand(value);
                    self.menu.variables.insert(key.to_owned(), value);
                }
            }
        }
    }

    fn enter(&mut self, words: &[String]) {
        let mut entry = MenuEntry {
            title: words.get(1).map(|word| self.expand(word)).unwrap_or_default(),
            ..MenuEntry::default()
        };
        let mut rest = words.iter().skip(2);
        while let Some(word) = rest.next() {
            // `$menuentry_id_option` becomes `--id` where GRUB knows it.
            if word == "--id" || word == "$menuentry_id_option" || word == "${menuentry_id_option}" {
                entry.id = rest.next().map(|word| self.expand(word));
            } else if let Some(id) = word.strip_prefix("--id=") {
                entry.id = Some(self.expand(id));
            }
        }
        self.open.push(entry);
    }

    fn close(&mut self) {
        let Some(entry) = self.open.pop() else { return };
        let entries = self.open.last_mut().map_or(&mut self.menu.entries, |parent| &mut parent.below);
        if entries.len() < ENTRIES_MAX {
            entries.push(entry);
        }
    }

    fn expand(&self, word: &str) -> String {
        let mut text = String::new();
        let mut rest = word;
        while let Some((before, after)) = rest.split_once('$') {
            text.push_str(before);
            let (name, left) = if let Some(braced) = after.strip_prefix('{') {
                braced.split_once('}').unwrap_or((braced, ""))
            } else {
                let end = after
                    .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                    .unwrap_or(after.len());
                after.split_at(end)
            };
            text.push_str(self.menu.variables.get(name).map_or("", String::as_str));
            rest = left;
        }
        text.push_str(rest);
        text
    }

    /// Evaluates `[ … ]` and `test …`: strings alone; whatever asks the machine is false.
    fn holds(&self, words: &[String]) -> bool {
        let words: Vec<String> =
            words.iter().filter(|word| *word != "then").map(|word| self.expand(word)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let inside: &[&str] = match words.as_slice() {
            ["[", inside @ .., "]"] | ["test", inside @ ..] => inside,
            ["true"] => return true,
            _ => return false,
        };
        inside.len() <= CONDITION_WORDS_MAX && condition(inside)
    }
}

fn condition(words: &[&str]) -> bool {
    if let Some(at) = words.iter().position(|word| *word == "-o") {
        return condition(&words[..at]) || condition(&words[at + 1..]);
    }
    if let Some(at) = words.iter().position(|word| *word == "-a") {
        return condition(&words[..at]) && condition(&words[at + 1..]);
    }
    match words {
        ["!", rest @ ..] => !condition(rest),
        // The environment block is there: its variables were handed in. Nothing else is known.
        ["-s", file] => file.ends_with("grubenv"),
        ["-n", text] => !text.is_empty(),
        ["-z", text] => text.is_empty(),
        [text] => !text.is_empty() && !text.starts_with('-'),
        [left, "=" | "==", right] => left == right,
        [left, "!=", right] => left != right,
        _ => false,
    }
}

/// Splits a script into commands of words; quotes are taken off, variables stay.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut has_word = false;
    let mut letters = text.chars().peekable();
    let end_word = |word: &mut String, has_word: &mut bool, words: &mut Vec<String>| {
        if std::mem::take(has_word) {
            words.push(std::mem::take(word));
        }
    };
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                has_word = true;
                word.extend(letters.by_ref().take_while(|letter| *letter != '\''));
            }
            '"' => {
                has_word = true;
                while let Some(letter) = letters.next() {
                    match letter {
                        '"' => break,
                        '\\' => word.extend(letters.next()),
                        _ => word.push(letter),
                    }
                }
            }
            '\\' => match letters.next() {
                Some('\n') | None => {}
                Some(letter) => {
                    has_word = true;
                    word.push(letter);
                }
            },
            '#' if !has_word => {
                let _ = letters.by_ref().find(|letter| *letter == '\n');
                commands.push(std::mem::take(&mut words));
            }
            '\n' | ';' => {
                end_word(&mut word, &mut has_word, &mut words);
                commands.push(std::mem::take(&mut words));
            }
            // A menu's brace ends its command, and the closing one stands alone.
            '{' if !has_word => {
                words.push("{".to_owned());
                commands.push(std::mem::take(&mut words));
            }
            '}' if !has_word => {
                commands.push(std::mem::take(&mut words));
                commands.push(vec!["}".to_owned()]);
            }
            letter if letter.is_whitespace() => end_word(&mut word, &mut has_word, &mut words),
            letter => {
                has_word = true;
                word.push(letter);
                // The brace of `${name}` is part of the word.
                if letter == '$' && letters.peek() == Some(&'{') {
                    for letter in letters.by_ref() {
                        word.push(letter);
                        if letter == '}' {
                            break;
                        }
                    }
                }
            }
        }
    }
    end_word(&mut word, &mut has_word, &mut words);
    commands.push(words);
    commands.retain(|command| !command.is_empty());
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
else
   set default="${saved_entry}"
fi
function savedefault {
  if [ -z "${boot_once}" ]; then
    saved_entry="${chosen}"
  fi
}
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {
	load_video
	linux	/boot/vmlinuz-6.12.2-amd64 root=UUID=1 ro quiet
}
submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1' {
	menuentry 'Debian, with Linux 6.12.2' --id 'new' {
		linux /boot/vmlinuz-6.12.2-amd64 root=UUID=1
	}
	menuentry 'Debian, with Linux 6.12.1' --id 'old' {
		if [ x$feature = xy ]; then set x=1; fi
		linux /boot/vmlinuz-6.12.1-amd64 root=UUID=1
	}
}
"#;

    fn started(environment_block: &str) -> Option<String> {
        let menu = run(CONFIG, &environment(environment_block));
        default_entry(&menu).and_then(|entry| entry.kernel.clone())
    }

    #[test]
    fn the_first_entry_starts_unless_something_else_was_saved() {
        assert_eq!(started("# GRUB Environment Block\n####").as_deref(), Some("/boot/vmlinuz-6.12.2-amd64"));
        assert_eq!(
            started("saved_entry=gnulinux-advanced-1>old\n").as_deref(),
            Some("/boot/vmlinuz-6.12.1-amd64")
        );
        assert_eq!(started("saved_entry=1>1\n").as_deref(), Some("/boot/vmlinuz-6.12.1-amd64"));
        assert_eq!(
            started("saved_entry=0\nnext_entry=1>Debian, with Linux 6.12.1\n").as_deref(),
            Some("/boot/vmlinuz-6.12.1-amd64")
        );
        assert_eq!(started("saved_entry=gone\n").as_deref(), Some("/boot/vmlinuz-6.12.2-amd64"));
    }

    #[test]
    fn entries_keep_their_arguments() {
        let menu = run(CONFIG, &BTreeMap::new());
        assert_eq!(menu.entries[0].arguments, "root=UUID=1 ro quiet");
        assert_eq!(menu.entries[1].below.len(), 2);
        assert!(!menu.has_bls);
        assert!(run("insmod blscfg\nblscfg\n", &BTreeMap::new()).has_bls);
    }

    #[test]
    fn scripts_that_never_end_are_read_to_their_end() {
        for text in [
            "menuentry 'a {",
            "if if if",
            "}}}}",
            "submenu x {\nsubmenu y {",
            "set x='",
            "function f {",
            "$ ${ \\",
        ] {
            let _ = default_entry(&run(text, &BTreeMap::new()));
        }
    }
}
