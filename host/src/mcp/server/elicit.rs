//! Questions to the person at the client: what is shown, what can be answered, and what an answer means.

use crate::{Approval, Question};
use rmcp::model::{
    ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, EnumSchema, PrimitiveSchemaDefinition,
};
use rmcp::service::RequestContext;
use rmcp::{Peer, RoleServer};
use std::fmt::Write as _;
use std::time::Duration;

/// How long somebody has to answer.
const PATIENCE: Duration = Duration::from_secs(300);
/// Most characters of arguments in a question.
const SHOWN: usize = 2000;

/// Asks, and waits for the answer.
pub(super) async fn ask(peer: &Peer<RoleServer>, question: &Question) -> Approval {
    let Some(requested_schema) = choices() else { return Approval::Unanswered };
    let form = ElicitRequestParams::FormElicitationParams { meta: None, message: wording(question), requested_schema };
    let answer = peer.create_elicitation_with_timeout(form, Some(PATIENCE)).await;
    answer.map_or(Approval::Unanswered, |answer| decision(&answer))
}

/// Whether a client can be asked at all.
pub(super) fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let elicitation = context.client_capabilities().and_then(|capabilities| capabilities.elicitation);
    elicitation.is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
}

fn choices() -> Option<ElicitationSchema> {
    let values = ["once", "always", "no", "never"].map(Into::into).to_vec();
    let titles = ["Yes, this once", "Yes, also further ones of this run", "No, not this one", "No, none of this run"];
    let choice = EnumSchema::builder(values).enum_titles(titles.map(Into::into).to_vec()).ok()?.build();
    let schema = ElicitationSchema::builder();
    schema.required_property("decision", PrimitiveSchemaDefinition::Enum(choice)).build().ok()
}

fn decision(answer: &ElicitResult) -> Approval {
    let choice = answer.content.as_ref().and_then(|content| content["decision"].as_str());
    match (&answer.action, choice) {
        (ElicitationAction::Accept, Some("once")) => Approval::Once,
        (ElicitationAction::Accept, Some("always")) => Approval::Always,
        (ElicitationAction::Accept, Some("never")) => Approval::Never,
        // A form that was sent off without a choice says yes to nothing.
        (ElicitationAction::Accept | ElicitationAction::Decline, _) => Approval::No,
        _ => Approval::Unanswered,
    }
}

/// What is shown to whoever is asked.
fn wording(question: &Question) -> String {
    let Question { provider, account, function, destructive, summary, arguments, request, .. } = question;
    let mut text = format!("Allow {provider}.{function} on account {account}? {summary}");
    if *destructive {
        text.push_str(" This cannot be undone.");
    }
    if let Some(request) = request {
        let _ =
            write!(text, "\nIt is asked for by {}, which sends {} {}.", request.function, request.method, request.url);
    }
    let shown = serde_json::to_string_pretty(arguments).unwrap_or_default();
    let shown = crate::clip::clipped(&shown, SHOWN);
    text + "\n\n" + &shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(answer: serde_json::Value, expected: Approval) {
        assert_eq!(decision(&serde_json::from_value(answer).expect("an answer")), expected);
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        check(json!({"action": "accept", "content": {"decision": "once"}}), Approval::Once);
        check(json!({"action": "accept", "content": {"decision": "always"}}), Approval::Always);
        check(json!({"action": "accept", "content": {"decision": "never"}}), Approval::Never);
        check(json!({"action": "accept", "content": {"decision": "yes"}}), Approval::No);
        check(json!({"action": "accept"}), Approval::No);
        check(json!({"action": "decline"}), Approval::No);
        check(json!({"action": "cancel"}), Approval::Unanswered);
    }

    #[test]
    fn there_is_a_form_to_answer_with() {
        let schema = serde_json::to_value(choices().expect("a form")).expect("JSON");
        assert_eq!(schema["required"], json!(["decision"]));
        assert_eq!(schema["properties"]["decision"]["type"], "string");
    }
}
