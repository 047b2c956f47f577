//! An answer before it is sent.

use serde::Serialize;

/// Status, headers and body, and why the request was refused if it broke the documented interface.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) refused: Option<String>,
}

impl Reply {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Reply {
        let body = serde_json::to_vec(body).expect("answers are maps with string keys, which always serialise");
        Reply::new(status, "application/json; charset=utf-8", body)
    }

    /// An answer of any other type.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Reply { status, headers, body: body.into(), refused: None }
    }

    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new(), refused: None }
    }

    pub(crate) fn with_header(mut self, name: &str, value: impl ToString) -> Reply {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Marks a request that broke the documented interface.
    pub(crate) fn refusing(mut self, why: Option<String>) -> Reply {
        self.refused = why;
        self
    }
}
