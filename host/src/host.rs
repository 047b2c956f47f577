//! The library's front door: a [`Host`] holds providers and accounts, runs invocations and opens sessions.

use crate::audit::{Audit, Trail};
use crate::config::{Config, ConfigError};
use crate::docs::Catalogue;
use crate::engine::{Configure, Engine, EngineSettings};
use crate::fault::Fault;
use crate::interrupt::Interrupt;
use crate::invocation::{Invocation, Surroundings};
use crate::limits::Limits;
use crate::lua::Lost;
use crate::mcp::Servers;
use crate::outbound::{Budget, Resolve, Transport};
use crate::plugins;
use crate::provider::Provider;
use crate::registry::Registry;
use crate::rerun;
use crate::resume::Resumes;
use crate::secrets::Secrets;
use crate::store::Store;
use crate::view::View;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;
use tokio::runtime::{Handle, Runtime, RuntimeFlavor};

/// Providers, accounts and everything an invocation needs. Cheap to clone; nothing is scanned, compiled or dialled
/// before it is asked for.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
    view: View,
}

struct Inner {
    registry: Registry,
    catalogue: Catalogue,
    surroundings: Arc<Surroundings>,
    home: Option<PathBuf>,
    servers: Servers,
    runtime: Executor,
    lost: Lost,
    /// Whether the configuration's secrets are looked for.
    taught: Once,
}

impl Host {
    /// Starts with nothing: no home, no plugins, no accounts.
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// The providers of everybody, whoever this host is seen by, for swapping them while sessions run.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Runs one function once and gives its result as JSON text. All checks are in here.
    ///
    /// # Errors
    /// A [`Fault`] that says who, what and the cure.
    pub async fn invoke(&self, invocation: Invocation) -> Result<String, Fault> {
        self.inner.taught.call_once(|| self.teach());
        let invocation = self.asked(invocation);
        let trail = Trail::begin(&self.inner.surroundings.audit, &invocation);
        let _waiting = trail.waiting();
        invocation.interrupt.iter().for_each(|interrupt| interrupt.concerns(trail.run()));
        let outcome = self.invoke_on(invocation, &trail).await;
        trail.end(&outcome);
        outcome
    }

    async fn invoke_on(&self, mut invocation: Invocation, trail: &Arc<Trail>) -> Result<String, Fault> {
        invocation.interrupt.iter().try_for_each(Interrupt::check)?;
        // Whoever is limited learns nothing of what is beyond, not even names.
        invocation.check_scopes()?;
        let provider = self.registry().provider(&invocation.provider).await?;
        let host = &self.inner.surroundings;
        self.check_providers().map_err(|fault| self.veiled(fault, None))?;
        let outcome = match invocation.position.take() {
            Some(position) => rerun::invoke(&provider, host, position, invocation, trail).await,
            None => provider.invoke(host, invocation, trail).await,
        };
        outcome.map_err(|fault| self.veiled(fault, Some(&provider)))
    }

    /// Whether every provider that the files name could be meant.
    pub(crate) fn check_providers(&self) -> Result<(), Fault> {
        let policies = self.inner.surroundings.config.policies();
        policies.check_providers(|name| self.registry().knows(name), || self.registry().names())
    }

    /// Copies a plugin file into the home and accepts it. Gives the provider and where the file is now.
    ///
    /// # Errors
    /// `unloadable`, if the file is no plugin, or there is no home to put it in.
    pub async fn install(&self, file: &Path) -> Result<(Provider, PathBuf), Fault> {
        let nowhere = || Fault::new(crate::Code::Unloadable, "This host has no home folder to install plugins in.");
        let home = self.inner.home.as_deref().ok_or_else(nowhere)?;
        let store = self.inner.surroundings.store.as_ref().ok_or_else(nowhere)?;
        plugins::install(&self.inner.surroundings.engine, store, home, file).await
    }

    /// Everything that was decided, sent and done.
    pub fn audit(&self) -> &Audit {
        &self.inner.surroundings.audit
    }

    /// Whether a run sent something that must not be sent again: it can be taken up with `SessionBuilder::resume`.
    pub fn remembers(&self, run: &str) -> bool {
        self.inner
            .surroundings
            .store
            .as_ref()
            .is_some_and(|store| store.exists() && store.knows_run(run).unwrap_or(false))
    }

    /// The MCP servers.
    pub fn mcp(&self) -> &Servers {
        &self.inner.servers
    }

    /// The engine, for embedders that inspect it.
    pub fn engine(&self) -> &Engine {
        &self.inner.surroundings.engine
    }

    /// The folder with configuration and installed plugins, if there is one.
    pub fn home(&self) -> Option<&Path> {
        self.inner.home.as_deref()
    }

    /// Waits for a future on the host's runtime. Not for use inside asynchronous code.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.inner.runtime.block_on(future)
    }

    /// Threads of scripts that could not be stopped at their limits and have not ended since. Each keeps its memory; at
    /// eight of them new sessions are refused as `busy`, and a server had better be restarted before.
    pub fn lost_threads(&self) -> usize {
        self.inner.lost.count()
    }

    pub(crate) fn lost(&self) -> &Lost {
        &self.inner.lost
    }

    /// Whether a text holds a secret that this host knows, in any usual spelling: one of an account, one that is kept for
    /// an MCP server, or one that such a server was told. What is kept meanwhile counts, too.
    pub fn holds_secret(&self, text: &str) -> bool {
        self.teach();
        self.inner.surroundings.secrets.find(text.as_bytes()).is_some()
    }

    fn teach(&self) {
        let surroundings = &self.inner.surroundings;
        surroundings.config.teach_by_name(&self.registry().names(), &surroundings.secrets);
        surroundings.config.teach_kept_for_servers(&surroundings.secrets);
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// The same, seen by somebody else.
    pub(crate) fn seen(&self, view: View) -> Self {
        Self { inner: Arc::clone(&self.inner), view }
    }

    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.inner.surroundings
    }

    /// What searches look in, built when it is first asked for.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.inner.catalogue
    }

    pub(crate) fn handle(&self) -> Handle {
        self.inner.runtime.handle()
    }

    /// Whether the host's work stands still while the calling thread is blocked.
    pub(crate) fn is_stalled(&self) -> bool {
        self.inner.runtime.is_stalled()
    }
}

/// How long a runtime has to show that another thread than the calling one drives it.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// Where asynchronous work runs: on the embedder's runtime, or on one of our own that a waiting thread drives itself,
/// so that a request needs no hop between threads.
struct Executor {
    borrowed: Option<Handle>,
    own: OnceLock<Runtime>,
}

impl Executor {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        match &self.borrowed {
            Some(handle) => handle.block_on(future),
            None => self.own().block_on(future),
        }
    }

    fn handle(&self) -> Handle {
        self.borrowed.clone().unwrap_or_else(|| self.own().handle().clone())
    }

    /// So it does inside a borrowed runtime of one thread, but for `spawn_blocking`. The runtime itself knows best.
    fn is_stalled(&self) -> bool {
        let (Some(borrowed), Ok(here)) = (&self.borrowed, Handle::try_current()) else { return false };
        if borrowed.runtime_flavor() != RuntimeFlavor::CurrentThread || borrowed.id() != here.id() {
            return false;
        }
        let (tell, told) = channel();
        borrowed.spawn(async move { tell.send(()) });
        told.recv_timeout(SIGN_OF_LIFE).is_err()
    }

    fn own(&self) -> &Runtime {
        let build = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        self.own.get_or_init(|| build().expect("a runtime needs nothing but a file descriptor or two"))
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        if let Some(runtime) = self.own.take() {
            // Waiting for it is forbidden where the last clone of a host is dropped inside asynchronous code.
            runtime.shutdown_background();
        }
    }
}

/// Configures a [`Host`].
#[derive(Default)]
pub struct HostBuilder {
    home: Option<PathBuf>,
    folders: Vec<PathBuf>,
    config: Option<Config>,
    grants: Option<PathBuf>,
    limits: Limits,
    cache: Option<PathBuf>,
    audit: Option<PathBuf>,
    configure: Option<Configure>,
    resolver: Option<Box<dyn Resolve>>,
    predecessor: Option<Host>,
    project: Option<PathBuf>,
    mcp_guard: Option<PathBuf>,
}

impl HostBuilder {
    /// The folder with `config.toml`, installed plugins and the cache.
    #[must_use]
    pub fn home(self, home: impl Into<PathBuf>) -> Self {
        Self { home: Some(home.into()), ..self }
    }

    /// The folder for compiled components; `cache` under the home by default.
    #[must_use]
    pub fn cache(self, folder: impl Into<PathBuf>) -> Self {
        Self { cache: Some(folder.into()), ..self }
    }

    /// The folder for the audit log; `audit` under the home by default. Without either, the latest records are kept in
    /// memory.
    #[must_use]
    pub fn audit(self, folder: impl Into<PathBuf>) -> Self {
        Self { audit: Some(folder.into()), ..self }
    }

    /// A further folder whose `.wasm` files are providers.
    #[must_use]
    pub fn plugins(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folders.push(folder.into());
        self
    }

    /// The home that [`HostBuilder::from_env`] takes, and nothing of what lies in it.
    #[must_use]
    pub fn home_from_env(self) -> Self {
        Self { home: home(), config: Some(Config::default()), ..self }
    }

    /// What `KOSMO_HOME` and `KOSMO_PLUGINS` say, `~/.kosmo` by default; accounts from the environment too. Narrowed by
    /// the project the working folder is in.
    ///
    /// # Errors
    /// A mistake in `config.toml`.
    pub fn from_env(self) -> Result<Self, ConfigError> {
        let home = home();
        let config = home.as_deref().map_or_else(|| Ok(Config::default()), Config::load)?;
        let folder = std::env::current_dir().unwrap_or_default();
        let config = config.in_project(home.as_deref(), &folder)?;
        let variables = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        let config = Some(config.with_environment(variables));
        let mut builder = Self { config, home, project: Some(folder), ..self };
        let folders = std::env::var_os("KOSMO_PLUGINS").unwrap_or_default();
        builder.folders.extend(std::env::split_paths(&folders).filter(|folder| !folder.as_os_str().is_empty()));
        Ok(builder)
    }

    /// The folder of the project whose MCP servers are found besides those of the home.
    #[must_use]
    pub fn project(self, folder: impl Into<PathBuf>) -> Self {
        Self { project: Some(folder.into()), ..self }
    }

    /// The program that watches over MCP servers, so that they end even if this process is killed. It is run as
    /// `mcp:guard PARENT PROGRAM ARGUMENT…` and calls [`crate::mcp::watch_over`]; `kosmo` itself is one. Without it, servers
    /// are killed when the host is dropped.
    #[must_use]
    pub fn mcp_guard(self, program: impl Into<PathBuf>) -> Self {
        Self { mcp_guard: Some(program.into()), ..self }
    }

    /// This configuration instead of the home's.
    #[must_use]
    pub fn config(self, config: Config) -> Self {
        Self { config: Some(config), ..self }
    }

    /// Narrowed to what this file grants, and nothing else; see [`Config::only`].
    #[must_use]
    pub fn grants(self, file: impl Into<PathBuf>) -> Self {
        Self { grants: Some(file.into()), ..self }
    }

    /// These limits for every invocation.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The last word on the engine's configuration, for embedders that measure or inspect.
    #[must_use]
    pub fn configure_engine(self, configure: Configure) -> Self {
        Self { configure: Some(configure), ..self }
    }

    /// What finds providers' addresses, instead of the system's resolver. What it answers is checked like any answer:
    /// special-purpose addresses are dialled only where an account's own `url` spells them out.
    #[must_use]
    pub fn resolver(self, resolver: impl Resolve + 'static) -> Self {
        Self { resolver: Some(Box::new(resolver)), ..self }
    }

    /// In place of this host, whose configuration changed: the engine, the audit log, the budgets and what is known of
    /// rate limits stay, so that nothing is compiled, counted or waited for anew. What runs there ends there.
    #[must_use]
    pub fn succeeding(self, host: &Host) -> Self {
        Self { predecessor: Some(host.clone()), ..self }
    }

    /// Builds the host. Inside a tokio runtime it uses that one, otherwise one of its own.
    ///
    /// # Errors
    /// A mistake in the home's `config.toml`, in what it takes from the environment, or in the file with the grants.
    pub fn build(self) -> Result<Host, ConfigError> {
        let config = match (self.config, &self.home) {
            (Some(config), _) => config,
            (None, Some(home)) => Config::load(home)?,
            (None, None) => Config::default(),
        };
        let config = self.grants.iter().try_fold(config, |config, file| config.only(file))?;
        let under = |name: &str| self.home.as_ref().map(|home| home.join(name));
        let settings = EngineSettings {
            cache: self.cache.clone().or_else(|| under("cache")),
            configure: self.configure,
            ..EngineSettings::default()
        };
        let before = self.predecessor.as_ref().map(|host| &host.inner);
        let kept = before.map(|before| &before.surroundings);
        let engine = kept.map_or_else(|| Arc::new(Engine::new(settings)), |kept| Arc::clone(&kept.engine));
        let folders = self.folders.into_iter().chain(under("plugins")).collect();
        let store = self.home.as_deref().map(|home| Arc::new(Store::with(home, config.keys())));
        let audit = self.audit.clone().or_else(|| under("audit"));
        let surroundings = Arc::new(Surroundings {
            engine: Arc::clone(&engine),
            resumes: Resumes::new(under("resume")),
            secrets: Secrets::default(),
            transport: Transport::new(config.network()?, self.resolver, self.limits.timeouts),
            config: config.keeping(store.clone()),
            store,
            held: kept.map_or_else(|| Budget::new(self.limits.held_by_all), |kept| Arc::clone(&kept.held)),
            audit: kept.map_or_else(|| Audit::new(audit), |kept| Arc::clone(&kept.audit)),
            queues: kept.map_or_else(Arc::default, |kept| Arc::clone(&kept.queues)),
            limits: self.limits,
        });
        let runtime = Executor { borrowed: Handle::try_current().ok(), own: OnceLock::new() };
        let registry = Registry::new(engine, folders);
        let servers = Servers::new(&surroundings, self.home.clone(), self.project, self.mcp_guard);
        let inner = Inner {
            registry,
            servers,
            catalogue: Catalogue::default(),
            surroundings,
            home: self.home,
            runtime,
            taught: Once::new(),
            lost: before.map(|before| before.lost.clone()).unwrap_or_default(),
        };
        Ok(Host { inner: Arc::new(inner), view: View::default() })
    }
}

/// Where the environment says that the home is.
fn home() -> Option<PathBuf> {
    std::env::var_os("KOSMO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".kosmo")))
}
