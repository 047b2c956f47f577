//! Reading the log back, month by month and line by line.

use super::{Log, Record, stamp};
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::Path;
use std::time::SystemTime;
use time::OffsetDateTime;

/// Which records are asked for: those that fit everything that is said.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Not older than this.
    pub since: Option<SystemTime>,
    /// Of this provider.
    pub provider: Option<String>,
    /// Of what was done for the MCP client with the token of this name.
    pub client: Option<String>,
    /// Of this run.
    pub run: Option<String>,
    /// Only decisions that went against the script.
    pub denied: bool,
}

/// Lines that are no records: cut short by a full disk or a process that was killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub lines: u64,
}

impl Query {
    fn fits(&self, record: &Record<'_>, since: &str) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        *record.time >= *since
            && is(&self.provider, &record.provider)
            && is(&self.run, &record.run)
            && (self.client.is_none() || self.client.as_deref() == record.client.as_deref())
            && (!self.denied || record.is_refusal())
    }

    fn since(&self) -> String {
        self.since.map(|time| stamp(OffsetDateTime::from(time))).unwrap_or_default()
    }
}

/// The records of the files in a folder. One that is not there has none.
pub(super) fn files(folder: &Path, query: &Query, mut each: impl FnMut(Record<'static>)) -> io::Result<Skipped> {
    let since = query.since();
    let mut skipped = Skipped::default();
    for month in months(folder)?.into_iter().filter(|month| **month >= *since.get(..month.len()).unwrap_or_default()) {
        let mut file = BufReader::new(File::open(Log::path(folder, &month))?);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 {
            skipped.lines += take(&line, query, &since, &mut each);
            line.clear();
        }
    }
    Ok(skipped)
}

/// The records of these lines.
pub(super) fn lines<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
    query: &Query,
    mut each: impl FnMut(Record<'static>),
) -> Skipped {
    let since = query.since();
    Skipped { lines: lines.map(|line| take(line, query, &since, &mut each)).sum() }
}

/// Gives a line's record on, if it fits. How many lines were none: 0 or 1.
fn take(line: &[u8], query: &Query, since: &str, each: &mut impl FnMut(Record<'static>)) -> u64 {
    match serde_json::from_slice::<Record<'static>>(line) {
        Ok(record) if query.fits(&record, since) => each(record),
        Ok(_) => {}
        Err(_) => return u64::from(!line.trim_ascii().is_empty()),
    }
    0
}

/// `2026-11`, oldest first.
fn months(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let month = |name: &str| name.strip_suffix(".jsonl").filter(|month| month.len() == "2026-11".len()).map(Into::into);
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut months: Vec<String> = names.filter_map(|name| month(name.to_str()?)).collect();
    months.sort();
    Ok(months)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn record(day: u8, provider: &str, verdict: &str) -> String {
        format!(
            r#"{{"time":"2026-11-{day:02}T12:00:00.000Z","run":"{day:016}","invocation":1,"provider":"{provider}","account":"default","function":"f","kind":"decision","decision":"{verdict}"}}"#
        )
    }

    /// Which days' records fit.
    #[track_caller]
    fn check(query: Query, expected: &[&str], skips: u64) {
        let folder = tempfile::tempdir().expect("a folder");
        let october = record(1, "dialpad", "allowed").replace("2026-11", "2026-10");
        let november = [
            record(2, "dialpad", "denied"),
            record(3, "dialpad", "allowed")[..40].to_owned(),
            String::new(),
            record(4, "ringcentral", "approval_required"),
            record(5, "dialpad", "forced"),
        ];
        std::fs::write(folder.path().join("2026-10.jsonl"), october + "\n").expect("written");
        std::fs::write(folder.path().join("2026-11.jsonl"), november.join("\n")).expect("written");
        std::fs::write(folder.path().join("key"), "no log").expect("written");
        let mut found = Vec::new();
        let skipped = files(folder.path(), &query, |record| found.push(record.time[5..10].to_owned()));
        assert_eq!(
            (found, skipped.expect("readable").lines),
            (expected.iter().map(|&day| day.into()).collect(), skips)
        );
    }

    #[test]
    fn a_query_gives_what_fits_all_of_it_and_counts_what_is_broken() {
        let dialpad = || Some("dialpad".to_owned());
        check(Query::default(), &["10-01", "11-02", "11-04", "11-05"], 1);
        check(Query { provider: dialpad(), ..Query::default() }, &["10-01", "11-02", "11-05"], 1);
        check(Query { denied: true, ..Query::default() }, &["11-02", "11-04"], 1);
        check(Query { denied: true, provider: dialpad(), ..Query::default() }, &["11-02"], 1);
        check(Query { run: Some(format!("{:016}", 5)), ..Query::default() }, &["11-05"], 1);
        let since = |time: OffsetDateTime| Query { since: Some(time.into()), ..Query::default() };
        check(since(datetime!(2026-11-04 12:00 UTC)), &["11-04", "11-05"], 1);
        check(since(datetime!(2026-11-04 14:00 +02:00)), &["11-04", "11-05"], 1);
        check(since(datetime!(2026-11-04 12:00:00.001 UTC)), &["11-05"], 1);
        check(since(datetime!(2026-12-01 00:00 UTC)), &[], 0);
    }

    #[test]
    fn a_log_that_was_never_written_is_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let none = files(&folder.path().join("none"), &Query::default(), |record| panic!("{record:?}"));
        assert_eq!(none.expect("no error"), Skipped::default());
    }
}
