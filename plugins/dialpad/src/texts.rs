//! The file of an export of texts, as the records that scripts get.

use crate::api::{listing, unexpected};
use crate::csv;
use crate::export::Export;
use crate::moment;
use kosmo_plugin::Fault;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Without these the file is something else.
const NEEDED: [&str; 3] = ["message_id", "from_phone", "to_phone"];

/// One page of an export: the texts within its range, newest first, from its offset on.
pub(crate) fn page(csv: &str, export: &Export, limit: usize) -> Result<String, Fault> {
    let Some((header, body)) = header(csv)? else { return Ok(listing(Vec::new(), None)) };
    let rows = rows(csv, body, &header, export);
    let next = export.offset.saturating_add(limit);
    let texts = rows.iter().skip(export.offset).take(limit).filter_map(|row| text(csv, row.at, &header)).collect();
    let more = next < rows.len();
    Ok(listing(texts, more.then(|| Export { offset: next, ..export.clone() }.encode())))
}

/// The columns' names and where the rows start; none for an empty file.
fn header(csv: &str) -> Result<Option<(Vec<String>, usize)>, Fault> {
    let start = if csv.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let Some((names, body)) = csv::record(csv, start) else { return Ok(None) };
    let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
    if NEEDED.iter().all(|needed| names.iter().any(|name| name == needed)) {
        return Ok(Some((names, body)));
    }
    let found: String = names.join(",").chars().take(200).collect();
    Err(unexpected(format!("sent an export that is not one of texts; its columns are: {found}")))
}

/// A row that was only looked at. Files can be large, so that rows are read in full only for the page they are on.
/// The first is the newest, and of the same moment the one that stands first in the file.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    moment: Reverse<Option<i64>>,
    at: usize,
}

/// The rows of the export's range, newest first. One without a readable date is kept, at the end.
fn rows(csv: &str, body: usize, header: &[String], export: &Export) -> Vec<Row> {
    let date = header.iter().position(|name| name == "date");
    let (mut rows, mut at) = (Vec::new(), body);
    while let Some((fields, next)) = csv::record(csv, at) {
        let moment = date.and_then(|date| fields.get(date)).and_then(|date| moment::parse(date));
        let inside = moment.is_none_or(|moment| (export.start..=export.end).contains(&moment));
        if inside && !is_blank(&fields) {
            rows.push(Row { moment: Reverse(moment), at });
        }
        at = next;
    }
    // A heap sorts with a fifth of the code that `sort` brings into the component.
    BinaryHeap::from(rows).into_sorted_vec()
}

fn is_blank(fields: &[Cow<'_, str>]) -> bool {
    fields.iter().all(|field| field.trim().is_empty())
}

/// A row with every column under its own name, and under those that scripts read.
fn text(csv: &str, at: usize, header: &[String]) -> Option<Value> {
    let (fields, _) = csv::record(csv, at)?;
    let field = |index: usize| fields.get(index).map_or("", |field| field.as_ref());
    let columns = header.iter().enumerate().map(|(index, name)| (name.clone(), json!(field(index))));
    let mut text: Map<String, Value> = columns.filter(|(name, _)| !name.is_empty()).collect();
    let column = |name: &str| header.iter().position(|known| known == name).map_or("", &field);
    let first = |names: [&str; 2]| names.map(&column).into_iter().find(|value| !value.is_empty()).unwrap_or("");
    let direction = Some(column("direction")).filter(|direction| !direction.is_empty()).unwrap_or("unknown");
    for (name, value) in [
        ("id", column("message_id")),
        ("from", column("from_phone")),
        ("to", column("to_phone")),
        ("text", first(["encrypted_text", "encrypted_aes_text"])),
        ("direction", direction),
    ] {
        text.insert(name.into(), json!(value));
    }
    Some(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "date,message_id,name,email,target_type,target_id,sender_id,direction,to_phone,from_phone,\
                          encrypted_text,encrypted_aes_text,mms,timezone";

    fn export(offset: usize, start: i64, end: i64) -> Export {
        Export { id: "42".into(), offset, start, end }
    }

    fn read(csv: &str, export: &Export, limit: usize) -> Value {
        serde_json::from_str(&page(csv, export, limit).expect("a page")).expect("JSON")
    }

    #[test]
    fn a_row_keeps_its_columns_and_gets_the_names_scripts_read() {
        let csv = format!(
            "{HEADER}\r\n2026-05-08 03:17:13.418699,900,Ada,a@b.c,user,5,6,outbound,+14155551234,+14155559876,\
             \"Hi, \"\"you\"\"\r\nthere\",,,UTC\r\n"
        );
        let expected = json!({
            "date": "2026-05-08 03:17:13.418699", "message_id": "900", "name": "Ada", "email": "a@b.c",
            "target_type": "user", "target_id": "5", "sender_id": "6", "direction": "outbound",
            "to_phone": "+14155551234", "from_phone": "+14155559876", "encrypted_text": "Hi, \"you\"\r\nthere",
            "encrypted_aes_text": "", "mms": "", "timezone": "UTC",
            "id": "900", "from": "+14155559876", "to": "+14155551234", "text": "Hi, \"you\"\r\nthere",
        });
        assert_eq!(read(&csv, &export(0, 0, i64::MAX), 50), json!({ "items": [expected] }));
    }

    #[test]
    fn what_a_script_concatenates_is_always_a_string() {
        let csv = "\u{feff}message_id,to_phone,from_phone,encrypted_aes_text\n1,,,abc\n2\n\n";
        let items = read(csv, &export(0, 0, i64::MAX), 50)["items"].take();
        let seen = |index: usize| {
            ["id", "from", "to", "text", "direction"].map(|name| items[index][name].as_str().expect("a string"))
        };
        assert_eq!(seen(0), ["1", "", "", "abc", "unknown"]);
        assert_eq!(seen(1), ["2", "", "", "", "unknown"]);
        assert_eq!(items.as_array().map(Vec::len), Some(2));
    }

    /// Rows `a` to `e` at seconds 10, 30, 20, unreadable, 40 of 1970, in this order.
    fn five() -> String {
        let row = |id: &str, date: &str| format!("{id},{date},+1,+2\n");
        let dates =
            ["1970-01-01 00:00:10", "1970-01-01 00:00:30", "1970-01-01 00:00:20", "soon", "1970-01-01 00:00:40"];
        let rows: String = ["a", "b", "c", "d", "e"].iter().zip(dates).map(|(id, date)| row(id, date)).collect();
        format!("message_id,date,to_phone,from_phone\n{rows}")
    }

    #[track_caller]
    fn check(export: &Export, limit: usize, ids: &str, next: Option<usize>) {
        let page = read(&five(), export, limit);
        let seen: String =
            page["items"].as_array().expect("items").iter().filter_map(|text| text["id"].as_str()).collect();
        let cursor = next.map(|offset| Export { offset, ..export.clone() }.encode());
        assert_eq!((seen.as_str(), page["cursor"].as_str()), (ids, cursor.as_deref()));
    }

    #[test]
    fn texts_come_newest_first_within_the_range_and_page_by_page() {
        check(&export(0, 0, i64::MAX), 50, "ebcad", None);
        check(&export(0, 20_000, 30_000), 50, "bcd", None);
        check(&export(0, 20_001, 29_999), 50, "d", None);
        check(&export(0, 0, i64::MAX), 2, "eb", Some(2));
        check(&export(2, 0, i64::MAX), 2, "ca", Some(4));
        check(&export(4, 0, i64::MAX), 2, "d", None);
        check(&export(5, 0, i64::MAX), 2, "", None);
        check(&export(usize::MAX, 0, i64::MAX), 2, "", None);
    }

    #[test]
    fn an_export_without_texts_is_an_empty_list() {
        for csv in ["", "\u{feff}", HEADER, &format!("{HEADER}\r\n")] {
            assert_eq!(read(csv, &export(0, 0, i64::MAX), 50), json!({"items": []}), "{csv:?}");
        }
    }

    #[test]
    fn a_file_of_something_else_is_the_providers_fault() {
        for csv in ["<html>\n<title>Sign in</title>", "call_id,date\n1,2", "\n"] {
            match page(csv, &export(0, 0, i64::MAX), 50) {
                Err(Fault::Provider(error)) => assert!(error.message.contains("not one of texts"), "{error:?}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
