//! The configuration of nginx, with includes put where they stand (nginx.org, "Beginner's Guide" and "Core functionality").

use std::path::{Path, PathBuf};

use crate::{CheckError, Context, glob};

const MAIN: &str = "/etc/nginx/nginx.conf";
/// Relative paths of includes start here.
const ROOT: &str = "/etc/nginx";
/// How many directives are read in all: includes may multiply.
const DIRECTIVES_MAX: usize = 100_000;
/// How deep blocks and includes may nest.
const DEPTH_MAX: usize = 32;

/// One directive, with those inside it when it is a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directive {
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) path: PathBuf,
    pub(crate) line: u32,
    pub(crate) inside: Vec<Directive>,
}

impl Directive {
    /// Returns the directive as a line.
    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.name, self.arguments.join(" "))
    }
}

/// A server, with the blocks around it.
pub(crate) struct Server<'config> {
    /// The directives of the server and of the blocks around it, innermost first.
    scopes: [&'config [Directive]; 2],
}

impl<'config> Server<'config> {
    /// Returns all directives of a name that stand in the server itself.
    pub(crate) fn own(&self, name: &'static str) -> impl Iterator<Item = &'config Directive> + use<'config> {
        self.scopes[0].iter().filter(move |directive| directive.name == name)
    }

    /// Returns the directives of a name that count: those of the innermost block that has any.
    pub(crate) fn effective(&self, name: &str) -> Vec<&'config Directive> {
        for scope in self.scopes {
            let found: Vec<&Directive> = scope.iter().filter(|directive| directive.name == name).collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// Tells whether any of its sockets speaks TLS.
    pub(crate) fn has_tls(&self) -> bool {
        let is_on = self.effective("ssl").iter().any(|directive| directive.arguments == ["on"]);
        is_on
            || self
                .own("listen")
                .any(|listen| listen.arguments.iter().any(|word| word == "ssl" || word == "quic"))
    }
}

/// Reads the configuration; none when there is no nginx.
pub(crate) fn load(cx: &Context<'_>) -> Result<Option<Vec<Directive>>, CheckError> {
    let path = Path::new(MAIN);
    let Some(text) = cx.text(path)? else { return Ok(None) };
    let mut reader = Reader { cx, count: 0 };
    let tokens = tokens(path, &text)?;
    let mut at = 0;
    reader.block(&tokens, &mut at, path, 0).map(Some)
}

/// Returns the servers of the blocks `http`, `stream` and `mail`.
pub(crate) fn servers(config: &[Directive]) -> Vec<Server<'_>> {
    let mut found = Vec::new();
    for block in config.iter().filter(|block| ["http", "stream", "mail"].contains(&block.name.as_str())) {
        for server in block.inside.iter().filter(|directive| directive.name == "server") {
            found.push(Server { scopes: [&server.inside, &block.inside] });
        }
    }
    found
}

enum Token {
    Word(String),
    Open,
    Close,
    End,
}

struct Reader<'cx, 'scan> {
    cx: &'cx Context<'scan>,
    count: usize,
}

impl Reader<'_, '_> {
    fn block(
        &mut self,
        tokens: &[(Token, u32)],
        at: &mut usize,
        path: &Path,
        depth: usize,
    ) -> Result<Vec<Directive>, CheckError> {
        if depth > DEPTH_MAX {
            return Err(CheckError::Limit {
                path: path.to_owned(),
                limit: DEPTH_MAX,
                what: "levels of blocks",
            });
        }
        let mut found = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let mut first_line = 0;
        while let Some((token, line)) = tokens.get(*at) {
            *at += 1;
            match token {
                Token::Word(word) => {
                    if words.is_empty() {
                        first_line = *line;
                    }
                    words.push(word.clone());
                }
                Token::Close => break,
                Token::End | Token::Open => {
                    let inside = match token {
                        Token::Open => self.block(tokens, at, path, depth + 1)?,
                        _ => Vec::new(),
                    };
                    if words.is_empty() {
                        continue;
                    }
                    let name = words.remove(0);
                    let arguments = std::mem::take(&mut words);
                    if name == "include" {
                        self.include(&arguments, depth, &mut found)?;
                        continue;
                    }
                    self.count += 1;
                    if self.count > DIRECTIVES_MAX {
                        let path = path.to_owned();
                        return Err(CheckError::Limit { path, limit: DIRECTIVES_MAX, what: "directives" });
                    }
                    found.push(Directive {
                        name,
                        arguments,
                        path: path.to_owned(),
                        line: first_line,
                        inside,
                    });
                }
            }
        }
        Ok(found)
    }

    fn include(
        &mut self,
        arguments: &[String],
        depth: usize,
        found: &mut Vec<Directive>,
    ) -> Result<(), CheckError> {
        for pattern in arguments {
            let pattern =
                if pattern.starts_with('/') { pattern.clone() } else { format!("{ROOT}/{pattern}") };
            for path in glob::expand(self.cx, &pattern)? {
                self.count += 1;
                let Some(text) = self.cx.text(&path)? else { continue };
                let tokens = tokens(&path, &text)?;
                let mut at = 0;
                found.extend(self.block(&tokens, &mut at, &path, depth + 1)?);
            }
        }
        Ok(())
    }
}

/// Splits a file into words and marks, each with its line.
fn tokens(path: &Path, text: &str) -> Result<Vec<(Token, u32)>, CheckError> {
    let mut found = Vec::new();
    let mut word: Option<(String, u32)> = None;
    let mut line = 1;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\n' {
            line += 1;
        }
        match letter {
            '#' if word.is_none() => while letters.next_if(|letter| *letter != '\n').is_some() {},
            '"' | '\'' if word.is_none() => {
                let start = line;
                let mut quoted = String::new();
                let mut is_closed = false;
                while let Some(next) = letters.next() {
                    line += u32::from(next == '\n');
                    if next == letter {
                        is_closed = true;
                        break;
                    }
                    quoted.push(if next == '\\' { letters.next().unwrap_or('\\') } else { next });
                }
                if !is_closed {
                    let what = "a quotation has no end".to_owned();
                    return Err(CheckError::Malformed { path: path.to_owned(), line: start, what });
                }
                found.push((Token::Word(quoted), start));
            }
            ';' | '{' | '}' | ' ' | '\t' | '\r' | '\n' => {
                // `${name}` is part of a word.
                if letter == '{' && word.as_ref().is_some_and(|(word, _)| word.ends_with('$')) {
                    word.get_or_insert_default().0.push(letter);
                    while let Some(next) = letters.next_if(|next| !next.is_whitespace()) {
                        word.get_or_insert_default().0.push(next);
                        if next == '}' {
                            break;
                        }
                    }
                    continue;
                }
                found.extend(word.take().map(|(word, line)| (Token::Word(word), line)));
                match letter {
                    ';' => found.push((Token::End, line)),
                    '{' => found.push((Token::Open, line)),
                    '}' => found.push((Token::Close, line)),
                    _ => {}
                }
            }
            '\\' => {
                let (word, _) = word.get_or_insert_with(|| (String::new(), line));
                word.push('\\');
                word.extend(letters.next());
            }
            other => word.get_or_insert_with(|| (String::new(), line)).0.push(other),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn includes_stand_in_their_block_and_inner_settings_win() {
        let fixture = Fixture::new()
            .file(
                "/etc/nginx/nginx.conf",
                "user x;\nhttp {\n  ssl_protocols TLSv1 TLSv1.2; # old\n  include sites/*;\n}\n",
            )
            .file("/etc/nginx/sites/a", "server { listen 443 ssl; ssl_protocols TLSv1.3; }\n")
            .file(
                "/etc/nginx/sites/b",
                "server {\n listen 8443 'ssl';\n location ~ \"^/x{2}\" { return 200 ${v}; }\n}\nserver { listen 80; }\n",
            );
        fixture.with(|cx| {
            let config = load(cx).unwrap().unwrap();
            let servers = servers(&config);
            let protocols = |server: &Server<'_>| server.effective("ssl_protocols")[0].arguments.clone();
            assert_eq!(servers.len(), 3);
            assert_eq!(protocols(&servers[0]), ["TLSv1.3"]);
            assert_eq!(protocols(&servers[1]), ["TLSv1", "TLSv1.2"]);
            assert!(servers[0].has_tls() && servers[1].has_tls() && !servers[2].has_tls());
            assert_eq!(servers[1].own("listen").next().unwrap().line, 2);
        });
    }

    #[test]
    fn includes_that_go_round_in_circles_end() {
        let fixture =
            Fixture::new().file("/etc/nginx/nginx.conf", "include nginx.conf;\ninclude nginx.conf;\n");
        assert!(fixture.with(|cx| load(cx).is_err()));
        let open = Fixture::new().file("/etc/nginx/nginx.conf", "user 'x;\n");
        assert!(open.with(|cx| load(cx).is_err()));
    }
}
