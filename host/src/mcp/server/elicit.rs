//! Questions to the person at the client: what is shown, what can be answered, and what an answer means.

use crate::clip::{NAME, clipped};
use crate::{Approval, Question};
use rmcp::model::{
    ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, EnumSchema, PrimitiveSchemaDefinition,
};
use rmcp::service::RequestContext;
use rmcp::{Peer, RoleServer};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long somebody has to answer one question, and all of one call: meanwhile it keeps a turn, and its own time stands
/// still.
const ONE: Duration = Duration::from_secs(300);
const ALL: Duration = Duration::from_secs(1800);
/// Most letters of one value in a question, and most values.
const LETTERS: usize = 300;
const VALUES: usize = 20;

/// How much longer somebody is waited for, in one call.
#[derive(Debug)]
pub(super) struct Patience(Duration);

impl Default for Patience {
    fn default() -> Self {
        Self(ALL)
    }
}

impl Patience {
    /// For the next question.
    fn next(&self) -> Duration {
        self.0.min(ONE)
    }

    /// Whoever left one question unanswered is not asked another.
    fn took(&mut self, time: Duration, answer: Approval) {
        self.0 = if answer == Approval::Unanswered { Duration::ZERO } else { self.0.saturating_sub(time) };
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&mut self, peer: &Peer<RoleServer>, question: &Question) -> Approval {
        let (begun, most) = (Instant::now(), self.next());
        let answer = if most.is_zero() { Approval::Unanswered } else { ask(peer, question, most).await };
        self.took(begun.elapsed(), answer);
        answer
    }
}

async fn ask(peer: &Peer<RoleServer>, question: &Question, most: Duration) -> Approval {
    let shown = Shown::of(question);
    let Some(requested_schema) = choices(shown.for_good) else { return Approval::Unanswered };
    let form = ElicitRequestParams::FormElicitationParams { meta: None, message: shown.text, requested_schema };
    // Also where the client does not even take the question.
    let answer = timeout(most, peer.create_elicitation_with_timeout(form, Some(most))).await;
    let Ok(Ok(answer)) = answer else { return Approval::Unanswered };
    decision(&answer, shown.for_good)
}

/// Whether a client can be asked at all.
pub(super) fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let elicitation = context.client_capabilities().and_then(|capabilities| capabilities.elicitation);
    elicitation.is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
}

/// What can be answered. `for_good` is whether a yes may be one to further questions.
fn choices(for_good: bool) -> Option<ElicitationSchema> {
    let all = [
        ("once", "Yes, this once"),
        ("always", "Yes, also further ones of this run"),
        ("no", "No, not this one"),
        ("never", "No, none of this run"),
    ];
    let (values, titles): (Vec<_>, Vec<_>) =
        all.into_iter().filter(|(value, _)| for_good || *value != "always").unzip();
    let texts = |texts: Vec<&str>| texts.into_iter().map(Into::into).collect();
    let choice = EnumSchema::builder(texts(values)).enum_titles(texts(titles)).ok()?.build();
    let schema = ElicitationSchema::builder();
    schema.required_property("decision", PrimitiveSchemaDefinition::Enum(choice)).build().ok()
}

fn decision(answer: &ElicitResult, for_good: bool) -> Approval {
    let choice = answer.content.as_ref().and_then(|content| content["decision"].as_str());
    match (&answer.action, choice) {
        (ElicitationAction::Accept, Some("once")) => Approval::Once,
        (ElicitationAction::Accept, Some("always")) if for_good => Approval::Always,
        (ElicitationAction::Accept, Some("never")) => Approval::Never,
        // A form that was sent off without a choice it had says yes to nothing.
        (ElicitationAction::Accept | ElicitationAction::Decline, _) => Approval::No,
        _ => Approval::Unanswered,
    }
}

/// What is shown to whoever is asked.
struct Shown {
    text: String,
    /// Whether all of it is shown and it is no rehearsal: only then a yes may be one to what is asked later.
    for_good: bool,
}

impl Shown {
    fn of(question: &Question) -> Self {
        let Question { provider, account, function, destructive, summary, arguments, request, rehearsed, .. } =
            question;
        let mut text = format!("Allow {provider}.{function} on account {account}? {summary}");
        if *destructive {
            text.push_str(" This cannot be undone.");
        }
        if *rehearsed {
            text.push_str(" This is a dry run: no write is sent.");
        }
        if let Some(request) = request {
            let url = value(&Value::from(&*request.url)).0;
            let _ = write!(text, "\nIt is asked for by {}, which sends {} {url}.", request.function, request.method);
        }
        let (lines, hidden) = listed(arguments);
        let _ = write!(text, "\n\n{lines}");
        if hidden > 0 {
            let _ = write!(text, "\n\nNot all of it is shown: {hidden} letters are not.");
        }
        Self { text: plain(&text), for_good: hidden == 0 && !rehearsed }
    }
}

/// One line for each value, so that none is out of sight behind another; and how many letters are missing in all.
fn listed(arguments: &Map<String, Value>) -> (String, usize) {
    let (mut lines, mut hidden) = (Vec::new(), 0);
    for (at, (name, given)) in arguments.iter().enumerate() {
        let (shown, missing) = value(given);
        if at < VALUES {
            lines.push(format!("{}: {shown}", clipped(name, NAME)));
            hidden += missing;
        } else {
            hidden += shown.chars().count() + missing;
        }
    }
    let more = arguments.len().saturating_sub(VALUES);
    if more > 0 {
        lines.push(format!("… and {more} more values"));
    }
    (lines.join("\n"), hidden)
}

/// A value as JSON, and how many letters of it are missing.
fn value(given: &Value) -> (String, usize) {
    let whole = given.to_string();
    let missing = whole.chars().count().saturating_sub(LETTERS);
    let shown = match missing {
        0 => whole,
        _ => format!("{} ({missing} more letters)", clipped(&whole, LETTERS)),
    };
    (shown, missing)
}

/// Without what moves text about or is there unseen.
fn plain(text: &str) -> String {
    let steers = |letter: char| letter.is_control() && letter != '\n' || is_unseen(letter);
    text.chars().map(|letter| if steers(letter) { '\u{fffd}' } else { letter }).collect()
}

/// What has no width, or turns the direction of what follows.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(answer: Value, expected: Approval) {
        assert_eq!(decision(&serde_json::from_value(answer).expect("an answer"), true), expected);
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
    fn nobody_is_waited_for_without_end() {
        let mut patience = Patience::default();
        assert_eq!(patience.next(), ONE);
        for _ in 0..6 {
            patience.took(ONE - Duration::from_secs(10), Approval::Once);
        }
        assert_eq!(patience.next(), Duration::from_secs(60), "what is left of all");
        patience.took(ONE, Approval::No);
        assert_eq!(patience.next(), Duration::ZERO);
        let mut patience = Patience::default();
        patience.took(ONE, Approval::Unanswered);
        assert_eq!(patience.next(), Duration::ZERO, "nobody is there");
    }

    #[test]
    fn there_is_a_form_to_answer_with() {
        let schema = serde_json::to_value(choices(true).expect("a form")).expect("JSON");
        assert_eq!(schema["required"], json!(["decision"]));
        assert_eq!(schema["properties"]["decision"]["type"], "string");
        assert!(schema.to_string().contains("always"));
    }

    fn shown(arguments: Value, rehearsed: bool) -> Shown {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        Shown::of(&Question {
            topic: crate::Topic::Function,
            provider: "dialpad".into(),
            account: "work".into(),
            function: "send_sms".into(),
            operation: crate::Operation::Write,
            destructive: false,
            summary: "Send a text message.".into(),
            arguments,
            rule: String::new(),
            request: None,
            rehearsed,
        })
    }

    #[test]
    fn no_value_hides_another_and_what_is_not_shown_is_said_and_not_allowed_for_good() {
        let all = shown(json!({"text": "hello\nyou", "to": "+16505559876"}), false);
        assert!(all.for_good && all.text.ends_with("\n\ntext: \"hello\\nyou\"\nto: \"+16505559876\""), "{}", all.text);
        let long = shown(json!({"a": "x".repeat(10_000), "to": "+16505559876"}), false);
        assert!(!long.for_good && long.text.contains("\nto: \"+16505559876\""), "{}", long.text);
        assert!(long.text.ends_with("Not all of it is shown: 9702 letters are not."), "{}", long.text);
        let many: Map<_, _> = (0..50).map(|at| (format!("n{at}"), json!(at))).collect();
        let many = shown(Value::Object(many), false);
        assert!(!many.for_good && many.text.contains("… and 30 more values"), "{}", many.text);
        let form = serde_json::to_value(choices(false).expect("a form")).expect("JSON");
        assert!(!form.to_string().contains("always"), "{form}");
        let always = serde_json::from_value(json!({"action": "accept", "content": {"decision": "always"}}));
        assert_eq!(decision(&always.expect("an answer"), false), Approval::No);
    }

    #[test]
    fn a_rehearsal_says_that_it_is_one_and_allows_nothing_for_good() {
        let shown = shown(json!({}), true);
        assert!(!shown.for_good && shown.text.contains("This is a dry run: no write is sent."), "{}", shown.text);
    }

    #[test]
    fn nothing_in_a_question_moves_the_rest_of_it() {
        let shown = shown(json!({"text": "a\u{202e}b\u{200b}\u{1b}[2Jc"}), false);
        assert!(!shown.text.contains(['\u{202e}', '\u{200b}', '\u{1b}']), "{}", shown.text);
    }
}
