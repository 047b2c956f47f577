//! RingCentral's account, mailbox, call log and address book.

use kosmo_simulator::Simulator;
use serde_json::{Value, json};

use crate::client::{Answer, call, call_as, exchange};

const ACCOUNT: &str = "/restapi/v1.0/account/~";
const OWN: &str = "/restapi/v1.0/account/~/extension/~";
const EPOCH: &str = "dateFrom=2026-05-01T00:00:00Z";

fn get(simulator: &Simulator, target: &str) -> Answer {
    call(simulator, "GET", target, "")
}

/// Follows `nextPage` to the end and gives the size of every page.
#[track_caller]
fn pages(simulator: &Simulator, list: &str) -> Vec<usize> {
    let (mut sizes, mut target) = (Vec::new(), list.to_owned());
    loop {
        let page = get(simulator, &target).json();
        sizes.push(page["records"].as_array().expect("records are always there").len());
        let Some(next) = page.pointer("/navigation/nextPage/uri").and_then(Value::as_str) else { return sizes };
        target = next.strip_prefix(simulator.ringcentral_url()).expect("links stay on the origin").to_owned();
    }
}

#[track_caller]
fn check_pages(list: &str, expected: &[usize]) {
    assert_eq!(pages(&Simulator::start(), list), expected, "{list}");
}

#[test]
fn lists_page_through_everything() {
    check_pages(&format!("{ACCOUNT}/extension"), &[100, 34]);
    check_pages(&format!("{ACCOUNT}/extension?type=User&type=Bot&status=Enabled&perPage=50"), &[50, 42]);
    check_pages(&format!("{ACCOUNT}/phone-number"), &[100, 14]);
    check_pages(&format!("{ACCOUNT}/phone-number?usageType=MainCompanyNumber&status=Normal"), &[1]);
    check_pages(&format!("{OWN}/phone-number"), &[2]);
    check_pages(&format!("{OWN}/message-store?{EPOCH}"), &[100, 50]);
    check_pages(&format!("{OWN}/message-store"), &[30]);
    check_pages(&format!("{OWN}/message-store?{EPOCH}&messageType=Fax&messageType=Pager&direction=Outbound"), &[25]);
    check_pages(&format!("{OWN}/message-store?{EPOCH}&readStatus=Unread&page=1&perPage=1000"), &[37]);
    check_pages(&format!("{OWN}/message-store?{EPOCH}&distinctConversations=true"), &[20]);
    check_pages(&format!("{ACCOUNT}/call-log?{EPOCH}"), &[100, 100, 40]);
    check_pages(&format!("{ACCOUNT}/call-log?{EPOCH}&perPage=max&view=Detailed"), &[240]);
    check_pages(&format!("{ACCOUNT}/call-log?{EPOCH}&extensionNumber=102"), &[48]);
    check_pages(&format!("{ACCOUNT}/call-log?{EPOCH}&phoneNumber=16505559876"), &[1]);
    check_pages(&format!("{OWN}/call-log?{EPOCH}&direction=Inbound"), &[72]);
    check_pages(&format!("{OWN}/call-log"), &[18]);
    check_pages(&format!("{OWN}/call-log?{EPOCH}&type=Fax&transport=PSTN&recordingType=All"), &[0]);
    check_pages(&format!("{OWN}/address-book/contact?sortBy=LastName"), &[100, 41]);
    check_pages(&format!("{OWN}/address-book/contact?startsWith=acme"), &[1]);
    check_pages(&format!("{OWN}/address-book/contact?startsWith=nobody"), &[0]);
}

#[track_caller]
fn check_refused(method: &str, target: &str, body: &str, status: u16, parameter: &str) {
    let simulator = Simulator::start();
    let answer = call(&simulator, method, target, body);
    let error = answer.json();
    assert_eq!(answer.status, status, "{method} {target} {body}: {error}");
    assert_eq!(error["errorCode"], error["errors"][0]["errorCode"]);
    assert_eq!(error["errors"][0]["parameterName"].as_str().unwrap_or_default(), parameter, "{error}");
    assert!(simulator.requests()[0].refused.is_some());
}

#[test]
fn what_the_interface_does_not_document_is_refused() {
    check_refused("GET", &format!("{OWN}/message-store?messageType=Sms"), "", 400, "messageType");
    check_refused("GET", &format!("{OWN}/message-store?messageType=All"), "", 400, "messageType");
    check_refused("GET", &format!("{OWN}/message-store?messageType=SMS,Fax"), "", 400, "messageType");
    check_refused("GET", &format!("{OWN}/message-store?dateFrom=2026-05-01"), "", 400, "dateFrom");
    check_refused("GET", &format!("{OWN}/message-store?page=0"), "", 400, "page");
    check_refused("GET", &format!("{OWN}/presence?detailedTelephonyState=1"), "", 400, "detailedTelephonyState");
    check_refused("GET", &format!("{OWN}/call-log?phoneNumber=%2B16505559876"), "", 400, "phoneNumber");
    check_refused("GET", &format!("{OWN}/call-log?phoneNumber=1&extensionNumber=101"), "", 400, "extensionNumber");
    check_refused("GET", &format!("{ACCOUNT}/extension?extensionType=User"), "", 400, "extensionType");
    check_refused("GET", &format!("{ACCOUNT}?page=1"), "", 400, "page");
    check_refused("GET", &format!("{OWN}/address-book/contact/~"), "", 400, "contactId");
    check_refused("GET", "/restapi/v1.0/nothing", "", 404, "");
    check_refused("POST", ACCOUNT, "{}", 404, "");
    check_refused("PUT", &format!("{OWN}/message-store/1234567890"), "{}", 400, "readStatus");
    check_refused("PUT", &format!("{OWN}/message-store/1234567890"), r#"{"readStatus":"All"}"#, 400, "readStatus");
    check_refused("POST", &format!("{OWN}/sms"), r#"{"text":"x","to":[]}"#, 400, "from");
    check_refused("POST", &format!("{OWN}/sms"), r#"{"from":{"number":"x"},"to":[],"text":"x"}"#, 400, "from.number");
    check_refused("POST", &format!("{OWN}/address-book/contact"), r#"{"name":"Ada"}"#, 400, "name");
    check_refused("POST", &format!("{OWN}/address-book/contact"), r#"{"email":"nowhere"}"#, 400, "email");
}

#[track_caller]
fn check_failed(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.json()["errors"][0]["errorCode"].as_str()), (status, Some(code)));
}

#[test]
fn errors_come_in_the_documented_envelope() {
    let simulator = Simulator::start();
    let origin = simulator.ringcentral_url();
    check_failed(&exchange(origin, "GET", ACCOUNT, "", ""), 401, "OAU-149");
    check_failed(&exchange(origin, "GET", ACCOUNT, "authorization: Bearer wrong\r\n", ""), 401, "OAU-129");
    check_failed(&get(&simulator, "/restapi/v1.0/account/1"), 404, "CMN-102");
    check_failed(&get(&simulator, &format!("{OWN}/message-store/1")), 404, "CMN-102");
    check_failed(&get(&simulator, &format!("{OWN}/call-log/nothing")), 404, "CMN-102");
    check_failed(&get(&simulator, &format!("{OWN}/address-book/contact/1")), 404, "CMN-102");
    check_failed(&get(&simulator, &format!("{ACCOUNT}/extension/1")), 404, "CMN-102");
    check_failed(&get(&simulator, &format!("{ACCOUNT}/extension/123456790/message-store")), 403, "CMN-404");
    check_failed(&call_as(&simulator, "work", "POST", &format!("{OWN}/sms"), SMS), 403, "MSG-304");
    check_failed(
        &call(&simulator, "PUT", &format!("{OWN}/message-store/1"), r#"{"readStatus":"Read"}"#),
        404,
        "CMN-102",
    );
}

#[track_caller]
fn check_found(target: &str, pointer: &str, expected: Value) {
    let answer = get(&Simulator::start(), target);
    assert_eq!((answer.status, answer.json().pointer(pointer)), (200, Some(&expected)), "{target}");
}

#[test]
fn the_documented_ids_exist() {
    check_found(ACCOUNT, "/mainNumber", json!("+16505550000"));
    check_found(&format!("{ACCOUNT}/extension/123456789"), "/id", json!(123_456_789));
    check_found(OWN, "/id", json!(123_456_789));
    check_found(&format!("{OWN}/phone-number"), "/records/0/phoneNumber", json!("+16505551234"));
    check_found(&format!("{OWN}/message-store/1234567890"), "/id", json!(1_234_567_890));
    check_found(
        &format!("{OWN}/presence?detailedTelephonyState=true&sipData=false"),
        "/activeCalls/0/direction",
        json!("Inbound"),
    );
    check_found(&format!("{OWN}/call-log/JpKh1CoEBQ00000-KU_A?view=Detailed"), "/legs/0/master", json!(true));
    check_found(&format!("{OWN}/presence"), "/userStatus", json!("Available"));
}

#[test]
fn conversation_ids_do_not_fit_a_double() {
    let page = get(&Simulator::start(), &format!("{OWN}/message-store?perPage=1")).json();
    let id = page.pointer("/records/0/conversationId").and_then(Value::as_i64).expect("an int64");
    assert_ne!(id as f64 as i64, id);
}

#[test]
fn every_account_is_its_own_extension() {
    let simulator = Simulator::start();
    let ids =
        kosmo_simulator::ACCOUNTS.map(|account| call_as(&simulator, account, "GET", OWN, "").json()["id"].clone());
    assert_eq!(ids, [123_456_789, 123_456_790, 123_456_791].map(Value::from));
}

#[test]
fn answers_carry_the_rate_limit_headers() {
    let simulator = Simulator::start();
    let group = |method, target: &str, body| {
        call(&simulator, method, target, body).header("x-rate-limit-group").map(str::to_owned)
    };
    assert_eq!(group("GET", OWN, "").as_deref(), Some("light"));
    assert_eq!(group("GET", &format!("{ACCOUNT}/extension"), "").as_deref(), Some("medium"));
    assert_eq!(group("GET", &format!("{OWN}/call-log"), "").as_deref(), Some("heavy"));
    assert_eq!(group("POST", &format!("{OWN}/sms"), SMS).as_deref(), Some("medium"));
}

const SMS: &str =
    r#"{"from":{"phoneNumber":"+16505551234"},"to":[{"phoneNumber":"+16505559876"}],"text":"Hello from RingCentral"}"#;

#[test]
fn a_text_is_sent_and_lies_in_the_mailbox() {
    let simulator = Simulator::start();
    let sent = call(&simulator, "POST", &format!("{OWN}/sms"), SMS).json();
    assert_eq!((&sent["messageStatus"], &sent["subject"]), (&json!("Queued"), &json!("Hello from RingCentral")));
    let listed = get(&simulator, &format!("{OWN}/message-store?perPage=1")).json();
    assert_eq!(listed["records"][0]["id"], sent["id"]);
    assert_eq!(simulator.sms_sent()[0].to, ["+16505559876"]);
    let long = SMS.replace("Hello from RingCentral", &"🙈".repeat(501));
    assert_eq!(call(&simulator, "POST", &format!("{OWN}/sms"), &long).status, 400);
}

#[test]
fn a_message_is_marked_deleted_restored_and_purged() {
    let simulator = Simulator::start();
    let message = format!("{OWN}/message-store/1234567890");
    let availability = || get(&simulator, &message).json()["availability"].clone();
    assert_eq!(call(&simulator, "PUT", &message, r#"{"readStatus":"Unread"}"#).json()["readStatus"], "Unread");
    assert_eq!(call(&simulator, "DELETE", &message, "").status, 204);
    assert_eq!(availability(), "Deleted");
    assert_eq!(call(&simulator, "PATCH", &message, r#"{"availability":"Alive"}"#).json()["availability"], "Alive");
    assert_eq!(call(&simulator, "DELETE", &format!("{message}?purge=true"), "").status, 204);
    assert_eq!(get(&simulator, &message).status, 404);
    assert_eq!(pages(&simulator, &format!("{OWN}/message-store?{EPOCH}&availability=Purged")), [1]);
}

#[test]
fn several_ids_are_answered_in_parts() {
    let simulator = Simulator::start();
    let listed = get(&simulator, &format!("{OWN}/message-store?perPage=2")).json();
    let ids = format!("{},{}", listed["records"][0]["id"], listed["records"][1]["id"]);
    let both = get(&simulator, &format!("{OWN}/message-store/{ids}"));
    assert_eq!((both.status, both.json()[1]["status"].as_u64()), (207, Some(200)));
    let calls = get(&simulator, &format!("{OWN}/call-log/JpKh1CoEBQ00000-KU_A,JpKh1CoEBQ00002-KU_A"));
    assert!(calls.status == 207 && calls.body.starts_with("--Boundary_1"));
    let all = format!("[\"{}\"]", ids.replace(',', "\",\""));
    assert_eq!(call(&simulator, "DELETE", &format!("{OWN}/message-store/*"), &all).status, 204);
    assert_eq!(pages(&simulator, &format!("{OWN}/message-store")), [28]);
}

#[test]
fn a_contact_is_created_changed_replaced_and_deleted() {
    let simulator = Simulator::start();
    let book = format!("{OWN}/address-book/contact");
    let ada = r#"{"firstName":"Ada","lastName":"Lovelace","mobilePhone":"+16505550100","email":"ada@example.test"}"#;
    let created = call(&simulator, "POST", &book, ada).json();
    let contact = format!("{book}/{}", created["id"]);
    let changed = call(&simulator, "PATCH", &contact, r#"{"company":"Example","email":null}"#).json();
    assert_eq!((&changed["company"], &changed["mobilePhone"]), (&json!("Example"), &json!("+16505550100")));
    assert!(changed.get("email").is_none());
    let replaced = call(&simulator, "PUT", &contact, r#"{"firstName":"Ada"}"#).json();
    assert!(replaced.get("mobilePhone").is_none());
    assert_eq!(get(&simulator, &contact).json(), replaced);
    assert_eq!(call(&simulator, "DELETE", &contact, "").status, 204);
    assert_eq!(get(&simulator, &contact).status, 404);
}

#[test]
fn a_body_must_say_that_it_is_json() {
    let simulator = Simulator::start();
    let headers = format!("authorization: Bearer {}\r\n", Simulator::token("ringcentral", "default"));
    let answer = exchange(simulator.ringcentral_url(), "POST", &format!("{OWN}/sms"), &headers, SMS);
    assert_eq!((answer.status, simulator.sms_sent().len()), (415, 0));
}
