//! The processes that descend from one, as the system lists them. Where it has no `/proc`, it lists none.

use rustix::process::Pid;
use std::collections::HashMap;
use std::fs;

/// Whether there is such a list.
pub(super) const ARE_LISTED: bool = cfg!(target_os = "linux");

/// All that descend from this process. What has ended and was not looked at yet is among them.
pub(super) fn of(ancestor: Pid) -> Vec<Pid> {
    let mut children = HashMap::<i32, Vec<i32>>::new();
    for (process, parent) in processes() {
        children.entry(parent).or_default().push(process);
    }
    let (mut found, mut next) = (Vec::new(), vec![Pid::as_raw(Some(ancestor))]);
    while let Some(parent) = next.pop() {
        let own = children.remove(&parent).unwrap_or_default();
        next.extend(&own);
        found.extend(own.into_iter().filter_map(Pid::from_raw));
    }
    found
}

/// Each with its parent.
fn processes() -> Vec<(i32, i32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let process = |name: &str| Some((name.parse().ok()?, parent(&fs::read(format!("/proc/{name}/stat")).ok()?)?));
    entries.filter_map(|entry| process(entry.file_name().to_str()?)).collect()
}

/// `7 (a name) S 1 …`: the name can be any bytes. A `Z` in place of `S` does not tell that it has ended: its other threads
/// may still run.
fn parent(stat: &[u8]) -> Option<i32> {
    let stat = String::from_utf8_lossy(stat);
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_it_is_called() {
        assert_eq!(parent(b"7 (cat) S 1 7 7 0"), Some(1));
        assert_eq!(parent(b"7 (a) Z 9 (b) R 12 7"), Some(12));
        assert_eq!(parent(b"7 (\xff\xfe) S 1 7"), Some(1));
        assert_eq!(parent(b"nonsense"), None);
    }

    #[test]
    fn a_process_is_listed_although_its_first_thread_has_ended() {
        assert_eq!(parent(b"7 (cat) Z 1 7"), Some(1));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_of_a_child_is_found_below_a_name_that_is_no_text() {
        use rustix::process::{Signal, getpid, kill_process};
        use std::process::{Command, Stdio};
        let script = r"printf '\377\376' >/proc/$$/comm; sleep 30 & echo; wait";
        let mut shell = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().expect("a shell");
        let mut told = shell.stdout.take().expect("a pipe");
        std::io::Read::read_exact(&mut told, &mut [0]).expect("both run");
        let found = of(getpid());
        let own = Pid::from_raw(shell.id().cast_signed()).expect("a number");
        let below = of(own);
        assert!(found.contains(&own) && below.len() == 1 && found.contains(&below[0]), "{found:?} {below:?}");
        below.iter().for_each(|&pid| kill_process(pid, Signal::KILL).expect("ours"));
        shell.wait().expect("ended");
    }
}
