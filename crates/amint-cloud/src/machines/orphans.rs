//! Machines that outlived their endpoint.
//!
//! Beside each machine lies a note of its process: the number, and when the process began (proc(5), `starttime`), since
//! numbers come again. Whoever finds a note whose process is still the same one ends it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// How long a process that was killed may take to be gone, and how often that is looked at.
const END_TIME: Duration = Duration::from_secs(20);
const END_PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    process: i32,
    /// Ticks from the start of the system, and which start that was.
    began: u64,
    system: String,
}

fn path(folder: &Path) -> PathBuf {
    folder.join("process.json")
}

impl Note {
    /// Describes a process; none when there is no such process, it has ended and only waits to be counted, or the system
    /// does not tell.
    fn of(process: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name stands in parentheses, and may hold any of them; the start is the 20th field after it.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        if fields.next()? == "Z" {
            return None;
        }
        let began = fields.nth(18)?.parse().ok()?;
        let system = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned();
        Some(Self { process, began, system })
    }
}

/// Notes the process of a machine in the folder of its instance.
pub(super) fn note(folder: &Path, process: u32) -> io::Result<()> {
    let Some(note) = i32::try_from(process).ok().and_then(Note::of) else { return Ok(()) };
    fs::write(path(folder), serde_json::to_vec(&note)?)
}

/// Removes the note of a machine that has ended.
pub(super) fn forget(folder: &Path) {
    // A note of a process that has ended says nothing.
    let _ = fs::remove_file(path(folder));
}

/// Ends the machines of all instances below a folder, and waits until they are gone: a busy computer takes a while to.
pub(super) fn end_all(instances: &Path) {
    let Ok(entries) = fs::read_dir(instances) else { return };
    let mut ending = Vec::new();
    for folder in entries.flatten().map(|entry| entry.path()) {
        let note = fs::read(path(&folder)).ok().and_then(|bytes| serde_json::from_slice::<Note>(&bytes).ok());
        if let Some(note) = note
            && Note::of(note.process).as_ref() == Some(&note)
            && let Some(process) = Pid::from_raw(note.process)
        {
            // It may end by itself at this very moment.
            let _ = kill_process(process, Signal::KILL);
            ending.push(note);
        }
        forget(&folder);
    }
    let end = Instant::now() + END_TIME;
    while Instant::now() < end && ending.iter().any(|note| Note::of(note.process).as_ref() == Some(note)) {
        thread::sleep(END_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_machine_that_was_left_is_ended_and_a_number_that_came_again_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut processes = Vec::new();
        for name in ["i-1", "i-2"] {
            let place = folder.path().join(name);
            fs::create_dir(&place).unwrap();
            let process = Command::new("sleep").arg("100").spawn().unwrap();
            note(&place, process.id()).unwrap();
            processes.push(process);
        }
        let other = path(&folder.path().join("i-2"));
        let mut note: Note = serde_json::from_slice(&fs::read(&other).unwrap()).unwrap();
        note.began -= 1;
        fs::write(&other, serde_json::to_vec(&note).unwrap()).unwrap();
        end_all(folder.path());
        assert!(!processes[0].wait().unwrap().success(), "it was killed");
        assert!(processes[1].try_wait().unwrap().is_none(), "it is another process");
        assert!(!other.exists());
        processes[1].kill().unwrap();
        processes[1].wait().unwrap();
    }
}
