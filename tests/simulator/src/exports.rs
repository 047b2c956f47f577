//! The storage host of finished exports: signed URLs, and no place for a provider's credential.

use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

const XML: &str = "application/xml; charset=utf-8";

/// Answers a download.
pub(crate) fn answer(world: &mut World, request: &Request) -> Reply {
    if request.header("authorization").is_some() {
        let why = "a credential was sent to the storage host";
        return failure(400, "InvalidArgument", "Only one auth mechanism allowed").refusing(Some(why.to_owned()));
    }
    if request.method != "GET" {
        return failure(405, "MethodNotAllowed", "Only GET").refusing(Some("method".to_owned()));
    }
    download(world, request)
}

fn download(world: &World, request: &Request) -> Reply {
    let Some((signature, csv)) = world.dialpad.download(&request.path) else {
        return failure(404, "NoSuchKey", "The specified key does not exist.");
    };
    // Compared as sent: a client that re-encodes a signed query has broken it.
    if request.raw_query.as_deref() != Some(signature) {
        let why = "the signed query was changed";
        return failure(403, "SignatureDoesNotMatch", "The request signature does not match")
            .refusing(Some(why.to_owned()));
    }
    Reply::new(200, "text/csv; charset=utf-8", csv)
}

fn failure(status: u16, code: &str, message: &str) -> Reply {
    let body =
        format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
    Reply::new(status, XML, body)
}
