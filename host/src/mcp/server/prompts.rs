//! Prompts for what people ask of integrations most.

use crate::Host;
use rmcp::ErrorData;
use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::Value;
use std::collections::BTreeSet;

/// A prompt: what it is called, what it takes, and what it says.
struct Template {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Name, description, whether it must be given.
    arguments: &'static [(&'static str, &'static str, bool)],
    /// `{name}` stands for an argument; a line with one that is not given is left out.
    text: &'static str,
}

const TEMPLATES: [Template; 4] = [
    Template {
        name: "explore_integration",
        title: "Explore an integration",
        description: "What an integration can do, shown with a harmless example",
        arguments: &[("integration", "Such as dialpad", true)],
        text: "Read the guide of the integration {integration} with read_doc. Tell me in a few sentences what it can do \
               and which accounts it has. Then run one function that only reads, with few results, and show me what \
               comes back.",
    },
    Template {
        name: "call_report",
        title: "Call report",
        description: "Calls of a period, counted and summed up",
        arguments: &[
            ("period", "Such as today, or last week", true),
            ("integration", "Which one; all that have calls if left out", false),
            ("account", "If it is not `default`", false),
        ],
        text: "Report on the calls of this period: {period}.\n\
               Use the integration {integration}.\n\
               Use the account {account}.\n\
               Find the function that lists calls with search_docs and read its page. Walk all pages in one Lua script \
               and count there: calls in and out, missed calls, total and mean duration, the busiest hours and people. \
               Return only these figures, and give me a short summary with a table.",
    },
    Template {
        name: "follow_up_missed_calls",
        title: "Follow up on missed calls",
        description: "Who called and was not called back",
        arguments: &[
            ("since", "Such as yesterday morning", true),
            ("integration", "Which one; all that have calls if left out", false),
            ("account", "If it is not `default`", false),
        ],
        text: "List the missed calls since {since} that nobody has returned yet.\n\
               Use the integration {integration}.\n\
               Use the account {account}.\n\
               Take missed inbound calls and drop every number that was called or texted afterwards. Name the contacts \
               where you can. Propose a short text message for each and wait for my word before anything is sent.",
    },
    Template {
        name: "text_contact",
        title: "Text a contact",
        description: "Finds a contact's number and sends a text message",
        arguments: &[
            ("contact", "A name or number", true),
            ("message", "What to say", true),
            ("integration", "Which one; the first that sends texts if left out", false),
            ("account", "If it is not `default`", false),
        ],
        text: "Send this text message to {contact}: {message}\n\
               Use the integration {integration}.\n\
               Use the account {account}.\n\
               Find the number first; if several contacts fit, ask me which one. Rehearse it with dry_run, show me \
               number and text, and send it once I agree. Do not send it twice.",
    },
];

/// Every prompt.
pub(super) fn list() -> Vec<Prompt> {
    TEMPLATES.iter().map(Template::prompt).collect()
}

/// A prompt with its arguments filled in.
pub(super) fn get(name: &str, arguments: &JsonObject) -> Result<GetPromptResult, ErrorData> {
    let template = find(name)?;
    let missing = template.arguments.iter().find(|(name, _, required)| *required && given(arguments, name).is_none());
    if let Some((missing, ..)) = missing {
        return Err(ErrorData::invalid_params(format!("The prompt {name} needs the argument `{missing}`."), None));
    }
    let message = PromptMessage::new_text(Role::User, template.filled(arguments));
    Ok(GetPromptResult::new(vec![message]).with_description(template.description))
}

/// What could be typed for an argument.
pub(super) fn values(host: &Host, argument: &str) -> Vec<String> {
    match argument {
        "integration" => host.names(),
        "account" => {
            let providers = host.names().into_iter().filter_map(|name| host.provider(&name).ok());
            let names: BTreeSet<_> = providers.flat_map(|provider| host.accounts(&provider)).collect();
            names.into_iter().collect()
        }
        "period" => ["today", "yesterday", "this week", "last week", "this month", "last month"].map(Into::into).into(),
        "since" => ["this morning", "yesterday", "last week"].map(Into::into).into(),
        _ => Vec::new(),
    }
}

fn find(name: &str) -> Result<&'static Template, ErrorData> {
    TEMPLATES.iter().find(|template| template.name == name).ok_or_else(|| {
        let known = TEMPLATES.each_ref().map(|template| template.name).join(", ");
        ErrorData::invalid_params(format!("There is no prompt of that name; there are: {known}"), None)
    })
}

fn given<'a>(arguments: &'a JsonObject, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

impl Template {
    fn prompt(&self) -> Prompt {
        let argument = |&(name, text, required): &(&str, &str, bool)| {
            PromptArgument::new(name).with_description(text).with_required(required)
        };
        let arguments = self.arguments.iter().map(argument).collect();
        Prompt::new(self.name, Some(self.description), Some(arguments)).with_title(self.title)
    }

    fn filled(&self, arguments: &JsonObject) -> String {
        let lines = self.text.lines().filter_map(|line| self.filled_line(line, arguments));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Nothing, if something stands in it that is not given. What is given is not looked into again.
    fn filled_line(&self, line: &str, arguments: &JsonObject) -> Option<String> {
        let mut filled = String::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            filled.push_str(before);
            filled.push_str(given(arguments, name)?);
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(name: &str, arguments: Value) -> Result<String, String> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let result = get(name, &arguments).map_err(|error| error.message.into_owned())?;
        let json = serde_json::to_value(result).expect("JSON");
        Ok(json["messages"][0]["content"]["text"].as_str().unwrap_or_default().to_owned())
    }

    #[test]
    fn what_is_not_given_is_not_spoken_of() {
        let text = text("call_report", json!({"period": "last {account} week", "integration": " "})).expect("a prompt");
        assert!(
            text.starts_with("Report on the calls of this period: last {account} week.\nFind the function"),
            "{text}"
        );
    }

    #[test]
    fn what_must_be_given_is_asked_for() {
        let refused = text("text_contact", json!({"contact": "Zoe"})).expect_err("no message");
        assert_eq!(refused, "The prompt text_contact needs the argument `message`.");
        assert!(
            text("nonsense", json!({})).expect_err("unknown").contains("there are: explore_integration, call_report")
        );
    }

    #[test]
    fn every_place_in_a_text_is_an_argument() {
        for template in &TEMPLATES {
            let given: JsonObject = template.arguments.iter().map(|(name, ..)| ((*name).into(), json!("X"))).collect();
            let filled = template.filled(&given);
            assert_eq!(filled.lines().count(), template.text.lines().count(), "{}", template.name);
            assert!(!filled.contains(['{', '}']), "{filled}");
        }
    }
}
