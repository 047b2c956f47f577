//! Encryption to the name that was checked: which roots are trusted, and the handshake.

use super::stream::Stream;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// What both sides may speak afterwards, best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// Sessions one account may resume; it talks to one host, rarely to two.
const SESSIONS: usize = 8;

/// Certificates trusted besides the public ones.
#[derive(Clone, Default)]
pub(crate) struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// Every certificate of a PEM text, of which there is at least one.
    pub(crate) fn parse(pem: &[u8]) -> Result<Self, String> {
        let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let roots = parsed.map_err(|error| format!("it is not PEM: {error}"))?;
        if roots.is_empty() {
            return Err("it holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)".into());
        }
        let mut store = RootCertStore::empty();
        for root in &roots {
            store.add(root.clone()).map_err(|error| format!("it holds a certificate that cannot be used: {error}"))?;
        }
        Ok(Self(roots))
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({})", self.0.len())
    }
}

/// What all connections of a host have in common: reading the roots takes longer than a request.
pub(super) fn common(roots: &Roots) -> ClientConfig {
    let mut trusted = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    trusted.add_parsable_certificates(roots.0.iter().cloned());
    let mut config = ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth();
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    config
}

/// One account's own: a session that two resumed would tell the provider that they are one.
pub(super) fn private(common: &ClientConfig) -> TlsConnector {
    let mut config = common.clone();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    TlsConnector::from(Arc::new(config))
}

/// Encrypts a connection to the host of this name, given without brackets.
pub(super) async fn handshake<T>(tls: &TlsConnector, host: &str, tcp: T) -> io::Result<Stream>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let stream = tls.connect(name, tcp).await?;
    let multiplexed = stream.get_ref().1.alpn_protocol() == Some(PROTOCOLS[0]);
    Ok(Stream::encrypted(stream, multiplexed))
}
