//! Documentation as resources, `kosmo://docs/dialpad/list_calls`, and as tools. Every host here is one as a client sees it.

use crate::Host;
use crate::docs::{self, Entry};
use rmcp::model::{CallToolResult, ContentBlock, Resource, ResourceContents, ResourceTemplate};
use serde_json::json;

const ROOT: &str = "kosmo://docs";
const MARKDOWN: &str = "text/markdown";

/// The guides of all integrations.
pub(super) fn resources(host: &Host) -> Vec<Resource> {
    let overview = [
        Resource::new(ROOT, "overview").with_title("All integrations").with_mime_type(MARKDOWN),
        Resource::new(format!("{ROOT}/errors"), "errors")
            .with_title("Every code a fault can have")
            .with_mime_type(MARKDOWN),
    ];
    let guides = host.names().into_iter().filter_map(|name| guide(host, &name));
    overview.into_iter().chain(guides).collect()
}

fn guide(host: &Host, name: &str) -> Option<Resource> {
    let provider = host.provider(name).ok()?;
    let description = provider.description();
    let resource = Resource::new(format!("{ROOT}/{name}"), name).with_title(&*description.title);
    Some(resource.with_description(&*description.summary).with_mime_type(MARKDOWN))
}

/// Where the pages of single functions are.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    let provider = ResourceTemplate::new(format!("{ROOT}/{{integration}}"), "integration");
    let function = ResourceTemplate::new(format!("{ROOT}/{{integration}}/{{function}}"), "function");
    vec![
        provider.with_title("The guide of an integration").with_mime_type(MARKDOWN),
        function.with_title("All about one function").with_mime_type(MARKDOWN),
    ]
}

/// The page behind a URI, if there is one.
pub(super) fn read(host: &Host, uri: &str) -> Option<ResourceContents> {
    let page = page_of(uri)?;
    let text = docs::find(host, &page).ok()?;
    Some(ResourceContents::text(text, uri).with_mime_type(MARKDOWN))
}

/// `kosmo://docs/dialpad/list_calls` is about `dialpad.list_calls`.
fn page_of(uri: &str) -> Option<String> {
    let path = uri.strip_prefix(ROOT)?;
    match path.strip_prefix('/') {
        None => path.is_empty().then(String::new),
        Some(path) => Some(path.replace('/', ".")),
    }
}

/// What could stand in a URI.
pub(super) fn values(host: &Host, argument: &str, integration: Option<&str>) -> Vec<String> {
    match (argument, integration) {
        ("integration", _) => host.names(),
        ("function", Some(name)) => {
            let provider = host.provider(name).ok();
            let functions = provider.iter().flat_map(|provider| &provider.description().functions);
            functions.map(|function| function.name.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// `search_docs`
pub(super) fn search(host: &Host, query: &str) -> CallToolResult {
    let found = docs::found(host, query);
    let mut result = CallToolResult::structured(json!({"functions": found.iter().map(hit).collect::<Vec<_>>()}));
    result.content = vec![ContentBlock::text(docs::hits(query, &found))];
    result
}

fn hit(entry: &Entry) -> serde_json::Value {
    let Entry { name, summary, operation, lua_path, accounts, .. } = entry;
    json!({"name": name, "summary": summary, "operation": operation, "lua_path": lua_path, "accounts": accounts})
}

/// `read_doc`
pub(super) fn page(host: &Host, page: &str) -> CallToolResult {
    match docs::find(host, page) {
        Ok(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
        Err(missing) => CallToolResult::error(vec![ContentBlock::text(missing.to_string())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_a_page() {
        let check = |uri, page: Option<&str>| assert_eq!(page_of(uri).as_deref(), page, "{uri}");
        check("kosmo://docs", Some(""));
        check("kosmo://docs/dialpad", Some("dialpad"));
        check("kosmo://docs/dialpad/list_calls", Some("dialpad.list_calls"));
        check("kosmo://docs?x", None);
        check("file:///etc/passwd", None);
    }
}
