//! The configuration of Apache's web server, with includes put where they stand (httpd.apache.org, "Configuration Files"
//! and "Core Features").

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::{CheckError, Context, glob};

/// Main files, and the folder that relative paths start from.
const MAINS: [(&str, &str); 3] = [
    ("/etc/apache2/apache2.conf", "/etc/apache2"),
    ("/etc/httpd/conf/httpd.conf", "/etc/httpd"),
    ("/etc/apache2/httpd.conf", "/etc/apache2"),
];
/// How many directives are read in all: includes may multiply.
const DIRECTIVES_MAX: usize = 100_000;
/// How deep includes may nest.
const DEPTH_MAX: usize = 16;
/// Modules that distributions link into the program.
const BUILT_IN: [&str; 7] = [
    "core.c",
    "mod_so.c",
    "http_core.c",
    "mod_log_config.c",
    "mod_version.c",
    "mod_unixd.c",
    "mod_watchdog.c",
];

/// One directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directive {
    /// The name in lower case.
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) path: PathBuf,
    pub(crate) line: u32,
    /// The virtual host around it, by number; none outside of all.
    pub(crate) host: Option<usize>,
}

impl Directive {
    /// Returns the directive as a line.
    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.name, self.arguments.join(" "))
    }
}

/// Returns the directives of a name that count in each place: a virtual host's own, else the server's.
pub(crate) fn effective<'config>(
    config: &'config [Directive],
    host: Option<usize>,
    name: &str,
) -> Option<&'config Directive> {
    let last = |host| config.iter().rfind(|directive| directive.name == name && directive.host == host);
    last(host).or_else(|| last(None))
}

/// Returns the places: the server itself, and its virtual hosts.
pub(crate) fn hosts(config: &[Directive]) -> Vec<Option<usize>> {
    let hosts: BTreeSet<Option<usize>> = config.iter().map(|directive| directive.host).collect();
    hosts.into_iter().collect()
}

/// Reads the configuration; empty when there is none.
pub(crate) fn load(cx: &Context<'_>) -> Result<Vec<Directive>, CheckError> {
    for (main, root) in MAINS {
        if cx.exists(main)? {
            let mut reader = Reader { cx, root: root.to_owned(), ..Reader::new(cx) };
            reader.file(Path::new(main), 0)?;
            return Ok(reader.found);
        }
    }
    Ok(Vec::new())
}

struct Reader<'cx, 'scan> {
    cx: &'cx Context<'scan>,
    root: String,
    found: Vec<Directive>,
    lines: usize,
    modules: BTreeSet<String>,
    defined: BTreeSet<String>,
    hosts: usize,
    host: Option<usize>,
}

impl<'cx, 'scan> Reader<'cx, 'scan> {
    fn new(cx: &'cx Context<'scan>) -> Self {
        Self {
            cx,
            root: String::new(),
            found: Vec::new(),
            lines: 0,
            modules: BTreeSet::new(),
            defined: BTreeSet::new(),
            hosts: 0,
            host: None,
        }
    }

    fn file(&mut self, path: &Path, depth: usize) -> Result<(), CheckError> {
        if depth > DEPTH_MAX {
            return Err(CheckError::Limit {
                path: path.to_owned(),
                limit: DEPTH_MAX,
                what: "levels of includes",
            });
        }
        let Some(text) = self.cx.text(path)? else { return Ok(()) };
        let mut joined = String::new();
        // How many sections are open since the first that does not count.
        let mut skipped = 0_usize;
        for (line, text) in (1_u32..).zip(text.lines()) {
            self.lines += 1;
            if self.lines > DIRECTIVES_MAX {
                let path = path.to_owned();
                return Err(CheckError::Limit { path, limit: DIRECTIVES_MAX, what: "lines" });
            }
            let text = text.trim();
            if joined.is_empty() && text.starts_with('#') {
                continue;
            }
            joined.push_str(text);
            if joined.ends_with('\\') {
                joined.pop();
                joined.push(' ');
                continue;
            }
            let whole = std::mem::take(&mut joined);
            self.line(&whole, path, line, depth, &mut skipped)?;
        }
        Ok(())
    }

    fn line(
        &mut self,
        text: &str,
        path: &Path,
        line: u32,
        depth: usize,
        skipped: &mut usize,
    ) -> Result<(), CheckError> {
        let section = text.strip_prefix('<').map(|rest| rest.trim_end_matches('>'));
        let mut words = words(section.unwrap_or(text)).into_iter();
        let Some(first) = words.next() else { return Ok(()) };
        let name = first.to_ascii_lowercase();
        let arguments: Vec<String> = words.collect();
        match section {
            Some(_) if name.starts_with('/') => {
                *skipped = skipped.saturating_sub(1);
                if name == "/virtualhost" && *skipped == 0 {
                    self.host = None;
                }
                return Ok(());
            }
            Some(_) => {
                if *skipped > 0 || !self.counts(&name, &arguments) {
                    *skipped += 1;
                } else if name == "virtualhost" {
                    self.hosts += 1;
                    self.host = Some(self.hosts);
                    self.push(name, arguments, path, line);
                }
                return Ok(());
            }
            None if *skipped > 0 => return Ok(()),
            None => {}
        }
        match name.as_str() {
            "include" | "includeoptional" => return self.include(&arguments, depth),
            "serverroot" => self.root = arguments.first().cloned().unwrap_or_default(),
            "define" => self.defined.extend(arguments.first().cloned()),
            "loadmodule" => {
                if let Some(module) = arguments.first() {
                    self.modules.insert(format!("mod_{}.c", module.trim_end_matches("_module")));
                    self.modules.insert(module.clone());
                }
            }
            _ => self.push(name, arguments, path, line),
        }
        Ok(())
    }

    fn push(&mut self, name: String, arguments: Vec<String>, path: &Path, line: u32) {
        self.found.push(Directive { name, arguments, path: path.to_owned(), line, host: self.host });
    }

    /// Tells whether what stands in a section counts.
    fn counts(&self, name: &str, arguments: &[String]) -> bool {
        let Some(argument) = arguments.first() else { return true };
        let (is_negated, wanted) =
            argument.strip_prefix('!').map_or((false, argument.as_str()), |wanted| (true, wanted));
        match name {
            "ifmodule" => (self.modules.contains(wanted) || BUILT_IN.contains(&wanted)) != is_negated,
            "ifdefine" => self.defined.contains(wanted) != is_negated,
            _ => true,
        }
    }

    fn include(&mut self, patterns: &[String], depth: usize) -> Result<(), CheckError> {
        for pattern in patterns {
            let pattern =
                if pattern.starts_with('/') { pattern.clone() } else { format!("{}/{pattern}", self.root) };
            for path in glob::expand(self.cx, &pattern)? {
                match self.cx.metadata_following(&path)? {
                    Some(metadata) if metadata.is_dir() => {
                        for entry in self.cx.list(&path)? {
                            self.file(&path.join(entry.name), depth + 1)?;
                        }
                    }
                    Some(_) => self.file(&path, depth + 1)?,
                    None => {}
                }
            }
        }
        Ok(())
    }
}

/// Splits a line at white space outside quotation marks.
fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if first == '"' || first == '\'' {
            rest[1..].split_once(first).unwrap_or((&rest[1..], ""))
        } else {
            rest.split_once(char::is_whitespace).unwrap_or((rest, ""))
        };
        found.push(word.to_owned());
        rest = after.trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn only_sections_of_loaded_modules_count_and_hosts_have_their_own_settings() {
        let fixture = Fixture::new()
            .file(
                "/etc/apache2/apache2.conf",
                "IncludeOptional mods-enabled/*.load\nSSLProtocol -all \\\n +TLSv1.3\nInclude ports.conf\n\
                 <IfModule !mod_x.c>\nListen 81\n</IfModule>\nIncludeOptional sites-enabled\n",
            )
            .file("/etc/apache2/mods-enabled/ssl.load", "LoadModule ssl_module /usr/lib/mod_ssl.so\n")
            .file(
                "/etc/apache2/ports.conf",
                "Listen 80\n<IfModule mod_ssl.c>\n  Listen 443\n</IfModule>\n<IfModule mod_gnutls.c>\n<IfModule \
                 ssl_module>\n  Listen 444\n</IfModule>\n</IfModule>\n<IfDefine Debug>\nListen 9\n</IfDefine>\n",
            )
            .file(
                "/etc/apache2/sites-enabled/a.conf",
                "<VirtualHost *:443>\n SSLProtocol all\n</VirtualHost>\n<VirtualHost *:444>\n</VirtualHost>\n",
            );
        fixture.with(|cx| {
            let config = load(cx).unwrap();
            let listens: Vec<&str> = config
                .iter()
                .filter(|directive| directive.name == "listen")
                .map(|directive| directive.arguments[0].as_str())
                .collect();
            assert_eq!(listens, ["80", "443", "81"]);
            assert_eq!(hosts(&config), [None, Some(1), Some(2)]);
            assert_eq!(effective(&config, Some(1), "sslprotocol").unwrap().arguments, ["all"]);
            assert_eq!(effective(&config, Some(2), "sslprotocol").unwrap().arguments, ["-all", "+TLSv1.3"]);
        });
    }

    #[test]
    fn includes_that_go_round_in_circles_end() {
        let fixture = Fixture::new().file("/etc/apache2/apache2.conf", "Include apache2.conf\n");
        assert!(fixture.with(|cx| load(cx).is_err()));
    }
}
