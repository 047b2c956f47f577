//! A proxy's tunnel (`CONNECT`): what it carries is encrypted end to end, so the proxy learns a name and nothing else.

use crate::network::Proxy;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes a proxy's answer may have.
const HEAD: usize = 8 << 10;

/// Asks for a tunnel to `host:port`, which is open afterwards.
pub(super) async fn open<T>(proxy: &Proxy, authority: &str, stream: &mut T) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&request(proxy, authority)).await?;
    let head = head(stream).await?;
    match status(&head) {
        Some(status) if status.starts_with('2') => Ok(()),
        Some("407") => {
            Err(io::Error::other("the proxy wants other credentials: put them into `proxy` under [network]"))
        }
        Some(status) => Err(io::Error::other(format!(
            "the proxy refused with status {status}; ask its owner to let {authority} pass, or name another one as \
             `proxy` under [network]"
        ))),
        None => Err(io::Error::other("the proxy did not answer as one; `proxy` under [network] says where it is")),
    }
}

fn request(proxy: &Proxy, authority: &str) -> Vec<u8> {
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").into_bytes();
    if let Some(value) = &proxy.authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// The proxy's answer up to its empty line, and not a byte of what follows: that is the other end's.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD {
            return Err(io::Error::other("the proxy's answer is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

/// `200` of `HTTP/1.1 200 Connection established`.
fn status(head: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(head).ok()?.lines().next()?;
    let status = line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
    (status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit())).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn opened(answer: &str) -> (Result<(), String>, String) {
        let authorization = Some(HeaderValue::from_static("Basic bWU6cHc="));
        let proxy = Proxy { host: "proxy.test".into(), port: 3128, authorization };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (mut ours, mut theirs) = tokio::io::duplex(64 << 10);
            theirs.write_all(answer.as_bytes()).await.expect("room");
            theirs.shutdown().await.expect("an open pipe");
            let outcome = open(&proxy, "api.test:443", &mut ours).await.map_err(|error| error.to_string());
            drop(ours);
            let mut asked = String::new();
            theirs.read_to_string(&mut asked).await.expect("text");
            (outcome, asked)
        })
    }

    #[test]
    fn a_tunnel_is_asked_for_by_name_with_the_proxys_own_credentials() {
        let (outcome, asked) = opened("HTTP/1.1 200 Connection established\r\nVia: it\r\n\r\n");
        outcome.expect("a tunnel");
        let expected =
            "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nProxy-Authorization: Basic bWU6cHc=\r\n\r\n";
        assert_eq!(asked, expected);
    }

    #[test]
    fn a_proxy_that_refuses_says_why() {
        let endless = "x".repeat(9 << 10);
        for (answer, part) in [
            ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "other credentials"),
            ("HTTP/1.1 403 Forbidden\r\n\r\n", "status 403"),
            ("SSH-2.0-OpenSSH\r\n\r\n", "did not answer as one"),
            ("HTTP/1.1 two hundred\r\n\r\n", "did not answer as one"),
            ("HTTP/1.1 200 OK\r\n", "end of file"),
            (&endless, "too long"),
        ] {
            let error = opened(answer).0.expect_err(part);
            assert!(error.contains(part), "{answer}: {error}");
        }
    }
}
