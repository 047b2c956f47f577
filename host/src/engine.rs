//! Compiles, caches, links and limits components. One per process, since types of two engines must never meet.

use crate::artifact::Artifacts;
use crate::bindings::{PluginPre, contract};
use crate::description::{Description, DescriptionError};
use crate::fault::{Code, Fault};
use crate::imports;
use crate::limits::{CORE_INSTANCES, Limits, MEMORIES, TABLES};
use crate::outbound::Outbound;
use crate::sandbox::{Sandbox, TICK};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::component::Component;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Invocations that may run at once; further ones wait their turn.
const SLOTS: u32 = 128;
/// How long an invocation waits for its turn before it is told `busy`.
const QUEUE: Duration = Duration::from_secs(10);
/// `describe` answers from constants.
const DESCRIBE: Duration = Duration::from_secs(1);
/// Bytes of a component file. A Python one is 18 MB; compiling is the most expensive thing a plugin can make us do.
pub(crate) const COMPONENT_BYTES: usize = 32 << 20;
/// Bytes of one linear memory the pool reserves; the sandbox's own sum is lower or equal.
const MEMORY_BYTES: usize = 64 << 20;
/// Bytes of memory a pool slot keeps between invocations, wiped instead of returned to the system: about what a small
/// plugin touches.
const RESIDENT_BYTES: usize = 1 << 20;

/// Changes the engine's configuration before it is built, for embedders that measure or inspect.
pub type Configure = Box<dyn Fn(&mut Config) + Send + Sync>;

/// Where the engine keeps what it compiled, and how it is built.
#[derive(Default)]
pub struct EngineSettings {
    /// Folder for compiled components; none keeps nothing.
    pub cache: Option<PathBuf>,
    /// The embedder's last word on the configuration.
    pub configure: Option<Configure>,
}

/// Compiles, caches, links and limits components. Costs nothing until a component is needed.
pub struct Engine {
    settings: EngineSettings,
    wasmtime: OnceLock<Result<wasmtime::Engine, Fault>>,
    artifacts: OnceLock<Option<Artifacts>>,
    slots: Semaphore,
    loading: Arc<Semaphore>,
}

impl Engine {
    /// An engine that will be built when it is first needed.
    pub fn new(settings: EngineSettings) -> Self {
        let (wasmtime, artifacts) = (OnceLock::new(), OnceLock::new());
        let (slots, loading) = (Semaphore::new(SLOTS as usize), Arc::new(Semaphore::new(1)));
        Self { settings, wasmtime, artifacts, slots, loading }
    }

    /// What a component says of itself: from the cache if it was asked before, otherwise by asking it.
    ///
    /// # Errors
    /// `unloadable`, if it cannot be loaded, does not answer, or describes something inconsistent.
    pub async fn describe(self: &Arc<Self>, digest: &Arc<str>, bytes: &Arc<[u8]>) -> Result<Description, Fault> {
        let name = format!("{digest}.json");
        let cached = self.artifacts().and_then(|artifacts| artifacts.read(&name));
        if let Some(description) = cached.and_then(|json| serde_json::from_slice(&json).ok()) {
            return Ok(description);
        }
        let declared = self.ask(&self.load(digest, bytes).await?).await?;
        if let Some(artifacts) = self.artifacts()
            && let Ok(json) = serde_json::to_vec(&declared)
        {
            artifacts.write(&name, &json);
        }
        declared.try_into().map_err(|error: DescriptionError| Fault::new(Code::Unloadable, error.to_string()))
    }

    async fn ask(&self, plugin: &PluginPre<Sandbox>) -> Result<contract::Description, Fault> {
        let _slot = self.slot().await?;
        let limits = Limits { wall: DESCRIBE, cpu: DESCRIBE, ..Limits::default() };
        let mut store = Sandbox::store(self.wasmtime()?, &limits, Outbound::closed());
        let answer = async {
            let plugin = plugin.instantiate_async(&mut store).await?;
            plugin.kosmo_plugin_provider().call_describe(&mut store).await
        };
        match tokio::time::timeout(limits.wall, answer).await {
            Ok(Ok(declared)) => Ok(declared),
            Ok(Err(error)) => Err(Fault::new(Code::Unloadable, format!("`describe` failed: {}", error.root_cause()))),
            Err(_) => Err(Fault::new(Code::Unloadable, format!("`describe` took more than {} s", DESCRIBE.as_secs()))),
        }
    }

    /// The component ready to be instantiated: from the cache if it is there, compiled otherwise. That takes seconds,
    /// so it happens beside the threads that serve invocations.
    ///
    /// # Errors
    /// `unloadable`, if the file is no component, wants imports nobody gives, or speaks another contract.
    pub(crate) async fn load(
        self: &Arc<Self>,
        digest: &Arc<str>,
        bytes: &Arc<[u8]>,
    ) -> Result<PluginPre<Sandbox>, Fault> {
        // One at a time: whoever gives up waiting must not leave a pile of compilations behind.
        let turn = Arc::clone(&self.loading).acquire_owned().await;
        let (engine, digest, bytes) = (Arc::clone(self), Arc::clone(digest), Arc::clone(bytes));
        let loading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            engine.load_now(&digest, &bytes)
        });
        loading.await.unwrap_or_else(|error| Err(internal("loading the plugin", &error)))
    }

    fn load_now(&self, digest: &str, bytes: &[u8]) -> Result<PluginPre<Sandbox>, Fault> {
        let engine = self.wasmtime()?;
        let component = self.component(engine, digest, bytes)?;
        imports::check_contract(engine, &component)?;
        let linker = imports::link(engine, &component)?;
        let unloadable = |error: wasmtime::Error| Fault::new(Code::Unloadable, format!("{error:#}"));
        PluginPre::new(linker.instantiate_pre(&component).map_err(unloadable)?).map_err(unloadable)
    }

    /// A turn among the invocations that may run at once.
    ///
    /// # Errors
    /// `busy`, if none came free in time.
    pub async fn slot(&self) -> Result<SemaphorePermit<'_>, Fault> {
        match tokio::time::timeout(QUEUE, self.slots.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => {
                Err(Fault::new(Code::Busy, format!("{SLOTS} invocations are running already; try again later.")))
            }
        }
    }

    /// The engine below, for instantiation and for embedders that inspect it.
    ///
    /// # Errors
    /// When the platform offers none of the memory strategies it can work with.
    pub fn wasmtime(&self) -> Result<&wasmtime::Engine, Fault> {
        self.wasmtime.get_or_init(|| build(&self.settings)).as_ref().map_err(Fault::clone)
    }

    fn artifacts(&self) -> Option<&Artifacts> {
        let open = || self.settings.cache.as_ref().and_then(|folder| Artifacts::open(folder).ok());
        self.artifacts.get_or_init(open).as_ref()
    }

    fn component(&self, engine: &wasmtime::Engine, digest: &str, bytes: &[u8]) -> Result<Component, Fault> {
        let name = format!("{digest}-{:016x}.cwasm", compatibility(engine));
        if let Some(component) = self.artifacts().and_then(|artifacts| artifacts.component(engine, &name)) {
            return Ok(component);
        }
        let component = compile(engine, bytes)?;
        if let Some(artifacts) = self.artifacts()
            && let Ok(compiled) = component.serialize()
        {
            artifacts.write(&name, &compiled);
        }
        Ok(component)
    }
}

/// Artifacts of another compiler version or configuration have another number.
fn compatibility(engine: &wasmtime::Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

fn compile(engine: &wasmtime::Engine, bytes: &[u8]) -> Result<Component, Fault> {
    if bytes.len() > COMPONENT_BYTES {
        let message = format!("The file has {} bytes; a component may have {COMPONENT_BYTES}.", bytes.len());
        return Err(Fault::new(Code::Unloadable, message));
    }
    if bytes.starts_with(b"\0asm\x01\0\0\0") {
        let message = "The file is a core WebAssembly module; build it for wasm32-wasip2 to get a component.";
        return Err(Fault::new(Code::Unloadable, message));
    }
    if !bytes.starts_with(b"\0asm") {
        let message = "The file is not a component: it does not even begin like WebAssembly.";
        return Err(Fault::new(Code::Unloadable, message));
    }
    Component::from_binary(engine, bytes).map_err(|error| {
        let reason = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
        Fault::new(Code::Unloadable, format!("The file is not a component: {reason}"))
    })
}

/// Instances come from a pool; where the address space for one is not to be had, each is mapped on demand.
fn build(settings: &EngineSettings) -> Result<wasmtime::Engine, Fault> {
    let with = |strategy| {
        let mut config = base_config();
        config.allocation_strategy(strategy);
        if let Some(configure) = &settings.configure {
            configure(&mut config);
        }
        wasmtime::Engine::new(&config)
    };
    let engine = with(InstanceAllocationStrategy::Pooling(pool()))
        .or_else(|_| with(InstanceAllocationStrategy::OnDemand))
        .map_err(|error| internal("the sandbox cannot be set up", &error))?;
    start_clock(&engine)?;
    Ok(engine)
}

fn base_config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    // The contract is synchronous (WASI 0.2); without the bookkeeping of concurrent tasks a host call costs a third.
    config.concurrency_support(false);
    config.async_stack_size(1 << 20);
    config.max_wasm_stack(512 << 10);
    config
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(SLOTS)
        .total_core_instances(SLOTS * CORE_INSTANCES)
        .total_memories(SLOTS * MEMORIES)
        .total_tables(SLOTS * TABLES)
        .total_stacks(SLOTS)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(MEMORY_BYTES)
        .table_elements(100_000)
        .max_unused_warm_slots(SLOTS)
        .decommit_batch_size(8)
        .pagemap_scan(Enabled::Auto);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.linear_memory_keep_resident(RESIDENT_BYTES).table_keep_resident(64 << 10);
    }
    pool
}

fn start_clock(engine: &wasmtime::Engine) -> Result<(), Fault> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    let spawned = std::thread::Builder::new().name("kosmo-clock".into()).spawn(tick);
    spawned.map(drop).map_err(|error| internal("the sandbox's clock cannot be started", &error))
}

fn internal(what: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::new(Code::Internal, format!("{what}: {error:#}"))
}
