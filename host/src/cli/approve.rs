//! Asking the person at the terminal where a permission is `ask`. What is answered for good is written to `config.toml`.

use super::prompt::{self, Unseen};
use super::{output, progress};
use kosmo::mcp::{EditError, permit, permit_tool};
use kosmo::{Approval, Approvals, Approver, Approving, Decision, Fault, Host, Operation, Question, Topic, accounts};
use std::io;
use std::sync::Arc;

/// How often somebody may answer something else.
const TRIES: usize = 3;
/// Most lines of arguments that are shown, and most letters of each.
const LINES: usize = 24;
const WIDTH: usize = 200;

pub(super) const HELP: &str = "\
Where a permission is `ask`, a terminal asks: once, always or never; Enter, Ctrl-C and Ctrl-D are no. `always` and
`never` are written to config.toml for that function of that account. Without a terminal on standard input and standard
error, `ask` is a refusal that names the command which changes it.";

/// Who can be asked, if somebody is there.
pub(super) fn approvals(host: &Host) -> Option<Approvals> {
    let terminal = || Arc::new(Terminal { host: host.clone() });
    prompt::somebody_is_there().then(|| Approvals::new(terminal()))
}

struct Terminal {
    host: Host,
}

impl Approver for Terminal {
    fn approve<'a>(&'a self, question: &'a Question) -> Approving<'a> {
        Box::pin(async move {
            let _silence = progress::silence();
            self.ask(question).await.unwrap_or(Approval::Unanswered)
        })
    }
}

impl Terminal {
    /// Whoever drops this gives the terminal back, and nothing is written down.
    async fn ask(&self, question: &Question) -> io::Result<Approval> {
        let mut unseen = Unseen::begin()?;
        output::plain_error(&shown(question));
        let approval = answered(&mut unseen).await.unwrap_or(Approval::No);
        drop(unseen);
        if let Some(decision) = for_good(approval) {
            output::plain_error(&kept(&self.host, question, decision).await);
        }
        Ok(approval)
    }
}

async fn answered(unseen: &mut Unseen) -> io::Result<Approval> {
    for _ in 0..TRIES {
        match read(&prompt::answer("  once, always or never? [o/a/n, Enter for no] ", unseen).await?) {
            Some(approval) => return Ok(approval),
            None => output::plain_error("  Please answer o, a or n, or press Enter for no."),
        }
    }
    Ok(Approval::No)
}

fn read(answer: &str) -> Option<Approval> {
    match answer.to_ascii_lowercase().as_str() {
        "o" | "once" | "y" | "yes" => Some(Approval::Once),
        "a" | "always" => Some(Approval::Always),
        "n" | "never" => Some(Approval::Never),
        "" | "no" => Some(Approval::No),
        _ => None,
    }
}

fn for_good(approval: Approval) -> Option<Decision> {
    match approval {
        Approval::Always => Some(Decision::Allow),
        Approval::Never => Some(Decision::Deny),
        Approval::Once | Approval::No | Approval::Unanswered => None,
    }
}

/// Writes it down, and says where.
async fn kept(host: &Host, question: &Question, decision: Decision) -> String {
    let written = match question.topic {
        Topic::Function => of_function(host, question, decision).await.map_err(|Fault { message, .. }| message),
        Topic::Tool | Topic::Reading => of_server(host, question, decision).map_err(|error| error.to_string()),
    };
    written.unwrap_or_else(|message| {
        let message = output::in_one_line(&message);
        format!("  This counts until the end, and could not be written down: {message}")
    })
}

async fn of_function(host: &Host, question: &Question, decision: Decision) -> Result<String, Fault> {
    let Question { provider, account, function, .. } = question;
    let provider = host.registry().provider(provider).await?;
    Ok(told(&accounts::permit_function(host, &provider, account, function, decision)?))
}

/// One tool by its name, or all that is read of a server.
fn of_server(host: &Host, question: &Question, decision: Decision) -> Result<String, EditError> {
    let server = question.provider.strip_prefix("mcp.").unwrap_or(&question.provider);
    let word = decision.as_str();
    let line = if question.topic == Topic::Tool {
        permit_tool(host, server, &question.function, decision)?;
        format!("{:?} = \"{word}\" under [mcp.servers.{server}.permissions.tools]", question.function)
    } else {
        permit(host, server, Operation::Read, decision)?;
        format!("read = \"{word}\" under [mcp.servers.{server}.permissions]")
    };
    Ok(output::in_one_line(&format!("  Written to config.toml: {line}. To be asked again, remove that.")).into_owned())
}

fn told(permitted: &accounts::Permitted) -> String {
    let accounts::Permitted { file, line, narrowed } = permitted;
    let besides = narrowed.as_ref().map_or(String::new(), |other| {
        format!(" After this, {other} asks or denies all the same, and only whoever owns it can change that.")
    });
    format!("  Written to {}: {line}. To be asked again, remove that.{besides}", file.display())
}

/// What is asked, for a terminal: nothing in it moves the cursor, and what is too long says how much is missing.
fn shown(question: &Question) -> String {
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
    let arguments = clipped(&output::pretty(&question.arguments));
    let text = format!("{what}{}{}\n{arguments}", destructive.unwrap_or_default(), rehearsed.unwrap_or_default());
    output::harmless(&text).into_owned()
}

fn clipped(text: &str) -> String {
    let all = text.lines().count();
    let mut lines: Vec<_> = text.lines().take(LINES).map(|line| format!("  {}", narrow(line))).collect();
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
    use kosmo::Overlap;
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

    #[test]
    fn a_question_says_what_would_happen_with_what() {
        let expected = "ringcentral.delete_message on account 'work': Deletes a message.\n  DESTRUCTIVE: what it does \
                        cannot be undone.\n  {\n      \"message_id\": \"123\"\n  }";
        assert_eq!(shown(&question(json!({"message_id": "123"}))), expected);
        let request =
            Overlap { function: "api_delete".into(), method: "DELETE".into(), url: "https://a.test/m/1".into() };
        let overlap = Question { request: Some(request), destructive: false, rehearsed: true, ..question(json!({})) };
        let expected = "ringcentral.api_delete on account 'work' is about to send DELETE https://a.test/m/1,\n  which is \
                        what delete_message does: Deletes a message.\n  This is a dry run: no write is sent.\n  {}";
        assert_eq!(shown(&overlap), expected);
    }

    #[test]
    fn nothing_in_a_question_steers_the_terminal_or_hides_that_there_is_more() {
        let text = shown(&question(json!({"text": "\u{9b}2J\u{202e}\u{1b}[A\rx"})));
        assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()), "{text:?}");
        assert!(text.contains("\\u{9b}2J\\u{202e}\\u001b[A\\rx"), "{text}");
        let many: Map<_, _> = (0..40).map(|number| (format!("key{number:02}"), Value::from("x".repeat(300)))).collect();
        let text = shown(&question(Value::Object(many)));
        assert!(text.ends_with("\n  … and 18 more lines") && text.contains("… and 116 more letters\n"), "{text}");
    }

    #[test]
    fn answers_are_words_or_their_first_letters() {
        let check = |answer, expected| assert_eq!(read(answer), expected, "{answer}");
        check("o", Some(Approval::Once));
        check("Always", Some(Approval::Always));
        check("never", Some(Approval::Never));
        check("", Some(Approval::No));
        check("maybe", None);
    }
}
