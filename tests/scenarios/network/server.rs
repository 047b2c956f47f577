//! A provider that speaks TLS, and a proxy on the way to it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::convert::Infallible;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A server on 127.0.0.1 with a certificate of its own making, that notes each request as `HTTP/2.0 GET /path` with its
/// credential.
pub(super) struct Secure {
    pub(super) port: u16,
    certificate: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Secure {
    /// With a certificate for this name or address, speaking these protocols.
    pub(super) fn start(name: &str, protocols: &[&str]) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([name.to_owned()]).expect("a certificate for a name");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key);
        let mut config = config.expect("the key is the certificate's");
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, acceptor) = (Arc::clone(&requests), TlsAcceptor::from(Arc::new(config)));
        std::thread::spawn(move || run(listener, &acceptor, &log));
        Self { port, certificate: cert.pem(), requests }
    }

    /// Writes its certificate where `ca_file` finds it.
    pub(super) fn write_certificate(&self, folder: &Path) {
        std::fs::write(folder.join("ca.pem"), &self.certificate).expect("a writable folder");
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panics while it holds this").clone()
    }
}

fn run(listener: TcpListener, acceptor: &TlsAcceptor, log: &Arc<Mutex<Vec<String>>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        listener.set_nonblocking(true).expect("a socket of our own");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a non-blocking listener");
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, log) = (acceptor.clone(), Arc::clone(log));
            tokio::spawn(serve(tcp, acceptor, log));
        }
    });
}

async fn serve(tcp: tokio::net::TcpStream, acceptor: TlsAcceptor, log: Arc<Mutex<Vec<String>>>) {
    let Ok(tls) = acceptor.accept(tcp).await else { return };
    let multiplexed = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let answer = service_fn(move |request: http::Request<Incoming>| {
        let credential = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let path = request.uri().path();
        let line = format!("{:?} {} {path} {}", request.version(), request.method(), credential.unwrap_or("-"));
        log.lock().expect("no test panics while it holds this").push(line);
        std::future::ready(Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from_static(b"{}")))))
    });
    let io = TokioIo::new(tls);
    let _ = match multiplexed {
        true => hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(io, answer).await,
        false => hyper::server::conn::http1::Builder::new().serve_connection(io, answer).await,
    };
}

/// A proxy on 127.0.0.1 that leads every tunnel to one port, and answers what it is asked in clear text itself.
pub(super) struct Proxy {
    pub(super) port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(super) fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                std::thread::spawn(move || relay(stream, to, &log));
            }
        });
        Self { port, heads }
    }

    /// The head of every request it got, tunnels included.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no test panics while it holds this").clone()
    }
}

fn relay(mut client: TcpStream, to: u16, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    log.lock().expect("no test panics while it holds this").push(head.clone());
    if !head.starts_with("CONNECT ") {
        return client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
    }
    let mut server = TcpStream::connect(("127.0.0.1", to))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut back, mut forth) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let _ = io::copy(&mut back, &mut forth);
        forth.shutdown(Shutdown::Both)
    });
    io::copy(&mut reader, &mut server)?;
    server.shutdown(Shutdown::Both)
}
