//! How a server is started or contacted.

use super::Servers;
use super::address::Address;
use super::connection::{self, Connection, Patience};
use super::handler::Ours;
use super::http::Http;
use super::notes::Notes;
use super::pipe::{LONGEST, Watched};
use super::process::Launch;
use crate::fault::{Code, Fault};
use crate::mcp::config::{Server, Transport};
use crate::mcp::plain::{secrets_of_arguments, secrets_of_url};
use crate::mcp::reference::{Part, Template};
use crate::mcp::secrets::Sources;
use crate::secret::Secret;
use rmcp::service::{RoleClient, RunningService, ServiceExt};
use rmcp::transport::Transport as Wire;
use rmcp::transport::async_rw::AsyncRwTransport;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::time::timeout;

/// More than the largest message that is read, so that what is too long is told and not passed over.
const NEVER_PASSED_OVER: usize = LONGEST * 2;

impl Servers {
    /// Starts or contacts a server, and waits until it is ready.
    pub(super) async fn start(&self, server: &Server, patience: Patience) -> Result<Connection, Fault> {
        let told = self.surroundings.config.told(server)?;
        self.learn(server, "its entry", &told.secrets);
        match server.transport {
            Transport::Stdio => self.start_process(server, told.env, patience).await,
            Transport::Http => self.contact(server, told.headers, patience).await,
        }
    }

    async fn start_process(
        &self,
        server: &Server,
        environment: std::collections::BTreeMap<String, Secret>,
        patience: Patience,
    ) -> Result<Connection, Fault> {
        let launch = Launch {
            server,
            program: self.plain(server, "command", server.command.as_deref().unwrap_or_default())?,
            arguments: server.args.iter().map(|text| self.plain(server, "args", text)).collect::<Result<_, _>>()?,
            environment: environment.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect(),
            folder: self.working_folder(server)?,
            inherit: self.surroundings.config.environment("KOSMO_MCP_INHERIT_ENV") == Some("1"),
            guard: self.guard.as_deref(),
        };
        self.learn(server, "`args`", &secrets_of_arguments(&launch.arguments));
        let notes = Arc::<Notes>::default();
        let (process, stdin, stdout) = launch.start(&notes)?;
        let transport = AsyncRwTransport::<RoleClient, _, _>::new(Watched::new(stdout, Arc::clone(&notes)), stdin);
        let transport = transport.with_max_line_length(NEVER_PASSED_OVER);
        let changed = Arc::<AtomicBool>::default();
        match begin(transport, self.ours(server, &changed), patience).await {
            Begun::Ready(service) => Ok(Connection::new(&server.name, *service, Some(process), notes, changed)),
            Begun::Failed(error) => Err(connection::failed(&server.name, &notes, Some(&process), &error).await),
            Begun::Late => Err(connection::silent(&server.name, patience, &notes)),
        }
    }

    async fn contact(
        &self,
        server: &Server,
        headers: std::collections::BTreeMap<String, Secret>,
        patience: Patience,
    ) -> Result<Connection, Fault> {
        let http = Http::new(server, self.address(server)?, headers, &self.surroundings)?;
        let (notes, changed) = (Arc::clone(&http.notes), Arc::<AtomicBool>::default());
        match begin(http.transport(), self.ours(server, &changed), patience).await {
            Begun::Ready(service) => Ok(Connection::new(&server.name, *service, None, notes, changed)),
            Begun::Failed(error) => Err(connection::failed(&server.name, &notes, None, &error).await),
            Begun::Late => Err(connection::silent(&server.name, patience, &notes)),
        }
    }

    /// Where a server listens.
    ///
    /// # Errors
    /// `unconfigured`, if its URL cannot be used.
    pub(crate) fn address(&self, server: &Server) -> Result<Address, Fault> {
        let address = self.plain(server, "url", server.address.as_deref().unwrap_or_default())?;
        self.learn(server, "`url`", &secrets_of_url(&address));
        let is_vouched = self.surroundings.config.mcp().trust(server).is_given();
        let refused = |why| Fault::new(Code::Unconfigured, format!("MCP server '{}': {why}", server.name));
        Address::new(&address, is_vouched).map_err(refused)
    }

    /// The way to a server, as its entry says. Nothing is contacted yet.
    ///
    /// # Errors
    /// `unconfigured`, if what its entry says cannot be used.
    pub(crate) fn http(&self, server: &Server) -> Result<Http, Fault> {
        let told = self.surroundings.config.told(server)?;
        self.learn(server, "its entry", &told.secrets);
        Http::new(server, self.address(server)?, told.headers, &self.surroundings)
    }

    fn ours(&self, server: &Server, changed: &Arc<AtomicBool>) -> Ours {
        let is_trusted = self.surroundings.config.mcp().trust(server).is_given();
        let root = is_trusted.then(|| server.folder.clone()).filter(|root| root.is_absolute());
        let (server, progress) = (server.name.clone(), self.progress.get().cloned());
        Ours { server, root, changed: Arc::clone(changed), progress }
    }

    /// A value that others can see: programs list each other's arguments, and URLs end up in logs.
    fn plain(&self, server: &Server, place: &str, text: &str) -> Result<String, Fault> {
        let template = Template::parse(text);
        if template.parts().iter().any(|part| matches!(part, Part::Secret { .. } | Part::Input(_))) {
            let message = format!(
                "MCP server '{}': `{place}` cannot hold a secret, which others would see there. Put it into `env` or \
                 `headers`",
                server.name
            );
            return Err(Fault::new(Code::Unconfigured, message));
        }
        let sources = Sources::new(&self.surroundings.config, server);
        let resolved = template.resolve(&format!("`{place}` of MCP server '{}'", server.name), &sources)?;
        self.learn(server, &format!("`{place}` {text}"), &sources.into_hidden());
        Ok(resolved.expose().to_owned())
    }

    /// Looks for these from now on in whatever anybody is shown.
    fn learn(&self, server: &Server, place: &str, secrets: &[Secret]) {
        for (index, value) in secrets.iter().enumerate() {
            self.surroundings.secrets.learn(&format!("secret {index} in {place} of MCP server {}", server.name), value);
        }
    }

    fn working_folder(&self, server: &Server) -> Result<PathBuf, Fault> {
        let root = if server.folder.as_os_str().is_empty() { PathBuf::from(".") } else { server.folder.clone() };
        match &server.cwd {
            Some(cwd) => Ok(root.join(self.plain(server, "cwd", cwd)?)),
            None => Ok(root),
        }
    }
}

/// How beginning a connection went.
enum Begun {
    Ready(Box<RunningService<RoleClient, Ours>>),
    Failed(Box<rmcp::service::ClientInitializeError>),
    Late,
}

async fn begin<T>(transport: T, ours: Ours, patience: Patience) -> Begun
where
    T: Wire<RoleClient> + 'static,
{
    match timeout(patience.idle, ours.serve(transport)).await {
        Ok(Ok(service)) => Begun::Ready(Box::new(service)),
        Ok(Err(error)) => Begun::Failed(Box::new(error)),
        Err(_) => Begun::Late,
    }
}
