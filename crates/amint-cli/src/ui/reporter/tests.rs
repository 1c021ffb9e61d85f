use std::sync::Arc;

use amint_types::{Stream, Unit};
use indicatif::InMemoryTerm;

use super::*;

/// A writer whose text can be read afterwards.
#[derive(Clone, Default)]
pub(in crate::ui) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    pub(in crate::ui) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const UNICODE: Palette = Palette { is_coloured: false, is_unicode: true };

fn plain(palette: Palette, verbosity: Verbosity, run: fn(&Reporter)) -> String {
    let captured = Captured::default();
    let reporter = Reporter::plain(Box::new(captured.clone()), palette, verbosity);
    run(&reporter);
    drop(reporter);
    captured.text()
}

fn live(columns: u16, palette: Palette) -> (InMemoryTerm, Reporter) {
    let terminal = InMemoryTerm::new(30, columns);
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    let width = Box::new(move || Some(usize::from(columns)));
    (terminal, Reporter::live(target, width, palette, Verbosity::Normal))
}

fn small_build(reporter: &Reporter) {
    reporter.step_started("assemble", "Assembling the disk", Some(100), Unit::Bytes);
    reporter.step_progress("assemble", 50, None, Some("root"));
    reporter.log("assemble", Stream::Stdout, "\u{1b}[32mwriting\u{1b}[0m superblocks");
    let detail = Some("3 partitions, 580 MiB".to_owned());
    reporter.step_finished("assemble", StepOutcome::Done, Duration::from_millis(2_100), detail);
    reporter.step_started("boot", "Boot test", None, Unit::Items);
    reporter.step_finished("boot", StepOutcome::Skipped, Duration::ZERO, Some("no QEMU".to_owned()));
    reporter.warn("no QEMU found", Some("install `qemu-system-x86`"));
}

fn failing_build(reporter: &Reporter) {
    reporter.step_started("bootstrap", "Unpacking", None, Unit::Items);
    for number in 1..=30 {
        reporter.log("bootstrap", Stream::Stderr, &format!("line {number}"));
    }
    reporter.step_finished("bootstrap", StepOutcome::Failed, Duration::from_secs(41), None);
}

#[test]
fn without_a_terminal_each_step_has_two_plain_lines() {
    let text = plain(UNICODE, Verbosity::Normal, small_build);
    assert_eq!(
        text,
        "› Assembling the disk\n\
         ✓ Assembling the disk               2.1 s  3 partitions, 580 MiB\n\
         › Boot test\n\
         – Boot test                       skipped  no QEMU\n\
         warning: no QEMU found\n\
         hint: install `qemu-system-x86`\n"
    );
}

#[test]
fn without_unicode_symbols_are_ascii() {
    let text = plain(Palette::PLAIN, Verbosity::Normal, small_build);
    assert!(text.is_ascii());
    assert!(text.contains("ok Assembling the disk"));
}

#[test]
fn quiet_tells_warnings_and_failures_only() {
    let text = plain(UNICODE, Verbosity::Quiet, small_build);
    assert_eq!(text, "warning: no QEMU found\nhint: install `qemu-system-x86`\n");
    let text = plain(UNICODE, Verbosity::Quiet, failing_build);
    assert!(text.starts_with("✗ Unpacking"), "{text}");
    assert!(text.ends_with("  │ line 30\n"));
}

#[test]
fn a_failed_step_shows_the_last_lines_of_its_programs() {
    let text = plain(UNICODE, Verbosity::Normal, failing_build);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "✗ Unpacking                          41 s");
    assert_eq!(lines[2], "  │ line 11");
    assert_eq!(lines.len(), 2 + 20);
}

#[test]
fn verbose_shows_every_line_once_and_without_its_escape_sequences() {
    let text = plain(UNICODE, Verbosity::Verbose, failing_build);
    assert_eq!(text.matches("line 30").count(), 1);
    assert!(text.contains("  bootstrap │ line 1\n"));
    assert!(plain(UNICODE, Verbosity::Verbose, small_build).contains("  assemble │ writing superblocks\n"));
}

#[test]
fn colours_are_written_only_when_wanted() {
    assert!(!plain(UNICODE, Verbosity::Verbose, small_build).contains('\u{1b}'));
    let coloured = Palette { is_coloured: true, is_unicode: true };
    assert!(plain(coloured, Verbosity::Normal, small_build).contains("\u{1b}[32m✓\u{1b}[0m Assembling"));
}

#[test]
fn times_of_steps_are_kept_in_the_order_of_their_start() {
    let reporter = Reporter::plain(Box::new(io::sink()), UNICODE, Verbosity::Quiet);
    reporter.step_started("one", "One", None, Unit::Items);
    reporter.step_started("two", "Two", None, Unit::Items);
    reporter.step_finished("two", StepOutcome::Done, Duration::from_millis(5), None);
    reporter.step_finished("one", StepOutcome::Done, Duration::from_millis(9), Some("fine".to_owned()));
    reporter.step_finished("three", StepOutcome::Skipped, Duration::ZERO, None);
    let times: Vec<(String, u64)> =
        reporter.step_times().into_iter().map(|time| (time.title, time.elapsed_ms)).collect();
    assert_eq!(times, [("One".to_owned(), 9), ("Two".to_owned(), 5)]);
}

#[test]
fn on_a_terminal_running_steps_have_a_line_with_their_progress() {
    let (terminal, reporter) = live(80, UNICODE);
    reporter.step_started("assemble", "Assembling the disk", Some(2048), Unit::Bytes);
    reporter.step_started("scan", "Judging", None, Unit::Items);
    reporter.step_progress("assemble", 1024, None, Some("root"));
    reporter.step_progress("scan", 7, Some(40), None);
    let screen = terminal.contents();
    assert!(screen.contains("Assembling the disk"), "{screen}");
    assert!(screen.contains("1 KiB of 2 KiB  root"), "{screen}");
    assert!(screen.contains("7 of 40"), "{screen}");
    reporter.step_finished("assemble", StepOutcome::Done, Duration::from_millis(2_100), None);
    let screen = terminal.contents();
    assert!(screen.starts_with("✓ Assembling the disk               2.1 s"), "{screen}");
    assert!(screen.contains("7 of 40"), "the other step goes on: {screen}");
    reporter.finish();
    assert!(!terminal.contents().contains("Judging"));
}

#[test]
fn lines_longer_than_the_terminal_are_cut_by_columns() {
    let (terminal, reporter) = live(50, UNICODE);
    reporter.step_started("long", "映像を組み立てる", None, Unit::Items);
    reporter.step_progress("long", 1, None, Some(&"下".repeat(60)));
    let running = terminal.contents();
    assert_eq!(running.lines().count(), 1, "{running}");
    let detail = Some("三つの区画と五百八十のメガバイト".to_owned());
    reporter.step_finished("long", StepOutcome::Done, Duration::from_millis(2_100), detail);
    assert_eq!(terminal.contents(), "✓ 映像を組み立てる                  2.1 s  三つの…");
}
