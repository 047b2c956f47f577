//! An MCP server that lets nobody in without a token, and the authorization server that issues them, on one address. It
//! holds clients to what the standards ask of them.

use crate::echo::{Echo, Received};
use crate::server::{Deed, Server};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use url::form_urlencoded;

/// A server at [`Authority::url`], whose tokens somebody has to sign in for.
pub struct Authority {
    echo: Echo,
    state: Arc<Mutex<State>>,
}

/// How it behaves.
#[derive(Clone, Debug)]
pub struct Knobs {
    /// How long tokens live.
    pub lifetime: Duration,
    /// What is said of that, if not the truth.
    pub told: Option<Duration>,
    /// How long the token endpoint takes to answer once it has done what it was asked.
    pub slow: Duration,
    /// Whether a refresh token can be used once more while nobody used the one that came of it.
    pub grace: bool,
    /// Whether no code is worth a token.
    pub worthless: bool,
    /// Whether tokens can be renewed.
    pub renewable: bool,
    /// What stands in the description of the server in place of what should; null takes away.
    pub resource: Value,
    /// The same for the authorization server's.
    pub issuer: Value,
    /// What the refusal says of where the server is described.
    pub metadata: Option<String>,
    /// A path, and the whole answer in place of what it should be.
    pub instead: Option<(String, String)>,
    /// What the token has to be good for when a tool is called.
    pub wanted: Option<String>,
    /// What the browser brings besides the code and the state.
    pub besides: String,
    /// A client that is registered, with its secret.
    pub client: Option<(String, String)>,
}

struct State {
    knobs: Knobs,
    server: Server,
    counted: usize,
    codes: HashMap<String, Value>,
    /// Those that renew, each with what it was for and the one that came of it.
    refresh: HashMap<String, (Value, Option<String>)>,
    access: HashMap<String, (Value, Instant)>,
}

/// A status, fields of a head, and a body.
type Reply = (String, String, String);

impl Default for Knobs {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(3600),
            told: None,
            slow: Duration::ZERO,
            grace: true,
            worthless: false,
            renewable: true,
            resource: json!({}),
            issuer: json!({}),
            metadata: None,
            instead: None,
            wanted: None,
            besides: String::new(),
            client: None,
        }
    }
}

impl Authority {
    /// Starts on a free port.
    pub fn start() -> Self {
        let state = State {
            knobs: Knobs::default(),
            server: Server::new("good"),
            counted: 0,
            codes: HashMap::new(),
            refresh: HashMap::new(),
            access: HashMap::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        Self { echo: Echo::speaking(move |request, stream| speak(&shared, request, stream)), state }
    }

    /// Where the MCP server is.
    pub fn url(&self) -> String {
        format!("{}/mcp", self.echo.url())
    }

    /// Everything but the path.
    pub fn origin(&self) -> &str {
        self.echo.url()
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Received> {
        self.echo.received()
    }

    /// How many requests began so.
    pub fn count(&self, line: &str) -> usize {
        self.received().iter().filter(|request| request.line.starts_with(line)).count()
    }

    /// Makes it behave otherwise from now on.
    pub fn turn(&self, change: impl FnOnce(&mut Knobs)) {
        change(&mut lock(&self.state).knobs);
    }

    /// Every token that was issued, and every client's secret.
    pub fn secrets(&self) -> Vec<String> {
        let state = lock(&self.state);
        let secret = state.knobs.client.iter().map(|(_, secret)| secret);
        state.access.keys().chain(state.refresh.keys()).chain(secret).cloned().collect()
    }

    /// Has every access token end now.
    pub fn end_access(&self) {
        lock(&self.state).access.clear();
    }

    /// Has no token be renewed any more.
    pub fn end_refresh(&self) {
        lock(&self.state).refresh.clear();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn speak(state: &Mutex<State>, request: &Received, stream: &mut TcpStream) -> io::Result<()> {
    let (status, fields, body) = lock(state).answer(request);
    if request.line.starts_with("POST /token") {
        let slow = lock(state).knobs.slow;
        std::thread::sleep(slow);
    }
    write!(stream, "HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

impl State {
    fn answer(&mut self, request: &Received) -> Reply {
        let origin = format!("http://{}", request.header("host").unwrap_or_default());
        let target = request.line.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if let Some((_, body)) = self.knobs.instead.as_ref().filter(|(known, _)| known == path) {
            return ("200 OK".into(), "Content-Type: application/json\r\n".into(), body.clone());
        }
        match path {
            "/.well-known/oauth-protected-resource/mcp" => self.resource(&origin),
            "/.well-known/oauth-authorization-server/tenant" => self.issuer(&origin),
            "/register" => self.register(&request.body),
            "/authorize" => self.authorize(&origin, &pairs(query)),
            "/token" => self.token(&origin, request),
            "/revoke" => self.revoke(request),
            "/mcp" => self.ask(&origin, request),
            _ => ("404 Not Found".into(), String::new(), String::new()),
        }
    }

    fn resource(&self, origin: &str) -> Reply {
        let resource = json!({
            "resource": format!("{origin}/mcp"),
            "authorization_servers": [format!("{origin}/tenant")],
            "scopes_supported": ["tools", "admin"],
        });
        document(resource, &self.knobs.resource)
    }

    fn issuer(&self, origin: &str) -> Reply {
        let issuer = json!({
            "issuer": format!("{origin}/tenant"),
            "authorization_endpoint": format!("{origin}/authorize"),
            "token_endpoint": format!("{origin}/token"),
            "registration_endpoint": format!("{origin}/register"),
            "revocation_endpoint": format!("{origin}/revoke"),
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["tools", "offline_access"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
        });
        document(issuer, &self.knobs.issuer)
    }

    fn register(&mut self, body: &str) -> Reply {
        let asked: Value = serde_json::from_str(body).unwrap_or_default();
        let redirect = asked["redirect_uris"][0].as_str().unwrap_or_default();
        if !redirect.starts_with("http://127.0.0.1:") || asked["token_endpoint_auth_method"] != "none" {
            return error("400 Bad Request", "invalid_client_metadata");
        }
        let client = self.next("client");
        ("201 Created".into(), String::new(), json!({"client_id": client}).to_string())
    }

    /// Whoever comes here has agreed.
    fn authorize(&mut self, origin: &str, asked: &HashMap<String, String>) -> Reply {
        let has = |name: &str, value: &str| asked.get(name).is_some_and(|known| known == value);
        let resource = has("resource", &format!("{origin}/mcp"));
        if !has("response_type", "code") || !has("code_challenge_method", "S256") || !resource {
            return error("400 Bad Request", "invalid_request");
        }
        let code = self.next("code-s3cr3t");
        self.codes.insert(code.clone(), json!(asked));
        let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let location = format!("{}?code={code}&state={}{}", of("redirect_uri"), of("state"), self.knobs.besides);
        ("302 Found".into(), format!("Location: {location}\r\n"), String::new())
    }

    fn token(&mut self, origin: &str, request: &Received) -> Reply {
        let form = pairs(&request.body);
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        if of("resource") != format!("{origin}/mcp") {
            return error("400 Bad Request", "invalid_target");
        }
        let Some(client) = self.client(request, &form) else { return error("401 Unauthorized", "invalid_client") };
        let granted = match of("grant_type").as_str() {
            "authorization_code" if self.knobs.worthless => None,
            "authorization_code" => self.codes.remove(&of("code")).filter(|asked| {
                let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(of("code_verifier")));
                asked["code_challenge"] == verifier
                    && asked["redirect_uri"] == of("redirect_uri")
                    && asked["client_id"] == client
            }),
            "refresh_token" => self.renew(&of("refresh_token")).filter(|asked| asked["client_id"] == client),
            "client_credentials" if self.knobs.client.is_some() => {
                return self.issue(json!({"scope": of("scope"), "client_id": client}), None);
            }
            _ => None,
        };
        match granted {
            Some(asked) => {
                let next = self.knobs.renewable.then(|| self.next("refresh-s3cr3t"));
                if let Some(spent) = self.refresh.get_mut(&of("refresh_token")) {
                    spent.1.clone_from(&next);
                }
                self.issue(asked, next)
            }
            // Some repeat what they were sent.
            None => {
                let sent =
                    form.into_iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
                let body = json!({"error": "invalid_grant", "error_description": sent});
                ("400 Bad Request".into(), "Content-Type: application/json\r\n".into(), body.to_string())
            }
        }
    }

    /// The name of whoever asks, if it is proven.
    fn client(&self, request: &Received, form: &HashMap<String, String>) -> Option<String> {
        let Some((id, secret)) = &self.knobs.client else { return form.get("client_id").cloned() };
        let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        // The servers of the official SDKs want the name in the form, too.
        let is_named = form.get("client_id") == Some(id);
        (is_named && request.header("authorization") == Some(&basic)).then(|| id.clone())
    }

    /// What a refresh token was for, unless it was used before.
    fn renew(&mut self, token: &str) -> Option<Value> {
        let (asked, next) = self.refresh.get(token)?;
        let is_good = match next {
            None => true,
            Some(next) => self.knobs.grace && self.refresh.get(next).is_some_and(|(_, used)| used.is_none()),
        };
        is_good.then(|| asked.clone())
    }

    fn issue(&mut self, asked: Value, refresh: Option<String>) -> Reply {
        let access = self.next("access-s3cr3t");
        self.access.insert(access.clone(), (asked.clone(), Instant::now() + self.knobs.lifetime));
        let told = self.knobs.told.unwrap_or(self.knobs.lifetime);
        let mut body = json!({
            "access_token": access, "token_type": "Bearer", "expires_in": told.as_secs(), "scope": asked["scope"],
        });
        if let Some(refresh) = refresh {
            body["refresh_token"] = json!(refresh);
            self.refresh.insert(refresh, (asked, None));
        }
        ("200 OK".into(), "Content-Type: application/json\r\n".into(), body.to_string())
    }

    fn revoke(&mut self, request: &Received) -> Reply {
        let token = pairs(&request.body).remove("token").unwrap_or_default();
        self.access.remove(&token);
        self.refresh.remove(&token);
        ("200 OK".into(), String::new(), String::new())
    }

    fn ask(&mut self, origin: &str, request: &Received) -> Reply {
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let known = token.and_then(|token| self.access.get(token)).filter(|(_, end)| *end > Instant::now());
        let own = format!("{origin}/.well-known/oauth-protected-resource/mcp");
        let metadata = self.knobs.metadata.as_ref().unwrap_or(&own);
        let challenge = |words: &str| format!("WWW-Authenticate: Bearer resource_metadata=\"{metadata}\"{words}\r\n");
        let Some((asked, _)) = known else {
            return ("401 Unauthorized".into(), challenge(", scope=\"tools\""), String::new());
        };
        let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let lacking = self.knobs.wanted.clone().filter(|wanted| {
            message["method"] == "tools/call" && !asked["scope"].as_str().unwrap_or_default().contains(wanted)
        });
        if let Some(wanted) = lacking {
            let words = format!(", error=\"insufficient_scope\", scope=\"{wanted}\"");
            return ("403 Forbidden".into(), challenge(&words), String::new());
        }
        self.say(&message)
    }

    fn say(&mut self, message: &Value) -> Reply {
        let mut said = self.server.hear(message).into_iter().filter_map(|deed| match deed {
            Deed::Say(message) => Some(message.to_string()),
            _ => None,
        });
        let said = said.next_back().filter(|_| message.get("id").is_some());
        match said {
            Some(said) => ("200 OK".into(), "Content-Type: application/json\r\n".into(), said),
            None => ("202 Accepted".into(), String::new(), String::new()),
        }
    }

    fn next(&mut self, kind: &str) -> String {
        self.counted += 1;
        format!("{kind}-{}", self.counted)
    }
}

fn document(mut document: Value, changes: &Value) -> Reply {
    for (name, value) in changes.as_object().into_iter().flatten() {
        document[name] = value.clone();
    }
    ("200 OK".into(), "Content-Type: application/json\r\n".into(), document.to_string())
}

fn error(status: &str, error: &str) -> Reply {
    (status.into(), "Content-Type: application/json\r\n".into(), json!({ "error": error }).to_string())
}

fn pairs(form: &str) -> HashMap<String, String> {
    form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

/// Goes where a page sends a browser, once, and gives what is there in the end: a head and a body.
pub fn browse(url: &str) -> String {
    let page = get(url);
    let location = page.lines().find_map(|line| line.strip_prefix("Location: ")).map(str::to_owned);
    location.map_or(page, |location| get(&location))
}

/// The whole answer of a server on loopback.
pub fn get(url: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(authority).expect("a server on loopback");
    stream.set_read_timeout(Some(Duration::from_millis(500))).expect("a timeout");
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    // Whoever has heard enough closes, and what was answered is still there to be read, or not.
    let _ = stream.write_all(request.as_bytes());
    let (mut page, mut piece) = (Vec::new(), [0; 4096]);
    // The server may keep the connection; what it has to say comes at once.
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        page.extend_from_slice(&piece[..count]);
        if page.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    String::from_utf8_lossy(&page).into_owned()
}
