//! One operation of a document, and the requests that fit it.

use serde_json::{Map, Value};

use crate::document::Document;
use crate::finding::Breach;
use crate::schema;

const FORM: &str = "application/x-www-form-urlencoded";

/// Method, path and everything declared under them, references resolved.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) template: String,
    pub(crate) parameters: Vec<Value>,
    pub(crate) request_body: Value,
    pub(crate) responses: Map<String, Value>,
}

impl Operation {
    /// The values of the path parameters if `path` is one of this operation's.
    pub(crate) fn path_values(&self, path: &str) -> Option<Vec<(String, String)>> {
        let (template, path): (Vec<&str>, Vec<&str>) = (self.template.split('/').collect(), path.split('/').collect());
        if template.len() != path.len() {
            return None;
        }
        let pairs: Option<Vec<_>> =
            template.into_iter().zip(path).map(|(wanted, given)| segment(wanted, given)).collect();
        pairs.map(|pairs| pairs.into_iter().flatten().collect())
    }

    /// Checks the query and the path parameters.
    pub(crate) fn check_parameters(
        &self,
        document: &Document,
        path: &[(String, String)],
        query: &[(String, String)],
    ) -> Vec<Breach> {
        let mut breaches = Vec::new();
        for (place, pairs) in [("path", path), ("query", query)] {
            let declared: Vec<&Value> = self.parameters.iter().filter(|parameter| parameter["in"] == place).collect();
            breaches.extend(unknown(place, &declared, pairs));
            for parameter in declared {
                breaches.extend(check_parameter(document, place, parameter, pairs));
            }
        }
        breaches
    }

    /// Checks the request's body, of which `content_type` is the declared type.
    pub(crate) fn check_body(&self, document: &Document, content_type: &str, body: &str) -> Vec<Breach> {
        let Some(content) = self.request_body["content"].as_object() else {
            return if body.is_empty() { vec![] } else { vec![Breach::new("unexpected-body", "body", body)] };
        };
        if body.is_empty() {
            let required = self.request_body["required"] == true;
            return if required { vec![Breach::new("required", "body", "no body")] } else { vec![] };
        }
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let Some(media) = content.get(kind) else { return vec![Breach::new("content-type", "body", content_type)] };
        let value = if kind == FORM { Ok(form(body)) } else { serde_json::from_str(body) };
        match value {
            Ok(value) => schema::check(document, &media["schema"], &value, "body"),
            Err(_) => vec![Breach::new("not-json", "body", body)],
        }
    }

    /// Checks the answer's status and body.
    pub(crate) fn check_response(&self, document: &Document, status: u16, body: &str) -> Vec<Breach> {
        let Some(response) = self.responses.get(&status.to_string()).or_else(|| self.responses.get("default")) else {
            return undocumented(document, status, body);
        };
        let Some(content) = response["content"].as_object() else {
            let error_body = status >= 400 || body.is_empty();
            return if error_body { vec![] } else { vec![Breach::new("unexpected-body", "response", body)] };
        };
        let json = content.iter().find(|(kind, _)| kind.ends_with("json")).map(|(_, media)| &media["schema"]);
        let value = serde_json::from_str(body).ok();
        match (json, value) {
            (Some(schema), Some(value)) => schema::check(document, schema, &value, place(status)),
            _ if content.keys().any(|kind| !kind.ends_with("json")) => vec![],
            _ => vec![Breach::new("not-json", "response", body)],
        }
    }
}

/// The fields of a form, all of them texts.
fn form(body: &str) -> Value {
    let fields = url::form_urlencoded::parse(body.as_bytes()).into_owned();
    Value::Object(fields.map(|(name, value)| (name, Value::String(value))).collect())
}

/// `None` if the path does not fit; the parameter's name and value if the segment is one.
fn segment(wanted: &str, given: &str) -> Option<Option<(String, String)>> {
    match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) if !given.is_empty() => Some(Some((name.to_owned(), given.to_owned()))),
        None if wanted == given => Some(None),
        _ => None,
    }
}

fn unknown(place: &str, declared: &[&Value], pairs: &[(String, String)]) -> Vec<Breach> {
    let known = |name: &str| declared.iter().any(|parameter| parameter["name"] == name);
    let unknown = pairs.iter().filter(|(name, _)| !known(name));
    unknown.map(|(name, value)| Breach::new("unknown-parameter", &format!("{place}.{name}"), value)).collect()
}

fn check_parameter(document: &Document, place: &str, parameter: &Value, pairs: &[(String, String)]) -> Vec<Breach> {
    let name = parameter["name"].as_str().unwrap_or_default();
    let at = format!("{place}.{name}");
    let values: Vec<&str> = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect();
    match values.as_slice() {
        [] if parameter["required"] == true => vec![Breach::new("required", &at, "absent")],
        [] => vec![],
        // In a path, several values share one segment; in a query, each repeats the name.
        [list] if place == "path" => {
            schema::check_text(document, &parameter["schema"], &list.split(',').collect::<Vec<_>>(), &at)
        }
        values => schema::check_text(document, &parameter["schema"], values, &at),
    }
}

/// What an answer's body is called in a finding.
fn place(status: u16) -> &'static str {
    if status < 400 { "response" } else { "error" }
}

/// A status that the operation does not list. RingCentral's document has its general error envelope all the same.
fn undocumented(document: &Document, status: u16, body: &str) -> Vec<Breach> {
    let mut breaches = vec![Breach::new("undocumented-status", &format!("status.{status}"), body)];
    if let (Some(envelope), Ok(value)) =
        (document.component("ParameterizedErrorResponseModel"), serde_json::from_str(body))
    {
        breaches.extend(schema::check(document, envelope, &value, place(status)));
    }
    breaches
}
