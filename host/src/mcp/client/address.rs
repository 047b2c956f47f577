//! Where a server listens: its URL, and what the operator's word for it allows.

use crate::mcp::plain::decoded;
use crate::rule::Base;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use url::Url;

/// A URL that was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// Without a name and a password.
    pub(crate) url: Url,
    /// Its origin, which may be a special-purpose address if the operator vouches for the server.
    pub(crate) base: Base,
    /// The name and password that stood in it, as the header that carries them.
    pub(crate) credentials: Option<HeaderValue>,
}

impl Address {
    /// Says what is wrong with the URL.
    pub(super) fn new(text: &str, is_vouched: bool) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|_| "its `url` is none")?;
        let credentials = credentials(&mut url);
        let origin = origin(&url).ok_or("its `url` is neither http:// nor https://")?;
        let base = if is_vouched { Base::typed(&origin) } else { Base::declared(&origin) };
        let base = base.map_err(|error| format!("its `url` cannot be used: {error}"))?;
        Ok(Self { url, base, credentials })
    }
}

/// A user's name and password out of the URL, as the header that carries them.
fn credentials(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let pair = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
    // Fails only for URLs without a host, which are refused below.
    let _ = (url.set_username(""), url.set_password(None));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn origin(url: &Url) -> Option<String> {
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}
