//! Where the browser brings the answer: a page on 127.0.0.1, at a port of its own, for as long as one sign-in takes.

use crate::fault::{Code, Fault};
use crate::secret::Secret;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use url::form_urlencoded;

const PATH: &str = "/callback";
/// Bytes of a request; an answer of an authorization server is far shorter.
const LARGEST: usize = 8 << 10;
/// For one request. A browser that opens connections ahead of time keeps nobody else waiting.
const PATIENCE: Duration = Duration::from_secs(5);
/// After a connection that could not be taken.
const PAUSE: Duration = Duration::from_millis(50);
/// Connections at once.
const MOST: usize = 16;

/// The page.
pub(super) struct Callback {
    listener: TcpListener,
    port: u16,
}

/// What the browser brought.
#[derive(Debug)]
pub(super) struct Answer {
    /// What a token is to be had for, or why there is none.
    pub(super) code: Result<Secret, String>,
    /// Who answered, if that is said.
    pub(super) issuer: Option<String>,
}

impl Callback {
    /// Begins to listen, at this port if one is given.
    ///
    /// # Errors
    /// If the port is taken.
    pub(super) async fn open(port: Option<u16>) -> Result<Self, Fault> {
        let unusable = |error| {
            let port = port.map_or_else(String::new, |port| format!(":{port}"));
            Fault::new(Code::Unconfigured, format!("127.0.0.1{port} cannot be listened at for the browser: {error}"))
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await.map_err(unusable)?;
        let port = listener.local_addr().map_err(unusable)?.port();
        Ok(Self { listener, port })
    }

    /// Where the browser has to be sent.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// The first answer that belongs to this sign-in; nothing if none comes in time. Whoever brings another one is told so.
    pub(super) async fn answer(self, state: &Secret, patience: Duration) -> Option<Answer> {
        let state = Arc::new(state.copied());
        let mut open = JoinSet::new();
        let first = async {
            loop {
                tokio::select! {
                    accepted = self.listener.accept(), if open.len() < MOST => match accepted {
                        Ok((stream, _)) => drop(open.spawn(hear(stream, Arc::clone(&state)))),
                        // The system is short of something, which passes.
                        Err(_) => sleep(PAUSE).await,
                    },
                    Some(heard) = open.join_next() => if let Ok(Some(answer)) = heard {
                        return answer;
                    },
                }
            }
        };
        timeout(patience, first).await.ok()
    }
}

/// One request, and the page that answers it.
async fn hear(stream: impl AsyncRead + AsyncWrite + Unpin, state: Arc<Secret>) -> Option<Answer> {
    let brought = Arc::new(Mutex::new(None));
    let place = Arc::clone(&brought);
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = read(&request, &state);
        let page = page(&answer);
        if let Ok(answer) = answer {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
        async move { Ok::<_, Infallible>(page) }
    });
    let mut server = http1::Builder::new();
    server.keep_alive(false).max_buf_size(LARGEST).timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // Whether the browser saw the page is its own affair.
    let _ = timeout(PATIENCE, server.serve_connection(TokioIo::new(stream), service)).await;
    brought.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// What a request brings, or what is wrong with it.
fn read(request: &Request<Incoming>, state: &Secret) -> Result<Answer, StatusCode> {
    if request.method() != Method::GET || request.uri().path() != PATH {
        return Err(StatusCode::NOT_FOUND);
    }
    answer(request.uri().query().unwrap_or_default(), state).ok_or(StatusCode::BAD_REQUEST)
}

fn answer(query: &str, state: &Secret) -> Option<Answer> {
    let value = |name: &str| {
        let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
        let first = values.next().map(|(_, value)| value.into_owned());
        // Of two, nobody could say which is meant.
        if values.next().is_none() { first } else { None }
    };
    value("state").filter(|brought| brought == state.expose())?;
    let code = match (value("error"), value("code")) {
        (Some(error), _) => Err(value("error_description").map_or(error.clone(), |words| format!("{error}: {words}"))),
        (None, code) => Ok(Secret::new(code?)),
    };
    Some(Answer { code, issuer: value("iss") })
}

fn page(answer: &Result<Answer, StatusCode>) -> Response<Full<Bytes>> {
    let (status, text) = match answer {
        Ok(Answer { code: Ok(_), .. }) => (StatusCode::OK, "kosmo has the answer. You can close this page.\n"),
        Ok(Answer { code: Err(_), .. }) => (StatusCode::OK, "You were not signed in. kosmo says why.\n"),
        Err(status) => (*status, "This is no answer that kosmo waits for.\n"),
    };
    let mut page = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *page.status_mut() = status;
    let fields = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fields {
        page.headers_mut().insert(name, http::HeaderValue::from_static(value));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: Option<(Result<&str, &str>, Option<&str>)>) {
        let answer = answer(query, &Secret::new("s t"));
        let told = answer.as_ref().map(|answer| {
            let code = answer.code.as_ref().map(Secret::expose).map_err(String::as_str);
            (code, answer.issuer.as_deref())
        });
        assert_eq!(told, expected, "{query}");
    }

    #[test]
    fn only_an_answer_to_this_sign_in_counts() {
        check("code=c&state=s+t", Some((Ok("c"), None)));
        check("state=s%20t&iss=https%3A%2F%2Fa.test&code=c", Some((Ok("c"), Some("https://a.test"))));
        check("error=access_denied&error_description=no+way&state=s+t", Some((Err("access_denied: no way"), None)));
        check("error=access_denied&code=c&state=s+t", Some((Err("access_denied"), None)));
        for other in ["", "code=c", "code=c&state=", "code=c&state=other", "code=c&state=s+t&state=s+t", "state=s+t"] {
            check(other, None);
        }
        check("code=c&code=d&state=s+t", None);
    }
}
