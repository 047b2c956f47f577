use super::*;
use serde_json::json;

fn write(text: &str) -> Write {
    let arguments = json!({"to": "+1", "text": text});
    Write::new("dialpad", "default", "send_sms", arguments.as_object().expect("an object"))
}

fn place(number: u32) -> Place {
    Place { number, ..Place::default() }
}

struct Run {
    _home: tempfile::TempDir,
    store: Arc<Store>,
}

impl Run {
    /// A run that sent `one` and got an answer, sent `two` and got none, and then broke off.
    fn broken_off() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let store = Arc::new(Store::new(home.path(), None));
        let journal = Arc::new(Journal::new(Arc::clone(&store), "run".into(), "a.lua"));
        for (text, result) in [("one", Some("{\"id\":1}")), ("two", None)] {
            let entry = new(journal.next().look_up(write(text)));
            entry.sending().expect("noted");
            if let Some(result) = result {
                entry.done(result).expect("noted");
            }
        }
        Self { _home: home, store }
    }

    fn resumed(&self, repeat: bool) -> Arc<Journal> {
        Arc::new(Journal::resume(Arc::clone(&self.store), "run", "a.lua", repeat).expect("known"))
    }
}

#[track_caller]
fn new(known: Result<Known, Fault>) -> Entry {
    match known {
        Ok(Known::New(entry)) => entry,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_done_is_not_done_again_and_what_is_in_doubt_is_named() {
    let run = Run::broken_off();
    let journal = run.resumed(false);
    let first = journal.next().look_up(write("one"));
    assert!(matches!(&first, Ok(Known::Done(result)) if result == "{\"id\":1}"), "{first:?}");
    let Ok(Known::InDoubt(entry, written)) = journal.next().look_up(write("two")) else { panic!("it is in doubt") };
    let fault = entry.in_doubt(&written);
    assert_eq!(fault.code, Code::InDoubt);
    assert!(fault.message.starts_with("Write number 2 of run run, dialpad.send_sms({\"text\":\"two\""), "{fault}");
    new(journal.next().look_up(write("three")));
}

#[test]
fn what_is_in_doubt_is_repeated_when_the_operator_says_so() {
    let run = Run::broken_off();
    let journal = run.resumed(true);
    journal.next();
    new(journal.next().look_up(write("two"))).sending().expect("noted again");
}

#[test]
fn another_write_at_the_same_point_ends_the_resumption_for_good() {
    let run = Run::broken_off();
    let journal = run.resumed(false);
    let fault = journal.next().look_up(write("other")).expect_err("another write");
    assert_eq!(fault.code, Code::Changed);
    assert!(fault.message.contains("write number 1 was dialpad.send_sms, and now it is dialpad.send_sms with other"));
    let fault = journal.look_up(&place(7), write("later")).expect_err("a script that caught it");
    assert_eq!(fault.code, Code::Changed);
}

#[test]
fn what_did_not_happen_is_sent_again() {
    let run = Run::broken_off();
    let journal = run.resumed(true);
    journal.next();
    let entry = new(journal.next().look_up(write("two")));
    entry.undone().expect("noted");
    drop((entry, journal));
    new(run.resumed(false).look_up(&place(1), write("two")));
}

#[test]
fn what_did_not_happen_keeps_its_place() {
    let run = Run::broken_off();
    let journal = run.resumed(true);
    journal.next();
    let entry = new(journal.next().look_up(write("two")));
    entry.sending().expect("noted");
    entry.undone().expect("noted");
    drop((entry, journal));
    let fault = run.resumed(false).look_up(&place(1), write("other")).expect_err("another write at its place");
    assert_eq!(fault.code, Code::Changed);
}

#[test]
fn a_write_that_was_sent_at_a_later_place_is_not_sent_at_an_earlier_one() {
    let home = tempfile::tempdir().expect("a folder");
    let store = Arc::new(Store::new(home.path(), None));
    let journal = Arc::new(Journal::new(Arc::clone(&store), "run".into(), "a.lua"));
    // The first is refused before it leaves, and so has no row.
    journal.next();
    let entry = new(journal.next().look_up(write("one")));
    entry.sending().expect("noted");
    entry.done("{}").expect("noted");
    drop((entry, journal));
    let journal = Arc::new(Journal::resume(store, "run", "a.lua", false).expect("known"));
    assert_eq!(journal.next().look_up(write("one")).expect_err("moved").code, Code::Changed);
}

#[test]
fn a_run_goes_on_in_one_process_at_a_time() {
    let run = Run::broken_off();
    let first = run.resumed(false);
    let fault = Journal::resume(Arc::clone(&run.store), "run", "a.lua", false).expect_err("taken");
    assert_eq!(fault.code, Code::Busy);
    drop(first);
    run.resumed(false);
}

#[test]
fn the_order_of_arguments_makes_no_other_write() {
    let arguments = json!({"text": "one", "to": "+1"});
    let other = Write::new("dialpad", "default", "send_sms", arguments.as_object().expect("an object"));
    assert_eq!(other.digest(), write("one").digest());
    assert_ne!(write("two").digest(), write("one").digest());
}

#[test]
fn a_run_that_sent_nothing_cannot_be_taken_up() {
    let run = Run::broken_off();
    let fault = Journal::resume(Arc::clone(&run.store), "nur", "a.lua", false).expect_err("unknown");
    assert_eq!(fault.code, Code::Unknown);
}
