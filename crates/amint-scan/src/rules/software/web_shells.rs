//! Web shells, by their form: what a stranger sends is run.

use std::sync::LazyLock;

use regex::Regex;

use crate::redact::pattern;

/// Returns the first line that runs what is sent, and what is seen of it.
pub(super) fn web_shell(text: &str) -> Option<(u32, String)> {
    static FORMS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?xi)
            # A request goes straight to what runs code, perhaps through what decodes it.
            \b(?:eval|assert|system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec|create_function)\s*\(\s*
            (?:[\w]+\s*\(\s*){0,4}[@\x22'.\s]*\$\{?_(?:GET|POST|REQUEST|COOKIE|SERVER|FILES)\b
            # A request is the name of the function.
            | \$_(?:GET|POST|REQUEST|COOKIE)\s*\[[^\]]{1,40}\]\s*\(\s*[@]?\$_(?:GET|POST|REQUEST|COOKIE)
            | `\s*\$\{?_(?:GET|POST|REQUEST|COOKIE)
            # Code that hides itself in layers of encoding.
            | \beval\s*\(\s*(?:gzinflate|gzuncompress|str_rot13|gzdecode)\s*\(\s*(?:\w+\s*\(\s*)*base64_decode\s*\(
            | \beval\s*\(\s*base64_decode\s*\(\s*[\x22'][A-Za-z0-9+/=]{64,}
            | \bpreg_replace\s*\(\s*[\x22']/[^\x22']*/\w*e\w*[\x22']\s*,\s*\$_(?:GET|POST|REQUEST|COOKIE)
            | \binclude(?:_once)?\s*\(?\s*[\x22']php://input
            # Java and .NET.
            | getRuntime\s*\(\s*\)\s*\.\s*exec\s*\(\s*request\s*\.\s*getParameter
            | \beval\s*\(\s*Request\s*[\[.(]
            | \bExecuteGlobal\s*\(?\s*Request\b",
        )
    });
    static NAMES: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(?i)\b(?:c99shell|r57shell|b374k|WSO\s+[\d.]+\s+web\s*shell|FilesMan|weevely)\b")
    });
    static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(?i)\$(\w{1,40})\s*=\s*[@]?\$_(?:GET|POST|REQUEST|COOKIE)\s*\[[^\]]{1,40}\]\s*;")
    });
    let found = FORMS.find(text).or_else(|| NAMES.find(text)).map(|found| (found.start(), found.as_str()));
    let found = found.or_else(|| {
        ASSIGNED.captures_iter(text).take(100).find_map(|taken| {
            let whole = taken.get(0)?;
            let rest = &text[whole.end()..];
            let name = &taken[1];
            // The variable itself goes to what runs programs, soon after.
            let is_run =
                ["system", "exec", "shell_exec", "passthru", "eval", "assert"].iter().any(|function| {
                    let near: String =
                        rest.chars().take(400).filter(|letter| !letter.is_whitespace()).collect();
                    near.contains(&format!("{function}(${name})"))
                        || near.contains(&format!("{function}(${name}.\"2>&1\")"))
                });
            is_run.then_some((whole.start(), whole.as_str()))
        })
    });
    found.map(|(at, excerpt)| {
        let lines = text[..at].bytes().filter(|byte| *byte == b'\n').count();
        (u32::try_from(lines + 1).unwrap_or(u32::MAX), excerpt.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::web_shell;

    #[test]
    fn pages_that_run_what_they_are_sent_are_told_from_others() {
        for (text, expected) in [
            ("<?php\n@eval($_POST['x']);", Some(2)),
            ("<?php system($_GET[\"cmd\"]); ?>", Some(1)),
            ("<?php eval(base64_decode($_REQUEST['z']));", Some(1)),
            ("<?php $_GET['a']($_POST['b']);", Some(1)),
            ("<?php echo `$_GET[c]`;", Some(1)),
            ("<?php eval(gzinflate(base64_decode('x')));", Some(1)),
            ("<?php $cmd = $_GET['cmd'];\n$out = shell_exec($cmd);", Some(1)),
            ("<% Runtime.getRuntime().exec(request.getParameter(\"c\")); %>", Some(1)),
            ("<%@ Page %><%eval(Request.Item[\"x\"],\"unsafe\");%>", Some(1)),
            ("<?php eval('?>' . $template);", None),
            ("<?php exec('convert ' . escapeshellarg($_GET['file']));", None),
            ("<?php $id = $_GET['id'];\n$row = find($id);\nsystem('sync');", None),
            ("<?php $data = json_decode(base64_decode($_POST['data']));", None),
            ("<?php curl_exec($handle); $x = $_POST['x'];", None),
        ] {
            assert_eq!(web_shell(text).map(|(line, _)| line), expected, "{text}");
        }
    }
}
