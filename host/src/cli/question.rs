//! A question, for a terminal: nothing in it moves the cursor, nothing is there unseen, and what is too long says how
//! much is missing.

use super::output;
use kosmo::Question;

/// Most lines of arguments that are shown, and most letters of each.
const LINES: usize = 24;
const WIDTH: usize = 200;
/// Most blanks in a row that are shown as such: more could push what follows out of sight.
const BLANKS: usize = 8;

/// A question in words.
pub(super) struct Words {
    what: String,
    arguments: String,
}

impl Words {
    pub(super) fn of(question: &Question) -> Self {
        let arguments = output::distinct(&output::pretty(&question.arguments));
        let lines: Vec<_> = arguments.lines().map(|line| format!("  {}", counted(line))).collect();
        Self { what: output::distinct(&what(question)), arguments: lines.join("\n") }
    }

    /// At a glance.
    pub(super) fn brief(&self) -> String {
        format!("{}\n{}", self.what, clipped(&self.arguments))
    }

    /// Whether a glance does not show everything.
    pub(super) fn is_clipped(&self) -> bool {
        clipped(&self.arguments) != self.arguments
    }

    /// Everything that it is asked about.
    pub(super) fn arguments(&self) -> &str {
        &self.arguments
    }
}

fn what(question: &Question) -> String {
    let Question { provider, account, function, request, summary, .. } = question;
    let what = match request {
        Some(request) => format!(
            "{provider}.{} on account '{account}' is about to send {} {},\n  which is what {function} does: {summary}",
            request.function, request.method, request.url
        ),
        None => format!("{provider}.{function} on account '{account}': {summary}"),
    };
    let destructive = question.destructive.then_some("\n  DESTRUCTIVE: what it does cannot be undone.");
    let rehearsed = question.rehearsed.then_some("\n  This is a dry run: no write is sent.");
    format!("{what}{}{}", destructive.unwrap_or_default(), rehearsed.unwrap_or_default())
}

/// Its indentation, and the rest with many blanks in a row as their number.
fn counted(line: &str) -> String {
    let text = line.trim_start_matches(' ');
    let mut shown = line[..line.len() - text.len()].to_owned();
    for part in text.split_inclusive(|letter: char| !letter.is_whitespace()) {
        let word = part.trim_start();
        match part[..part.len() - word.len()].chars().count() {
            count @ ..=BLANKS => shown.push_str(&" ".repeat(count)),
            count => shown.push_str(&format!("␠×{count} ")),
        }
        shown.push_str(word);
    }
    shown
}

fn clipped(text: &str) -> String {
    let all = text.lines().count();
    let mut lines: Vec<_> = text.lines().take(LINES).map(narrow).collect();
    if all > LINES {
        lines.push(format!("  … and {} more lines", all - LINES));
    }
    lines.join("\n")
}

fn narrow(line: &str) -> String {
    let letters = line.chars().count();
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}… and {} more letters", &line[..end], letters - WIDTH),
        None => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kosmo::{Operation, Overlap, Topic};
    use serde_json::{Map, Value, json};

    fn question(arguments: Value) -> Question {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        Question {
            topic: Topic::Function,
            provider: "ringcentral".into(),
            account: "work".into(),
            function: "delete_message".into(),
            operation: Operation::Write,
            destructive: true,
            summary: "Deletes a message.".into(),
            arguments,
            rule: String::new(),
            request: None,
            rehearsed: false,
        }
    }

    fn brief(question: Question) -> String {
        Words::of(&question).brief()
    }

    #[test]
    fn a_question_says_what_would_happen_with_what() {
        let expected = "ringcentral.delete_message on account 'work': Deletes a message.\n  DESTRUCTIVE: what it does \
                        cannot be undone.\n  {\n      \"message_id\": \"123\"\n  }";
        assert_eq!(brief(question(json!({"message_id": "123"}))), expected);
        let request =
            Overlap { function: "api_delete".into(), method: "DELETE".into(), url: "https://a.test/m/1".into() };
        let overlap = Question { request: Some(request), destructive: false, rehearsed: true, ..question(json!({})) };
        let expected = "ringcentral.api_delete on account 'work' is about to send DELETE https://a.test/m/1,\n  which is \
                        what delete_message does: Deletes a message.\n  This is a dry run: no write is sent.\n  {}";
        assert_eq!(brief(overlap), expected);
    }

    #[test]
    fn nothing_in_a_question_steers_the_terminal_or_hides_that_there_is_more() {
        let text = brief(question(json!({"text": "\u{9b}2J\u{202e}\u{1b}[A\rx"})));
        assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()), "{text:?}");
        assert!(text.contains("\\u{9b}2J\\u{202e}\\u001b[A\\rx"), "{text}");
        let many: Map<_, _> = (0..40).map(|number| (format!("key{number:02}"), Value::from("x".repeat(300)))).collect();
        let text = brief(question(Value::Object(many)));
        assert!(text.ends_with("\n  … and 18 more lines") && text.contains("… and 118 more letters\n"), "{text}");
    }

    #[test]
    fn nothing_in_a_question_is_there_unseen() {
        let unseen = "a\u{200b}b\u{61c}c\u{2028}d\u{feff}e\u{e0041}f\u{2800}g";
        let expected = "a\\u{200b}b\\u{61c}c\\u{2028}d\\u{feff}e\\u{e0041}f\\u{2800}g";
        assert!(brief(question(json!({ "text": unseen }))).contains(expected));
        let spaced = format!("a {}b{}\u{a0}c", " ".repeat(159), " ".repeat(7));
        let text = brief(question(json!({ "text": spaced })));
        assert!(text.ends_with("      \"text\": \"a␠×160 b        c\"\n  }"), "{text}");
    }

    #[test]
    fn what_is_clipped_can_be_shown_whole() {
        let short = Words::of(&question(json!({"text": "short"})));
        assert!(!short.is_clipped() && short.brief().ends_with(short.arguments()));
        let long = Words::of(&question(json!({"text": format!("{}end", "x".repeat(300))})));
        assert!(long.is_clipped() && !long.brief().contains("end") && long.arguments().contains("xend"));
    }
}
