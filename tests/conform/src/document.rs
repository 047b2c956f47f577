//! An OpenAPI 3.0 document, as far as checking exchanges needs it.

use serde_json::{Map, Value};

use crate::operation::Operation;

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// One provider's document.
pub(crate) struct Document {
    pub(crate) provider: &'static str,
    root: Value,
    operations: Vec<Operation>,
}

impl Document {
    /// Reads a document; the error says what is missing.
    pub(crate) fn parse(provider: &'static str, text: &str) -> Result<Document, String> {
        let root: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let paths = root["paths"].as_object().ok_or("it has no paths")?;
        let operations = paths.iter().flat_map(|(path, item)| operations(&root, path, item)).collect();
        Ok(Document { provider, operations, root })
    }

    /// `provider operationId` of every operation.
    pub(crate) fn operation_names(&self) -> impl Iterator<Item = String> + '_ {
        self.operations.iter().map(|operation| format!("{} {}", self.provider, operation.id))
    }

    /// The operation that a request is for, and the values of its path parameters.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<(&Operation, Vec<(String, String)>)> {
        let candidates = self.operations.iter().filter(|operation| operation.method.eq_ignore_ascii_case(method));
        candidates.into_iter().find_map(|operation| Some((operation, operation.path_values(path)?)))
    }

    /// A schema among the components.
    pub(crate) fn component(&self, name: &str) -> Option<&Value> {
        self.root["components"]["schemas"].get(name)
    }

    /// What `value` stands for if it is a reference.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        resolve(&self.root, value)
    }
}

/// Follows `$ref` as often as needed. A dangling reference gives null, which as a schema allows anything.
fn resolve<'a>(root: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    while let Some(pointer) = value["$ref"].as_str() {
        value = root.pointer(pointer.trim_start_matches('#')).unwrap_or(&Value::Null);
    }
    value
}

fn operations(root: &Value, path: &str, item: &Value) -> Vec<Operation> {
    let shared = item["parameters"].as_array().cloned().unwrap_or_default();
    let members = item.as_object().map(Map::iter).into_iter().flatten();
    let operations = members.filter(|(method, _)| METHODS.contains(&method.as_str()));
    operations.map(|(method, body)| operation(root, path, method, body, &shared)).collect()
}

fn operation(root: &Value, path: &str, method: &str, body: &Value, shared: &[Value]) -> Operation {
    let own = body["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let parameters = shared.iter().chain(own).map(|parameter| resolve(root, parameter).clone()).collect();
    let responses = body["responses"].as_object().cloned().unwrap_or_default();
    let responses =
        responses.into_iter().map(|(status, response)| (status, resolve(root, &response).clone())).collect();
    Operation {
        id: body["operationId"].as_str().unwrap_or(path).to_owned(),
        method: method.to_owned(),
        template: path.to_owned(),
        parameters,
        request_body: resolve(root, &body["requestBody"]).clone(),
        responses,
    }
}
