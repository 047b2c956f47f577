//! Being asked: who answers where a permission is `ask`, what an answer covers, and what no answer does.

use kosmo::audit::Query;
use kosmo::{Approval, Approvals, Approver, Approving, Code, Fault, Host, Invocation, Limits, Question, Script};
use kosmo_tests::Scenario;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers in order, and at last nothing any more.
#[derive(Default)]
struct Person {
    answers: Mutex<VecDeque<Approval>>,
    asked: Mutex<Vec<Question>>,
    takes: Duration,
    open: AtomicUsize,
    most: AtomicUsize,
}

impl Person {
    fn saying(answers: &[Approval]) -> Arc<Self> {
        Self::slowly(Duration::ZERO, answers)
    }

    fn slowly(takes: Duration, answers: &[Approval]) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.iter().copied().collect()), takes, ..Self::default() })
    }

    fn asked(&self) -> Vec<Question> {
        self.asked.lock().expect("no panic while it was held").clone()
    }

    /// `ringcentral.default.send_sms`, one each.
    fn subjects(&self) -> Vec<String> {
        let subject = |asked: &Question| format!("{}.{}.{}", asked.provider, asked.account, asked.function);
        self.asked().iter().map(subject).collect()
    }
}

impl Approver for Person {
    fn approve<'a>(&'a self, question: &'a Question) -> Approving<'a> {
        Box::pin(async move {
            self.most.fetch_max(self.open.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            self.asked.lock().expect("no panic while it was held").push(question.clone());
            tokio::time::sleep(self.takes).await;
            self.open.fetch_sub(1, Ordering::Relaxed);
            let answer = self.answers.lock().expect("no panic while it was held").pop_front();
            answer.unwrap_or(Approval::Unanswered)
        })
    }
}

fn send(text: &str) -> String {
    format!("app.integrations.ringcentral.send_sms{{from = '+16505551234', to = '+16505559876', text = '{text}'}}")
}

fn run(host: &Host, person: &Arc<Person>, code: &str) -> kosmo::Outcome {
    let approvals = Approvals::new(Arc::clone(person) as Arc<dyn Approver>);
    host.session().approvals(&approvals).build().run_blocking(Script::new("asking.lua", code))
}

#[track_caller]
fn value(outcome: kosmo::Outcome) -> Value {
    assert!(outcome.success, "{:?}", outcome.error);
    outcome.result.into_iter().flatten().next().unwrap_or_default()
}

#[track_caller]
fn fault(outcome: kosmo::Outcome) -> Fault {
    outcome.fault.unwrap_or_else(|| panic!("{:?} {:?}", outcome.error, outcome.result))
}

/// Every decision on record: `approved send_sms …`.
fn decisions(host: &Host) -> Vec<String> {
    let mut told = Vec::new();
    let each = |record: kosmo::audit::Record<'static>| {
        let record = serde_json::to_value(record).expect("JSON");
        let words = ["decision", "function", "method", "path", "rule"].iter().filter_map(|key| record[*key].as_str());
        if record["kind"] == "decision" {
            told.push(words.collect::<Vec<_>>().join(" "));
        }
    };
    host.audit().read(&Query::default(), each).expect("a readable log");
    told
}

#[test]
fn a_yes_for_once_is_for_one_invocation() {
    let scenario = Scenario::new();
    let (host, person) = (scenario.host(), Person::saying(&[Approval::Once]));
    let script = format!(
        "local first = {} return first.messageStatus, pcall(function() return {} end)",
        send("one"),
        send("two")
    );
    let outcome = run(&host, &person, &script);
    assert_eq!(outcome.result.as_deref().map(|result| &result[..2]), Some(&[json!("Queued"), json!(false)][..]));
    let error = outcome.result.unwrap_or_default()[2].to_string();
    assert!(error.contains("Integration 'ringcentral' write requires approval."), "{error}");
    assert_eq!(scenario.simulator.sms_sent().len(), 1);
    assert_eq!(person.subjects(), ["ringcentral.default.send_sms"; 2]);
}

#[test]
fn what_is_asked_says_what_would_happen() {
    let scenario = Scenario::new();
    let person = Person::saying(&[]);
    let delete = "app.integrations.ringcentral.work.delete_message{message_id = 123}";
    assert_eq!(fault(run(&scenario.host(), &person, delete)).code, Code::ApprovalRequired);
    let asked = &person.asked()[0];
    assert_eq!(
        (asked.account.as_str(), asked.function.as_str(), asked.operation.as_str(), asked.destructive),
        ("work", "delete_message", "write", true)
    );
    assert_eq!(Value::from(asked.arguments.clone()), json!({"message_id": "123"}));
    assert!(!asked.summary.is_empty() && asked.request.is_none() && !asked.rehearsed, "{asked:?}");
}

#[test]
fn who_is_asked_sees_no_secret() {
    let scenario = Scenario::new();
    let person = Person::saying(&[]);
    let token = kosmo_simulator::Simulator::token("ringcentral", "default");
    let script = format!(
        "app.integrations.ringcentral.update_message{{message_id = '1', readStatus = 'Read', payload = {{['{token}'] = {{'a {token}'}}}}}}"
    );
    fault(run(&scenario.host(), &person, &script));
    let shown = format!("{:?}", person.asked());
    assert!(shown.contains("payload") && !shown.contains(&token), "{shown}");
}

#[test]
fn always_and_never_answer_all_like_it() {
    for (answer, expected) in [(Approval::Always, 3), (Approval::Never, 0)] {
        let scenario = Scenario::new();
        let (host, person) = (scenario.host(), Person::slowly(Duration::from_millis(50), &[answer]));
        let sends: Vec<_> = ["a", "b", "c"]
            .map(|text| format!("function() return pcall(function() return {} end) end", send(text)))
            .into();
        value(run(&host, &person, &format!("parallel({}) return true", sends.join(", "))));
        assert_eq!((person.subjects().len(), scenario.simulator.sms_sent().len()), (1, expected), "{answer:?}");
        let (word, verdict) = (answer.as_str(), if expected == 0 { "refused" } else { "approved" });
        let line = format!(
            "{verdict} send_sms `write = \"ask\"` under [permissions.ringcentral] in config.toml, answered {word}"
        );
        assert_eq!(decisions(&host).iter().filter(|told| **told == line).count(), 3, "{:?}", decisions(&host));
    }
}

#[test]
fn an_answer_for_good_lasts_as_long_as_who_gave_it_and_is_of_one_function_of_one_account() {
    let scenario = Scenario::new();
    let person = Person::saying(&[Approval::Always]);
    let approvals = Approvals::new(Arc::clone(&person) as Arc<dyn Approver>);
    let host = scenario.host();
    let run = |code: &str| host.session().approvals(&approvals).build().run_blocking(Script::new("asking.lua", code));
    assert!(run(&send("one")).success && run(&send("two")).success);
    assert_eq!(
        fault(run("app.integrations.ringcentral.work.send_sms{from = '+1', to = '+16505559876', text = 'x'}")).code,
        Code::ApprovalRequired
    );
    assert_eq!(fault(run("app.integrations.ringcentral.delete_message{message_id = 1}")).code, Code::ApprovalRequired);
    let expected = ["default.send_sms", "work.send_sms", "default.delete_message"];
    assert_eq!(person.subjects(), expected.map(|subject| format!("ringcentral.{subject}")));
}

#[test]
fn a_no_is_a_denial_that_says_who_said_so() {
    for (answer, word) in [(Approval::No, "no"), (Approval::Never, "never")] {
        let scenario = Scenario::new();
        let fault = fault(run(&scenario.host(), &Person::saying(&[answer]), &send("x")));
        let sentence = format!(
            "Integration 'ringcentral' write access denied: the user was asked about ringcentral.send_sms on account \
             'default' and said {word}."
        );
        assert_eq!((fault.code, fault.message), (Code::Denied, sentence));
        assert_eq!(scenario.simulator.sms_sent().len(), 0);
    }
}

#[test]
fn questions_do_not_overlap() {
    let scenario = Scenario::new();
    let person = Person::slowly(Duration::from_millis(30), &[Approval::Once; 6]);
    let sends: Vec<_> = (0..6).map(|text| format!("function() return {} end", send(&text.to_string()))).collect();
    value(run(&scenario.host(), &person, &format!("parallel({}) return true", sends.join(", "))));
    assert_eq!((person.most.load(Ordering::Relaxed), person.subjects().len()), (1, 6));
    assert_eq!(scenario.simulator.sms_sent().len(), 6);
}

#[test]
fn what_is_allowed_denied_or_forced_is_not_asked() {
    let scenario = Scenario::new();
    let denied = "[permissions.ringcentral]\nwrite = \"deny\"\n[permissions.dialpad]\nread = \"allow\"\n";
    scenario.configure(denied);
    let (host, person) = (scenario.host(), Person::saying(&[Approval::Always; 9]));
    assert_eq!(fault(run(&host, &person, &send("x"))).code, Code::Denied);
    assert!(run(&host, &person, "app.integrations.dialpad.list_users{}").success);
    scenario.configure("");
    let approvals = Approvals::new(Arc::clone(&person) as Arc<dyn Approver>);
    let forced = scenario.host().session().force(true).approvals(&approvals).build();
    assert!(forced.run_blocking(Script::new("asking.lua", send("x"))).success);
    assert_eq!(person.subjects(), [""; 0]);
}

#[test]
fn a_read_that_is_to_be_asked_about_is() {
    let scenario = Scenario::new();
    scenario.configure("[permissions.dialpad]\nread = \"ask\"\n");
    let person = Person::saying(&[Approval::Once]);
    assert!(run(&scenario.host(), &person, "app.integrations.dialpad.list_users{}").success);
    assert_eq!(person.asked()[0].operation.as_str(), "read");
}

#[test]
fn the_time_people_take_counts_against_no_limit() {
    let scenario = Scenario::new();
    let limits = Limits { wall: Duration::from_secs(1), ..Limits::default() };
    let folders = scenario.plugin_folders().iter().fold(Host::builder(), |builder, folder| builder.plugins(folder));
    let host = folders.home(scenario.home()).limits(limits).build().expect("a host");
    // Compiled before, which the script's time is meant to include.
    host.block_on(host.invoke(Invocation::new("ringcentral", "get_current_user", serde_json::Map::new())))
        .expect("a user");
    let person = Person::slowly(Duration::from_millis(2500), &[Approval::Once, Approval::Once]);
    let approvals = Approvals::new(Arc::clone(&person) as Arc<dyn Approver>);
    let session = host.session().time_limit(Duration::from_secs(2)).approvals(&approvals).build();
    // Asked before the invocation's time begins, and in the midst of it.
    let path = "/restapi/v1.0/account/~/extension/~/sms";
    scenario.configure("[permissions.ringcentral.functions]\napi_post = \"allow\"\n");
    let body = "{from = {phoneNumber = '+16505551234'}, to = {{phoneNumber = '+16505559876'}}, text = 'x'}";
    let script = format!("app.integrations.ringcentral.api_post{{path = '{path}', payload = {body}}}");
    let outcome = session.run_blocking(Script::new("asking.lua", script));
    assert!(outcome.success, "{:?}", outcome.error);
    assert_eq!(person.subjects(), ["ringcentral.default.api_post", "ringcentral.default.send_sms"]);
    assert_eq!(scenario.simulator.sms_sent().len(), 1);
    let endless = session.run_blocking(Script::new("asking.lua", "while true do end"));
    assert_eq!(endless.fault.map(|fault| fault.code), Some(Code::Timeout), "the limits hold all the same");
}

#[test]
fn a_question_ends_when_nobody_waits_for_the_script_any_more() {
    let scenario = Scenario::new();
    let person = Person::slowly(Duration::from_secs(600), &[Approval::Once]);
    let approvals = Approvals::new(Arc::clone(&person) as Arc<dyn Approver>);
    let session = scenario.host().session().approvals(&approvals).build();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let running = session.run(Script::new("asking.lua", send("x")));
        let patience = Duration::from_secs(60);
        let asked = async {
            while person.asked().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            outcome = running => panic!("{outcome:?}"),
            asked = tokio::time::timeout(patience, asked) => asked.expect("a question"),
        }
        // The session's thread is free again.
        let next = tokio::time::timeout(patience, session.run(Script::new("next.lua", "return 1")));
        assert_eq!(value(next.await.expect("an answer")), json!(1));
    });
    assert_eq!(scenario.simulator.sms_sent().len(), 0);
}

const DELETE: &str =
    "app.integrations.ringcentral.api_delete{path = '/restapi/v1.0/account/~/extension/~/message-store/123'}";

/// What is asked when `api_delete` deletes a message, answered so, and how that ends.
#[track_caller]
fn check_overlap(answers: &[Approval], subjects: &[&str], code: Code) -> Fault {
    let scenario = Scenario::new();
    let person = Person::saying(answers);
    let fault = fault(run(&scenario.host(), &person, DELETE));
    assert_eq!(fault.code, code, "{fault}");
    assert_eq!(
        person.subjects(),
        subjects.iter().map(|name| format!("ringcentral.default.{name}")).collect::<Vec<_>>()
    );
    assert!(scenario.sent().iter().all(|sent| !sent.contains("DELETE")) || code == Code::NotFound);
    fault
}

#[test]
fn whoever_approves_a_request_by_path_is_asked_for_what_it_does_by_name() {
    use Approval::{Always, Never, No, Once};
    check_overlap(&[Once, Once], &["api_delete", "delete_message"], Code::NotFound);
    check_overlap(&[Always, Always], &["api_delete", "delete_message"], Code::NotFound);
    let fault = check_overlap(&[Always, No], &["api_delete", "delete_message"], Code::Denied);
    for part in ["ringcentral.api_delete may not send DELETE ", "which is what delete_message does: ", "and said no."] {
        assert!(fault.message.contains(part), "{fault}");
    }
    let fault = check_overlap(&[Always, Never], &["api_delete", "delete_message"], Code::Denied);
    assert!(fault.message.contains("asked about ringcentral.delete_message on account 'default' and said never."));
    let fault = check_overlap(&[Always], &["api_delete", "delete_message"], Code::ApprovalRequired);
    assert!(fault.message.contains("Integration 'ringcentral' write requires approval."), "{fault}");
    check_overlap(&[No], &["api_delete"], Code::Denied);
}

#[test]
fn the_question_about_an_overlap_names_the_request_and_every_answer_is_on_record() {
    let scenario = Scenario::new();
    scenario.configure("[permissions.ringcentral.functions]\napi_delete = \"allow\"\n");
    let (host, person) = (scenario.host(), Person::saying(&[Approval::Once, Approval::No]));
    assert_eq!(fault(run(&host, &person, DELETE)).code, Code::NotFound);
    assert_eq!(fault(run(&host, &person, DELETE)).code, Code::Denied);
    let asked = &person.asked()[0];
    let request = asked.request.as_ref().expect("a request");
    assert_eq!((request.function.as_str(), request.method.as_str()), ("api_delete", "DELETE"));
    assert!(request.url.ends_with("/restapi/v1.0/account/~/extension/~/message-store/123"), "{request:?}");
    assert!(asked.destructive && asked.arguments.contains_key("path"), "{asked:?}");
    let decisions = decisions(&host);
    let place = "api_delete DELETE /restapi/v1.0/**";
    let rule = "`write = \"ask\"` under [permissions.ringcentral] in config.toml";
    for expected in [format!("approved {place} {rule}, answered once"), format!("refused {place} {rule}, answered no")]
    {
        assert!(decisions.contains(&expected), "{decisions:#?}");
    }
}

#[test]
fn a_denial_by_name_refuses_a_request_by_path_before_anybody_is_asked_for_it() {
    let scenario = Scenario::new();
    scenario.configure("[permissions.ringcentral.functions]\napi_delete = \"allow\"\ndelete_message = \"deny\"\n");
    let person = Person::saying(&[Approval::Always; 2]);
    assert_eq!(fault(run(&scenario.host(), &person, DELETE)).code, Code::Denied);
    assert_eq!(person.subjects(), [""; 0]);
}

#[test]
fn a_run_taken_up_again_asks_for_no_write_that_was_done() {
    let scenario = Scenario::new();
    let (host, person) = (scenario.host(), Person::saying(&[Approval::Once, Approval::No, Approval::Once]));
    let approvals = Approvals::new(Arc::clone(&person) as Arc<dyn Approver>);
    let script = format!("{} {} return 'done'", send("one"), send("two"));
    let script = || Script::new("asking.lua", script.clone());
    let first = host.session().approvals(&approvals).build().run_blocking(script());
    assert_eq!(first.fault.as_ref().map(|fault| fault.code), Some(Code::Denied));
    let id = first.meta.run.expect("a name");
    let second = host.session().approvals(&approvals).resume(&id, false).build().run_blocking(script());
    assert!(second.success, "{:?}", second.error);
    let texts: Vec<_> = person.asked().iter().map(|asked| asked.arguments["text"].clone()).collect();
    assert_eq!(texts, ["one", "two", "two"]);
    assert_eq!(scenario.simulator.sms_sent().len(), 2);
}

#[test]
fn a_rehearsal_asks_and_says_that_it_is_one() {
    let scenario = Scenario::new();
    let person = Person::saying(&[Approval::Once]);
    let approvals = Approvals::new(Arc::clone(&person) as Arc<dyn Approver>);
    let rehearsed = |rehearsal: kosmo::Rehearsal| {
        let session = scenario.host().session().rehearse(&Arc::new(rehearsal)).approvals(&approvals).build();
        session.run_blocking(Script::new("asking.lua", send("x")))
    };
    assert!(rehearsed(kosmo::Rehearsal::reading()).success);
    assert!(rehearsed(kosmo::Rehearsal::reading().past_ask()).success, "which needs nobody");
    assert_eq!((person.asked().len(), person.asked()[0].rehearsed), (1, true));
    assert_eq!(scenario.simulator.sms_sent().len(), 0);
}
