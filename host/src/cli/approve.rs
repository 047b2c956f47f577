//! Asking the person at the terminal where a permission is `ask`. What is answered for good is written to `config.toml`.

use super::prompt::{self, Unseen};
use super::question::Words;
use super::{output, progress};
use kosmo::permissions::{self, Matter, Owner, Permitted, Subject};
use kosmo::{Approval, Approvals, Approver, Approving, Decision, Fault, Host, Operation, Question, Topic, accounts};
use std::io;
use std::sync::Arc;

/// How often somebody may answer something else.
const TRIES: usize = 3;

pub(super) const HELP: &str = "\
Where a permission is `ask`, a terminal asks: once, always or never; Enter, Ctrl-C and Ctrl-D are no. `always` and
`never` are written to config.toml for that function of that account; permissions:list lists them, and permissions:unset
takes them back. A dry run asks for yes or no, which holds for nothing else. Without a terminal on standard input and
standard error, `ask` is a refusal that names the command which changes it.";

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
        let words = Words::of(question);
        output::plain_error(&words.brief());
        let approval = answered(&words, question.rehearsed, &mut unseen).await.unwrap_or(Approval::No);
        drop(unseen);
        if let Some(decision) = for_good(approval) {
            output::plain_error(&kept(&self.host, question, decision).await);
        }
        Ok(approval)
    }
}

async fn answered(words: &Words, rehearsed: bool, unseen: &mut Unseen) -> io::Result<Approval> {
    let (question, cure) = offered(words.is_clipped(), rehearsed);
    let mut tries = 0..TRIES;
    while !tries.is_empty() {
        let answer = prompt::answer(&question, unseen).await?.to_ascii_lowercase();
        match if rehearsed { read_rehearsed(&answer) } else { read(&answer) } {
            Some(approval) => return Ok(approval),
            None if words.is_clipped() && matches!(&*answer, "s" | "show") => output::plain_error(words.arguments()),
            None => {
                output::plain_error(cure);
                tries.next();
            }
        }
    }
    Ok(Approval::No)
}

/// What can be answered, and the cure for what cannot. Nothing a dry run is told holds for what is sent later.
fn offered(clipped: bool, rehearsed: bool) -> (String, &'static str) {
    let (words, letters, cure) = match rehearsed {
        true => ("yes or no", "y/n", "  Please answer y or n, or press Enter for no."),
        false => ("once, always or never", "o/a/n", "  Please answer o, a or n, or press Enter for no."),
    };
    let more = if clipped { ", s to show all" } else { "" };
    (format!("  {words}? [{letters}{more}, Enter for no] "), cure)
}

fn read(answer: &str) -> Option<Approval> {
    match answer {
        "o" | "once" | "y" | "yes" => Some(Approval::Once),
        "a" | "always" => Some(Approval::Always),
        "n" | "never" => Some(Approval::Never),
        "" | "no" => Some(Approval::No),
        _ => None,
    }
}

fn read_rehearsed(answer: &str) -> Option<Approval> {
    match answer {
        "y" | "yes" | "o" | "once" => Some(Approval::Once),
        "n" | "no" | "" => Some(Approval::No),
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
        Topic::Function => of_function(host, question, decision).await,
        Topic::Tool | Topic::Reading => of_server(host, question, decision),
    };
    let told = match written {
        Ok(permitted) => told(&permitted),
        Err(fault) => format!("  This counts until the end, and could not be written down: {}", fault.message),
    };
    output::in_one_line(&told).into_owned()
}

async fn of_function(host: &Host, question: &Question, decision: Decision) -> Result<Permitted, Fault> {
    let Question { provider, account, function, .. } = question;
    let provider = host.registry().provider(provider).await?;
    accounts::permit_function(host, &provider, account, function, decision)
}

/// One tool by its name, or all that is read of a server.
fn of_server(host: &Host, question: &Question, decision: Decision) -> Result<Permitted, Fault> {
    let server = question.provider.strip_prefix("mcp.").unwrap_or(&question.provider);
    let owner = Owner::from(host.mcp().find(server)?.holder());
    let matter = match question.topic {
        Topic::Tool => Matter::Named(question.function.clone()),
        Topic::Function | Topic::Reading => Matter::Operation(Operation::Read),
    };
    permissions::set(host, &Subject { owner, matter }, decision)
}

fn told(permitted: &Permitted) -> String {
    let Permitted { file, line, subject, narrowed } = permitted;
    let undo = subject.unset().unwrap_or_else(|| "remove that".into());
    let besides = narrowed.as_ref().map_or(String::new(), |other| {
        format!(" After this, {other} asks or denies all the same, and only whoever owns it can change that.")
    });
    format!("  Written to {}: {line}. To be asked again: {undo}{besides}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_words_or_their_first_letters() {
        let check = |answer, expected, rehearsed| {
            assert_eq!((read(answer), read_rehearsed(answer)), (expected, rehearsed), "{answer}");
        };
        check("o", Some(Approval::Once), Some(Approval::Once));
        check("yes", Some(Approval::Once), Some(Approval::Once));
        check("always", Some(Approval::Always), None);
        check("never", Some(Approval::Never), None);
        check("n", Some(Approval::Never), Some(Approval::No));
        check("", Some(Approval::No), Some(Approval::No));
        check("maybe", None, None);
    }
}
