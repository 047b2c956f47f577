//! The messages of the mailbox, and how the vendor writes them.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{Caller, RingCentral, timestamp, without_nulls};
use crate::people;

const COUNT: usize = 150;
/// Position and id of the message that RingCentral's documentation speaks of.
const KNOWN: (usize, i64) = (2, 1_234_567_890);
/// Beyond 2^53, as an int64 may be: such an id does not survive a double.
const CONVERSATION: i64 = 9_007_199_254_740_993;

/// How far a message has been deleted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Availability {
    Alive,
    Deleted,
    Purged,
}

impl Availability {
    pub(super) fn name(self) -> &'static str {
        match self {
            Availability::Alive => "Alive",
            Availability::Deleted => "Deleted",
            Availability::Purged => "Purged",
        }
    }

    pub(super) fn after_delete(self, purge: bool) -> Availability {
        if purge || self == Availability::Deleted { Availability::Purged } else { Availability::Deleted }
    }
}

/// One message of the mailbox.
pub(super) struct Message {
    pub(super) id: i64,
    pub(super) kind: &'static str,
    pub(super) direction: &'static str,
    pub(super) read: bool,
    pub(super) availability: Availability,
    pub(super) status: &'static str,
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) subject: Option<String>,
    pub(super) created: OffsetDateTime,
    pub(super) modified: OffsetDateTime,
    pub(super) conversation: i64,
}

/// Newest first.
pub(super) fn fixture(now: OffsetDateTime) -> Vec<Message> {
    (0..COUNT).map(|index| message(now, index)).collect()
}

fn message(now: OffsetDateTime, index: usize) -> Message {
    let (kind, inbound) = (kind(index), index.is_multiple_of(2));
    let (own, outside) = ("+16505551234".to_owned(), people::outside(index % 20));
    let (from, to) = if inbound { (outside, own) } else { (own, outside) };
    let created = people::moment(now, index, COUNT);
    Message {
        id: if index == KNOWN.0 { KNOWN.1 } else { 401_654_758_008 - index as i64 * 1_013 },
        kind,
        direction: if inbound { "Inbound" } else { "Outbound" },
        read: !inbound || index.is_multiple_of(4),
        availability: Availability::Alive,
        status: if inbound { "Received" } else { "Delivered" },
        from,
        to: vec![to],
        subject: matches!(kind, "SMS" | "Pager").then(|| people::text(index).to_owned()),
        created,
        modified: created + Duration::seconds(4),
        conversation: CONVERSATION + (index % 20) as i64,
    }
}

fn kind(index: usize) -> &'static str {
    match index % 12 {
        5 => "Fax",
        8 => "VoiceMail",
        11 => "Pager",
        _ => "SMS",
    }
}

impl RingCentral {
    /// Puts a text that was just sent into the mailbox, and gives its id.
    pub(super) fn add_sms(&mut self, from: &str, to: Vec<String>, text: &str) -> i64 {
        let now = OffsetDateTime::now_utc();
        let id = 1 + self.messages.iter().map(|message| message.id).max().unwrap_or_default();
        let sent = Message {
            id,
            direction: "Outbound",
            kind: "SMS",
            read: true,
            status: "Queued",
            from: from.to_owned(),
            to,
            subject: Some(text.to_owned()),
            created: now,
            modified: now,
            conversation: CONVERSATION + id,
            availability: Availability::Alive,
        };
        self.messages.insert(0, sent);
        id
    }

    /// A message as the vendor writes it.
    pub(super) fn message_record(&self, caller: Caller, id: i64) -> Option<Value> {
        self.messages.iter().find(|message| message.id == id).map(|message| record(self, caller, message))
    }
}

pub(super) fn record(rc: &RingCentral, caller: Caller, message: &Message) -> Value {
    let uri = rc.extension_uri(caller.extension, &format!("/message-store/{}", message.id));
    without_nulls(json!({
        "id": message.id,
        "uri": uri,
        "extensionId": caller.extension.to_string(),
        "type": message.kind,
        "direction": message.direction,
        "availability": message.availability.name(),
        "readStatus": if message.read { "Read" } else { "Unread" },
        "messageStatus": message.status,
        "priority": "Normal",
        "subject": message.subject,
        "from": party(&message.from),
        "to": message.to.iter().map(|number| party(number)).collect::<Vec<_>>(),
        "creationTime": timestamp(message.created),
        "lastModifiedTime": timestamp(message.modified),
        "conversationId": message.conversation,
        "conversation": {"id": message.conversation.to_string(), "uri": rc.extension_uri(caller.extension, &format!("/conversation/{}", message.conversation))},
        "attachments": [attachment(&uri, message)],
        "faxPageCount": (message.kind == "Fax").then_some(2),
        "faxResolution": (message.kind == "Fax").then_some("High"),
        "vmTranscriptionStatus": (message.kind == "VoiceMail").then_some("NotAvailable"),
    }))
}

/// Only numbers outside the company come with a place.
fn party(number: &str) -> Value {
    if number.starts_with("+1650555") {
        json!({"phoneNumber": number, "name": "Grace Hopper"})
    } else {
        json!({"phoneNumber": number, "location": "New York, NY"})
    }
}

fn attachment(uri: &str, message: &Message) -> Value {
    let (kind, content_type, seconds) = match message.kind {
        "Fax" => ("RenderedDocument", "application/pdf", None),
        "VoiceMail" => ("AudioRecording", "audio/mpeg", Some(17)),
        _ => ("Text", "text/plain", None),
    };
    without_nulls(json!({
        "id": message.id,
        "uri": format!("{uri}/content/{}", message.id),
        "type": kind,
        "contentType": content_type,
        "vmDuration": seconds,
    }))
}

/// A single answer names the others who got the same voicemail.
pub(super) fn single(rc: &RingCentral, caller: Caller, message: &Message) -> Value {
    let mut answer = record(rc, caller, message);
    if message.kind == "VoiceMail" {
        answer["vmSideRecipients"] =
            json!([{"extensionNumber": "102", "extensionId": "123456790", "name": "Alan Turing"}]);
    }
    answer
}
