//! What a client could type next for an argument of a prompt or a part of a resource's URI.

use super::{documents, prompts};
use crate::Host;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};

/// Every value that begins like what was typed.
pub(super) fn complete(host: &Host, asked: &CompleteRequestParams) -> CompleteResult {
    let argument = asked.argument.name.as_str();
    let integration = asked.context.as_ref().and_then(|context| context.get_argument("integration"));
    let values = match &asked.r#ref {
        Reference::Prompt(_) => prompts::values(host, argument),
        Reference::Resource(_) => documents::values(host, argument, integration.map(String::as_str)),
        _ => Vec::new(),
    };
    let typed = asked.argument.value.to_lowercase();
    let fitting: Vec<_> = values.into_iter().filter(|value| value.to_lowercase().starts_with(&typed)).collect();
    let (total, more) = (u32::try_from(fitting.len()).ok(), fitting.len() > CompletionInfo::MAX_VALUES);
    let shown = fitting.into_iter().take(CompletionInfo::MAX_VALUES).collect();
    CompleteResult::new(CompletionInfo::with_pagination(shown, total, more).unwrap_or_default())
}
