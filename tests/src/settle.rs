//! What is different in every run, by a name: moments, runs, measures, ports.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// Every line that is the same in every run stays as it is.
pub(crate) fn settled(text: &str) -> String {
    let moving = text.lines().any(|line| moment(line).is_some_and(|moment| line.starts_with(moment)));
    text.split_inclusive('\n').map(|line| if moving { row(line) } else { field(line) }).collect()
}

/// A line of JSON: `"time": "2026-11-26T…Z"`, `"run": "9f86d081884c7d65"`, `"ms": 1.5`, `"memory_usage": 40000`.
fn field(line: &str) -> String {
    let Some((key, value)) = line.split_once("\": ") else { return without_moment(line) };
    let end = if value.trim_end().ends_with(',') { "," } else { "" };
    match key.trim_start() {
        "\"ms" | "\"durationMs" | "\"memory_usage" if !value.starts_with("null") => format!("{key}\": 0{end}\n"),
        "\"run" if value.starts_with('"') => format!("{key}\": \"RUN\"{end}\n"),
        _ => without_moment(line),
    }
}

/// A line of a table with moments in it. Its columns move with what is in them, so they are set apart by two spaces.
fn row(line: &str) -> String {
    let at = moment(line).is_some();
    let cells = line.trim_end().split("  ").map(str::trim).filter(|cell| !cell.is_empty());
    let settled = cells.enumerate().map(|(column, cell)| match column {
        0 if at => "TIME",
        1 if at => "RUN",
        5 if at && cell.parse::<f64>().is_ok() => "0",
        _ => cell,
    });
    settled.collect::<Vec<_>>().join("  ") + "\n"
}

/// A line with a moment may name a run, too.
fn without_moment(line: &str) -> String {
    let Some(moment) = moment(line) else { return line.into() };
    let line = named(line, moment, "TIME");
    let run = line.split([' ', ',']).find(|word| is_run(word)).map(ToOwned::to_owned);
    run.map_or_else(|| line.clone(), |run| named(&line, &run, "RUN"))
}

/// In a column as wide as it was.
fn named(line: &str, word: &str, name: &str) -> String {
    let cell = format!("{word}  ");
    let named = format!("{name:<width$}  ", width = word.len());
    if line.contains(&cell) { line.replace(&cell, &named) } else { line.replace(word, name) }
}

fn is_run(word: &str) -> bool {
    word.len() == 16 && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// `2026-11-26T11:12:13.456Z`; one of long ago is an example, and stays.
fn moment(line: &str) -> Option<&str> {
    let mut words = line.split([' ', '"', '\n']).map(|word| word.trim_end_matches(':'));
    words.find(|word| OffsetDateTime::parse(word, &Rfc3339).is_ok_and(is_recent))
}

fn is_recent(moment: OffsetDateTime) -> bool {
    (OffsetDateTime::now_utc() - moment).abs() < Duration::DAY
}

/// The first lines of something long, each as wide as a window. What is cut off shows as `…`; a line of JSON stays one.
pub(crate) fn excerpt(text: &str, lines: usize) -> String {
    const WIDTH: usize = 100;
    let cut = |line: &str| match line.char_indices().nth(WIDTH) {
        None => format!("{line}\n"),
        Some((at, _)) => {
            let json = line.trim_start().starts_with('"');
            let end = if line.ends_with(',') { "\"," } else { "\"" };
            format!("{}…{}\n", line[..at].trim_end_matches('\\'), if json { end } else { "" })
        }
    };
    let shown: String = text.lines().take(lines).map(cut).collect();
    if text.lines().count() > lines { shown + "…\n" } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_fields_are_the_same_in_every_run() {
        let now = OffsetDateTime::now_utc().format(&Rfc3339).expect("a time of this century");
        let table = format!(
            "TIME                  RUN   WHO  WHAT    RESULT  MS    BECAUSE OF\n\
             {now}  9f86  p.a  GET /a  200     12.5  second\n"
        );
        assert_eq!(
            settled(&table),
            "TIME  RUN  WHO  WHAT  RESULT  MS  BECAUSE OF\nTIME  RUN  p.a  GET /a  200  0  second\n"
        );
        let json = format!("  \"time\": \"{now}\",\n  \"run\": \"9f86\",\n  \"ms\": 1.5\n  \"to\": \"9f86\"\n");
        assert_eq!(settled(&json), "  \"time\": \"TIME\",\n  \"run\": \"RUN\",\n  \"ms\": 0\n  \"to\": \"9f86\"\n");
        assert_eq!(settled("NAME     N\ndialpad  7\n"), "NAME     N\ndialpad  7\n");
        assert_eq!(settled(&format!("ci  deny  {now}\n")), "ci  deny  TIME\n");
        let run = format!("0123456789abcdef  2999\n  0123456789abcdef, write 1, sent {now}: a\n");
        assert_eq!(settled(&run), "0123456789abcdef  2999\n  RUN, write 1, sent TIME: a\n");
        let wide = " ".repeat(now.len() - 2);
        assert_eq!(
            settled(&format!("0123456789abcdef  {now}  failed\n")),
            format!("RUN               TIME{wide}failed\n")
        );
        assert_eq!(settled("\"2026-05-01T00:00:00Z\" 2026-05-01\n"), "\"2026-05-01T00:00:00Z\" 2026-05-01\n");
    }

    #[test]
    fn an_excerpt_of_json_is_json() {
        let long = format!("{{\n    \"script\": \"{}\",\n    \"a\": 1\n}}\n", "x\\n".repeat(100));
        let cut: serde_json::Value = serde_json::from_str(&excerpt(&long, 9)).expect("JSON");
        assert_eq!(cut["a"], 1);
        assert_eq!(excerpt("a\nb\nc\n", 2), "a\nb\n…\n");
    }
}
