//! `POST /api/v2/stats` and `GET /api/v2/stats/{id}`: exports that take a while and are fetched from another origin.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::sms::Text;
use super::{Dialpad, Failure};
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Field, Kind, field, object, required};

const HEADER: &str = "date,message_id,name,email,target_type,target_id,sender_id,direction,to_phone,from_phone,encrypted_text,encrypted_aes_text,mms,timezone";
const EXPORTS: [&str; 2] = ["records", "stats"];
const GROUPINGS: [&str; 3] = ["date", "group", "user"];
const STATISTICS: [&str; 8] =
    ["calls", "csat", "dispositions", "onduty", "recordings", "screenshare", "texts", "voicemails"];
const TARGETS: [&str; 9] =
    ["callcenter", "coachinggroup", "coachingteam", "department", "office", "room", "staffgroup", "unknown", "user"];
const DAYS: Kind = Kind::Integer { min: 0, max: i64::MAX };
const EXPORT: [Field; 12] = [
    field("coaching_group", Kind::Boolean),
    field("coaching_team", Kind::Boolean),
    field("days_ago_end", DAYS),
    field("days_ago_start", DAYS),
    required("export_type", Kind::Choice(&EXPORTS)),
    field("group_by", Kind::Choice(&GROUPINGS)),
    field("is_today", Kind::Boolean),
    field("office_id", Kind::Id),
    required("stat_type", Kind::Choice(&STATISTICS)),
    field("target_id", Kind::Id),
    field("target_type", Kind::Choice(&TARGETS)),
    field("timezone", Kind::Text),
];

/// All exports that were started.
pub(crate) struct Stats {
    exports: Vec<Export>,
    /// How many polls find a new export still processing.
    pub(crate) polls: u32,
}

impl Default for Stats {
    fn default() -> Stats {
        Stats { exports: Vec::new(), polls: 1 }
    }
}

struct Export {
    id: String,
    /// The parameters in one spelling, to recognise the same request.
    parameters: String,
    polls_left: u32,
    newest: i64,
    oldest: i64,
    signature: String,
}

impl Export {
    fn path(&self) -> String {
        format!("/dialpad-exports/stats/{}.csv", self.id)
    }
}

impl Stats {
    /// The signed query and the rows of the finished export at `path`.
    pub(super) fn download(&self, path: &str, texts: &[Text]) -> Option<(&str, String)> {
        let export = self.exports.iter().find(|export| export.path() == path && export.polls_left == 0)?;
        Some((&export.signature, csv(texts, export.newest, export.oldest)))
    }
}

pub(super) fn start(dialpad: &mut Dialpad, request: &Request) -> Result<Reply, Failure> {
    super::without_query(request)?;
    let parameters = object(&EXPORT, &request.body, true)?;
    check_supported(&parameters)?;
    let key = canonical(&parameters);
    let stats = &mut dialpad.stats;
    if let Some(export) = stats.exports.iter().find(|export| export.parameters == key && export.polls_left > 0) {
        return Ok(Reply::json(200, &json!({"already_started": true, "request_id": export.id})));
    }
    let export = export(stats.exports.len(), &parameters, key, stats.polls);
    let reply = Reply::json(200, &json!({"already_started": false, "request_id": export.id}));
    stats.exports.push(export);
    Ok(reply)
}

/// The stand-in exports text records in UTC; the vendor's other reports are not the API's callers' business here.
fn check_supported(parameters: &Map<String, Value>) -> Result<(), Failure> {
    let text = |name: &str, default| parameters.get(name).and_then(Value::as_str).unwrap_or(default).to_owned();
    if text("stat_type", "") != "texts" || text("export_type", "") != "records" {
        return Err(Failure::new(400, "badRequest", "this company may only export the records of texts"));
    }
    if text("timezone", "UTC") != "UTC" {
        return Err(Failure::new(400, "badRequest", "timezone is not available to this company; use UTC"));
    }
    Ok(())
}

/// Key order and explicit nulls do not make another request.
fn canonical(parameters: &Map<String, Value>) -> String {
    let mut pairs: Vec<String> = parameters
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| format!("{name}={}", value.to_string().trim_matches('"')))
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn export(number: usize, parameters: &Map<String, Value>, key: String, polls: u32) -> Export {
    let day = |name: &str, default| parameters.get(name).and_then(Value::as_i64).unwrap_or(default);
    let today = parameters.get("is_today") == Some(&Value::Bool(true));
    let (start, end) = if today { (0, 0) } else { (day("days_ago_start", 1), day("days_ago_end", 30)) };
    let digest = super::digest(&format!("{number}{key}"));
    Export {
        id: format!("{digest:016x}{number:04}"),
        parameters: key,
        polls_left: polls,
        newest: start.min(end),
        oldest: start.max(end),
        signature: format!(
            "GoogleAccessId=exports%40dialpad.test&Expires=1999999999&Signature={digest:x}%2Bq%2F7w%3D%3D"
        ),
    }
}

pub(super) fn poll(dialpad: &mut Dialpad, request: &Request, origin: &str, id: &str) -> Result<Reply, Failure> {
    super::without_query(request)?;
    let found = dialpad.stats.exports.iter_mut().find(|export| export.id == id);
    let export = found.ok_or_else(|| Failure::new(404, "notFound", "No such stats request"))?;
    if export.polls_left > 0 {
        export.polls_left -= 1;
        return Ok(Reply::json(200, &json!({"status": "processing"})));
    }
    let url = format!("{origin}{}?{}", export.path(), export.signature);
    Ok(Reply::json(200, &json!({"status": "complete", "download_url": url, "file_type": "csv"})))
}

/// RFC 4180, for the days between `newest` and `oldest` days ago.
fn csv(texts: &[Text], newest: i64, oldest: i64) -> String {
    let today = OffsetDateTime::now_utc().date();
    let age = |text: &Text| (today - text.date()).whole_days();
    let rows = texts.iter().filter(|text| (newest..=oldest).contains(&age(text))).map(row);
    std::iter::once(HEADER.to_owned()).chain(rows).flat_map(|line| [line, "\r\n".to_owned()]).collect()
}

fn row(text: &Text) -> String {
    text.cells().map(|cell| quoted(&cell)).join(",")
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
