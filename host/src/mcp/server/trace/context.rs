//! A span's place in its trace, as W3C Trace Context writes it: `00-<trace>-<span>-<flags>`.

use crate::provider::hex;
use std::str::FromStr;

/// Which span of which trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mcp::server) struct Context {
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
}

/// It is no `traceparent`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::mcp::server) struct NoContext;

impl Context {
    /// A span of the same trace, or of one of its own.
    pub(super) fn child_of(parent: Option<Self>) -> Self {
        Self { trace: parent.map_or_else(random, |parent| parent.trace), span: random() }
    }

    pub(super) fn trace_id(&self) -> String {
        hex(&self.trace)
    }

    pub(super) fn span_id(&self) -> String {
        hex(&self.span)
    }
}

impl FromStr for Context {
    type Err = NoContext;

    fn from_str(text: &str) -> Result<Self, NoContext> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(version), Some(trace), Some(span), Some(flags)) = (version, trace, span, flags) else {
            return Err(NoContext);
        };
        // Later versions may add parts; this one has four.
        let sound =
            version.len() == 2 && version != "ff" && flags.len() == 2 && (version != "00" || parts.next().is_none());
        let context = Self { trace: bytes(trace)?, span: bytes(span)? };
        if sound && context.trace != [0; 16] && context.span != [0; 8] { Ok(context) } else { Err(NoContext) }
    }
}

fn bytes<const N: usize>(hexadecimal: &str) -> Result<[u8; N], NoContext> {
    let lower = hexadecimal.bytes().all(|letter| matches!(letter, b'0'..=b'9' | b'a'..=b'f'));
    if hexadecimal.len() != 2 * N || !lower {
        return Err(NoContext);
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hexadecimal[2 * at..2 * at + 2], 16).map_err(|_| NoContext)?;
    }
    Ok(bytes)
}

/// Without randomness, spans are told apart no more, which hurts nobody else.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [1; N];
    let _ = getrandom::fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_standard_allows_is_taken_over() {
        let check = |text: &str, expected: bool| assert_eq!(text.parse::<Context>().is_ok(), expected, "{text}");
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        check(&format!("00-{trace}-{span}-01"), true);
        check(&format!("cc-{trace}-{span}-01-more"), true);
        check(&format!("00-{trace}-{span}-01-more"), false);
        check(&format!("ff-{trace}-{span}-01"), false);
        check(&format!("00-{}-{span}-01", trace.to_uppercase()), false);
        check(&format!("00-{}-{span}-01", "0".repeat(32)), false);
        check(&format!("00-{trace}-{}-01", "0".repeat(16)), false);
        check(&format!("00-{trace}-{span}"), false);
        check("", false);
        check("00-ä-ö-ü", false);
    }

    #[test]
    fn a_child_is_of_the_same_trace() {
        let parent = Context::child_of(None);
        let child = Context::child_of(Some(parent));
        assert_eq!(child.trace, parent.trace);
        assert_ne!(child.span, parent.span);
    }
}
