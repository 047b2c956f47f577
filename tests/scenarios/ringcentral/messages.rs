//! The message store and SMS.

use super::{assert_sent, check, check_refused};
use kosmo_simulator::{Effect, Knob, Matcher};
use kosmo_tests::Scenario;
use serde_json::{Value, json};

const MAY: &str = "dateFrom=2026-05-01T00%3A00%3A00Z";

#[test]
fn messages_are_listed_with_the_vendors_spelling_and_never_with_all() {
    let list = |arguments: &str, query: &str, count: usize| {
        let sends = format!("GET X/message-store{query}");
        check(&format!("list_messages({{ {arguments} }})"), &sends, "#r.records", json!(count));
    };
    list("", "", 30);
    list("messageType = 'Sms', perPage = 5", "?messageType=SMS&perPage=5", 5);
    list("messageType = 'voicemail'", "?messageType=VoiceMail", 2);
    list("messageType = 'All', direction = 'all', readStatus = 'ALL'", "", 30);
    list("message_type = 'FAX', date_from = '2026-05-01T00:00:00Z'", &format!("?messageType=Fax&{MAY}"), 13);
    list("dateFrom = '2026-05-01T00:00:00Z', perPage = 5000", &format!("?{MAY}&perPage=1000"), 150);
    list("dateFrom = '2026-05-01T00:00:00Z', perPage = 100, page = 2", &format!("?{MAY}&perPage=100&page=2"), 50);
    list(
        "messageType = 'SMS', dateFrom = '2026-05-01T00:00:00Z', dateTo = '2030-05-31T23:59:59.5+02:00',
         direction = 'inbound', readStatus = 'unread', perPage = 7, page = 1",
        &format!(
            "?messageType=SMS&{MAY}&dateTo=2030-05-31T23%3A59%3A59.5%2B02%3A00&direction=Inbound&readStatus=Unread\
             &perPage=7&page=1"
        ),
        7,
    );
}

#[test]
fn lists_tell_where_they_end() {
    let sends = format!("GET X/message-store?{MAY}&perPage=100");
    let last = format!("{sends}&page=2");
    let read = "{ r.paging.page, r.paging.totalElements, r.navigation.nextPage ~= nil }";
    let list = |page: &str| format!("list_messages({{ dateFrom = '2026-05-01T00:00:00Z', perPage = 100{page} }})");
    check(&list(""), &sends, read, json!([1, 150, true]));
    check(&list(", page = 2"), &last, read, json!([2, 150, false]));
}

#[test]
fn dates_and_pages_that_cannot_be_are_refused() {
    let refused = |arguments: &str, parameter: &str, part: &str| {
        check_refused(&format!("list_messages({{ {arguments} }})"), parameter, part);
    };
    let iso = "expected date, time and zone in ISO 8601, such as \"2026-05-01T00:00:00Z\"";
    refused("dateFrom = 'example_dateFrom'", "dateFrom", iso);
    refused("dateFrom = '2026-05-01'", "dateFrom", iso);
    refused("dateTo = '2026-05-01T00:00:00'", "dateTo", iso);
    refused("dateTo = '2026-02-30T00:00:00Z'", "dateTo", iso);
    refused("dateFrom = '2026-05-02T00:00:00Z', dateTo = '2026-05-01T00:00:00Z'", "dateFrom", "not after dateTo");
    refused("perPage = 0", "perPage", "expected a whole number of 1 or more, such as 100");
    refused("page = -1", "page", "expected a whole number of 1 or more, such as 1");
    refused(
        "messageType = 'Smss'",
        "messageType",
        "It takes one of: SMS, Fax, VoiceMail, Pager, All. Did you mean: SMS",
    );
    refused("direction = 'In'", "direction", "It takes one of: Inbound, Outbound, All.");
    refused("readStatus = true", "readStatus", "takes a string");
}

#[test]
fn one_message_is_read_by_either_spelling_of_its_id() {
    let read = "{ r.id, r.type, r.subject, r.from.phoneNumber, r.to[1].phoneNumber, type(r.conversationId) }";
    let text = "He said \"tomorrow, at noon\".";
    let message = json!([1234567890, "SMS", text, "+12125551074", "+16505551234", "string"]);
    for id in ["messageId = '1234567890'", "message_id = 1234567890"] {
        check(&format!("get_message({{ {id} }})"), "GET X/message-store/1234567890", read, message.clone());
    }
}

#[test]
fn a_conversation_beyond_2_to_the_53_arrives_exactly() {
    let read = "{ r.conversationId, r.conversation.id }";
    let exact = json!(["9007199254740995", "9007199254740995"]);
    check("get_message({ messageId = '1234567890' })", "GET X/message-store/1234567890", read, exact);
}

#[test]
fn a_read_status_is_put_and_an_availability_is_patched() {
    let update = |arguments: &str, sends: &str, read: &str, expected: Value| {
        check(&format!("update_message({{ message_id = '1234567890', {arguments} }})"), sends, read, expected);
    };
    const PUT: &str = r#"PUT X/message-store/1234567890 {"readStatus":"Read"}"#;
    update("readStatus = 'read'", PUT, "r.readStatus", json!("Read"));
    update("payload = { readStatus = 'Read' }", PUT, "r.readStatus", json!("Read"));
    update(
        "readStatus = 'Read', payload = { readStatus = 'Unread', message_id = 1 }",
        PUT,
        "r.readStatus",
        json!("Read"),
    );
    let alive = r#"PATCH X/message-store/1234567890 {"availability":"Alive"}"#;
    update("payload = { availability = 'Alive' }", alive, "r.availability", json!("Alive"));
    check_refused("update_message({ message_id = '1' })", "readStatus", "is missing: give readStatus = \"Read\"");
    check_refused("update_message({ message_id = '1', payload = {} })", "readStatus", "is missing");
    check_refused(
        "update_message({ message_id = '1', payload = { availability = 'Purged' } })",
        "payload",
        "use delete_message",
    );
    check_refused(
        "update_message({ message_id = '1', readStatus = 'All' })",
        "readStatus",
        "It takes one of: Read, Unread.",
    );
}

#[test]
fn a_message_is_deleted_restored_and_purged() {
    let scenario = Scenario::writable();
    let script = "local rc, id = app.integrations.ringcentral, '1234567890'
        assert(next(rc.delete_message({ message_id = id })) == nil)
        local deleted = rc.get_message({ messageId = id }).availability
        local restored = rc.update_message({ message_id = id, payload = { availability = 'Alive' } }).availability
        rc.delete_message({ message_id = id })
        rc.delete_message({ message_id = id })
        local ok, fault = pcall(rc.get_message, { messageId = id })
        return { deleted, restored, ok, fault.code, fault.provider_code, fault.status }";
    assert_eq!(scenario.value(script), json!(["Deleted", "Alive", false, "not_found", "CMN-102", 404]));
    let (delete, get) = ("DELETE X/message-store/1234567890", "GET X/message-store/1234567890");
    let restore = r#"PATCH X/message-store/1234567890 {"availability":"Alive"}"#;
    assert_sent(&scenario, &[delete, get, restore, delete, delete, get]);
}

#[test]
fn an_id_that_is_not_exactly_one_can_never_wipe_the_mailbox() {
    let scenario = Scenario::writable();
    for id in [
        "''",
        "' '",
        "'*'",
        "'~'",
        "'1,2'",
        "'1234567890,'",
        "'/'",
        "'..'",
        "'1/..'",
        "'%2a'",
        "'?purge=true'",
        "1.5",
        "-1",
        "{}",
        "true",
        "json.null",
        "nil",
    ] {
        for call in [
            "delete_message({ message_id",
            "update_message({ readStatus = 'Read', message_id",
            "get_message({ messageId",
        ] {
            let fault = scenario.fault(&format!("app.integrations.ringcentral.{call} = {id} }})"));
            assert_eq!(fault.code.as_str(), "invalid_argument", "{call} = {id}: {fault}");
            assert!(fault.message.contains("message_id") || fault.message.contains("messageId"), "{fault}");
        }
    }
    assert_sent(&scenario, &[]);
    let left = scenario.value("return #app.integrations.ringcentral.list_messages({ dateFrom = '2026-05-01T00:00:00Z', perPage = 1000 }).records");
    assert_eq!(left, 150);
}

#[test]
fn an_sms_is_sent_once_and_lies_in_the_store() {
    let scenario = Scenario::writable();
    let script = "local rc = app.integrations.ringcentral
        local sent = rc.send_sms({ from = '+16505551234', to = '+16505559876', text = 'Hello from RingCentral' })
        local stored = rc.get_message({ messageId = sent.id })
        return { sent.messageStatus, stored.subject, stored.direction, stored.to[1].phoneNumber }";
    assert_eq!(scenario.value(script), json!(["Queued", "Hello from RingCentral", "Outbound", "+16505559876"]));
    let body = r#"{"from":{"phoneNumber":"+16505551234"},"to":[{"phoneNumber":"+16505559876"}],"text":"Hello from RingCentral"}"#;
    assert_sent(&scenario, &[&format!("POST X/sms {body}"), "GET X/message-store/401654758009"]);
    assert_eq!(scenario.simulator.sms_sent().len(), 1);
}

#[test]
fn an_sms_that_cannot_be_sent_is_refused() {
    let refused = |from: &str, to: &str, text: &str, parameter: &str, part: &str| {
        check_refused(&format!("send_sms({{ from = {from:?}, to = {to:?}, text = {text:?} }})"), parameter, part);
    };
    let (from, to) = ("+16505551234", "+16505559876");
    refused("16505551234", to, "Hi", "from", "expected a phone number in E.164 with its `+`");
    refused(from, "+1 650 555 9876", "Hi", "to", "E.164");
    refused(from, "101", "Hi", "to", "E.164");
    refused(from, to, "  ", "text", "expected a text");
    refused(from, to, &"x".repeat(1001), "text", "has 1001 UTF-16 units; expected at most 1000");
    let emoji = format!("send_sms({{ from = '{from}', to = '{to}', text = ('\u{1f648}'):rep(501) }})");
    check_refused(&emoji, "text", "has 1002 UTF-16 units");
    check_refused("send_sms({})", "from", "Missing required parameter(s): from, to, text");
}

#[test]
fn an_sms_is_never_sent_twice() {
    for effect in [Effect::Reset, Effect::HalfBody, Effect::Html(503), Effect::Empty(500)] {
        let scenario = Scenario::writable();
        let matching = Matcher { method: Some("POST".into()), ..Matcher::default() };
        scenario.simulator.inject(Knob { matching, times: 1, effect: effect.clone() });
        scenario.fault(
            "app.integrations.ringcentral.send_sms({ from = '+16505551234', to = '+16505559876', text = 'Once' })",
        );
        assert_eq!(scenario.sent().len(), 1, "{effect:?}");
        assert!(scenario.simulator.sms_sent().len() <= 1, "{effect:?}");
    }
}

#[test]
fn paginate_meets_every_message_once() {
    let scenario = Scenario::new();
    let count = "local seen, count = {}, 0
        local arguments = { dateFrom = '2026-05-01T00:00:00Z', perPage = 60 }
        for message in paginate(app.integrations.ringcentral.list_messages, arguments) do
            assert(not seen[message.id], message.id)
            seen[message.id], count = true, count + 1
        end
        return count";
    assert_eq!(scenario.value(count), 150);
    let page = |number: &str| format!("GET X/message-store?{MAY}&perPage=60{number}");
    let (one, two, three) = (page(""), page("&page=2"), page("&page=3"));
    assert_sent(&scenario, &[&one, &two, &three]);
}
