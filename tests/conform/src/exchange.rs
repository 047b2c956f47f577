//! One recorded exchange against its provider's document.

use kosmo_simulator::Exchange;

use crate::document::Document;
use crate::finding::{Breach, Findings, Kind};
use crate::operation::Operation;

/// Checks request and answer. Only the storage host of exports has no document.
pub(crate) fn check(document: Option<&Document>, exchange: &Exchange, findings: &mut Findings) {
    match document {
        Some(document) => check_documented(document, exchange, findings),
        None => check_undocumented(exchange, findings),
    }
}

/// A storage host has no business with a provider's credential; a test that sends one is refused.
fn check_undocumented(exchange: &Exchange, findings: &mut Findings) {
    if exchange.header("authorization").is_some() && exchange.refused.is_none() {
        add(exchange, "-", vec![Breach::new("credential", "header.authorization", &exchange.path)], findings);
    }
}

fn check_documented(document: &Document, exchange: &Exchange, findings: &mut Findings) {
    let Some((operation, path)) = document.operation(&exchange.method, &exchange.path) else {
        let at = format!("{} {}", exchange.method, exchange.path);
        return check_request(
            exchange,
            "-",
            vec![Breach::new("unknown-operation", &at, "no such path or method")],
            findings,
        );
    };
    let mut breaches = operation.check_parameters(document, &path, &exchange.query);
    breaches.extend(operation.check_body(
        document,
        exchange.header("content-type").unwrap_or_default(),
        &exchange.body,
    ));
    check_request(exchange, &operation.id, breaches, findings);
    if !exchange.injected && exchange.status != 0 {
        check_answer(document, operation, exchange, findings);
    }
}

/// A request that was refused must break the document too; every other one must not.
fn check_request(exchange: &Exchange, operation: &str, breaches: Vec<Breach>, findings: &mut Findings) {
    match &exchange.refused {
        Some(why) if breaches.is_empty() => {
            add(exchange, operation, vec![Breach::new("stricter-than-document", why, &exchange.path)], findings);
        }
        Some(_) => findings.agreements += 1,
        None => add(exchange, operation, breaches, findings),
    }
}

fn check_answer(document: &Document, operation: &Operation, exchange: &Exchange, findings: &mut Findings) {
    let breaches = operation.check_response(document, exchange.status, &exchange.response);
    if (200..300).contains(&exchange.status) {
        findings.covered.insert(format!("{} {}", document.provider, operation.id));
    }
    add(exchange, &operation.id, breaches, findings);
}

fn add(exchange: &Exchange, operation: &str, breaches: Vec<Breach>, findings: &mut Findings) {
    for Breach { rule, at, example } in breaches {
        let (provider, operation) = (exchange.provider.clone(), operation.to_owned());
        findings.add(Kind { provider, operation, rule: rule.to_owned(), at }, example);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"paths": {"/things/{id}": {
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
        "put": {"operationId": "change",
            "parameters": [{"name": "kind", "in": "query", "schema": {"type": "array", "items": {"type": "string", "enum": ["A", "B"]}}},
                           {"name": "dry", "in": "query", "schema": {"type": "boolean"}}],
            "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "properties": {"name": {"type": "string"}}}}}},
            "responses": {"200": {"content": {"application/json": {"schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}}}}}}}}"#;

    fn exchange(target: &str, body: &str, answer: (u16, &str)) -> Exchange {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Exchange {
            provider: "test".to_owned(),
            method: "PUT".to_owned(),
            path: path.to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            raw_query: None,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_owned(),
            status: answer.0,
            response: answer.1.to_owned(),
            injected: false,
            refused: None,
        }
    }

    fn found(exchange: &Exchange) -> (Findings, Vec<String>) {
        let document = Document::parse("test", DOCUMENT).expect("the document above is valid");
        let mut findings = Findings::default();
        check(Some(&document), exchange, &mut findings);
        let found = findings.all().map(|finding| format!("{} {}", finding.kind.rule, finding.kind.at)).collect();
        (findings, found)
    }

    #[track_caller]
    fn check_found(target: &str, body: &str, answer: (u16, &str), expected: &[&str]) {
        assert_eq!(found(&exchange(target, body, answer)).1, expected, "{target} {body} {answer:?}");
    }

    const FINE: (u16, &str) = (200, r#"{"id": 1}"#);

    #[test]
    fn every_part_of_an_exchange_is_held_to_the_document() {
        check_found("/things/1?kind=A&kind=B&dry=true", "{}", FINE, &[]);
        check_found("/things/x", "{}", FINE, &["type path.id"]);
        check_found("/things/", "{}", FINE, &["unknown-operation PUT /things/"]);
        check_found("/things/1?kind=a", "{}", FINE, &["enum query.kind[]"]);
        check_found("/things/1?dry=1", "{}", FINE, &["type query.dry"]);
        check_found("/things/1?dry=true&dry=true", "{}", FINE, &["repeated query.dry"]);
        check_found("/things/1?color=red", "{}", FINE, &["unknown-parameter query.color"]);
        check_found("/things/1", "", FINE, &["required body"]);
        check_found("/things/1", r#"{"nom": "x"}"#, FINE, &["unknown-field body.nom"]);
        check_found("/things/1", "{}", (200, "{}"), &["required response.id"]);
        check_found("/things/1", "{}", (200, "<html>"), &["not-json response"]);
        check_found("/things/1", "{}", (404, ""), &["undocumented-status status.404"]);
    }

    #[test]
    fn a_refused_request_must_break_the_document_too() {
        let mut refused = exchange("/things/1?dry=1", "{}", FINE);
        refused.refused = Some("dry must be true or false".to_owned());
        assert_eq!((found(&refused).0.agreements, found(&refused).1.len()), (1, 0));
        refused.query.clear();
        assert_eq!(found(&refused).1, ["stricter-than-document dry must be true or false"]);
    }

    #[test]
    fn an_answer_that_a_knob_changed_is_not_held_against_the_provider() {
        let mut spoilt = exchange("/things/1", "{}", (500, "<html>"));
        spoilt.injected = true;
        let (findings, found) = found(&spoilt);
        assert!(found.is_empty() && findings.covered.is_empty());
    }

    #[test]
    fn the_storage_host_gets_no_credential() {
        let mut download = exchange("/export.csv", "", FINE);
        download.headers.push(("authorization".to_owned(), "Bearer".to_owned()));
        let mut findings = Findings::default();
        check(None, &download, &mut findings);
        assert_eq!(findings.all().next().map(|finding| finding.kind.rule).as_deref(), Some("credential"));
    }
}
