//! `audit`: the records of the log, as a table or as they are.

use super::arguments::Audit;
use super::failure::Outcome;
use super::{open, output, table};
use anyhow::Context;
use kosmo::Host;
use kosmo::audit::{Event, Place, Query, Record};
use std::collections::VecDeque;

/// Rows that a reader can take in.
const ROWS: usize = 100;
const HEADER: [&str; 7] = ["TIME", "RUN", "WHO", "WHAT", "RESULT", "MS", "BECAUSE OF"];

pub(super) fn show(arguments: &Audit) -> Outcome {
    let host = open(&[])?;
    let query = Query {
        since: arguments.since,
        provider: arguments.provider.clone(),
        client: arguments.client.clone(),
        run: arguments.run.clone(),
        denied: arguments.denied,
    };
    let (mut records, mut older) = (VecDeque::new(), 0u64);
    let skipped = host.audit().read(&query, |record| {
        records.push_back(record);
        if limit(arguments).is_some_and(|limit| records.len() > limit) {
            records.pop_front();
            older += 1;
        }
    });
    let skipped = skipped.context("The audit log cannot be read")?;
    print(arguments, &records, older);
    if skipped.lines > 0 {
        output::error(&format!("warning: lines of the audit log that are no records were skipped: {}", skipped.lines));
    }
    Ok(0)
}

/// Says so if something that happened could not be recorded.
pub(super) fn warn(host: &Host) {
    if let Some(problem) = host.audit().problem() {
        output::error(&format!("warning: {problem}"));
    }
}

fn limit(arguments: &Audit) -> Option<usize> {
    let by_default = if arguments.since.is_some() || arguments.json { None } else { Some(ROWS) };
    arguments.last.map(usize::from).or(by_default)
}

fn print(arguments: &Audit, records: &VecDeque<Record<'_>>, older: u64) {
    if arguments.json {
        return output::json(records);
    }
    if records.is_empty() {
        return output::line("The audit log has no such records.");
    }
    let rows: Vec<_> = records.iter().map(row).collect();
    output::line(&table::aligned(&HEADER, &rows));
    if older > 0 {
        output::line(&format!("{older} older ones are not shown; --last and --since show more."));
    }
}

fn row(record: &Record<'_>) -> Vec<String> {
    let client = record.client.as_ref().map(|client| format!(" for {client}")).unwrap_or_default();
    let who = format!("{}.{}.{}{client}", record.provider, record.account, record.function);
    let mut cells = vec![record.time.to_string(), record.run.to_string(), who];
    cells.extend(match &record.event {
        Event::Decision { decision, rule, reason, place } => {
            let what = place.as_ref().map_or_else(|| operation(record), shown);
            let why = rule.as_ref().or(reason.as_ref()).map(ToString::to_string);
            [what, decision.as_str().into(), String::new(), why.unwrap_or_default()]
        }
        Event::Request { place, status, failure, ms, attempt, .. } => {
            let failed = || failure.as_deref().unwrap_or_default().to_owned();
            let again = if *attempt > 1 { format!("request {attempt}") } else { String::new() };
            [shown(place), status.map_or_else(failed, |status| status.to_string()), ms.to_string(), again]
        }
        Event::Invocation { outcome, ms, .. } => ["end".into(), outcome.to_string(), ms.to_string(), String::new()],
    });
    if let (Some(lost), Some(last)) = (record.lost, cells.last_mut()) {
        last.push_str(&format!(" ({lost} records before this one are missing)"));
    }
    cells
}

/// What a permission is about.
fn operation(record: &Record<'_>) -> String {
    record.operation.as_deref().unwrap_or_default().into()
}

/// `GET dialpad.com/api/v2/call`
fn shown(place: &Place<'_>) -> String {
    format!("{} {}{}", place.method, place.host, place.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(event: &str, expected: &[&str]) {
        let who = r#""run":"r","invocation":1,"provider":"p","account":"a","function":"f","operation":"write""#;
        let line = format!(r#"{{"time":"t",{who},{event}}}"#);
        let record: Record<'_> = serde_json::from_str(&line).expect("a record");
        assert_eq!(row(&record)[2..], [&["p.a.f"], expected].concat());
    }

    #[test]
    fn a_row_says_who_did_what_with_what_result_and_why() {
        let place = r#""method":"GET","host":"h","path":"/a/{}""#;
        check(
            r#""kind":"decision","decision":"approval_required","rule":"write = \"ask\"""#,
            &["write", "approval_required", "", "write = \"ask\""],
        );
        check(
            &format!(r#""kind":"decision","decision":"denied","reason":"no",{place}"#),
            &["GET h/a/{}", "denied", "", "no"],
        );
        let sent = r#""kind":"request","rule":"GET /a/{}","bytes_sent":0,"bytes_received":9,"ms":0.5"#;
        check(&format!(r#"{sent},"attempt":1,"status":200,{place}"#), &["GET h/a/{}", "200", "0.5", ""]);
        check(
            &format!(r#"{sent},"attempt":2,"failure":"timeout",{place}"#),
            &["GET h/a/{}", "timeout", "0.5", "request 2"],
        );
        check(
            r#""kind":"invocation","outcome":"ok","bytes":2,"ms":1.5,"lost":3"#,
            &["end", "ok", "1.5", " (3 records before this one are missing)"],
        );
    }
}
